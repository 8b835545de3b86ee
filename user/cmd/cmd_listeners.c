/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* listeners - what the node's sockets wait for, against the policy. Needs no traffic and nothing attached. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/format.h"
#include "control/policy_args.h"
#include "control/watched.h"
#include "host/clock.h"
#include "instance/instance.h"
#include "instance/kernel_words.h"
#include "policy/compile/compile.h"
#include "policy/lang/load.h"
#include "report/listening.h"
#include "util/usage.h"

struct options {
    struct qpw_policy_options policy;
    bool json;
};

enum { KEY_JSON = 0x200, KEY_FORMAT };

static const struct argp_option options_table[] = {
    {"json", KEY_JSON, 0, 0, "Print one JSON document", 0},
    {"format", KEY_FORMAT, "text|json", 0, "Text (default) or JSON", 0},
    {0},
};

static error_t take_option(int key, char *value, struct argp_state *state)
{
    struct options *o = state->input;

    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &o->policy; return 0;
    case KEY_JSON: o->json = true; return 0;
    case KEY_FORMAT: o->json = qpw_format_is_json(state, value); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

/* What is counted in this network namespace. False: nothing is attached, or only root may ask; err says which. */
static bool take_snapshot(struct qpw_snapshot *ret, struct qpw_error *err)
{
    struct qpw_collect_options options = {.ports = true};
    struct qpw_kernel kernel;
    bool done;

    if (geteuid() != 0)
        qpw_fail(err, -EPERM, "root privileges are required (try sudo)");
    if (geteuid() != 0 || qpw_instance_find(&kernel, err) < 0)
        return false;
    done = qpw_collect_watched(&kernel, &options, ret, err) == 0;
    qpw_kernel_close(&kernel);
    return done;
}

/* The policy asked for, else the one in force, else the default. 0, or a negative errno with err. */
static int load_policy(const struct options *o, const struct qpw_snapshot *s, struct qpw_policy *ret,
                       struct qpw_error *err)
{
    bool asked = o->policy.policy_file || o->policy.platform || o->policy.peers_file || o->policy.n_peers;
    struct qpw_policy_options in_force;
    json_t *args;
    int r;

    if (asked || !s)
        return qpw_policy_load(&o->policy, ret, NULL, err);
    args = qpw_policy_args_load(s->meta.policy_args);
    if (!args)
        return qpw_fail(err, -EINVAL, "cannot read which policy is in force; name one with --policy or --platform");
    r = qpw_policy_args_read(args, &in_force, err);
    if (r == 0) {
        r = qpw_policy_load(&in_force, ret, NULL, err);
        qpw_policy_options_clear(&in_force);
    }
    json_decref(args);
    return r;
}

static int print(const struct options *o, const struct qpw_listening *l, const struct qpw_listening_about *about)
{
    struct qpw_printer printer = qpw_printer_of(stdout);
    json_t *document;
    int r;

    if (!o->json)
        return qpw_listening_text(l, about, &printer);
    document = qpw_listening_json(l, about);
    r = !document ? -ENOMEM : json_dumpf(document, stdout, JSON_INDENT(2)) < 0 ? -EIO : 0;
    json_decref(document);
    if (r == 0)
        putchar('\n');
    return r;
}

/* Everything from the sockets to the last line. s NULL: nothing is attached, why says. 0 or a negative errno with err. */
static int show(const struct options *o, const struct qpw_policy *policy, const struct qpw_snapshot *s, const char *why,
                struct qpw_error *err)
{
    struct qpw_compile_context context = {.now = time(NULL)};
    struct qpw_registry names = {0};
    struct qpw_compiled compiled = {0};
    struct qpw_listeners listeners = {0};
    struct qpw_listening listening = {0};
    struct qpw_listening_about about = {
        .names = &names, .policy_name = policy->name, .policy_path = policy->path, .policy_digest = policy->digest,
        .source_digest = policy->source_digest, .now_unix_ns = qpw_clock_unix_ns(), .why = why};
    struct qpw_sockets *sockets = NULL;
    struct qpw_answer answer;
    int r = qpw_policy_compile(policy, &context, &names, &compiled, err);

    if (r == 0)
        r = qpw_sockets_open(&sockets, err);
    if (r == 0)
        r = qpw_listeners_read(sockets, &listeners, err);
    if (r == 0) {
        r = qpw_listening_make(&listeners, &compiled, &names, s, &listening);
        r = r || !s ? r : qpw_answer_make(s, &answer);
        about.answer = s ? &answer : NULL;
        r = r ? r : print(o, &listening, &about);
        if (r < 0)
            qpw_fail(err, r, "cannot print: %s", strerror(-r));
    }
    qpw_listening_clear(&listening);
    qpw_listeners_clear(&listeners);
    qpw_sockets_close(sockets);
    qpw_compiled_clear(&compiled);
    qpw_registry_clear(&names);
    return r;
}

int qpw_cmd_listeners(int argc, char **argv)
{
    static const struct argp_child children[] = {{&qpw_policy_argp, 0, "Policy:", 0}, {0}};
    static const struct argp argp = {
        .options = options_table, .parser = take_option, .children = children,
        .doc = "Show what the sockets of this network namespace wait for, against the policy: listening and not listed "
               "first; then what is listed and has no listener. Works with nothing attached; with an attachment the "
               "policy in force is used, and when each port was last asked is known.\vOnly root sees the processes of "
               "all users."};
    struct qpw_snapshot snapshot = {0};
    struct qpw_policy policy = {0};
    struct options o = {0};
    struct qpw_error err, nothing = {""};
    bool attached;
    int r, code = QPW_EXIT_OK;

    qpw_arguments_parse(&argp, argc, argv, &o);
    qpw_quiet_libbpf();
    attached = take_snapshot(&snapshot, &nothing);
    r = load_policy(&o, attached ? &snapshot : NULL, &policy, &err);
    if (r < 0) {
        code = QPW_EXIT_USAGE;
    } else {
        r = show(&o, &policy, attached ? &snapshot : NULL, nothing.text, &err);
        code = r < 0 ? QPW_EXIT_FAILED : QPW_EXIT_OK;
    }
    if (r < 0)
        fprintf(stderr, "qportwatch listeners: %s\n", err.text);
    qpw_policy_clear(&policy);
    qpw_policy_options_clear(&o.policy);
    qpw_snapshot_clear(&snapshot);
    return code;
}
