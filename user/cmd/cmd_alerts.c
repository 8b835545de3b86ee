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
#include "cmd/colour.h"
#include "cmd/format.h"
#include "util/document.h"
#include "util/error.h"
#include "util/usage.h"

#define DEFAULT_LOG "/var/log/qportwatch/eve.json"

struct options {
    const char *log;
    bool follow;
    bool json;
    bool long_text; /* the whole sentence below each row */
    bool signatures;
    struct qpw_alert_filter filter;
};

/* Rows of the table so far; widths only grow. */
struct table {
    struct qpw_alert_row *rows;
    size_t n, allocated;
    int width[QPW_ALERT_COLUMN_COUNT];
    bool titled;
    bool colour;
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
    {"follow", 'f', NULL, 0, "go on with what is written from now on, over rotations", 0},
    {"alerts", KEY_ALERTS, "FILE", 0, "the alert log (default " DEFAULT_LOG ")", 0},
    {"verdict", KEY_VERDICT, "VERDICT", 0, "unexpected, weak, implied, undecided, infra or peer", 0},
    {"port", KEY_PORT, "PORT", 0, "the responder's port", 0},
    {"address", KEY_ADDRESS, "ADDR[/LEN]", 0, "either end lies in it", 0},
    {"severity", KEY_SEVERITY, "SEVERITY", 0, "high, medium, low or info: this one and worse", 0},
    {"direction", KEY_DIRECTION, "DIRECTION", 0, "inbound, outbound, unknown or non_ip", 0},
    {"since", KEY_SINCE, "TIME", 0, "2026-03-01T10:00:00Z, 2026-03-01, or so long ago: 15m, 2h, 7d", 0},
    {"all", 'a', NULL, 0, "the auditor's own records and heartbeats too", 0},
    {"long", 'l', NULL, 0, "below each row what happened, what the policy says and what would allow it", 0},
    {"json", KEY_JSON, NULL, 0, "the records as they are in the log, one a line", 0},
    {"signatures", KEY_SIGNATURES, NULL, 0, "what the log can say: every signature with its number, and end", 0},
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
    "Addresses are never resolved. NO_COLOR is heeded. Foreign lines in the log are passed over.", NULL, NULL, NULL};

static void print_cells(struct table *t, const char *(*cell)(const void *from, unsigned column), const void *from,
                        unsigned severity)
{
    static const char *const colours[] = {"", "\033[1;31m", "\033[33m", "", "\033[2m"};
    const char *colour = t->colour && severity <= QPW_SEVERITY_INFO ? colours[severity] : "";

    fputs(colour, stdout);
    for (unsigned c = 0; c < QPW_ALERT_COLUMN_COUNT; c++) {
        if (c + 1 < QPW_ALERT_COLUMN_COUNT)
            printf("%-*s  ", t->width[c], cell(from, c));
        else
            fputs(cell(from, c), stdout);
    }
    puts(*colour ? "\033[0m" : "");
}

static const char *title(const void *from, unsigned column)
{
    return qpw_alert_column_title(column);
}

static const char *row_cell(const void *from, unsigned column)
{
    return ((const struct qpw_alert_row *)from)->cell[column];
}

static void measure(struct table *t, const char *(*cell)(const void *from, unsigned column), const void *from)
{
    for (unsigned c = 0; c < QPW_ALERT_COLUMN_COUNT; c++)
        if ((int)strlen(cell(from, c)) > t->width[c])
            t->width[c] = strlen(cell(from, c));
}

/* Prints what was gathered. */
static void print_rows(struct table *t, bool long_text)
{
    measure(t, title, NULL);
    for (size_t i = 0; i < t->n; i++)
        measure(t, row_cell, &t->rows[i]);
    if (!t->titled && t->n)
        print_cells(t, title, NULL, 0);
    t->titled = t->titled || t->n;
    for (size_t i = 0; i < t->n; i++) {
        print_cells(t, row_cell, &t->rows[i], t->rows[i].severity);
        if (long_text && t->rows[i].text[0])
            printf("    %s\n", t->rows[i].text);
    }
    t->n = 0;
}

static int add_row(struct table *t, const struct qpw_alert_row *row)
{
    if (t->n == t->allocated) {
        size_t n = t->allocated ? 2 * t->allocated : 256;
        struct qpw_alert_row *rows = realloc(t->rows, n * sizeof(*rows));

        if (!rows)
            return -ENOMEM;
        t->rows = rows;
        t->allocated = n;
    }
    t->rows[t->n++] = *row;
    return 0;
}

/* Everything there is, then (asked to follow) what comes, until a signal. */
static int read_all(const struct options *o, struct qpw_follow *follow, struct table *t, struct qpw_error *err)
{
    struct qpw_alert_row row;
    bool wait = false;
    const char *line;
    size_t length;
    int r;

    for (;;) {
        r = qpw_follow_line(follow, wait, &line, &length, err);
        if (r < 0 || (r == 0 && (wait || !o->follow)))
            break;
        if (r == 1 && qpw_alert_read(line, length, &o->filter, &row) == QPW_ALERT_SHOWN) {
            if (o->json)
                printf("%.*s\n", (int)length, line);
            else if (add_row(t, &row) < 0)
                return qpw_fail(err, -ENOMEM, "out of memory; narrow it with --since");
        }
        if (r == 0)
            wait = true;
        if (wait) {
            print_rows(t, o->long_text);
            fflush(stdout);
            if (ferror(stdout))
                return 0; /* the reader of the pipe has gone */
        }
    }
    print_rows(t, o->long_text);
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
    if (o->json)
        return print_signatures_json();
    printf("%-7s  %-8s  %-21s  %-8s  %s\n", "ID", "SEVERITY", "NAME", "REPEATS", "SIGNATURE");
    for (unsigned i = 1; i < QPW_SIG_COUNT; i++) {
        const struct qpw_signature *s = qpw_signature(i);

        printf("%-7u  %-8s  %-21s  %-8s  %s\n", s->id, qpw_severity_name(s->severity), s->name, repeat_name(s->repeat),
               s->title);
        if (o->long_text)
            printf("    %s\n%s%s%s", s->text, s->advice[0] ? "    " : "", s->advice, s->advice[0] ? "\n" : "");
    }
    return QPW_EXIT_OK;
}

static void on_signal(int number)
{
}

int qpw_cmd_alerts(int argc, char **argv)
{
    struct options o = {.log = DEFAULT_LOG};
    struct table table = {.colour = qpw_colour_wanted()};
    struct sigaction action = {.sa_handler = on_signal};
    struct qpw_follow *follow = NULL;
    struct qpw_error err = {""};
    int r;

    qpw_arguments_parse(&argp, argc, argv, &o);
    if (o.signatures)
        return print_signatures(&o);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    r = qpw_follow_open(o.log, o.follow, &follow, &err);
    if (r == 0)
        r = read_all(&o, follow, &table, &err);
    if (r < 0)
        fprintf(stderr, "qportwatch alerts: %s\n", err.text);
    qpw_follow_close(follow);
    free(table.rows);
    return r < 0 ? QPW_EXIT_FAILED : QPW_EXIT_OK;
}
