/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Questions whose answers are lists. */
#include "history/reader.h"

#include <errno.h>
#include <string.h>


#define FOREVER INT64_MAX

static int64_t until_of(const struct qpw_history_window *w)
{
    return w->until ? w->until : FOREVER;
}

static int finish(sqlite3_stmt *s, int code)
{
    if (s)
        qpw_db_done(s);
    return code < 0 ? code : 0;
}

static struct qpw_meter_key key_at(sqlite3_stmt *s, int column)
{
    return (struct qpw_meter_key){.kind = (uint8_t)sqlite3_column_int(s, column), .protocol = (uint8_t)sqlite3_column_int(s, column + 1),
                                  .port = (uint16_t)sqlite3_column_int(s, column + 2),
                                  .direction = (uint8_t)sqlite3_column_int(s, column + 3),
                                  .verdict = (uint8_t)sqlite3_column_int(s, column + 4)};
}

static struct qpw_counts counts_at(sqlite3_stmt *s, int column)
{
    return (struct qpw_counts){(uint64_t)sqlite3_column_int64(s, column), (uint64_t)sqlite3_column_int64(s, column + 1),
                               (uint64_t)sqlite3_column_int64(s, column + 2), (uint64_t)sqlite3_column_int64(s, column + 3),
                               (uint64_t)sqlite3_column_int64(s, column + 4)};
}

/* ---- What of a window was observed ---- */

/* Blind intervals of interfaces and between epochs overlap: seconds of their union. */
static int sum_blind(struct qpw_history_reader *r, int64_t since, int64_t until, int64_t *ret, struct qpw_error *err)
{
    sqlite3_stmt *s = qpw_db_bind(&r->db, "SELECT max(start, ?1), min(end, ?2) FROM blind WHERE end > ?1 AND start < ?2 ORDER BY 1", "ii", since, until);
    int64_t reached = since;
    int code;

    *ret = 0;
    while ((code = qpw_history_step(r, s, err)) > 0) {
        int64_t start = sqlite3_column_int64(s, 0), end = sqlite3_column_int64(s, 1);

        if (start < reached)
            start = reached;
        if (end > start) {
            *ret += end - start;
            reached = end;
        }
    }
    return finish(s, code);
}

int qpw_history_observed(struct qpw_history_reader *r, const struct qpw_history_window *window, int64_t now,
                         struct qpw_history_observed *ret, struct qpw_error *err)
{
    int64_t until = window->until ? window->until : now, since = window->since, first, last;
    int code;

    *ret = (struct qpw_history_observed){0};
    first = qpw_db_number(&r->db, 0, "SELECT min(began) FROM epoch", "");
    last = qpw_db_number(&r->db, 0, "SELECT max(written) FROM epoch WHERE began < ?", "i", until);
    if (!since)
        since = first;
    ret->asked = until - since;
    if (!first || first >= until || last <= since) {
        ret->blind = ret->asked;
        return 0;
    }
    /* A write is due once a minute: what is younger than three is not late. */
    if (last >= until - 180)
        last = until;
    ret->from = first > since ? first : since;
    ret->to = last < until ? last : until;
    code = sum_blind(r, ret->from, ret->to, &ret->blind, err);
    ret->blind += (ret->from - since) + (until - ret->to);
    return code;
}

/* ---- Rows by hour, day, month ---- */

/* One text for each, since they are prepared by their text. */
#define ROWS(start, where) \
    "SELECT " start " AS bucket, kind, protocol, port, direction, verdict, rule, sum(connections), sum(rx_packets), sum(rx_bytes), " \
    "sum(tx_packets), sum(tx_bytes) FROM slot JOIN key ON key.id = slot.key WHERE span IN (300, 3600, 86400) AND start >= ? AND " \
    "start < ? AND " where " GROUP BY bucket, kind, protocol, port, direction, verdict, rule ORDER BY bucket, sum(rx_packets) + sum(tx_packets) DESC"
#define HOURS "start - start % 3600"
#define DAYS "start - start % 86400"
#define MONTHS "CAST(strftime('%s', start, 'unixepoch', 'start of month') AS INTEGER)"
#define ANY "(?3 = 0 OR protocol = ?3) AND (?4 < 0 OR port = ?4) AND (?5 = '' OR rule = ?5)"

int qpw_history_rows(struct qpw_history_reader *r, const struct qpw_history_filter *f, enum qpw_history_by by,
                     qpw_history_each_row *each, void *arg, struct qpw_error *err)
{
    static const char *const texts[] = {ROWS(HOURS, ANY), ROWS(DAYS, ANY), ROWS(MONTHS, ANY)};
    sqlite3_stmt *s = qpw_db_bind(&r->db, texts[by], "iiiit", f->window.since, until_of(&f->window), QPW_I(f->protocol), QPW_I(f->port),
                                  f->rule ? f->rule : "");
    int code;
    bool more = true;

    while (more && (code = qpw_history_step(r, s, err)) > 0) {
        struct qpw_history_row row = {.start = sqlite3_column_int64(s, 0), .key = key_at(s, 1), .rule = qpw_db_text(s, 6), .counts = counts_at(s, 7)};

        more = each(&row, arg);
    }
    return finish(s, more ? code : 0);
}

/* ---- Remote ends ---- */

int qpw_history_ends(struct qpw_history_reader *r, const struct qpw_history_filter *f, const char *remote,
                     qpw_history_each_end *each, void *arg, struct qpw_error *err)
{
    sqlite3_stmt *s = qpw_db_bind(&r->db,
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
    return finish(s, more ? code : 0);
}

/* ---- What is new ---- */

int qpw_history_newly(struct qpw_history_reader *r, const struct qpw_history_window *w, qpw_history_each_new *each, void *arg,
                      struct qpw_error *err)
{
    sqlite3_stmt *s = qpw_db_bind(&r->db,
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
    return finish(s, more ? code : 0);
}

/* ---- Rules and who used them ---- */

int qpw_history_rules(struct qpw_history_reader *r, const struct qpw_history_window *w, qpw_history_each_rule *each, void *arg,
                      struct qpw_error *err)
{
    sqlite3_stmt *s = qpw_db_bind(&r->db,
        "SELECT name, text, direction, in_force, since, until, coalesce((SELECT max(last) FROM key WHERE rule = name AND verdict <> 3), 0) AS used, "
        "coalesce(c, 0), coalesce(p, 0), coalesce(b, 0), coalesce(q, 0), coalesce(d, 0), "
        "(SELECT count(DISTINCT remote) FROM used WHERE used.rule = name AND day >= ?1 - ?1 % 86400 AND day < ?2) FROM rule LEFT JOIN "
        "(SELECT rule AS k, sum(connections) AS c, sum(rx_packets) AS p, sum(rx_bytes) AS b, sum(tx_packets) AS q, sum(tx_bytes) AS d FROM slot "
        "JOIN key ON key.id = slot.key WHERE span IN (300, 3600, 86400) AND start >= ?1 AND start < ?2 AND verdict <> 3 AND rule <> '' "
        "GROUP BY rule) ON k = name ORDER BY coalesce(p, 0) + coalesce(q, 0) > 0, used, name", "ii", w->since, until_of(w));
    bool more = true;
    int code;

    while (more && (code = qpw_history_step(r, s, err)) > 0) {
        struct qpw_history_rule rule = {.name = qpw_db_text(s, 0), .text = qpw_db_text(s, 1), .direction = (uint8_t)sqlite3_column_int(s, 2),
                                        .in_force = sqlite3_column_int(s, 3), .since = sqlite3_column_int64(s, 4),
                                        .until = sqlite3_column_int64(s, 5), .last = sqlite3_column_int64(s, 6), .counts = counts_at(s, 7),
                                        .users = (unsigned)sqlite3_column_int(s, 12)};

        more = each(&rule, arg);
    }
    return finish(s, more ? code : 0);
}

int qpw_history_users(struct qpw_history_reader *r, const struct qpw_history_window *w, const char *rule, qpw_history_each_end *each,
                      void *arg, struct qpw_error *err)
{
    sqlite3_stmt *s = qpw_db_bind(&r->db, "SELECT remote, sum(connections), min(day), max(day) FROM used WHERE rule = ? AND day >= ? AND day < ? "
                                          "GROUP BY remote ORDER BY 2 DESC, 1", "tii", rule, w->since - w->since % QPW_HISTORY_DAY, until_of(w));
    bool more = true;
    int code;

    while (more && (code = qpw_history_step(r, s, err)) > 0) {
        struct qpw_history_end end = {.remote = qpw_db_text(s, 0), .rule = rule, .peer = "", .process = "", .connections = (uint64_t)sqlite3_column_int64(s, 1),
                                      .first = sqlite3_column_int64(s, 2), .last = sqlite3_column_int64(s, 3)};

        more = each(&end, arg);
    }
    return finish(s, more ? code : 0);
}

int qpw_history_policies(struct qpw_history_reader *r, qpw_history_each_policy *each, void *arg, struct qpw_error *err)
{
    sqlite3_stmt *s = qpw_db_bind(&r->db, "SELECT id, loaded, digest, source_digest, name, path, loaded_by, text FROM policy ORDER BY id", "");
    bool more = true;
    int code;

    while (more && (code = qpw_history_step(r, s, err)) > 0) {
        struct qpw_history_policy policy = {sqlite3_column_int64(s, 0), sqlite3_column_int64(s, 1), qpw_db_text(s, 2), qpw_db_text(s, 3),
                                            qpw_db_text(s, 4), qpw_db_text(s, 5), qpw_db_text(s, 6), qpw_db_text(s, 7)};

        more = each(&policy, arg);
    }
    return finish(s, more ? code : 0);
}

int qpw_history_programs(struct qpw_history_reader *r, unsigned most, qpw_history_each_program *each, void *arg, struct qpw_error *err)
{
    sqlite3_stmt *s = qpw_db_bind(&r->db, "SELECT path, first FROM program ORDER BY first DESC, path LIMIT ?", "i", QPW_I(most));
    bool more = true;
    int code;

    while (more && (code = qpw_history_step(r, s, err)) > 0)
        more = each(qpw_db_text(s, 0), sqlite3_column_int64(s, 1), arg);
    return finish(s, more ? code : 0);
}
