/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cmd/history_lists.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "facts/totals.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/document.h"
#include "util/names.h"
#include "words/json.h"
#include "words/printer.h"
#include "words/table.h"
#include "words/words.h"

#define SECOND_NS 1000000000ull
#define BAR_COLUMNS 24u

/* ---- By time ---- */

struct moment {
    int64_t start;
    struct qpw_counts all;
    uint64_t unexpected; /* packets */
};

struct times {
    struct moment *moments;
    size_t n;
    json_t *rows; /* NULL: text */
    bool failed;
};

static bool add_row(const struct qpw_history_row *row, void *arg)
{
    struct times *t = arg;
    struct moment *more = t->n && t->moments[t->n - 1].start == row->start ? &t->moments[t->n - 1] : NULL;
    json_t *o;

    if (!more) {
        more = QPW_ADD(t->moments, t->n);
        if (!more) {
            t->failed = true;
            return false;
        }
        t->n++;
        more->start = row->start;
    }
    qpw_counts_add(&more->all, &row->counts);
    if (row->key.verdict == QPW_VERDICT_UNEXPECTED)
        more->unexpected += qpw_sum_of(&row->counts).packets;
    if (t->rows) {
        o = json_pack("{s:o}", "start", qpw_json_time((uint64_t)row->start * SECOND_NS));
        qpw_json_set_service(o, row->key.kind, row->key.protocol, row->key.port);
        json_object_update_new(o, json_pack("{s:s,s:s,s:o}", "direction", qpw_direction_name(row->key.direction), "verdict",
                                            qpw_verdict_name(row->key.verdict), "rule", qpw_json_text(row->rule)));
        qpw_json_set_counts(o, &row->counts);
        json_array_append_new(t->rows, o);
    }
    return true;
}

static const char *moment_text(int64_t start, unsigned by, char *buf, size_t size)
{
    static const char *const formats[] = {"%Y-%m-%d %H:00Z", "%Y-%m-%d", "%Y-%m"};
    time_t at = start;
    struct tm tm;

    if (!gmtime_r(&at, &tm) || !strftime(buf, size, formats[by], &tm))
        *buf = '\0';
    return buf;
}

static const char *bar(uint64_t value, uint64_t most, char *buf, size_t size)
{
    unsigned columns = most ? (unsigned)((value * (double)BAR_COLUMNS) / (double)most + 0.5) : 0;

    if (value && !columns)
        columns = 1;
    snprintf(buf, size, "%.*s", (int)columns, "########################");
    return buf;
}

static int print_times(unsigned by, const struct times *t, const struct qpw_printer *p)
{
    static const struct qpw_table_column columns[] = {{.title = "FROM"}, {.title = "CONNECTIONS", .right = true}, {.title = "PACKETS", .right = true},
                                                      {.title = "BYTES", .right = true}, {.title = "UNEXPECTED", .right = true}, {.title = ""}};
    QPW_CLEANUP(qpw_table_clear)
    struct qpw_table table = {.columns = columns, .n_columns = sizeof(columns) / sizeof(*columns)};
    char when[40], connections[24], packets[24], bytes[24], unexpected[24], line[64];
    uint64_t most = 0;
    int r = 0;

    for (size_t i = 0; i < t->n; i++)
        if (qpw_sum_of(&t->moments[i].all).packets > most)
            most = qpw_sum_of(&t->moments[i].all).packets;
    for (size_t i = 0; r == 0 && i < t->n; i++) {
        const struct moment *m = &t->moments[i];
        struct qpw_sum sum = qpw_sum_of(&m->all);
        const char *cells[] = {moment_text(m->start, by, when, sizeof(when)), qpw_words_count(m->all.connections, connections, sizeof(connections)),
                               qpw_words_count(sum.packets, packets, sizeof(packets)), qpw_words_bytes(sum.bytes, bytes, sizeof(bytes)),
                               m->unexpected ? qpw_words_count(m->unexpected, unexpected, sizeof(unexpected)) : "-",
                               bar(sum.packets, most, line, sizeof(line))};

        r = qpw_table_add(&table, m->unexpected ? QPW_TEXT_BAD : QPW_TEXT_PLAIN, cells);
    }
    if (r < 0)
        return r;
    return qpw_table_print(&table, p);
}

/* ---- Remote ends ---- */

struct ends {
    struct qpw_table table;
    json_t *rows; /* NULL: text */
    bool with_service;
    size_t n;
    int r;
};

static const struct qpw_table_column end_columns[] = {
    {.title = "HOST"}, {.title = "DIRECTION"}, {.title = "SERVICE"}, {.title = "VERDICT"}, {.title = "RULE"}, {.title = "OUTCOME"},
    {.title = "CONNECTIONS", .right = true}, {.title = "FIRST"}, {.title = "LAST"}, {.title = "PROCESS", .optional = true}};

static bool add_end(const struct qpw_history_end *end, void *arg)
{
    struct ends *e = arg;
    char service[64], connections[24], first[40], last[40];
    const char *cells[] = {end->remote, qpw_words_direction(end->key.direction),
                           qpw_words_service(end->key.kind, end->key.protocol, end->key.port, service, sizeof(service)),
                           qpw_verdict_name(end->key.verdict), end->rule, qpw_outcome_name(end->outcome),
                           qpw_words_count(end->connections, connections, sizeof(connections)),
                           qpw_words_time((uint64_t)end->first * SECOND_NS, first, sizeof(first)),
                           qpw_words_time((uint64_t)end->last * SECOND_NS, last, sizeof(last)), end->process};
    json_t *o;

    e->n++;
    if (!e->rows) {
        e->r = qpw_table_add(&e->table, end->finding ? QPW_TEXT_BAD : QPW_TEXT_PLAIN, cells);
        return e->r == 0;
    }
    o = json_pack("{s:o}", "host", qpw_json_text(end->remote));
    qpw_json_set_service(o, end->key.kind, end->key.protocol, end->key.port);
    json_object_update_new(o, json_pack("{s:s,s:s,s:o,s:o,s:s,s:o,s:o,s:o,s:o,s:b}", "direction", qpw_direction_name(end->key.direction), "verdict",
                                        qpw_verdict_name(end->key.verdict), "rule", qpw_json_text(end->rule), "peer", qpw_json_text(end->peer),
                                        "outcome", qpw_outcome_name(end->outcome), "connections", qpw_json_number(end->connections), "first",
                                        qpw_json_time((uint64_t)end->first * SECOND_NS), "last", qpw_json_time((uint64_t)end->last * SECOND_NS),
                                        "process", qpw_json_text(end->process), "finding", (int)end->finding));
    json_array_append_new(e->rows, o);
    return true;
}

/* ---- First seen ---- */

static const char *const new_names[] = {"service", "host", "program", "listener"};

static bool add_new(const struct qpw_history_news *news, void *arg)
{
    struct ends *e = arg;
    char service[64] = "", first[40];
    bool is_service = news->what == QPW_HISTORY_NEW_SERVICE || news->what == QPW_HISTORY_NEW_LISTENER || news->what == QPW_HISTORY_NEW_END;
    const char *cells[] = {qpw_words_time((uint64_t)news->first * SECOND_NS, first, sizeof(first)), new_names[news->what], news->name,
                           is_service ? qpw_words_direction(news->key.direction) : "",
                           is_service ? qpw_words_service(news->key.kind, news->key.protocol, news->key.port, service, sizeof(service)) : "",
                           news->key.verdict ? qpw_verdict_name(news->key.verdict) : "", news->rule};

    e->n++;
    if (!e->rows) {
        e->r = qpw_table_add(&e->table, news->key.verdict == QPW_VERDICT_UNEXPECTED ? QPW_TEXT_BAD : QPW_TEXT_PLAIN, cells);
        return e->r == 0;
    }
    json_t *o = json_pack("{s:o,s:s,s:o}", "first", qpw_json_time((uint64_t)news->first * SECOND_NS), "new", new_names[news->what], "name",
                          qpw_json_text(news->name));
    if (is_service)
        qpw_json_set_service(o, news->key.kind, news->key.protocol, news->key.port);
    json_object_update_new(o, json_pack("{s:o,s:o,s:o}", "direction", qpw_json_text(is_service ? qpw_direction_name(news->key.direction) : ""),
                                        "verdict", qpw_json_text(news->key.verdict ? qpw_verdict_name(news->key.verdict) : ""), "rule",
                                        qpw_json_text(news->rule)));
    json_array_append_new(e->rows, o);
    return true;
}

static const struct qpw_table_column new_columns[] = {{.title = "FIRST SEEN"}, {.title = "NEW"}, {.title = "NAME"}, {.title = "DIRECTION"},
                                                      {.title = "SERVICE"}, {.title = "VERDICT"}, {.title = "RULE"}};

/* ---- The lists ---- */

static struct qpw_printer printer(void)
{
    struct qpw_printer p = qpw_printer_of(stdout);

    p.indent = 0;
    return p;
}

static void free_moments(struct times *t)
{
    free(t->moments);
}

int qpw_history_list_times(struct qpw_history_reader *reader, const struct qpw_history_filter *filter, enum qpw_history_by by,
                           struct qpw_history_list *list, struct qpw_error *err)
{
    QPW_CLEANUP(free_moments) struct times times = {.rows = list->rows};
    struct qpw_printer p = printer();
    int r = qpw_history_rows(reader, filter, by, add_row, &times, err);

    if (r < 0)
        return r;
    list->n = times.n;
    if (times.failed || (!list->rows && times.n && print_times(by, &times, &p) < 0))
        return qpw_fail(err, -ENOMEM, "out of memory");
    return 0;
}

/* Print the rows of a query that returned r, behind what the list has already printed. */
static int finish(struct ends *ends, int r, struct qpw_history_list *list, struct qpw_error *err)
{
    struct qpw_printer p = printer();

    if (r < 0)
        return r;
    if (!list->rows && ends->n) {
        if (list->n)
            qpw_print_end(&p);
        ends->r = ends->r < 0 ? ends->r : qpw_table_print(&ends->table, &p);
    }
    if (ends->r < 0)
        return qpw_fail(err, -ENOMEM, "out of memory");
    list->n += ends->n;
    return 0;
}

static void clear_ends(struct ends *ends)
{
    qpw_table_clear(&ends->table);
}

int qpw_history_list_ends(struct qpw_history_reader *reader, const struct qpw_history_filter *filter, const char *remote,
                          struct qpw_history_list *list, struct qpw_error *err)
{
    QPW_CLEANUP(clear_ends) struct ends ends = {.rows = list->rows, .table = {.columns = end_columns, .n_columns = sizeof(end_columns) / sizeof(*end_columns)}};

    return finish(&ends, qpw_history_ends(reader, filter, remote, add_end, &ends, err), list, err);
}

int qpw_history_list_new(struct qpw_history_reader *reader, const struct qpw_history_window *window, struct qpw_history_list *list,
                         struct qpw_error *err)
{
    QPW_CLEANUP(clear_ends) struct ends ends = {.rows = list->rows, .table = {.columns = new_columns, .n_columns = sizeof(new_columns) / sizeof(*new_columns)}};

    return finish(&ends, qpw_history_newly(reader, window, add_new, &ends, err), list, err);
}
