/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "history/reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SPANS 3

int qpw_history_sums_begin(struct qpw_history_reader *r, size_t n_positions, struct qpw_history_sums *ret,
                           struct qpw_error *err)
{
    int code;

    *ret = (struct qpw_history_sums){.r = r};
    code = qpw_db_run(&r->db, "SAVEPOINT sums", "");
    if (code < 0)
        return qpw_history_fail(r, code, err);
    ret->open = true;
    ret->n_keys = (size_t)qpw_db_number(&r->db, 0, "SELECT max(id) FROM key", "") + 1;
    ret->n_positions = (n_positions ? n_positions : ret->n_keys) + 1;
    ret->positions = calloc(ret->n_keys, sizeof(*ret->positions));
    ret->sums = calloc(ret->n_positions, sizeof(*ret->sums));
    return ret->positions && ret->sums ? 0 : qpw_fail(err, -ENOMEM, "out of memory");
}

void qpw_history_sums_request(struct qpw_history_sums *sums, int64_t key, size_t position)
{
    if (key > 0 && (uint64_t)key < sums->n_keys && position < sums->n_positions)
        sums->positions[key] = (uint32_t)position;
}

void qpw_history_sums_end(struct qpw_history_sums *sums)
{
    if (sums->open)
        qpw_db_run(&sums->r->db, "RELEASE sums", "");
    free(sums->positions);
    free(sums->sums);
    *sums = (struct qpw_history_sums){0};
}

static void add(struct qpw_history_sums *sums, sqlite3_stmt *s)
{
    int64_t key = sqlite3_column_int64(s, 1);
    uint32_t position = key > 0 && (uint64_t)key < sums->n_keys ? sums->positions[key] : 0;
    struct qpw_counts *c = &sums->sums[position].counts;

    if (!position)
        return;
    sums->sums[position].touched = true;
    c->connections += (uint64_t)sqlite3_column_int64(s, 2);
    c->rx_packets += (uint64_t)sqlite3_column_int64(s, 3);
    c->rx_bytes += (uint64_t)sqlite3_column_int64(s, 4);
    c->tx_packets += (uint64_t)sqlite3_column_int64(s, 5);
    c->tx_bytes += (uint64_t)sqlite3_column_int64(s, 6);
}

/* Return which span has the earliest next row, as each is sorted by time on its own; -1: none. */
static int earliest(sqlite3_stmt *const s[SPANS], const int code[SPANS])
{
    int at = -1;

    for (int i = 0; i < SPANS; i++)
        if (code[i] > 0 && (at < 0 || sqlite3_column_int64(s[i], 0) < sqlite3_column_int64(s[at], 0)))
            at = i;
    return at;
}

int qpw_history_sum(struct qpw_history_sums *sums, const struct qpw_history_window *window, int64_t (*bucket_of)(int64_t start),
                    qpw_history_each_bucket *each, void *arg, struct qpw_error *err)
{
#define SLOTS(span) "SELECT start, key, connections, rx_packets, rx_bytes, tx_packets, tx_bytes FROM slot WHERE span = " span \
                    " AND start >= ? AND start < ? ORDER BY start"
    static const char *const texts[SPANS] = {SLOTS("86400"), SLOTS("3600"), SLOTS("300")};
    int64_t until = window->until ? window->until : INT64_MAX, bucket = window->since, next;
    struct qpw_history_reader *r = sums->r;
    sqlite3_stmt *s[SPANS];
    int code[SPANS], at, failed = 0;
    bool open = false, more = true;

    for (int i = 0; i < SPANS; i++) {
        s[i] = qpw_db_bind(&r->db, texts[i], "ii", window->since, until);
        code[i] = qpw_history_step(r, s[i], err);
        failed = code[i] < 0 ? code[i] : failed;
    }
    while (more && !failed && (at = earliest(s, code)) >= 0) {
        next = bucket_of ? bucket_of(sqlite3_column_int64(s[at], 0)) : bucket;
        if (open && next != bucket) {
            more = each(bucket, sums, arg);
            memset(sums->sums, 0, sums->n_positions * sizeof(*sums->sums));
        }
        bucket = next;
        open = true;
        add(sums, s[at]);
        code[at] = qpw_history_step(r, s[at], err);
        failed = code[at] < 0 ? code[at] : failed;
    }
    if (!failed && more && open && bucket_of)
        each(bucket, sums, arg);
    for (int i = 0; i < SPANS; i++)
        if (s[i])
            qpw_db_done(s[i]);
    return failed;
}
