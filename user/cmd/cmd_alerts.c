/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cmd_alerts.c - qportwatch alerts: show the alert log, filtered, as an aligned table or JSON lines, and follow it. */
#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "alert/log/follow.h"
#include "alert/log/lines.h"
#include "alert/log/reader.h"
#include "cmd/alerts_signatures.h"
#include "cmd/alerts_verify.h"
#include "cmd/anonymize.h"
#include "cmd/cmd.h"
#include "cmd/format.h"
#include "cmd/hosts.h"
#include "cmd/settings.h"
#include "facts/severity.h"
#include "host/apart.h"
#include "host/confine.h"
#include "instance/instance.h"
#include "instance/kernel_words.h"
#include "instance/object.h"
#include "util/error.h"
#include "util/file.h"
#include "util/array.h"
#include "util/usage.h"
#include "words/known.h"
#include "words/numbers.h"
#include "words/table.h"

#define WIDE 100u /* columns from which times are shown in full */
#define DEFAULT_LOG "/var/log/qportwatch/eve.json"

struct options {
    const char *log; /* NULL: the log of the attached instance */
    char **files;    /* read instead of the log, NULL-terminated; NULL: none given */
    bool follow;
    bool json;
    bool long_text; /* the whole sentence below each row */
    bool signatures;
    bool verify;
    const char *key;  /* from --anonymize; NULL: keep names */
    struct qpw_anonymous *anonymous;
    const char *head; /* must be in the chain; NULL: none given */
    const char **peers; /* files of heads and events kept by peers, which must be in it, too */
    size_t n_peers;
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
    KEY_FORMAT,
    KEY_SIGNATURES,
    KEY_VERIFY,
    KEY_HEAD,
    KEY_PEERS,
    KEY_ANONYMIZE,
    KEY_LOCAL_TIME
};

static const struct argp_option argp_options[] = {
    {"follow", 'f', NULL, 0, "Keep reading as records are written, across rotations", 0},
    {"alerts", KEY_ALERTS, "FILE", 0, "The alert log, with the files it was rotated to (default: that of what is attached here, else of the configuration, else " DEFAULT_LOG ")", 0},
    {"verdict", KEY_VERDICT, "VERDICT", 0, "unexpected, mismatch, weak, implied, undecided, infra or peer", 0},
    {"port", KEY_PORT, "PORT", 0, "The responder's port", 0},
    {"address", KEY_ADDRESS, "ADDR[/LEN]", 0, "Either end lies in it", 0},
    {"severity", KEY_SEVERITY, "SEVERITY", 0, "high, medium, low or info: this one and worse", 0},
    {"direction", KEY_DIRECTION, "DIRECTION", 0, "inbound, outbound, unknown or non_ip", 0},
    {"since", KEY_SINCE, "TIME", 0, "2026-03-01T10:00:00Z, 2026-03-01, or an age such as 15m, 2h, 7d", 0},
    {"all", 'a', NULL, 0, "The auditor's own records and heartbeats too", 0},
    {"long", 'l', NULL, 0, "Below each alert what happened, what the policy says and what would allow it", 0},
    {"json", 'j', NULL, 0, "The records as they are in the log, one per line", 0},
    {"local-time", KEY_LOCAL_TIME, NULL, 0, "Times of this machine's time zone, not UTC", 0},
    {"verify", KEY_VERIFY, NULL, 0, "Follow the chain of sums through the log and name the first line that was cut out, changed, moved or added since; exit status 3 where one was", 0},
    {"head", KEY_HEAD, "NUMBER:SUM", 0, "With --verify: this head, kept elsewhere (a heartbeat's \"chain\", 'status'), has to be in the log", 0},
    {"peers", KEY_PEERS, "FILE", 0, "With --verify: what a peer kept of this log (heads/NODE and events/NODE in the directory of its 'qportwatch serve') has to be in the log; repeatable", 0},
    {"anonymize", KEY_ANONYMIZE, "KEYFILE", 0, QPW_ANONYMIZE_HELP, 0},
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
    const char **more;

    switch (key) {
    case 'f': o->follow = true; return 0;
    case 'a': o->filter.everything = true; return 0;
    case 'l': o->long_text = true; return 0;
    case KEY_ALERTS: o->log = arg; return 0;
    case KEY_LOCAL_TIME: o->filter.local_time = true; return 0;
    case ARGP_KEY_ARGS:
        o->files = state->argv + state->next;
        return 0;
    case ARGP_KEY_END:
        if (o->verify && o->follow)
            qpw_usage_error(state, "--verify reads what is there: -f does not go with it");
        if (o->key && o->verify)
            qpw_usage_error(state, "--verify is about the log as it stands: --anonymize does not go with it");
        if ((o->head || o->peers) && !o->verify)
            qpw_usage_error(state, "%s goes with --verify only", o->head ? "--head" : "--peers");
        if (o->files && (o->log || o->follow))
            qpw_usage_error(state, "files are read as they are: %s does not go with them", o->log ? "--alerts" : "-f");
        return 0;
    case KEY_SIGNATURES: o->signatures = true; return 0;
    case KEY_VERIFY: o->verify = true; return 0;
    case KEY_HEAD: o->head = arg; return 0;
    case KEY_PEERS:
        more = QPW_ADD(o->peers, o->n_peers);
        if (!more)
            return ENOMEM;
        *more = arg;
        o->n_peers++;
        return 0;
    case KEY_ANONYMIZE: o->key = arg; return 0;
    case 'j': o->json = true; return 0;
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
    argp_options, parse, "[FILE...]",
    "Reads the alert log for people, oldest first; of the files named, in this order, nothing but these. They may be gzip; - "
    "is standard input.\v"
    "Addresses are never resolved. Honours NO_COLOR. Lines that are not qportwatch records are skipped.", qpw_hosts_child, NULL, NULL};

/*
 * Return the log of this network namespace's auditor; if nothing is attached, the configured one; otherwise the
 * default. Returns buf or a static text.
 */
static const char *log_in_use(char *buf, size_t size)
{
    struct qpw_kernel kernel;
    struct qpw_meta meta = {0};
    bool known = qpw_instance_find(&kernel, NULL) == 0;

    if (known) {
        known = qpw_meta_read(&kernel, &meta, NULL) == 0 && *meta.alerts_path;
        qpw_kernel_close(&kernel);
    }
    if (known)
        return qpw_format(buf, size, "%s", meta.alerts_path);
    return qpw_setting_configured("alerts", buf, size) ? buf : DEFAULT_LOG;
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

/* Print the collected rows, with titles only the first time. */
static int print_rows(struct qpw_table *t, const struct qpw_printer *p)
{
    bool any = t->n_rows;
    int r = qpw_table_print(t, p);

    t->untitled |= any;
    return r;
}

/* Print a record as it is in the log; on a terminal, neutralise control characters. */
static void print_record(const struct qpw_printer *p, const char *line, size_t length)
{
    if (isatty(fileno(p->out)))
        qpw_print_line(p, "%.*s", (int)length, line);
    else
        fprintf(p->out, "%.*s\n", (int)length, line);
}

/* The state of a reading: options, output and counters. */
struct reading {
    const struct options *o;
    struct qpw_printer printer;
    struct qpw_table *table;
    size_t lines, records, shown;
};

/* Show a line: as a row of the table, or as it is. Returns 0 or -ENOMEM. */
static int show(struct reading *r, const struct qpw_alert_row *row, const char *line, size_t length)
{
    if (!r->o->json)
        return add_row(r->table, row, r->o->long_text);
    print_record(&r->printer, line, length);
    return 0;
}

/* Show a line anonymized; it has been selected by its original content. */
static int show_anonymous(struct reading *r, const char *line, size_t length)
{
    const struct qpw_alert_filter all = {.everything = true, .short_time = r->o->filter.short_time, .local_time = r->o->filter.local_time};
    json_t *record = json_loadb(line, length, 0, NULL), *other = qpw_anonymous_record(r->o->anonymous, record);
    char *text = other ? json_dumps(other, JSON_COMPACT) : NULL;
    struct qpw_alert_row row;
    int result = 0;

    if (text && qpw_alert_read(text, strlen(text), &all, &row) == QPW_ALERT_SHOWN)
        result = show(r, &row, text, strlen(text));
    free(text);
    json_decref(other);
    json_decref(record);
    return result;
}

/* Take one line of a log. Returns 0 or -ENOMEM. */
static int take(struct reading *r, const char *line, size_t length)
{
    struct qpw_alert_row row;
    enum qpw_alert_reading reading = qpw_alert_read(line, length, &r->o->filter, &row);

    r->lines++;
    r->records += reading != QPW_ALERT_FOREIGN;
    if (reading != QPW_ALERT_SHOWN)
        return 0;
    r->shown++;
    return r->o->anonymous ? show_anonymous(r, line, length) : show(r, &row, line, length);
}

/* Read a whole file. If it has lines but no record, it is not an alert log. */
static int read_file(struct reading *r, const char *path, struct qpw_error *err)
{
    size_t lines = r->lines, records = r->records, length;
    struct qpw_log_lines *l = NULL;
    const char *line;
    int result = qpw_log_lines_open(path, &l, err);

    while (result >= 0) {
        result = qpw_log_lines_next(l, &line, &length, err);
        if (result <= 0)
            break;
        if (take(r, line, length) < 0)
            result = qpw_fail(err, -ENOMEM, "out of memory; narrow it with --since");
    }
    qpw_log_lines_close(l);
    if (result == 0 && r->lines > lines && r->records == records)
        result = qpw_fail(err, -EPROTO, "%s: not a qportwatch alert log: none of its lines is a record",
                          strcmp(path, "-") ? path : "standard input");
    return result;
}

/* Read the log and, with --follow, wait for new records until a signal. */
static int read_log(struct reading *r, struct qpw_follow *follow, struct qpw_error *err)
{
    bool wait = false;
    const char *line;
    size_t length;
    int result, printed = 0;

    while (printed == 0) {
        result = qpw_follow_line(follow, wait, &line, &length, err);
        if (result < 0 || (result == 0 && (wait || !r->o->follow)))
            return result;
        if (result == 1 && take(r, line, length) < 0)
            return qpw_fail(err, -ENOMEM, "out of memory; narrow it with --since");
        wait |= result == 0;
        if (!wait)
            continue;
        printed = print_rows(r->table, &r->printer);
        fflush(stdout);
        if (ferror(stdout))
            return 0; /* the pipe's reader is gone */
    }
    return qpw_fail(err, printed, "out of memory");
}

/* Report that nothing was shown; with JSON, on standard error, to keep it out of the records. */
static void print_none(const struct reading *r)
{
    char count[32];
    FILE *to = r->o->json ? stderr : stdout;

    if (r->shown)
        return;
    if (r->records)
        fprintf(to, "no match (%s)\n", qpw_words_many(r->records, "record", count, sizeof(count)));
    else
        fprintf(to, "no records\n");
}

/*
 * Read the named files, or the log after its rotated files; the log is opened first, so that a concurrent rotation
 * loses nothing.
 */
static int read_all(struct reading *r, struct qpw_error *err)
{
    struct qpw_follow *follow = NULL;
    char **rotated = NULL, **files = r->o->files;
    int result = 0, printed;

    if (!files) {
        result = qpw_follow_open(r->o->log, r->o->follow, &follow, err);
        if (result < 0)
            return result;
        files = rotated = qpw_log_rotated(r->o->log, r->o->filter.since_unix_ns);
    }
    for (; result == 0 && files && *files; files++)
        result = read_file(r, *files, err);
    qpw_log_rotated_free(rotated);
    if (result == 0 && follow) {
        size_t lines = r->lines, records = r->records;

        result = read_log(r, follow, err);
        if (result == 0 && r->lines > lines && r->records == records)
            result = qpw_fail(err, -EPROTO, "%s: not a qportwatch alert log: none of its lines is a record", r->o->log);
    }
    qpw_follow_close(follow);
    printed = print_rows(r->table, &r->printer);
    if (printed < 0 && result >= 0)
        result = qpw_fail(err, printed, "out of memory; narrow it with --since");
    if (result >= 0)
        print_none(r);
    return result;
}

static void on_signal(int number)
{
}

/*
 * Configure the columns. With sentences below the rows no cell wraps; on a narrow terminal the least informative
 * columns are dropped first.
 */
static void make_columns(const struct options *o, struct qpw_table_column *columns)
{
    static const enum qpw_alert_column optional[] = {QPW_ALERT_DIRECTION, QPW_ALERT_VERDICT, QPW_ALERT_OUTCOME,
                                                     QPW_ALERT_COUNT, QPW_ALERT_PROCESS};
    static const enum qpw_alert_column wrapped[] = {QPW_ALERT_SERVICE, QPW_ALERT_WHAT, QPW_ALERT_INITIATOR,
                                                    QPW_ALERT_RESPONDER};

    for (unsigned i = 0; i < QPW_ALERT_COLUMN_COUNT; i++)
        columns[i].title = qpw_alert_column_title(i);
    for (size_t i = 0; i < sizeof(optional) / sizeof(*optional); i++)
        columns[optional[i]].optional = true;
    for (size_t i = 0; !o->long_text && i < sizeof(wrapped) / sizeof(*wrapped); i++)
        columns[wrapped[i]].wrap = true;
}

/* Return whether --alerts names a single file that has no rotations: standard input or a compressed file. */
static bool is_whole(const char *path)
{
    size_t length = strlen(path);

    return !strcmp(path, "-") || (length > 3 && !strcmp(path + length - 3, ".gz"));
}

/* Read and show. Returns an exit status. */
static int read_and_show(void *arg)
{
    struct reading *r = arg;
    const struct options *o = r->o;
    struct qpw_error err = {""};
    int result;

    if (o->verify) {
        result = qpw_alerts_verify(&(struct qpw_alerts_verify_options){.log = o->log, .files = o->files, .head = o->head,
                                                                      .peers = o->peers, .n_peers = o->n_peers, .json = o->json});
        free(o->peers);
        return result;
    }
    result = read_all(r, &err);
    if (result < 0)
        fprintf(stderr, "qportwatch alerts: %s\n", err.text);
    return result == -EPROTO ? QPW_EXIT_USAGE : result < 0 ? QPW_EXIT_FAILED : QPW_EXIT_OK;
}

/* Read named files in an unprivileged process, because they may come from anybody. */
static int read_files_apart(struct reading *r)
{
    struct qpw_error err;
    size_t n = 0;
    int status;

    while (r->o->files[n])
        n++;
    qpw_file_hold((const char *const *)r->o->files, n, qpw_file_open);
    status = qpw_apart_run(NULL, 0, qpw_confine_parser, read_and_show, r, &err);
    if (err.text[0])
        fprintf(stderr, "qportwatch alerts: %s\n", err.text);
    return status;
}

/* Open the key of --anonymize, which creates a missing one; therefore only after the input was found. */
static int open_key(struct options *o, struct qpw_error *err)
{
    struct qpw_follow *log = NULL;
    int r = o->key && !o->files ? qpw_follow_open(o->log, o->follow, &log, err) : 0;

    qpw_follow_close(log);
    if (r < 0)
        return r;
    for (char **file = o->key ? o->files : NULL; file && *file; file++)
        if (strcmp(*file, "-") && access(*file, R_OK) < 0)
            return qpw_fail(err, -errno, "%s: %s", *file, strerror(errno));
    r = qpw_anonymize_open(o->key, &o->anonymous, err);
    if (o->anonymous)
        qpw_known_clear();
    return r;
}

int qpw_cmd_alerts(int argc, char **argv)
{
    char *one[2] = {NULL, NULL};
    struct options o = {0};
    struct qpw_table_column columns[QPW_ALERT_COLUMN_COUNT] = {0};
    struct qpw_table table = {columns, QPW_ALERT_COLUMN_COUNT};
    struct sigaction action = {.sa_handler = on_signal};
    struct reading reading = {.o = &o, .printer = qpw_printer_of(stdout), .table = &table};
    char log[sizeof(((struct qpw_meta *)0)->alerts_path)];
    struct qpw_error key_error;
    int status;

    qpw_arguments_parse(&argp, argc, argv, &o);
    qpw_quiet_libbpf();
    if (o.signatures)
        return qpw_alerts_signatures(o.json, o.long_text);
    make_columns(&o, columns);
    reading.printer.indent = 0;
    o.filter.short_time = reading.printer.width < WIDE;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    if (!o.log && !o.files)
        o.log = log_in_use(log, sizeof(log));
    if (o.log && !o.files && !o.follow && is_whole(o.log)) {
        one[0] = (char *)o.log;
        o.files = one;
    }
    if (open_key(&o, &key_error) < 0) {
        fprintf(stderr, "qportwatch alerts: %s\n", key_error.text);
        return QPW_EXIT_FAILED;
    }
    status = o.files ? read_files_apart(&reading) : read_and_show(&reading);
    qpw_table_clear(&table);
    return status;
}
