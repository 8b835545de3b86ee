/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * cmd_listeners.c - qportwatch listeners: the node's listening sockets against the policy. Needs no traffic and nothing
 * attached.
 */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/format.h"
#include "cmd/hosts.h"
#include "cmd/node_listeners.h"
#include "cmd/settings.h"
#include "control/watched.h"
#include "instance/instance.h"
#include "instance/kernel_words.h"
#include "util/cleanup.h"
#include "util/usage.h"

struct options {
    struct qpw_policy_options policy;
    bool json;
};

static const struct argp_option options_table[] = {
    QPW_FORMAT_OPTIONS,
    {0},
};

static error_t take_option(int key, char *value, struct argp_state *state)
{
    struct options *o = state->input;

    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &o->policy; return 0;
    default: return qpw_format_take(state, key, value, &o->json) ? 0 : ARGP_ERR_UNKNOWN;
    }
}

/*
 * Take a snapshot of this network namespace's instance. False: nothing is attached, or root is required; err says
 * which.
 */
static bool take_snapshot(struct qpw_kernel *kernel, struct qpw_snapshot *ret, struct qpw_error *err)
{
    struct qpw_collect_options options = {.ports = true};

    return qpw_instance_find(kernel, err) == 0 && qpw_collect_watched(kernel, &options, ret, err) == 0;
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

/*
 * Print everything. s NULL: nothing is attached, for the reason `why`. Returns 0, or a negative errno with err filled.
 */
static int show(const struct options *o, struct qpw_node_listeners *node, const struct qpw_snapshot *s, const char *why,
                struct qpw_error *err)
{
    QPW_CLEANUP(qpw_sockets_closep) struct qpw_sockets *sockets = NULL;
    struct qpw_answer answer;
    int r = qpw_sockets_open(&sockets, err);

    if (r < 0)
        return r;
    r = qpw_node_listeners_read(node, sockets, s, err);
    if (r < 0)
        return r;
    r = s ? qpw_answer_make(s, &answer) : 0;
    if (r == 0) {
        node->about.answer = s ? &answer : NULL;
        node->about.why = why;
        r = print(o, &node->listening, &node->about);
        node->about.answer = NULL; /* about to go out of scope */
    }
    return r < 0 ? qpw_fail(err, r, "cannot print: %s", strerror(-r)) : 0;
}

int qpw_cmd_listeners(int argc, char **argv)
{
    static const struct argp_child children[] = {{&qpw_policy_argp, 0, "Policy:", 0}, {&qpw_hosts_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        .options = options_table, .parser = take_option, .children = children,
        .doc = "Show what the sockets of this network namespace wait for, against the policy: listening and not listed "
               "first; then what is listed and has no listener. Works with nothing attached; with an attachment the "
               "policy in force is used, and when each port was last asked is known.\vOnly root sees the processes of "
               "all users."};
    struct qpw_kernel kernel;
    struct qpw_snapshot snapshot = {0};
    struct qpw_node_listeners node = {0};
    struct options o = {0};
    struct qpw_error err, nothing = {""};
    bool attached;
    int r, code = QPW_EXIT_OK;

    qpw_arguments_parse(&argp, argc, argv, &o);
    qpw_quiet_libbpf();
    qpw_kernel_init(&kernel);
    attached = take_snapshot(&kernel, &snapshot, &nothing);
    if (!attached)
        qpw_policy_configured(&o.policy);
    r = qpw_node_listeners_load(&node, &o.policy, &kernel, attached ? &snapshot : NULL, &err);
    if (r < 0) {
        code = QPW_EXIT_USAGE;
    } else {
        r = show(&o, &node, attached ? &snapshot : NULL, nothing.text, &err);
        code = r < 0 ? QPW_EXIT_FAILED : QPW_EXIT_OK;
    }
    if (r < 0)
        fprintf(stderr, "qportwatch listeners: %s\n", err.text);
    qpw_node_listeners_clear(&node);
    qpw_policy_options_clear(&o.policy);
    qpw_snapshot_clear(&snapshot);
    qpw_kernel_close(&kernel);
    return code;
}
