/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Windows of a history: how much of one was observed, and which spans have counts. */
#include "history/reader.h"

#include <errno.h>

#include "util/cleanup.h"

/* ---- The observed part of a window ---- */

/* Sum the seconds of the union of blind intervals, because those of interfaces and between epochs overlap. */
static int sum_blind(struct qpw_history_reader *r, int64_t since, int64_t until, int64_t *ret, struct qpw_error *err)
{
    QPW_CLEANUP(qpw_db_donep) sqlite3_stmt *s = qpw_db_bind(&r->db, "SELECT max(start, ?1), min(end, ?2) FROM blind WHERE end > ?1 AND start < ?2 ORDER BY 1", "ii", since, until);
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
    return code;
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
    /* A write is due every minute: up to three minutes are not late. */
    if (last >= until - 180)
        last = until;
    ret->from = first > since ? first : since;
    ret->to = last < until ? last : until;
    code = sum_blind(r, ret->from, ret->to, &ret->blind, err);
    ret->blind += (ret->from - since) + (until - ret->to);
    return code;
}

int64_t qpw_history_talkers_until(struct qpw_history_reader *r, uint64_t attached_unix_ns)
{
    return qpw_db_number(&r->db, 0, "SELECT first_ns FROM counted WHERE what = 2 AND ?1 = (SELECT attached_ns FROM epoch ORDER BY id DESC LIMIT 1)", "i",
                         QPW_I(attached_unix_ns));
}

/* ---- From span to span ---- */

int qpw_history_beside(struct qpw_history_reader *r, int64_t at, bool forward, int64_t length, struct qpw_history_window *ret,
                       struct qpw_error *err)
{
#define EACH_SPAN(what, compared) \
    "SELECT " what "(start) AS s, 300 FROM slot WHERE span = 300 AND start " compared " ?1 UNION ALL SELECT " what "(start), 3600 FROM slot WHERE " \
    "span = 3600 AND start " compared " ?1 UNION ALL SELECT " what "(start), 86400 FROM slot WHERE span = 86400 AND start " compared " ?1 ORDER BY s"
    QPW_CLEANUP(qpw_db_donep) sqlite3_stmt *s = qpw_db_bind(&r->db, forward ? EACH_SPAN("min", ">=") : EACH_SPAN("max", "<") " DESC", "i", at);
    int64_t start, span, monday = length == 7 * QPW_HISTORY_DAY ? 4 * QPW_HISTORY_DAY : 0; /* 1970 began Thursday */
    int code = 0;

    *ret = (struct qpw_history_window){0};
    while (!ret->until && (code = qpw_history_step(r, s, err)) > 0) {
        if (sqlite3_column_type(s, 0) == SQLITE_NULL)
            continue; /* no slot of this span */
        start = sqlite3_column_int64(s, 0);
        span = sqlite3_column_int64(s, 1);
        length = span > length ? span : length;
        ret->since = start - (start - monday) % length;
        ret->until = ret->since + length;
    }
    if (ret->until)
        return 0;
    return code < 0 ? code : -ENOENT;
}
