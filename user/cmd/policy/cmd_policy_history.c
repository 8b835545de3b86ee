/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cmd_policy_history.c - qportwatch policy unused and policy log: the life of rules and policies, from the history. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/format.h"
#include "cmd/history_file.h"
#include "cmd/policy/policy_cmd.h"
#include "facts/totals.h"
#include "host/clock.h"
#include "instance/kernel_words.h"
#include "util/cleanup.h"
#include "util/document.h"
#include "util/names.h"
#include "util/usage.h"
#include "words/json.h"
#include "words/printer.h"
#include "words/table.h"
#include "words/words.h"

#define SECOND_NS 1000000000ull
#define DAY_S 86400
#define UNUSED_DAYS 90
#define BLIND_PERCENT 1.0 /* above this share, no rule is called unused */

struct options {
    struct qpw_history_args args;
    bool json;
    const char *number; /* of `log`: the policy whose text is requested */
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;

    if (key == ARGP_KEY_INIT) {
        state->child_inputs[0] = &o->args;
        return 0;
    }
    if (key == ARGP_KEY_ARG) {
        if (o->number || *arg != '@')
            qpw_usage_error(state, "%s: not one policy's number, as @1 is", arg);
        o->number = arg + 1;
        return 0;
    }
    return qpw_format_take(state, key, arg, &o->json) ? 0 : ARGP_ERR_UNKNOWN;
}

static const struct argp_option format_options[] = {QPW_FORMAT_OPTIONS, {0}};
static const struct argp_child children[] = {{&qpw_history_argp, 0, NULL, 0}, {0}};

/* ---- unused ---- */

struct unused {
    struct qpw_table table;
    json_t *rows; /* NULL: text */
    int64_t from;
    size_t n;
    int r;
};

static bool add_unused(const struct qpw_history_rule *rule, void *arg)
{
    struct unused *u = arg;
    char since[40] = "", last[40] = "never";
    const char *cells[] = {rule->name, last, since, rule->text};

    if (!rule->in_force || qpw_sum_of(&rule->counts).packets || rule->counts.connections)
        return true;
    u->n++;
    if (u->rows) {
        json_array_append_new(u->rows, json_pack("{s:s,s:o,s:o,s:o}", "rule", rule->name, "last_used",
                                                 qpw_json_time((uint64_t)rule->last * SECOND_NS), "in_force_since",
                                                 qpw_json_time((uint64_t)rule->since * SECOND_NS), "text", qpw_json_text(rule->text)));
        return true;
    }
    if (rule->last)
        qpw_words_time((uint64_t)rule->last * SECOND_NS, last, sizeof(last));
    if (rule->since > u->from) /* in force for less than the whole period */
        qpw_words_time((uint64_t)rule->since * SECOND_NS, since, sizeof(since));
    u->r = qpw_table_add(&u->table, QPW_TEXT_PLAIN, cells);
    return u->r == 0;
}

static int refuse(const struct qpw_history_observed *seen, struct qpw_error *err)
{
    char blind[40], asked[40], share[16];

    return qpw_fail(err, -ENODATA, "no rule is called unused: %s of %s was not seen (%s); choose a --since of which no more than 1 %% is missing",
                    qpw_words_duration((uint64_t)seen->blind * SECOND_NS, blind, sizeof(blind)),
                    qpw_words_duration((uint64_t)seen->asked * SECOND_NS, asked, sizeof(asked)),
                    qpw_words_share((uint64_t)seen->blind, (uint64_t)seen->asked, share, sizeof(share)));
}

/* Find the rules without traffic; refused where too much of the time was not seen. */
static int find_unused(struct qpw_history_reader *reader, const struct qpw_history_window *window, int64_t now,
                       struct unused *u, struct qpw_history_observed *ret_seen, struct qpw_error *err)
{
    int r = qpw_history_observed(reader, window, now, ret_seen, err);

    if (r < 0)
        return r;
    if (qpw_percent_of((uint64_t)ret_seen->blind, (uint64_t)ret_seen->asked) > BLIND_PERCENT)
        return refuse(ret_seen, err);
    r = qpw_history_rules(reader, window, add_unused, u, err);
    if (r < 0)
        return r;
    return u->r < 0 ? qpw_fail(err, u->r, "out of memory") : 0;
}

static void clear_unused(struct unused *u)
{
    qpw_table_clear(&u->table);
    json_decref(u->rows);
}

static int show_unused(struct qpw_history_reader *reader, const struct options *o,
                       const struct qpw_history_window *window, struct qpw_error *err)
{
    static const struct qpw_table_column columns[] = {{.title = "RULE"}, {.title = "LAST USED"}, {.title = "IN FORCE ONLY SINCE"},
                                                      {.title = "TEXT", .wrap = true}};
    QPW_CLEANUP(clear_unused)
    struct unused u = {.table = {.columns = columns, .n_columns = sizeof(columns) / sizeof(*columns)}, .rows = o->json ? json_array() : NULL,
                       .from = window->since};
    struct qpw_printer p = qpw_printer_of(stdout);
    int64_t now = (int64_t)(qpw_clock_unix_ns() / SECOND_NS);
    struct qpw_history_observed seen;
    json_t *document;
    char period[96];
    int r = find_unused(reader, window, now, &u, &seen, err);

    if (r < 0)
        return r;
    if (o->json) {
        document =
            qpw_history_document(reader, "qportwatch.policy-unused/1", &seen, window->until ? window->until : now + 1);
        json_object_set_new(document, "blind_seconds", qpw_json_number((uint64_t)seen.blind));
        json_object_set(document, "rules", u.rows);
        return qpw_policy_print(document, err);
    }
    p.indent = 0;
    qpw_words_period((uint64_t)seen.from * SECOND_NS, (uint64_t)seen.to * SECOND_NS, period, sizeof(period));
    qpw_print_line(&p, u.n ? "Rules with no traffic in %s. Consider disabling:" : "Every rule was used in %s.", period);
    return qpw_table_print(&u.table, &p);
}

int qpw_policy_unused_main(int argc, char **argv)
{
    static const struct argp argp = {
        .options = format_options, .parser = parse, .children = children,
        .doc = "Lists the rules in force that had no traffic in the time given (90 days without --since), with their last use. Says nothing "
               "where more than 1 % of that time was not seen.\vExit status: 0 done, 1 failed, or too much was not seen, 2 bad usage."};
    struct qpw_history_window window;
    QPW_CLEANUP(qpw_history_closep) struct qpw_history_reader *reader = NULL;
    struct options o = {0};
    struct qpw_error err = {""};

    qpw_arguments_parse(&argp, argc, argv, &o);
    qpw_quiet_libbpf();
    if (qpw_history_times(&o.args, UNUSED_DAYS * DAY_S, &window, &err) < 0)
        return qpw_policy_fail("unused", &err, QPW_EXIT_USAGE);
    if (qpw_history_open_file(&o.args, &reader, &err) < 0 || show_unused(reader, &o, &window, &err) < 0)
        return qpw_policy_fail("unused", &err, QPW_EXIT_FAILED);
    return QPW_EXIT_OK;
}

/* ---- One policy, by its number ---- */

struct wanted {
    int64_t number; /* 0: the newest */
    char *text;
};

static bool take_wanted(const struct qpw_history_policy *policy, void *arg)
{
    struct wanted *w = arg;

    if (w->number && policy->id != w->number)
        return true;
    free(w->text);
    w->text = strdup(policy->text);
    return !w->number;
}

/* Read a policy's text from the history; number NULL: the newest. The caller frees *ret. */
static int read_recorded(const struct qpw_history_args *args, const char *number, char **ret, struct qpw_error *err)
{
    QPW_CLEANUP(qpw_history_closep) struct qpw_history_reader *reader = NULL;
    struct wanted w = {0};
    unsigned long value = 0;
    int r;

    if (number && qpw_number_parse(number, 1, UINT32_MAX, &value) < 0)
        return qpw_fail(err, -EINVAL, "@%s: not the number of a policy; 'qportwatch policy log' lists them", number);
    w.number = (int64_t)value;
    r = qpw_history_open_file(args, &reader, err);
    if (r < 0)
        return r;
    r = qpw_history_policies(reader, take_wanted, &w, err);
    if (r < 0) {
        free(w.text);
        return r;
    }
    if (!w.text && number)
        return qpw_fail(err, -ENOENT, "@%s: there is no such policy; 'qportwatch policy log' lists them", number);
    if (!w.text)
        return qpw_fail(err, -ENOENT, "the history has no policy yet");
    *ret = w.text;
    return 0;
}

int qpw_policy_recorded(const struct qpw_history_args *args, const char *number, const char *more, struct qpw_policy *ret, struct qpw_error *err)
{
    QPW_CLEANUP(qpw_freep) char *text = NULL;
    QPW_CLEANUP(qpw_freep) char *all = NULL;
    char name[32];
    int r = read_recorded(args, number, &text, err);

    if (r < 0)
        return r;
    snprintf(name, sizeof(name), "@%.20s", number ? number : "newest");
    if (asprintf(&all, "%s%s", text, more ? more : "") < 0) {
        all = NULL; /* its value is undefined */
        return qpw_fail(err, -ENOMEM, "out of memory");
    }
    return qpw_policy_parse_text(name, all, strlen(all), ret, err);
}

/* ---- log ---- */

struct log {
    struct qpw_table table;
    json_t *rows; /* NULL: text */
    int r;
};

static bool add_policy(const struct qpw_history_policy *policy, void *arg)
{
    struct log *l = arg;
    char number[24], when[40], name[352], digest[20];
    const char *cells[] = {number, when, name, digest, policy->by};

    snprintf(number, sizeof(number), "@%lld", (long long)policy->id);
    snprintf(digest, sizeof(digest), "%.15s", policy->digest);
    qpw_words_time((uint64_t)policy->loaded * SECOND_NS, when, sizeof(when));
    qpw_words_policy(policy->name, policy->path, name, sizeof(name));
    if (l->rows) {
        json_array_append_new(l->rows, json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "number", json_integer(policy->id), "loaded",
                                                 qpw_json_time((uint64_t)policy->loaded * SECOND_NS), "by", qpw_json_text(policy->by), "name",
                                                 qpw_json_text(policy->name), "path", qpw_json_text(policy->path), "digest",
                                                 qpw_json_text(policy->digest), "source_digest", qpw_json_text(policy->source_digest), "text",
                                                 qpw_json_text(policy->text)));
        return true;
    }
    l->r = qpw_table_add(&l->table, QPW_TEXT_PLAIN, cells);
    return l->r == 0;
}

/* Print the text as recorded, with its includes in place. */
static int print_recorded(const struct options *o, struct qpw_error *err)
{
    char *text = NULL;
    int r = read_recorded(&o->args, o->number, &text, err);

    if (r == 0)
        qpw_put_lines(stdout, "%s", text);
    free(text);
    return r;
}

static void clear_log(struct log *l)
{
    qpw_table_clear(&l->table);
    json_decref(l->rows);
}

static int show_log(const struct options *o, struct qpw_error *err)
{
    static const struct qpw_table_column columns[] = {{.title = "POLICY"}, {.title = "LOADED"}, {.title = "NAME"}, {.title = "DIGEST"},
                                                      {.title = "BY", .wrap = true}};
    QPW_CLEANUP(clear_log)
    struct log l = {.table = {.columns = columns, .n_columns = sizeof(columns) / sizeof(*columns)},
                    .rows = o->json ? json_array() : NULL};
    QPW_CLEANUP(qpw_history_closep) struct qpw_history_reader *reader = NULL;
    struct qpw_history_observed seen;
    struct qpw_printer p = qpw_printer_of(stdout);
    json_t *document;
    int r = qpw_history_open_file(&o->args, &reader, err);

    if (r < 0)
        return r;
    r = qpw_history_observed(reader, &(struct qpw_history_window){0}, (int64_t)(qpw_clock_unix_ns() / SECOND_NS), &seen,
                             err);
    if (r < 0)
        return r;
    r = qpw_history_policies(reader, add_policy, &l, err);
    if (r < 0)
        return r;
    if (o->json) {
        document = qpw_history_document(reader, "qportwatch.policy-log/1", &seen, INT64_MAX);
        json_object_set(document, "policies", l.rows);
        return qpw_policy_print(document, err);
    }
    p.indent = 0;
    r = l.r ? l.r : qpw_table_print(&l.table, &p);
    return r < 0 ? qpw_fail(err, r, "out of memory") : 0;
}

int qpw_policy_log_main(int argc, char **argv)
{
    static const struct argp argp = {
        .options = format_options,
        .parser = parse,
        .args_doc = "[@NUMBER]",
        .children = children,
        .doc =
            "Lists every policy that was in force: when and by whom it was loaded, and its digest. 'policy diff @1 @2' compares two of "
            "them; with a number ('policy log @1') the text of that one is printed.\vExit status: 0 done, 1 failed, 2 bad usage."};
    struct options o = {0};
    struct qpw_error err = {""};
    int r;

    qpw_arguments_parse(&argp, argc, argv, &o);
    qpw_quiet_libbpf();
    if (o.args.since || o.args.until) {
        qpw_fail(&err, -EINVAL, "it lists all policies: --since and --until have no meaning");
        return qpw_policy_fail("log", &err, QPW_EXIT_USAGE);
    }
    r = o.number ? print_recorded(&o, &err) : show_log(&o, &err);
    return r < 0 ? qpw_policy_fail("log", &err, QPW_EXIT_FAILED) : QPW_EXIT_OK;
}
