/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cmd_policy_test.c - qportwatch policy test: try another policy on attached, recorded or captured traffic. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "advice/what_if.h"
#include "cmd/captures.h"
#include "cmd/cmd.h"
#include "cmd/format.h"
#include "cmd/history_file.h"
#include "cmd/policy/policy_cmd.h"
#include "cmd/policy/policy_test_options.h"
#include "cmd/settings.h"
#include "control/watched.h"
#include "host/clock.h"
#include "instance/instance.h"
#include "instance/kernel_words.h"
#include "replay/stream.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/document.h"
#include "util/names.h"
#include "util/usage.h"
#include "words/answer.h"
#include "words/table.h"
#include "words/words.h"

enum { KEY_LOCAL = 0x100, KEY_WITHOUT };
#define SECOND_NS 1000000000ull

/* Reject pipes, because each capture is read twice, once per policy. */
static void check_captures(struct argp_state *state, const struct qpw_test_options *o)
{
    if (o->n_without)
        qpw_usage_error(state, "--without with a policy or a capture: it is about the policy in force and the history alone");
    if (o->history.since || o->history.until || o->history.file)
        qpw_usage_error(state, "--since, --until and --history with a capture: they are of the history");
    qpw_captures_check(state, &o->captures);
    for (size_t i = 0; i < o->captures.n; i++)
        if (!qpw_stream_is_rereadable(o->captures.paths[i]))
            qpw_usage_error(state, "%s cannot be read twice, once for each policy; write it to a file",
                            strcmp(o->captures.paths[i], "-") ? o->captures.paths[i] : "standard input");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct qpw_test_options *o = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->policy;
        state->child_inputs[1] = &o->history;
        return 0;
    case 'j': o->json = true; return 0;
    case QPW_KEY_FORMAT: o->json = qpw_format_is_json(state, arg); return 0;
    case KEY_WITHOUT:
        if (o->n_without == QPW_TEST_WITHOUT)
            qpw_usage_error(state, "--without: more than %u rules", QPW_TEST_WITHOUT);
        if (!*arg || strpbrk(arg, " \t\r\n#\""))
            qpw_usage_error(state, "--without: '%s': not the name of one rule", arg);
        o->without[o->n_without++] = arg;
        return 0;
    case KEY_LOCAL: qpw_captures_take_local(state, &o->captures, arg); return 0;
    case ARGP_KEY_ARGS:
        o->captures.paths = state->argv + state->next;
        o->captures.n = (size_t)(state->argc - state->next);
        if (!o->n_without) {
            o->candidate = *o->captures.paths++;
            o->captures.n--;
        }
        return 0;
    case ARGP_KEY_SUCCESS:
        if (!o->candidate && !o->n_without)
            qpw_usage_error(state, "missing policy argument");
        if (o->captures.n)
            check_captures(state, o);
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
static const struct argp_child test_children[] = {{&qpw_policy_argp, 0, "Policy that is in force (of a capture):", 2},
                                                  {&qpw_history_argp, 0, "Of recorded traffic:", 1}, {0}};

int qpw_test_exit(int r, const struct qpw_error *err)
{
    return r == 0 ? QPW_EXIT_OK : qpw_policy_fail("test", err, qpw_captures_exit(r));
}

/* Take the answer about the node as it is, as JSON. */
int qpw_test_take_answer(const struct qpw_snapshot *s, struct qpw_tested *tested, struct qpw_error *err)
{
    struct qpw_answer answer;

    if (qpw_answer_make(s, &answer) < 0)
        return qpw_fail(err, -ENOMEM, "out of memory");
    tested->answer = qpw_json_answer(&answer, s->unix_ns);
    return 0;
}

/* Take the node that the document is about, and its interfaces. */
static void take_node(const struct qpw_snapshot *s, struct qpw_tested *tested)
{
    snprintf(tested->host, sizeof(tested->host), "%s", s->host);
    snprintf(tested->policy, sizeof(tested->policy), "%s", s->meta.policy_name);
    snprintf(tested->path, sizeof(tested->path), "%s", s->meta.policy_path);
    tested->from_ns = s->from_unix_ns;
    tested->to_ns = s->unix_ns;
    tested->interfaces = json_array();
    for (size_t i = 0; i < s->n_ifaces; i++)
        json_array_append_new(tested->interfaces, qpw_json_text(s->ifaces[i].name));
}

static int test_attached(const struct qpw_policy *candidate, struct qpw_what_if *ret, struct qpw_tested *tested,
                         struct qpw_error *err)
{
    struct qpw_snapshot snapshot = {0};
    struct qpw_kernel kernel;
    int r = qpw_instance_find(&kernel, err);

    if (r < 0)
        return r;
    r = qpw_collect_watched(&kernel, NULL, &snapshot, err);
    if (r == 0)
        r = qpw_policy_what_if(&(struct qpw_what_if_traffic){&snapshot}, candidate, time(NULL), ret, err);
    if (r == 0)
        r = qpw_test_take_answer(&snapshot, tested, err);
    take_node(&snapshot, tested);
    qpw_snapshot_clear(&snapshot);
    qpw_kernel_close(&kernel);
    return r;
}

/* ---- Recorded traffic ---- */

static bool is_recorded(const struct qpw_test_options *o)
{
    return o->history.since || o->history.until || o->history.file || o->n_without;
}

/* If the error is that a removed rule does not exist, name that rule. */
static int name_unknown(const struct qpw_test_options *o, int r, struct qpw_error *err)
{
    struct qpw_policy policy = {0};
    struct qpw_error ignored;
    char *line = NULL;

    for (size_t i = 0; i < o->n_without; i++) {
        bool bad, good = qpw_policy_recorded(&o->history, NULL, NULL, &policy, &ignored) == 0;

        qpw_policy_clear(&policy);
        if (!good || asprintf(&line, "disable %s\n", o->without[i]) < 0)
            return r; /* another error, of the history or the policy */
        bad = qpw_policy_recorded(&o->history, NULL, line, &policy, &ignored) < 0;
        qpw_policy_clear(&policy);
        free(line);
        if (bad)
            return qpw_fail(
                err, r,
                "--without %s: the policy in force has no rule of that name; 'qportwatch policy show' lists them",
                o->without[i]);
    }
    return r;
}

/* Make the candidate: the policy in force, or the given one, without those rules. */
static int make_candidate(const struct qpw_test_options *o, struct qpw_policy *ret, struct qpw_error *err)
{
    char *more = NULL;
    size_t size;
    FILE *out;
    int r;

    if (o->candidate)
        return qpw_policy_named(o->candidate, o->history.file, ret, err);
    out = open_memstream(&more, &size);
    for (size_t i = 0; out && i < o->n_without; i++)
        fprintf(out, "disable %s\n", o->without[i]);
    if (!out || fclose(out) != 0)
        r = qpw_fail(err, -ENOMEM, "out of memory");
    else
        r = qpw_policy_recorded(&o->history, NULL, more, ret, err);
    free(more);
    return r < 0 ? name_unknown(o, r, err) : r;
}

/* The remote ends of traffic that is no finding. */
struct ends {
    struct qpw_what_if_end *list;
    size_t n;
    struct qpw_history_window window;
    bool failed;
};

static bool add_recorded(const struct qpw_history_end *end, void *arg)
{
    struct ends *all = arg;
    struct qpw_what_if_end *more;

    if (end->finding)
        return true;
    more = QPW_ADD(all->list, all->n);
    if (!more) {
        all->failed = true;
        return false;
    }
    *more = (struct qpw_what_if_end){.key = end->key, .outcome = end->outcome, .connections = end->connections,
                                     .whole = end->first >= all->window.since && (!all->window.until || end->last < all->window.until)};
    snprintf(more->rule, sizeof(more->rule), "%s", end->rule);
    all->n += qpw_address_parse(end->remote, more->remote) == 0;
    return true;
}

static void clear_ends(struct ends *all)
{
    free(all->list);
}

static int test_recorded(const struct qpw_test_options *o, const struct qpw_policy *candidate, struct qpw_what_if *ret, struct qpw_tested *tested,
                         struct qpw_error *err)
{
    struct qpw_history_window window;
    QPW_CLEANUP(qpw_history_closep) struct qpw_history_reader *reader = NULL;
    QPW_CLEANUP(qpw_snapshot_clear) struct qpw_snapshot s = {0};
    QPW_CLEANUP(clear_ends) struct ends ends = {0};
    int r = qpw_history_times(&o->history, 0, &window, err);

    if (r < 0)
        return r;
    ends.window = window;
    r = qpw_history_open_file(&o->history, &reader, err);
    if (r < 0)
        return r;
    r = qpw_history_snapshot(reader, &window, qpw_clock_unix_ns(), &s, err);
    if (r < 0)
        return r;
    r = qpw_history_ends(reader, &(struct qpw_history_filter){.window = window, .port = -1}, NULL, add_recorded, &ends,
                         err);
    if (r < 0)
        return r;
    if (ends.failed)
        return qpw_fail(err, -ENOMEM, "out of memory");
    r = qpw_policy_what_if(&(struct qpw_what_if_traffic){&s, ends.list, ends.n}, candidate, time(NULL), ret, err);
    if (r < 0)
        return r;
    r = qpw_test_take_answer(&s, tested, err);
    if (r < 0)
        return r;
    take_node(&s, tested);
    return 0;
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

static int read_users(const struct qpw_test_options *o, struct users *users, struct qpw_error *err)
{
    QPW_CLEANUP(qpw_history_closep) struct qpw_history_reader *reader = NULL;
    struct qpw_history_window window;
    int r = qpw_history_times(&o->history, 0, &window, err);

    if (r < 0)
        return r;
    r = qpw_history_open_file(&o->history, &reader, err);
    for (size_t i = 0; r == 0 && i < o->n_without; i++)
        r = qpw_history_users(reader, &window, o->without[i], add_user, users, err);
    return r;
}

/* List who would be affected: each day's busiest users. */
static int print_users(const struct qpw_test_options *o, struct qpw_error *err)
{
    static const struct qpw_table_column columns[] = {{.title = "rule"}, {.title = "used by"}, {.title = "connections", .right = true}, {.title = "last used"}};
    struct users users = {.table = {.columns = columns, .n_columns = sizeof(columns) / sizeof(*columns)}};
    struct qpw_printer p = qpw_printer_of(stdout);
    int r = read_users(o, &users, err);

    if (r == 0 && (users.r < 0 || qpw_table_print(&users.table, &p) < 0))
        r = qpw_fail(err, -ENOMEM, "out of memory");
    qpw_table_clear(&users.table);
    return r;
}

/* Print the result. Returns an exit status. */
int qpw_test_answer(const struct qpw_test_options *o, const struct qpw_what_if *result, const struct qpw_tested *tested,
                  const struct qpw_policy *candidate)
{
    struct qpw_error err = {""};
    int r = o->json ? qpw_policy_test_json(result, tested, candidate, &err)
                    : qpw_policy_test_table(result, tested, candidate, &err);

    if (r == 0 && !o->json && o->n_without)
        r = print_users(o, &err);
    if (r < 0)
        return qpw_test_exit(r, &err);
    return result->n ? QPW_EXIT_YES : QPW_EXIT_OK;
}

void qpw_tested_clear(struct qpw_tested *tested)
{
    json_decref(tested->interfaces);
    json_decref(tested->answer);
}

static int test_node(const struct qpw_test_options *o, const struct qpw_policy *candidate)
{
    struct qpw_what_if result = {0};
    struct qpw_tested tested = {0};
    struct qpw_error err = {""};
    int r = is_recorded(o) ? test_recorded(o, candidate, &result, &tested, &err)
                           : test_attached(candidate, &result, &tested, &err);
    int status = r < 0 ? qpw_test_exit(r, &err) : qpw_test_answer(o, &result, &tested, candidate);

    qpw_tested_clear(&tested);
    qpw_what_if_clear(&result);
    return status;
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
    struct qpw_test_options o = {0};
    struct qpw_policy candidate = {0};
    struct qpw_error err = {""};
    int r, status;

    qpw_arguments_parse(&argp, argc, argv, &o);
    qpw_quiet_libbpf();
    if (make_candidate(&o, &candidate, &err) < 0) {
        qpw_policy_options_clear(&o.policy);
        return qpw_policy_fail("test", &err, QPW_EXIT_USAGE);
    }
    /* Peers given or configured belong to the site, so they apply to both policies. */
    qpw_policy_configured(&o.policy);
    r = o.policy.peers_file ? qpw_policy_add_peers_file(&candidate, o.policy.peers_file, NULL, &err) : 0;
    for (size_t i = 0; i < o.policy.n_peers && r == 0; i++)
        r = qpw_policy_add_peer(&candidate, o.policy.peers[i], "--peer", &err);
    status = r < 0 ? qpw_test_exit(r, &err) : o.captures.n ? qpw_test_captures(&o, &candidate) : test_node(&o, &candidate);
    qpw_policy_clear(&candidate);
    qpw_policy_options_clear(&o.policy);
    return status;
}
