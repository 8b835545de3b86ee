/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* alerts - reads the alert log for people: filters, an aligned table or JSON lines, and what comes next. */
#include <argp.h>
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "alert/log/follow.h"
#include "alert/log/reader.h"
#include "alert/signatures.h"
#include "cmd/cmd.h"
#include "cmd/format.h"
#include "instance/instance.h"
#include "instance/kernel_words.h"
#include "instance/object.h"
#include "util/document.h"
#include "util/error.h"
#include "util/usage.h"
#include "words/numbers.h"
#include "words/table.h"

#define DEFAULT_LOG "/var/log/qportwatch/eve.json"

struct options {
    const char *log; /* NULL: that of what is attached */
    bool follow;
    bool json;
    bool long_text; /* the whole sentence below each row */
    bool signatures;
    struct qpw_alert_filter filter;
};

enum {
    KEY_ALERTS = 0x100,
    KEY_VERDICT,
    KEY_PORT,
    KEY_ADDRESS,
    KEY_SEVERITY,
    KEY_DIRECTION,
    KEY_SINCE,
    KEY_JSON,
    KEY_FORMAT,
    KEY_SIGNATURES
};

static const struct argp_option argp_options[] = {
    {"follow", 'f', NULL, 0, "Keep reading as records are written, across rotations", 0},
    {"alerts", KEY_ALERTS, "FILE", 0, "The alert log (default: that of what is attached here, else " DEFAULT_LOG ")", 0},
    {"verdict", KEY_VERDICT, "VERDICT", 0, "unexpected, mismatch, weak, implied, undecided, infra or peer", 0},
    {"port", KEY_PORT, "PORT", 0, "The responder's port", 0},
    {"address", KEY_ADDRESS, "ADDR[/LEN]", 0, "Either end lies in it", 0},
    {"severity", KEY_SEVERITY, "SEVERITY", 0, "high, medium, low or info: this one and worse", 0},
    {"direction", KEY_DIRECTION, "DIRECTION", 0, "inbound, outbound, unknown or non_ip", 0},
    {"since", KEY_SINCE, "TIME", 0, "2026-03-01T10:00:00Z, 2026-03-01, or an age such as 15m, 2h, 7d", 0},
    {"all", 'a', NULL, 0, "The auditor's own records and heartbeats too", 0},
    {"long", 'l', NULL, 0, "Below each alert what happened, what the policy says and what would allow it", 0},
    {"json", KEY_JSON, NULL, 0, "The records as they are in the log, one per line", 0},
    {"signatures", KEY_SIGNATURES, NULL, 0, "List every signature that the log can contain, with its number", 0},
    {"format", KEY_FORMAT, "FORMAT", 0, "text or json", 0},
    {0},
};

static int filter_option(int key, const char *arg, struct options *o, struct qpw_error *err)
{
    struct qpw_alert_filter *f = &o->filter;

    switch (key) {
    case KEY_VERDICT: return qpw_alert_filter_verdict(f, arg, err);
    case KEY_PORT: return qpw_alert_filter_port(f, arg, err);
    case KEY_ADDRESS: return qpw_alert_filter_address(f, arg, err);
    case KEY_SEVERITY: return qpw_alert_filter_severity(f, arg, err);
    case KEY_DIRECTION: return qpw_alert_filter_direction(f, arg, err);
    default: return qpw_alert_filter_since(f, arg, (uint64_t)time(NULL) * 1000000000u, err);
    }
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;
    struct qpw_error err;

    switch (key) {
    case 'f': o->follow = true; return 0;
    case 'a': o->filter.everything = true; return 0;
    case 'l': o->long_text = true; return 0;
    case KEY_ALERTS: o->log = arg; return 0;
    case KEY_SIGNATURES: o->signatures = true; return 0;
    case KEY_JSON: o->json = true; return 0;
    case KEY_FORMAT: o->json = qpw_format_is_json(state, arg); return 0;
    case KEY_VERDICT:
    case KEY_PORT:
    case KEY_ADDRESS:
    case KEY_SEVERITY:
    case KEY_DIRECTION:
    case KEY_SINCE:
        if (filter_option(key, arg, o, &err) < 0)
            qpw_usage_error(state, "%s", err.text);
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    argp_options, parse, NULL,
    "Reads the alert log for people, oldest first.\v"
    "Addresses are never resolved. Honours NO_COLOR. Lines that are not qportwatch records are skipped.", NULL, NULL, NULL};

/* Where the auditor of this network namespace writes its alerts, else the default. Returns buf or a static text. */
static const char *log_in_use(char *buf, size_t size)
{
    struct qpw_kernel kernel;
    struct qpw_meta meta = {0};
    bool known = qpw_instance_find(&kernel, NULL) == 0;

    if (known) {
        known = qpw_meta_read(&kernel, &meta, NULL) == 0 && *meta.alerts_path;
        qpw_kernel_close(&kernel);
    }
    return known ? qpw_format(buf, size, "%s", meta.alerts_path) : DEFAULT_LOG;
}

static int add_row(struct qpw_table *t, const struct qpw_alert_row *row, bool long_text)
{
    static const enum qpw_text_style styles[] = {[QPW_SEVERITY_HIGH] = QPW_TEXT_BAD,
                                                 [QPW_SEVERITY_MEDIUM] = QPW_TEXT_DOUBT,
                                                 [QPW_SEVERITY_INFO] = QPW_TEXT_DIM};
    const char *cells[QPW_ALERT_COLUMN_COUNT];
    int r;

    for (unsigned i = 0; i < QPW_ALERT_COLUMN_COUNT; i++)
        cells[i] = row->cell[i];
    r = qpw_table_add(t, row->severity <= QPW_SEVERITY_INFO ? styles[row->severity] : QPW_TEXT_PLAIN, cells);
    return r == 0 && long_text && row->text[0] ? qpw_table_note(t, row->text) : r;
}

/* Prints what was gathered, the titles once. */
static int print_rows(struct qpw_table *t, const struct qpw_printer *p)
{
    bool any = t->n_rows;
    int r = qpw_table_print(t, p);

    t->untitled |= any;
    return r;
}

/* A record as it stands in the log; only a terminal has to be kept from what else may stand there. */
static void print_record(const struct qpw_printer *p, const char *line, size_t length)
{
    if (isatty(fileno(p->out)))
        qpw_print_line(p, "%.*s", (int)length, line);
    else
        fprintf(p->out, "%.*s\n", (int)length, line);
}

/* Everything there is, then (asked to follow) what comes, until a signal. */
static int read_all(const struct options *o, struct qpw_follow *follow, struct qpw_table *t, struct qpw_error *err)
{
    struct qpw_printer p = qpw_printer_of(stdout);
    struct qpw_alert_row row;
    bool wait = false;
    const char *line;
    size_t length;
    int r, shown = 0;

    p.indent = 0;
    while (shown == 0) {
        r = qpw_follow_line(follow, wait, &line, &length, err);
        if (r < 0 || (r == 0 && (wait || !o->follow)))
            break;
        if (r == 1 && qpw_alert_read(line, length, &o->filter, &row) == QPW_ALERT_SHOWN) {
            if (o->json)
                print_record(&p, line, length);
            else
                shown = add_row(t, &row, o->long_text);
        }
        if (r == 0)
            wait = true;
        if (wait && shown == 0) {
            shown = print_rows(t, &p);
            fflush(stdout);
            if (ferror(stdout))
                return 0; /* the reader of the pipe has gone */
        }
    }
    shown = shown ? shown : print_rows(t, &p);
    if (shown < 0)
        return qpw_fail(err, shown, "out of memory; narrow it with --since");
    return r < 0 ? r : 0;
}

static const char *repeat_name(unsigned repeat)
{
    return repeat == QPW_REPEAT_INTERVAL ? "interval" : repeat == QPW_REPEAT_DAY ? "day" : "no";
}

static int print_signatures_json(void)
{
    json_t *list = json_array(), *document;

    for (unsigned i = 1; i < QPW_SIG_COUNT; i++) {
        const struct qpw_signature *s = qpw_signature(i);

        json_array_append_new(list, json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "id", (int)s->id, "name",
                                              s->name, "severity", qpw_severity_name(s->severity), "event_type",
                                              s->operational ? "engine" : "alert", "repeats", repeat_name(s->repeat),
                                              "signature", s->title, "text", s->text, "advice", s->advice));
    }
    document = qpw_document("qportwatch.signatures/1");
    json_object_set_new(document, "signatures", list);
    json_dumpf(document, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(document);
    return QPW_EXIT_OK;
}

static int print_signatures(const struct options *o)
{
    static const struct qpw_table_column columns[] = {{"ID"}, {"SEVERITY"}, {"NAME"}, {"REPEATS"}, {"SIGNATURE"}};
    struct qpw_table t = {columns, sizeof(columns) / sizeof(*columns)};
    struct qpw_printer p = qpw_printer_of(stdout);
    int r = 0;

    if (o->json)
        return print_signatures_json();
    p.indent = 0;
    for (unsigned i = 1; r == 0 && i < QPW_SIG_COUNT; i++) {
        const struct qpw_signature *s = qpw_signature(i);
        const char *cells[] = {NULL, qpw_severity_name(s->severity), s->name, repeat_name(s->repeat), s->title};
        char id[16], note[1024];

        cells[0] = qpw_words_exact(s->id, id, sizeof(id));
        r = qpw_table_add(&t, QPW_TEXT_PLAIN, cells);
        if (r == 0 && o->long_text)
            r = qpw_table_note(&t, qpw_format(note, sizeof(note), "%s%s%s", s->text, s->advice[0] ? " " : "", s->advice));
    }
    r = r ? r : qpw_table_print(&t, &p);
    qpw_table_clear(&t);
    return r < 0 ? QPW_EXIT_FAILED : QPW_EXIT_OK;
}

static void on_signal(int number)
{
}

int qpw_cmd_alerts(int argc, char **argv)
{
    struct options o = {0};
    struct qpw_table_column columns[QPW_ALERT_COLUMN_COUNT] = {0};
    struct qpw_table table = {columns, QPW_ALERT_COLUMN_COUNT};
    struct sigaction action = {.sa_handler = on_signal};
    struct qpw_follow *follow = NULL;
    struct qpw_error err = {""};
    char log[sizeof(((struct qpw_meta *)0)->alerts_path)];
    int r;

    qpw_arguments_parse(&argp, argc, argv, &o);
    qpw_quiet_libbpf();
    if (o.signatures)
        return print_signatures(&o);
    for (unsigned i = 0; i < QPW_ALERT_COLUMN_COUNT; i++)
        columns[i].title = qpw_alert_column_title(i);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    if (!o.log)
        o.log = log_in_use(log, sizeof(log));
    r = qpw_follow_open(o.log, o.follow, &follow, &err);
    if (r == 0)
        r = read_all(&o, follow, &table, &err);
    if (r < 0)
        fprintf(stderr, "qportwatch alerts: %s\n", err.text);
    qpw_follow_close(follow);
    qpw_table_clear(&table);
    return r < 0 ? QPW_EXIT_FAILED : QPW_EXIT_OK;
}
