/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cmd_policy_suggest.c - qportwatch policy suggest: propose lines for unexpected traffic, attached or captured. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "advice/suggest.h"
#include "cmd/captures.h"
#include "cmd/cmd.h"
#include "cmd/finding_process.h"
#include "cmd/policy/policy_cmd.h"
#include "cmd/settings.h"
#include "history/read.h"
#include "host/sockets.h"
#include "instance/executables.h"
#include "instance/instance.h"
#include "instance/kernel_words.h"
#include "snapshot/collect.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/names.h"
#include "util/usage.h"

#define SECOND_NS 1000000000ull
#define USERS_DAYS 90 /* how far back the history is searched for users before the attachment */

enum { KEY_LOCAL = 0x100 };

struct options {
    struct qpw_policy_options policy;
    struct qpw_captures captures;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;

    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &o->policy; return 0;
    case KEY_LOCAL: qpw_captures_take_local(state, &o->captures, arg); return 0;
    case ARGP_KEY_ARGS:
        o->captures.paths = state->argv + state->next;
        o->captures.n = (size_t)(state->argc - state->next);
        return 0;
    case ARGP_KEY_SUCCESS:
        if (o->captures.n)
            qpw_captures_check(state, &o->captures);
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option argp_options[] = {
    {"local", KEY_LOCAL, "ADDR[/LEN]|auto", 0, "Address of the node in a capture (repeatable); auto: find out, and say why",
     0},
    {0},
};
static const struct argp_child children[] = {{&qpw_policy_argp, 0, "Policy that is in force (of a capture):", 2}, {0}};

static int suggest_from(const struct qpw_snapshot *snapshot, const struct qpw_suggest_options *options, FILE *out,
                        struct qpw_error *err)
{
    int r = qpw_policy_suggest(snapshot, options, out, NULL);

    return r < 0 ? qpw_fail(err, r, "out of memory") : 0;
}

/* ---- Captures ---- */

struct work {
    const struct options *o;
    struct qpw_replay_setup setup;
};

static int suggest_replayed(const struct qpw_replay_setup *setup, struct qpw_error *err)
{
    struct qpw_snapshot snapshot = {0};
    struct qpw_suggest_options options = {0};
    int r = qpw_collect(&setup->kernel, NULL, &snapshot, err);

    if (r == 0) {
        snprintf(snapshot.host, sizeof(snapshot.host), "the capture");
        r = suggest_from(&snapshot, &options, stdout, err);
    }
    qpw_snapshot_clear(&snapshot);
    return r;
}

/* Run without privileges, with the programs already loaded. */
static int read_captures(void *arg)
{
    struct work *w = arg;
    struct qpw_replay_totals totals;
    struct qpw_error err;
    int r = qpw_captures_replay(&w->o->captures, &w->setup, /* ended= */ NULL, NULL, &totals, &err);

    if (r == 0)
        r = suggest_replayed(&w->setup, &err);
    return r < 0 ? qpw_policy_fail("suggest", &err, qpw_captures_exit(r)) : QPW_EXIT_OK;
}

static int suggest_captured(struct options *o)
{
    struct qpw_replay_setup_options wanted = {.ends = &o->captures.ends};
    struct work work = {.o = o};
    struct qpw_policy policy = {0};
    struct qpw_error err = {""};
    int status;

    qpw_policy_configured(&o->policy);
    if (qpw_policy_load(&o->policy, &policy, NULL, &err) < 0)
        return qpw_policy_fail("suggest", &err, QPW_EXIT_USAGE);
    wanted.policy = &policy;
    status = qpw_captures_look(&o->captures, &policy, "policy suggest", &wanted.first_ns);
    if (status == QPW_EXIT_OK && qpw_replay_setup_open(&wanted, &work.setup, &err) < 0) {
        status = qpw_policy_fail("suggest", &err, QPW_EXIT_FAILED);
    } else if (status == QPW_EXIT_OK) {
        status = qpw_captures_apart(read_captures, &work, "policy suggest");
        qpw_replay_setup_close(&work.setup);
    }
    qpw_policy_clear(&policy);
    return status;
}

/* ---- What is attached ---- */

struct recorded {
    const struct qpw_snapshot *s;
    const struct qpw_rule_user_row *noted; /* by the auditor, borrowed */
    size_t n_noted;
    struct qpw_rule_user_row *users; /* from the history */
    size_t n;
    bool failed;
};

/* Return the number of a rule whose users the auditor has noted (rules that name no remote end); 0: none noted. */
static uint16_t rule_that_is_noted(const struct recorded *recorded, const char *name)
{
    for (size_t i = 0; i < recorded->n_noted; i++)
        if (recorded->noted[i].key.kind == QPW_RULE_REMOTE && !strcmp(qpw_snapshot_rule(recorded->s, recorded->noted[i].key.rule), name))
            return recorded->noted[i].key.rule;
    return 0;
}

static bool add_user(const struct qpw_history_end *end, void *arg)
{
    struct recorded *recorded = arg;
    struct qpw_rule_user_row row = {.key.rule = rule_that_is_noted(recorded, end->rule),
                                    .key.kind = QPW_RULE_REMOTE,
                                    .user.first_unix_ns = (uint64_t)end->first * SECOND_NS};
    struct qpw_rule_user_row *added;

    if (!row.key.rule || qpw_address_parse(end->remote, (uint8_t *)row.key.who) < 0)
        return true;
    added = QPW_ADD(recorded->users, recorded->n);
    if (!added) {
        recorded->failed = true;
        return false;
    }
    *added = row;
    recorded->n++;
    return true;
}

static void free_users(struct recorded *recorded)
{
    free(recorded->users);
}

/* Add earlier users of these rules from the history, if there is one. */
static int add_recorded_users(const struct qpw_snapshot *s, struct qpw_rule_user_row **users, struct qpw_suggest_options *options, struct qpw_error *err)
{
    QPW_CLEANUP(free_users) struct recorded recorded = {.s = s, .noted = *users, .n_noted = options->n_users};
    int64_t now = (int64_t)(s->unix_ns / SECOND_NS);
    struct qpw_history_window window = {.since = now - USERS_DAYS * 86400};
    QPW_CLEANUP(qpw_history_closep) struct qpw_history_reader *reader = NULL;
    struct qpw_history_observed seen;
    struct qpw_rule_user_row *added;
    int r;

    if (!recorded.n_noted || !*s->meta.history_path || qpw_history_open(s->meta.history_path, &reader, NULL) < 0)
        return 0;
    r = qpw_history_observed(reader, &window, now, &seen, err);
    if (r < 0)
        return r;
    r = qpw_history_users(reader, &window, NULL, add_user, &recorded, err);
    if (r < 0)
        return r;
    added = recorded.failed ? NULL : QPW_EXTEND(*users, options->n_users, recorded.n);
    if (!added)
        return qpw_fail(err, -ENOMEM, "out of memory");
    if (recorded.n)
        memcpy(added, recorded.users, recorded.n * sizeof(*added));
    options->n_users = qpw_rule_users_sort(*users, options->n_users + recorded.n);
    if (seen.from)
        options->users_since_unix_ns = (uint64_t)seen.from * SECOND_NS;
    return 0;
}

int qpw_policy_suggest_attached(FILE *out, struct qpw_meta *ret_meta, struct qpw_error *err)
{
    struct qpw_suggest_options options = {0};
    QPW_CLEANUP(qpw_snapshot_clear) struct qpw_snapshot snapshot = {0};
    QPW_CLEANUP(qpw_freep) struct qpw_rule_user_row *users = NULL;
    QPW_CLEANUP(qpw_sockets_closep) struct qpw_sockets *sockets = NULL;
    QPW_CLEANUP(qpw_kernel_close) struct qpw_kernel kernel;
    int r;

    qpw_kernel_init(&kernel);
    r = qpw_instance_find(&kernel, err);
    if (r < 0)
        return r;
    r = qpw_collect(&kernel, NULL, &snapshot, err);
    if (r < 0)
        return r;
    if (qpw_sockets_open(&sockets, NULL) == 0) {
        qpw_sockets_executables(sockets, qpw_executable_path, &kernel);
        options.process = qpw_finding_process;
        options.arg = sockets;
    }
    r = qpw_rule_users_read(&kernel, &users, &options.n_users);
    if (r < 0)
        return qpw_fail(err, r, "who used the rules cannot be read: %s", strerror(-r));
    r = add_recorded_users(&snapshot, &users, &options, err);
    if (r < 0)
        return r;
    options.users = users;
    r = suggest_from(&snapshot, &options, out, err);
    if (r < 0)
        return r;
    if (ret_meta)
        *ret_meta = snapshot.meta;
    return 0;
}

int qpw_policy_suggest_main(int argc, char **argv)
{
    static const struct argp argp = {
        argp_options,
        parse,
        "[CAPTURE…]",
        "Proposes lines that would explain what was unexpected: from what is attached, or from captures. Every line is "
        "commented out, "
        "with its evidence; only what was answered counts.\vThe policy options say what a capture is judged by.",
        children,
        NULL,
        NULL};
    struct options o = {0};
    struct qpw_error err = {""};
    int status = QPW_EXIT_OK;

    qpw_arguments_parse(&argp, argc, argv, &o);
    qpw_quiet_libbpf();
    if (o.captures.n)
        status = suggest_captured(&o);
    else if (qpw_policy_suggest_attached(stdout, NULL, &err) < 0)
        status = qpw_policy_fail("suggest", &err, QPW_EXIT_FAILED);
    qpw_policy_options_clear(&o.policy);
    return status;
}
