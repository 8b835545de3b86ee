/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* reader.h - a history that is read; internal to history/. */
#ifndef QPW_HISTORY_READER_H
#define QPW_HISTORY_READER_H

#include "history/db.h"
#include "history/read.h"
#include "history/store.h"

struct qpw_history_reader {
    char *path;
    struct qpw_db db;
};

/*
 * Sums of slots. Each key adds to one place; several keys may share it. Rows are added in the order of the file,
 * because SQLite would first sort a year's rows, which takes ten times as long.
 */
struct qpw_history_sum {
    struct qpw_counts counts;
    bool touched; /* something was added */
};
struct qpw_history_sums {
    uint32_t *positions; /* by key, 0: not requested */
    size_t n_keys;
    struct qpw_history_sum *sums; /* by place, from 1 */
    size_t n_positions;
    struct qpw_history_reader *r;
    bool open;                    /* a read transaction is open: one consistent state of the file */
};

/*
 * Begin sums; no key has a place yet. n_positions 0: as many as there are keys. 0 or a negative number with err; in any
 * case the caller ends them, with no statement of its own open by then.
 */
int qpw_history_sums_begin(struct qpw_history_reader *r, size_t n_positions, struct qpw_history_sums *ret,
                           struct qpw_error *err);
void qpw_history_sums_request(struct qpw_history_sums *sums, int64_t key, size_t position);
void qpw_history_sums_end(struct qpw_history_sums *sums);

/*
 * Add up the slots that begin in the window. `each` gets the sums of every bucket with any counts, in order, and
 * returns false to stop. bucket_of NULL: all sums are left in `sums`, and `each` is not called. 0 or a negative number
 * with err.
 */
typedef bool qpw_history_each_bucket(int64_t bucket, const struct qpw_history_sums *sums, void *arg);
int qpw_history_sum(struct qpw_history_sums *sums, const struct qpw_history_window *window, int64_t (*bucket_of)(int64_t start),
                    qpw_history_each_bucket *each, void *arg, struct qpw_error *err);

int qpw_history_fail(struct qpw_history_reader *r, int code, struct qpw_error *err);

/* Step to the next row. 1, 0 at the end, or a negative number with err. s NULL: preparing it failed. */
int qpw_history_step(struct qpw_history_reader *r, sqlite3_stmt *s, struct qpw_error *err);

#endif
