/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Combine slots of five minutes into hours and hours into days, and limit the file's size. */
#include "history/store.h"

#define STEPS_OF_PRESSURE 8
#define LEAST_FIVE QPW_HISTORY_DAY /* slots of this age or younger are never combined to save space */
#define LEAST_HOURS (14 * QPW_HISTORY_DAY)

/* Replace the slots of `span` from `start` on by one of `into` seconds, within a transaction. */
static int replace_slots(struct qpw_history *h, int64_t span, int64_t into, int64_t start)
{
    int r = qpw_db_run(
        &h->db,
        "INSERT INTO slot SELECT ?1, ?2, key, sum(connections), sum(rx_packets), sum(rx_bytes), sum(tx_packets), "
        "sum(tx_bytes) FROM slot WHERE span = ?3 AND start >= ?2 AND start < ?2 + ?1 GROUP BY key "
        "ON CONFLICT(span, start, key) DO UPDATE SET connections = connections + excluded.connections, "
        "rx_packets = rx_packets + excluded.rx_packets, rx_bytes = rx_bytes + excluded.rx_bytes, "
        "tx_packets = tx_packets + excluded.tx_packets, tx_bytes = tx_bytes + excluded.tx_bytes",
        "iii", into, start, span);

    if (r < 0)
        return r;
    r = qpw_db_run(&h->db, "DELETE FROM slot WHERE span = ? AND start >= ? AND start < ?", "iii", span, start,
                   start + into);
    if (r < 0)
        return r;
    return qpw_db_run(&h->db, "COMMIT", "");
}

static int sum_up(struct qpw_history *h, int64_t span, int64_t into, int64_t before, bool *ret_done)
{
    int64_t oldest = qpw_db_number(&h->db, -1, "SELECT min(start) FROM slot WHERE span = ?", "i", span), start;
    int r;

    *ret_done = false;
    if (oldest < 0)
        return 0;
    start = oldest - oldest % into;
    if (start + into > before)
        return 0;
    r = qpw_db_run(&h->db, "BEGIN IMMEDIATE", "");
    if (r < 0)
        return r;
    r = replace_slots(h, span, into, start);
    if (r < 0)
        sqlite3_exec(h->db.sqlite, "ROLLBACK", NULL, NULL, NULL);
    *ret_done = r == 0;
    return r;
}

static bool is_too_large(struct qpw_history *h)
{
    int64_t pages = qpw_db_number(&h->db, 0, "PRAGMA page_count", ""), unused = qpw_db_number(&h->db, 0, "PRAGMA freelist_count", "");
    int64_t bytes = qpw_db_number(&h->db, 4096, "PRAGMA page_size", "");

    return (uint64_t)((pages - unused) * bytes) > h->most_bytes;
}

/* Save space in the order of least value: first unanswered remote ends, then resolution in time. */
static int give_up(struct qpw_history *h, int64_t now, bool *ret_done)
{
    int64_t gone;
    int r = qpw_db_run(&h->db, "DELETE FROM talker WHERE (key, remote) IN (SELECT key, remote FROM talker WHERE outcome < 3 "
                               "ORDER BY last LIMIT 10000)", "");

    if (r < 0)
        return r;
    gone = sqlite3_changes(h->db.sqlite);
    h->talkers -= gone;
    *ret_done = gone > 0;
    if (gone)
        return qpw_history_lost(h, "talkers-unanswered", gone);
    r = sum_up(h, QPW_HISTORY_FIVE, QPW_HISTORY_HOUR, now - LEAST_FIVE, ret_done);
    if (r < 0 || *ret_done)
        return r < 0 ? r : qpw_history_lost(h, "hours-instead-of-minutes", 1);
    r = sum_up(h, QPW_HISTORY_HOUR, QPW_HISTORY_DAY, now - LEAST_HOURS, ret_done);
    return r < 0 || !*ret_done ? r : qpw_history_lost(h, "days-instead-of-hours", 1);
}

int qpw_history_tidy(struct qpw_history *h, int64_t now)
{
    bool done;
    int r = sum_up(h, QPW_HISTORY_FIVE, QPW_HISTORY_HOUR, now - QPW_HISTORY_FIVE_KEPT, &done);

    if (r < 0)
        return r;
    r = sum_up(h, QPW_HISTORY_HOUR, QPW_HISTORY_DAY, now - QPW_HISTORY_HOURS_KEPT, &done);
    if (r < 0)
        return r;
    done = true;
    for (int i = 0; done && i < STEPS_OF_PRESSURE && is_too_large(h); i++) {
        r = give_up(h, now, &done);
        if (r < 0)
            return r;
    }
    return 0;
}
