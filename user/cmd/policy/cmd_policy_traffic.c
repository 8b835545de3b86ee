/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cmd_policy_traffic.c - policy suggest, policy test: a policy against traffic, attached or captured. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd/cmd.h"
#include "cmd/finding_process.h"
#include "cmd/format.h"
#include "cmd/history_file.h"
#include "cmd/policy/policy_cmd.h"
#include "control/watched.h"
#include "facts/totals.h"
#include "host/clock.h"
#include "instance/executables.h"
#include "instance/instance.h"
#include "host/sockets.h"
#include "instance/kernel_words.h"
#include "advice/changes.h"
#include "advice/suggest.h"
#include "advice/what_if.h"
#include "replay/local_auto.h"
#include "replay/order.h"
#include "replay/replay.h"
#include "replay/setup.h"
#include "words/answer.h"
#include "words/table.h"
#include "words/words.h"
#include "util/document.h"
#include "util/names.h"
#include "util/usage.h"

enum { KEY_LOCAL = 0x100, KEY_WITHOUT };
#define MOST_WITHOUT 32u
#define SECOND_NS 1000000000ull

struct options {
    struct qpw_policy_options policy;
    struct qpw_ends ends;
    bool local_auto;
    bool json;
    bool test;             /* the first argument is a policy */
    const char *candidate; /* of test */
    struct qpw_history_args history;
    const char *without[MOST_WITHOUT]; /* rules that are left out of the policy in force, in place of a candidate */
    size_t n_without;
    char **captures;
    size_t n_captures;
    uint64_t first_ns, last_ns; /* of the frames replayed last */
};

static const char *subcommand(const struct options *o)
{
    return o->test ? "test" : "suggest";
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;
    struct qpw_error err;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->policy;
        if (o->test)
            state->child_inputs[1] = &o->history;
        return 0;
    case 'j': o->json = true; return 0;
    case QPW_KEY_FORMAT: o->json = qpw_format_is_json(state, arg); return 0;
    case KEY_WITHOUT:
        if (o->n_without == MOST_WITHOUT)
            qpw_usage_error(state, "--without: more than %u rules", MOST_WITHOUT);
        o->without[o->n_without++] = arg;
        return 0;
    case KEY_LOCAL:
        if (!strcmp(arg, "auto"))
            o->local_auto = true;
        else if (qpw_ends_add(&o->ends, arg, &err) < 0)
            qpw_usage_error(state, "%s", err.text);
        return 0;
    case ARGP_KEY_ARGS:
        o->captures = state->argv + state->next;
        o->n_captures = (size_t)(state->argc - state->next);
        if (o->test && !o->n_without) {
            o->candidate = *o->captures++;
            o->n_captures--;
        }
        return 0;
    case ARGP_KEY_SUCCESS:
        if (o->test && !o->candidate && !o->n_without)
            qpw_usage_error(state, "missing policy argument");
        if (o->n_without && o->n_captures)
            qpw_usage_error(state, "--without with a policy or a capture: it is about the policy in force and the history alone");
        if (o->n_captures && (o->history.since || o->history.until || o->history.file))
            qpw_usage_error(state, "--since, --until and --history with a capture: they are of the history");
        if (o->n_captures && !o->local_auto && !o->ends.n_locals)
            qpw_usage_error(state, "--local: which address is the node? give --local ADDR, or --local auto");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option argp_options[] = {
    {"local", KEY_LOCAL, "ADDR[/LEN]|auto", 0, "Address of the node in a capture (repeatable); auto: find out, and say why",
     0},
    {"without", KEY_WITHOUT, "RULE", 0, "In place of POLICY: the policy in force without that rule (repeatable), over the history", 0},
    QPW_FORMAT_OPTIONS,
    {0},
};
static const struct argp_option suggest_options[] = {
    {"local", KEY_LOCAL, "ADDR[/LEN]|auto", 0, "Address of the node in a capture (repeatable); auto: find out, and say why",
     0},
    {0},
};
static const struct argp_child children[] = {{&qpw_policy_argp, 0, "Policy that is in force (of a capture):", 2}, {0}};

static const struct argp_child test_children[] = {{&qpw_policy_argp, 0, "Policy that is in force (of a capture):", 2},
                                                  {&qpw_history_argp, 0, "Of recorded traffic:", 1}, {0}};

/* What `test` looked at: whose traffic, when, and the policy that judged it. */
struct about {
    char host[64];
    uint64_t from_ns, to_ns;
    char policy[64], path[256];
    json_t *interfaces; /* their names */
    json_t *answer;     /* about the node, under the policy in force */
};

/* ---- A capture under one policy ---- */

static int replay_files(struct options *o, const struct qpw_policy *policy, uint64_t first_ns, qpw_ended_fn ended,
                        void *data,
                        int (*then)(const struct qpw_replay_setup *setup, void *data, struct qpw_error *err),
                        struct qpw_error *err)
{
    struct qpw_replay_setup_options wanted = {.policy = policy, .ends = &o->ends, .first_ns = first_ns};
    struct qpw_replay_options options = {.ended = ended, .ended_data = data};
    struct qpw_replay_setup setup;
    struct qpw_replay *r;
    int rc = qpw_replay_setup_open(&wanted, &setup, err);

    if (rc < 0)
        return rc;
    rc = qpw_replay_open(&setup.kernel, &o->ends, &options, &r, err);
    if (rc == 0) {
        for (size_t i = 0; i < o->n_captures && rc == 0; i++)
            rc = qpw_replay_file(r, o->captures[i], err);
        if (rc == 0)
            rc = qpw_replay_finish(r, err);
        o->first_ns = qpw_replay_totals(r)->first_ns;
        o->last_ns = qpw_replay_totals(r)->last_ns;
        if (rc == 0)
            rc = then(&setup, data, err);
        qpw_replay_close(r);
    }
    qpw_replay_setup_close(&setup);
    return rc;
}

/* Policy in force and order of the captures. */
static int prepare(struct options *o, struct qpw_policy *policy, uint64_t *first_ns, struct qpw_error *err)
{
    bool reordered;
    char why[512];
    int rc = qpw_policy_load(&o->policy, policy, NULL, err);

    if (rc == 0)
        rc = qpw_order_captures(o->captures, o->n_captures, &reordered, first_ns, err);
    if (rc == 0 && o->local_auto) {
        rc = qpw_local_auto(o->captures, o->n_captures, policy, &o->ends, why, sizeof(why), err);
        if (rc == 0)
            fprintf(stderr, "qportwatch policy %s: %s\n", subcommand(o), why);
    }
    return rc;
}

/* ---- suggest ---- */

static int suggest_from(const struct qpw_snapshot *snapshot, const struct qpw_suggest_options *options, FILE *out,
                        struct qpw_error *err)
{
    int rc = qpw_policy_suggest(snapshot, options, out, NULL);

    return rc < 0 ? qpw_fail(err, rc, "out of memory") : 0;
}

static int nothing_ended(const struct qpw_ended *ended, void *data)
{
    return 0;
}

static int suggest_replayed(const struct qpw_replay_setup *setup, void *data, struct qpw_error *err)
{
    struct qpw_snapshot snapshot = {0};
    struct qpw_suggest_options options = {0};
    int rc = qpw_collect(&setup->kernel, NULL, &snapshot, err);

    if (rc == 0) {
        snprintf(snapshot.host, sizeof(snapshot.host), "the capture");
        rc = suggest_from(&snapshot, &options, stdout, err);
    }
    qpw_snapshot_clear(&snapshot);
    return rc;
}

int qpw_policy_suggest_attached(FILE *out, struct qpw_meta *ret_meta, struct qpw_error *err)
{
    struct qpw_suggest_options options = {0};
    struct qpw_snapshot snapshot = {0};
    struct qpw_rule_user_row *users = NULL;
    struct qpw_sockets *sockets = NULL;
    struct qpw_kernel kernel;
    int rc = qpw_instance_find(&kernel, err);

    if (rc < 0)
        return rc;
    rc = qpw_collect(&kernel, NULL, &snapshot, err);
    if (rc == 0 && qpw_sockets_open(&sockets, NULL) == 0) {
        qpw_sockets_executables(sockets, qpw_executable_path, &kernel);
        options.process = qpw_finding_process;
        options.arg = sockets;
    }
    if (rc == 0 && (rc = qpw_rule_users_read(&kernel, &users, &options.n_users)) < 0)
        qpw_fail(err, rc, "who used the rules cannot be read: %s", strerror(-rc));
    options.users = users;
    if (rc == 0)
        rc = suggest_from(&snapshot, &options, out, err);
    if (rc == 0 && ret_meta)
        *ret_meta = snapshot.meta;
    free(users);
    qpw_sockets_close(sockets);
    qpw_snapshot_clear(&snapshot);
    qpw_kernel_close(&kernel);
    return rc;
}

static int exit_of(const struct options *o, int rc, const struct qpw_error *err)
{
    if (rc == 0)
        return QPW_EXIT_OK;
    return qpw_policy_say(subcommand(o), err, rc == -EINVAL ? QPW_EXIT_USAGE : QPW_EXIT_FAILED);
}

int qpw_policy_suggest_main(int argc, char **argv)
{
    static const struct argp argp = {
        suggest_options,
        parse,
        "[CAPTURE…]",
        "Proposes lines that would explain what was unexpected: from what is attached, or from captures. Every line is "
        "commented out, "
        "with its evidence; only what was answered counts.\vThe policy options say what a capture is judged by.",
        children,
        NULL,
        NULL};
    struct options o = {0};
    struct qpw_policy policy = {0};
    struct qpw_error err = {""};
    uint64_t first_ns = 0;
    int rc;

    qpw_arguments_parse(&argp, argc, argv, &o);
    qpw_quiet_libbpf();
    if (o.n_captures) {
        rc = prepare(&o, &policy, &first_ns, &err);
        if (rc == 0)
            rc = replay_files(&o, &policy, first_ns, nothing_ended, NULL, suggest_replayed, &err);
    } else {
        rc = qpw_policy_suggest_attached(stdout, NULL, &err);
    }
    qpw_policy_clear(&policy);
    qpw_policy_options_clear(&o.policy);
    return exit_of(&o, rc, &err);
}

/* ---- test ---- */

static json_t *address_json(const uint8_t addr[16], bool known)
{
    char text[64];

    return known ? json_string(qpw_address_text(addr, text, sizeof(text))) : json_null();
}

static int print_json(const struct qpw_what_if *result, const struct about *about, const struct qpw_policy *new,
                      struct qpw_error *err)
{
    json_t *rows = json_array(), *document;
    char protocol[16];

    for (size_t i = 0; i < result->n; i++) {
        const struct qpw_what_if_row *row = &result->rows[i];
        json_t *o = json_object();

        json_object_set_new(o, "direction", json_string(qpw_direction_name(row->direction)));
        json_object_set_new(
            o, "protocol",
            json_string(qpw_protocol_text(row->kind, row->protocol, row->port, protocol, sizeof(protocol))));
        json_object_set_new(o, "port", row->kind == QPW_KIND_PROTOCOL ? json_null() : json_integer(row->port));
        json_object_set_new(o, "initiator", address_json(row->initiator, row->by_address));
        json_object_set_new(o, "responder", address_json(row->responder, row->by_address));
        json_object_set_new(o, "old_verdict", json_string(qpw_verdict_name(row->old_verdict)));
        json_object_set_new(o, "new_verdict",
                            row->uncertain ? json_null() : json_string(qpw_verdict_name(row->new_verdict)));
        json_object_set_new(o, "old_rule", *row->old_rule ? json_string(row->old_rule) : json_null());
        json_object_set_new(o, "new_rule", *row->new_rule ? json_string(row->new_rule) : json_null());
        json_object_set_new(o, "connections", json_integer((json_int_t)row->connections));
        json_object_set_new(o, "packets", json_integer((json_int_t)row->packets));
        json_array_append_new(rows, o);
    }
    document = qpw_document("qportwatch.policy-test/1");
    qpw_document_set_period(document, about->host, about->from_ns, about->to_ns);
    if (about->interfaces)
        json_object_set(document, "interfaces", about->interfaces);
    json_object_set(document, "answer", about->answer);
    qpw_document_set_policy(document, new->name, new->digest, new->source_digest);
    json_object_set_new(document, "old_policy", qpw_json_text(about->policy));
    json_object_set_new(document, "new_policy", qpw_json_text(new->name));
    json_object_set_new(document, "packets", json_integer((json_int_t)result->packets));
    json_object_set_new(document, "changed", json_integer((json_int_t)result->changed));
    json_object_set_new(document, "uncertain", json_integer((json_int_t)result->uncertain));
    json_object_set_new(document, "rows", rows);
    return qpw_policy_print(document, err);
}

static int print_table(const struct qpw_what_if *result, const struct about *about, const struct qpw_policy *new)
{
    static const struct qpw_table_column columns[] = {
        {"direction"},
        {"service"},
        {"initiator", .wrap = true},
        {"responder", .wrap = true},
        {"now"},
        {"then"},
        {"rule now", .optional = true},
        {"rule then", .optional = true},
        {"connections", .right = true, .optional = true},
        {"packets", .right = true},
    };
    struct qpw_table table = {.columns = columns, .n_columns = sizeof(columns) / sizeof(*columns)};
    struct qpw_printer p = qpw_printer_of(stdout);
    char names[2][352], changed[24], all[40];
    int rc = 0;

    qpw_words_many(result->packets, "packet", all, sizeof(all));
    qpw_print_line(&p, "What %s would have said instead of %s: %s of %s would get a different verdict%s",
                   qpw_words_policy(new->name, new->path, names[0], sizeof(names[0])),
                   qpw_words_policy(about->policy, about->path, names[1], sizeof(names[1])),
                   qpw_words_count(result->changed, changed, sizeof(changed)), all,
                   result->uncertain ? "; others depend on addresses, which are not kept for allowed traffic" : "");
    for (size_t i = 0; i < result->n && rc == 0; i++) {
        const struct qpw_what_if_row *row = &result->rows[i];
        char service[48], initiator[64] = "", responder[64] = "", connections[24], packets[24];
        const char *cells[] = {qpw_direction_name(row->direction),
                               service,
                               initiator,
                               responder,
                               qpw_verdict_name(row->old_verdict),
                               row->uncertain ? "depends" : qpw_verdict_name(row->new_verdict),
                               row->old_rule,
                               row->new_rule,
                               connections,
                               packets};

        qpw_words_service(row->kind, row->protocol, row->port, service, sizeof(service));
        if (row->by_address) {
            qpw_address_text(row->initiator, initiator, sizeof(initiator));
            qpw_address_text(row->responder, responder, sizeof(responder));
        }
        qpw_words_count(row->connections, connections, sizeof(connections));
        qpw_words_count(row->packets, packets, sizeof(packets));
        rc = qpw_table_add(&table,
                           row->uncertain                               ? QPW_TEXT_DOUBT
                           : row->new_verdict == QPW_VERDICT_UNEXPECTED ? QPW_TEXT_BAD
                                                                        : QPW_TEXT_PLAIN,
                           cells);
    }
    rc = rc ? rc : qpw_table_print(&table, &p);
    qpw_table_clear(&table);
    return rc;
}

/* The answer about the node as it is, in the document's form. */
static int take_answer(const struct qpw_snapshot *s, struct about *about, struct qpw_error *err)
{
    struct qpw_answer answer;

    if (qpw_answer_make(s, &answer) < 0)
        return qpw_fail(err, -ENOMEM, "out of memory");
    about->answer = qpw_json_answer(&answer, s->unix_ns);
    return 0;
}

static int test_attached(const struct qpw_policy *candidate, struct qpw_what_if *ret, struct about *about,
                         struct qpw_error *err)
{
    struct qpw_snapshot snapshot = {0};
    struct qpw_kernel kernel;
    int rc = qpw_instance_find(&kernel, err);

    if (rc < 0)
        return rc;
    rc = qpw_collect_watched(&kernel, NULL, &snapshot, err);
    if (rc == 0)
        rc = qpw_policy_what_if(&snapshot, candidate, time(NULL), ret, err);
    if (rc == 0)
        rc = take_answer(&snapshot, about, err);
    snprintf(about->host, sizeof(about->host), "%s", snapshot.host);
    snprintf(about->policy, sizeof(about->policy), "%s", snapshot.meta.policy_name);
    snprintf(about->path, sizeof(about->path), "%s", snapshot.meta.policy_path);
    about->from_ns = snapshot.from_unix_ns;
    about->to_ns = snapshot.unix_ns;
    about->interfaces = json_array();
    for (size_t i = 0; i < snapshot.n_ifaces; i++)
        json_array_append_new(about->interfaces, qpw_json_text(snapshot.ifaces[i].name));
    qpw_snapshot_clear(&snapshot);
    qpw_kernel_close(&kernel);
    return rc;
}

struct run {
    struct qpw_changes *changes;
    struct about *about; /* NULL: of another policy than the one in force */
};

/* The verdicts of both replays, connection by connection. */
static int take_ended(const struct qpw_ended *ended, void *data)
{
    const struct run *run = data;

    return qpw_changes_add(run->changes, &ended->key, &ended->conn, qpw_sum_of(&ended->counts).packets);
}

static int end_run(const struct qpw_replay_setup *setup, void *data, struct qpw_error *err)
{
    struct run *run = data;
    struct qpw_snapshot snapshot = {0};
    int rc = qpw_changes_end_run(run->changes, &setup->names);

    if (rc < 0)
        return qpw_fail(err, rc, "out of memory");
    if (!run->about)
        return 0;
    rc = qpw_collect(&setup->kernel, NULL, &snapshot, err);
    if (rc == 0)
        rc = take_answer(&snapshot, run->about, err);
    qpw_snapshot_clear(&snapshot);
    return rc;
}

static int test_captures(struct options *o, const struct qpw_policy *candidate, struct qpw_what_if *ret,
                         struct about *about, struct qpw_error *err)
{
    struct qpw_policy policy = {0};
    struct qpw_changes *changes = qpw_changes_new();
    struct run first = {changes, about}, second = {changes, NULL};
    struct qpw_ends ends;
    uint64_t first_ns = 0;
    int rc = changes ? prepare(o, &policy, &first_ns, err) : qpw_fail(err, -ENOMEM, "out of memory");

    ends = o->ends;
    if (rc == 0)
        rc = replay_files(o, &policy, first_ns, take_ended, &first, end_run, err);
    o->ends = ends;
    if (rc == 0)
        rc = replay_files(o, candidate, first_ns, take_ended, &second, end_run, err);
    if (rc == 0 && (rc = qpw_changes_result(changes, ret)) < 0)
        qpw_fail(err, rc, "out of memory");
    snprintf(about->policy, sizeof(about->policy), "%s", policy.name);
    snprintf(about->path, sizeof(about->path), "%s", policy.path ? policy.path : "");
    about->from_ns = o->first_ns;
    about->to_ns = o->last_ns;
    qpw_changes_free(changes);
    qpw_policy_clear(&policy);
    return rc;
}

/* ---- Recorded traffic ---- */

static bool is_recorded(const struct options *o)
{
    return o->history.since || o->history.until || o->history.file || o->n_without;
}

/* The policy in force, or the one given, with those rules disabled. */
static int make_candidate(const struct options *o, struct qpw_policy *ret, struct qpw_error *err)
{
    char *more = NULL;
    size_t size;
    FILE *out;
    int rc;

    if (o->candidate)
        return qpw_policy_named(o->candidate, ret, err);
    out = open_memstream(&more, &size);
    for (size_t i = 0; out && i < o->n_without; i++)
        fprintf(out, "disable %s\n", o->without[i]);
    if (!out || fclose(out) != 0)
        rc = qpw_fail(err, -ENOMEM, "out of memory");
    else
        rc = qpw_policy_recorded(&o->history, NULL, more, ret, err);
    free(more);
    return rc;
}

static int test_recorded(const struct options *o, const struct qpw_policy *candidate, struct qpw_what_if *ret, struct about *about,
                         struct qpw_error *err)
{
    struct qpw_history_window window;
    struct qpw_history_reader *r = NULL;
    struct qpw_snapshot s = {0};
    int rc = qpw_history_times(&o->history, 0, &window, err);

    rc = rc ? rc : qpw_history_open_file(&o->history, &r, err);
    rc = rc ? rc : qpw_history_snapshot(r, &window, qpw_clock_unix_ns(), &s, err);
    rc = rc ? rc : qpw_policy_what_if(&s, candidate, time(NULL), ret, err);
    rc = rc ? rc : take_answer(&s, about, err);
    snprintf(about->host, sizeof(about->host), "%s", s.host);
    snprintf(about->policy, sizeof(about->policy), "%s", s.meta.policy_name);
    snprintf(about->path, sizeof(about->path), "%s", s.meta.policy_path);
    about->from_ns = s.from_unix_ns;
    about->to_ns = s.unix_ns;
    about->interfaces = json_array();
    for (size_t i = 0; i < s.n_ifaces; i++)
        json_array_append_new(about->interfaces, qpw_json_text(s.ifaces[i].name));
    qpw_snapshot_clear(&s);
    qpw_history_close(r);
    return rc;
}

struct users {
    struct qpw_table table;
    int r;
};

static bool add_user(const struct qpw_history_end *end, void *arg)
{
    struct users *u = arg;
    char connections[24], last[40];
    const char *cells[] = {end->rule, end->remote, qpw_words_count(end->connections, connections, sizeof(connections)),
                           qpw_words_time((uint64_t)end->last * SECOND_NS, last, sizeof(last))};

    last[10] = '\0'; /* the day */
    u->r = qpw_table_add(&u->table, QPW_TEXT_BAD, cells);
    return u->r == 0;
}

/* Who would be affected: the busiest users of each day. */
static int print_users(const struct options *o, struct qpw_error *err)
{
    static const struct qpw_table_column columns[] = {{.title = "rule"}, {.title = "used by"}, {.title = "connections", .right = true}, {.title = "last used"}};
    struct users users = {.table = {.columns = columns, .n_columns = sizeof(columns) / sizeof(*columns)}};
    struct qpw_printer p = qpw_printer_of(stdout);
    struct qpw_history_window window;
    struct qpw_history_reader *r = NULL;
    int rc = qpw_history_times(&o->history, 0, &window, err);

    rc = rc ? rc : qpw_history_open_file(&o->history, &r, err);
    for (size_t i = 0; rc == 0 && i < o->n_without; i++)
        rc = qpw_history_users(r, &window, o->without[i], add_user, &users, err);
    if (rc == 0 && (users.r < 0 || qpw_table_print(&users.table, &p) < 0))
        rc = qpw_fail(err, -ENOMEM, "out of memory");
    qpw_table_clear(&users.table);
    qpw_history_close(r);
    return rc;
}

int qpw_policy_test_main(int argc, char **argv)
{
    static const struct argp argp = {
        argp_options,
        parse,
        "POLICY [CAPTURE…]",
        "Shows what another policy would have said of the same traffic: of what is attached, of captures, or (--since, --until, --without) of "
        "what the history holds.\v"
        "A capture is replayed under both policies and compared connection by connection; the policy options say what "
        "the other one is. "
        "Exit status: 0 no verdict differs, 3 some do, 1 failed, 2 bad usage or policy.",
        test_children,
        NULL,
        NULL};
    struct options o = {.test = true};
    struct qpw_policy candidate = {0};
    struct qpw_what_if result = {0};
    struct qpw_error err = {""};
    struct about about = {0};
    int rc, status;

    qpw_arguments_parse(&argp, argc, argv, &o);
    qpw_quiet_libbpf();
    if (make_candidate(&o, &candidate, &err) < 0) {
        qpw_policy_options_clear(&o.policy);
        return qpw_policy_say("test", &err, QPW_EXIT_USAGE);
    }
    /* Peers given by hand are the site's, whichever policy. */
    rc = o.policy.peers_file ? qpw_policy_add_peers_file(&candidate, o.policy.peers_file, NULL, &err) : 0;
    for (size_t i = 0; i < o.policy.n_peers && rc == 0; i++)
        rc = qpw_policy_add_peer(&candidate, o.policy.peers[i], "--peer", &err);
    if (rc == 0)
        rc = o.n_captures     ? test_captures(&o, &candidate, &result, &about, &err)
             : is_recorded(&o) ? test_recorded(&o, &candidate, &result, &about, &err)
                               : test_attached(&candidate, &result, &about, &err);
    if (rc == 0)
        rc = o.json ? print_json(&result, &about, &candidate, &err)
                    : print_table(&result, &about, &candidate);
    if (rc == 0 && !o.json && o.n_without)
        rc = print_users(&o, &err);
    status = exit_of(&o, rc, &err);
    if (status == QPW_EXIT_OK && result.n)
        status = QPW_EXIT_YES;
    json_decref(about.interfaces);
    json_decref(about.answer);
    qpw_what_if_clear(&result);
    qpw_policy_clear(&candidate);
    qpw_policy_options_clear(&o.policy);
    return status;
}
