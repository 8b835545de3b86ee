/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Queries that return lists. */
#include "history/reader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "facts/totals.h"
#include "util/array.h"
#include "util/cleanup.h"

#define FOREVER INT64_MAX

static int64_t until_of(const struct qpw_history_window *w)
{
    return w->until ? w->until : FOREVER;
}

static struct qpw_meter_key key_at(sqlite3_stmt *s, int column)
{
    return (struct qpw_meter_key){.kind = (uint8_t)sqlite3_column_int(s, column), .protocol = (uint8_t)sqlite3_column_int(s, column + 1),
                                  .port = (uint16_t)sqlite3_column_int(s, column + 2),
                                  .direction = (uint8_t)sqlite3_column_int(s, column + 3),
                                  .verdict = (uint8_t)sqlite3_column_int(s, column + 4)};
}

/* ---- Rows by hour, day, month ---- */

static int64_t hour_of(int64_t start)
{
    return start - start % QPW_HISTORY_HOUR;
}

static int64_t day_of(int64_t start)
{
    return start - start % QPW_HISTORY_DAY;
}

static int64_t month_of(int64_t start)
{
    time_t at = start;
    struct tm tm;

    gmtime_r(&at, &tm);
    return day_of(start) - (int64_t)(tm.tm_mday - 1) * QPW_HISTORY_DAY;
}

/* One row for meters that differ only in scope, reason, peer and interface. */
struct service {
    struct qpw_meter_key key;
    char rule[QPW_NAME_LEN];
};

struct services {
    struct service *rows; /* by the position of their sums, less 1 */
    size_t n;
    qpw_history_each_row *each;
    void *arg;
};

static int request_keys(struct qpw_history_reader *r, const struct qpw_history_filter *f, struct qpw_history_sums *sums,
                        struct services *all, struct qpw_error *err)
{
    QPW_CLEANUP(qpw_db_donep) sqlite3_stmt *s = qpw_db_bind(&r->db,
        "SELECT id, kind, protocol, port, direction, verdict, rule FROM key WHERE (?1 = 0 OR protocol = ?1) AND (?2 < 0 OR port = ?2) AND "
        "(?3 = '' OR rule = ?3) ORDER BY 2, 3, 4, 5, 6, 7", "iit", QPW_I(f->protocol), QPW_I(f->port), f->rule ? f->rule : "");
    struct service *last = NULL;
    int code;

    while ((code = qpw_history_step(r, s, err)) > 0) {
        struct qpw_meter_key key = key_at(s, 1);

        if (!last || memcmp(&last->key, &key, sizeof(key)) || strcmp(last->rule, qpw_db_text(s, 6))) {
            last = QPW_ADD(all->rows, all->n);
            if (!last)
                return qpw_fail(err, -ENOMEM, "out of memory");
            all->n++;
            last->key = key;
            snprintf(last->rule, sizeof(last->rule), "%s", qpw_db_text(s, 6));
        }
        qpw_history_sums_request(sums, sqlite3_column_int64(s, 0), all->n);
    }
    return code;
}

static bool report_services(int64_t bucket, const struct qpw_history_sums *sums, void *arg)
{
    struct services *all = arg;
    bool more = true;

    for (size_t i = 0; more && i < all->n; i++) {
        const struct qpw_history_sum *sum = &sums->sums[i + 1];
        struct qpw_history_row row = {.start = bucket, .key = all->rows[i].key, .rule = all->rows[i].rule, .counts = sum->counts};

        if (sum->touched)
            more = all->each(&row, all->arg);
    }
    return more;
}

static void free_services(struct services *all)
{
    free(all->rows);
}

int qpw_history_rows(struct qpw_history_reader *r, const struct qpw_history_filter *f, enum qpw_history_by by,
                     qpw_history_each_row *each, void *arg, struct qpw_error *err)
{
    static int64_t (*const buckets[])(int64_t) = {hour_of, day_of, month_of};
    QPW_CLEANUP(free_services) struct services all = {.each = each, .arg = arg};
    QPW_CLEANUP(qpw_history_sums_end) struct qpw_history_sums sums = {0};
    int code = qpw_history_sums_begin(r, 0, &sums, err);

    if (code < 0)
        return code;
    code = request_keys(r, f, &sums, &all, err);
    return code < 0 ? code : qpw_history_sum(&sums, &f->window, buckets[by], report_services, &all, err);
}

/* ---- Remote ends ---- */

int qpw_history_ends(struct qpw_history_reader *r, const struct qpw_history_filter *f, const char *remote,
                     qpw_history_each_end *each, void *arg, struct qpw_error *err)
{
    QPW_CLEANUP(qpw_db_donep) sqlite3_stmt *s = qpw_db_bind(&r->db,
        "SELECT remote, kind, protocol, port, direction, verdict, rule, peer, process, t.first, t.last, outcome, connections, 0 FROM talker t "
        "JOIN key ON key.id = t.key WHERE t.last >= ?1 AND t.first < ?2 AND (?3 = 0 OR protocol = ?3) AND (?4 < 0 OR port = ?4) AND "
        "(?5 = '' OR rule = ?5) AND (?6 = '' OR remote = ?6) AND NOT EXISTS (SELECT 1 FROM finding g WHERE g.protocol = key.protocol AND "
        "g.port = key.port AND g.direction = key.direction AND g.verdict = key.verdict AND t.remote = CASE g.direction WHEN 2 THEN g.responder "
        "ELSE g.initiator END) "
        "UNION ALL SELECT CASE direction WHEN 2 THEN responder ELSE initiator END AS remote, kind, protocol, port, direction, verdict, rule, peer, "
        "process, first_ns / 1000000000, last_ns / 1000000000, outcome, connections, 1 FROM finding WHERE last_ns / 1000000000 >= ?1 AND "
        "first_ns / 1000000000 < ?2 AND (?3 = 0 OR protocol = ?3) AND (?4 < 0 OR port = ?4) AND (?5 = '' OR rule = ?5) AND "
        "(?6 = '' OR initiator = ?6 OR responder = ?6) ORDER BY 11 DESC, 1", "iiiitt", f->window.since, until_of(&f->window),
        QPW_I(f->protocol), QPW_I(f->port), f->rule ? f->rule : "", remote ? remote : "");
    bool more = true;
    int code;

    while (more && (code = qpw_history_step(r, s, err)) > 0) {
        struct qpw_history_end end = {.remote = qpw_db_text(s, 0), .key = key_at(s, 1), .rule = qpw_db_text(s, 6), .peer = qpw_db_text(s, 7),
                                      .process = qpw_db_text(s, 8), .first = sqlite3_column_int64(s, 9), .last = sqlite3_column_int64(s, 10),
                                      .outcome = (uint8_t)sqlite3_column_int(s, 11), .connections = (uint64_t)sqlite3_column_int64(s, 12),
                                      .finding = sqlite3_column_int(s, 13)};

        more = each(&end, arg);
    }
    return more ? code : 0;
}

/* ---- What is new ---- */

int qpw_history_newly(struct qpw_history_reader *r, const struct qpw_history_window *w, qpw_history_each_new *each, void *arg,
                      struct qpw_error *err)
{
    QPW_CLEANUP(qpw_db_donep) sqlite3_stmt *s = qpw_db_bind(&r->db,
        "SELECT 0, min(first) AS f, kind, protocol, port, direction, verdict, rule, '', 0 FROM key WHERE verdict > 3 AND verdict <> 6 "
        "GROUP BY kind, protocol, port, direction, verdict, rule HAVING f >= ?1 AND f < ?2 "
        "UNION ALL SELECT 1, min(t.first) AS f, kind, protocol, port, direction, verdict, rule, remote, max(outcome) FROM talker t JOIN key ON "
        "key.id = t.key GROUP BY remote HAVING f >= ?1 AND f < ?2 AND max(outcome) >= 3 "
        "UNION ALL SELECT 2, first, 0, 0, 0, 0, 0, '', path, 0 FROM program WHERE first >= ?1 AND first < ?2 "
        "UNION ALL SELECT 3, first, 1, protocol, port, 1, 0, '', program, 0 FROM listener WHERE first >= ?1 AND first < ?2 ORDER BY 2, 1", "ii",
        w->since, until_of(w));
    bool more = true;
    int code;

    while (more && (code = qpw_history_step(r, s, err)) > 0) {
        struct qpw_history_news news = {.what = (enum qpw_history_new)sqlite3_column_int(s, 0), .first = sqlite3_column_int64(s, 1),
                                        .key = key_at(s, 2), .rule = qpw_db_text(s, 7), .name = qpw_db_text(s, 8),
                                        .outcome = (uint8_t)sqlite3_column_int(s, 9)};

        more = each(&news, arg);
    }
    return more ? code : 0;
}

/* ---- Rules and who used them ---- */

struct rules {
    struct qpw_history_rule *rows; /* by the position of their sums, less 1; texts are its own */
    size_t n;
};

static int read_rules(struct qpw_history_reader *r, const struct qpw_history_window *w, struct rules *all, struct qpw_error *err)
{
    QPW_CLEANUP(qpw_db_donep) sqlite3_stmt *s = qpw_db_bind(&r->db,
        "SELECT name, text, direction, in_force, since, until, coalesce((SELECT max(last) FROM key WHERE rule = name AND verdict <> 3), 0), "
        "(SELECT count(DISTINCT remote) FROM used WHERE used.rule = name AND day >= ?1 - ?1 % 86400 AND day < ?2) FROM rule ORDER BY name", "ii",
        w->since, until_of(w));
    struct qpw_history_rule *rule;
    int code;

    while ((code = qpw_history_step(r, s, err)) > 0) {
        rule = QPW_ADD(all->rows, all->n);
        if (!rule)
            return qpw_fail(err, -ENOMEM, "out of memory");
        all->n++;
        *rule = (struct qpw_history_rule){.name = strdup(qpw_db_text(s, 0)), .text = strdup(qpw_db_text(s, 1)),
                                          .direction = (uint8_t)sqlite3_column_int(s, 2), .in_force = sqlite3_column_int(s, 3),
                                          .since = sqlite3_column_int64(s, 4), .until = sqlite3_column_int64(s, 5),
                                          .last = sqlite3_column_int64(s, 6), .users = (unsigned)sqlite3_column_int(s, 7)};
        if (!rule->name || !rule->text)
            return qpw_fail(err, -ENOMEM, "out of memory");
    }
    return code;
}

static int by_name(const void *name, const void *rule)
{
    return strcmp(name, ((const struct qpw_history_rule *)rule)->name);
}

static int request_rules(struct qpw_history_reader *r, const struct rules *all, struct qpw_history_sums *sums,
                         struct qpw_error *err)
{
    QPW_CLEANUP(qpw_db_donep) sqlite3_stmt *s = qpw_db_bind(&r->db, "SELECT id, rule FROM key WHERE verdict <> 3 AND rule <> ''", "");
    int code;

    while ((code = qpw_history_step(r, s, err)) > 0) {
        const struct qpw_history_rule *rule = all->n ? bsearch(qpw_db_text(s, 1), all->rows, all->n, sizeof(*rule), by_name) : NULL;

        if (rule)
            qpw_history_sums_request(sums, sqlite3_column_int64(s, 0), (size_t)(rule - all->rows) + 1);
    }
    return code;
}

static int by_use(const void *a, const void *b)
{
    const struct qpw_history_rule *x = a, *y = b;
    bool used_x = qpw_sum_of(&x->counts).packets, used_y = qpw_sum_of(&y->counts).packets;

    if (used_x != used_y)
        return used_x - used_y;
    return x->last != y->last ? (x->last > y->last) - (x->last < y->last) : strcmp(x->name, y->name);
}

static void free_rules(struct rules *all)
{
    for (size_t i = 0; i < all->n; i++) {
        free((char *)all->rows[i].name);
        free((char *)all->rows[i].text);
    }
    free(all->rows);
}

int qpw_history_rules(struct qpw_history_reader *r, const struct qpw_history_window *w, qpw_history_each_rule *each, void *arg,
                      struct qpw_error *err)
{
    QPW_CLEANUP(free_rules) struct rules all = {0};
    QPW_CLEANUP(qpw_history_sums_end) struct qpw_history_sums sums = {0};
    int code = read_rules(r, w, &all, err);

    if (code < 0)
        return code;
    code = qpw_history_sums_begin(r, all.n, &sums, err);
    if (code < 0)
        return code;
    code = request_rules(r, &all, &sums, err);
    if (code < 0)
        return code;
    code = qpw_history_sum(&sums, w, NULL, NULL, NULL, err);
    if (code < 0)
        return code;
    for (size_t i = 0; i < all.n; i++)
        all.rows[i].counts = sums.sums[i + 1].counts;
    if (all.n)
        qsort(all.rows, all.n, sizeof(*all.rows), by_use);
    for (size_t i = 0; i < all.n && each(&all.rows[i], arg); i++)
        ;
    return 0;
}

int qpw_history_users(struct qpw_history_reader *r, const struct qpw_history_window *w, const char *rule, qpw_history_each_end *each,
                      void *arg, struct qpw_error *err)
{
    QPW_CLEANUP(qpw_db_donep) sqlite3_stmt *s = qpw_db_bind(&r->db, "SELECT remote, sum(connections), min(day), max(day), rule FROM used WHERE (?1 = '' OR rule = ?1) AND "
                                          "day >= ?2 AND day < ?3 GROUP BY rule, remote ORDER BY rule, 2 DESC, 1", "tii", rule ? rule : "",
                                   w->since - w->since % QPW_HISTORY_DAY, until_of(w));
    bool more = true;
    int code;

    while (more && (code = qpw_history_step(r, s, err)) > 0) {
        struct qpw_history_end end = {.remote = qpw_db_text(s, 0), .rule = qpw_db_text(s, 4), .peer = "", .process = "", .connections = (uint64_t)sqlite3_column_int64(s, 1),
                                      .first = sqlite3_column_int64(s, 2), .last = sqlite3_column_int64(s, 3)};

        more = each(&end, arg);
    }
    return more ? code : 0;
}

int qpw_history_policies(struct qpw_history_reader *r, qpw_history_each_policy *each, void *arg, struct qpw_error *err)
{
    QPW_CLEANUP(qpw_db_donep) sqlite3_stmt *s = qpw_db_bind(&r->db, "SELECT id, loaded, digest, source_digest, name, path, loaded_by, text FROM policy ORDER BY id", "");
    bool more = true;
    int code;

    while (more && (code = qpw_history_step(r, s, err)) > 0) {
        struct qpw_history_policy policy = {sqlite3_column_int64(s, 0), sqlite3_column_int64(s, 1), qpw_db_text(s, 2), qpw_db_text(s, 3),
                                            qpw_db_text(s, 4), qpw_db_text(s, 5), qpw_db_text(s, 6), qpw_db_text(s, 7)};

        more = each(&policy, arg);
    }
    return more ? code : 0;
}

int qpw_history_programs(struct qpw_history_reader *r, unsigned most, qpw_history_each_program *each, void *arg, struct qpw_error *err)
{
    QPW_CLEANUP(qpw_db_donep) sqlite3_stmt *s = qpw_db_bind(&r->db, "SELECT path, first FROM program ORDER BY first DESC, path LIMIT ?", "i", QPW_I(most));
    bool more = true;
    int code;

    while (more && (code = qpw_history_step(r, s, err)) > 0)
        more = each(qpw_db_text(s, 0), sqlite3_column_int64(s, 1), arg);
    return more ? code : 0;
}

int qpw_history_losses(struct qpw_history_reader *r, qpw_history_each_loss *each, void *arg, struct qpw_error *err)
{
    QPW_CLEANUP(qpw_db_donep) sqlite3_stmt *s = qpw_db_bind(&r->db, "SELECT what, number FROM lost WHERE number > 0 ORDER BY what", "");
    bool more = true;
    int code;

    while (more && (code = qpw_history_step(r, s, err)) > 0)
        more = each(qpw_db_text(s, 0), (uint64_t)sqlite3_column_int64(s, 1), arg);
    return more ? code : 0;
}
