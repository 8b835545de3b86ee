/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* reader.h - a history that is read; internal to this room. */
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
 * Sums of slots. Each key adds to one place, several may add to the same. Added up row by row in the order of the file: SQLite
 * would sort a year's rows first, which takes ten times as long.
 */
struct qpw_history_sum {
    struct qpw_counts counts;
    bool touched; /* something was added */
};
struct qpw_history_sums {
    uint32_t *places;             /* by key, 0: not wanted */
    size_t n_keys;
    struct qpw_history_sum *sums; /* by place, from 1 on */
    size_t n_places;
    struct qpw_history_reader *r;
    bool open;                    /* one state of the file, whoever writes meanwhile */
};

/*
 * No key has a place yet. n_places 0: as many as there are keys. 0 or a negative number with err; the caller ends it in any
 * case, and has no statement of its own open then.
 */
int qpw_history_sums_begin(struct qpw_history_reader *r, size_t n_places, struct qpw_history_sums *ret, struct qpw_error *err);
void qpw_history_sums_place(struct qpw_history_sums *sums, int64_t key, size_t place);
void qpw_history_sums_end(struct qpw_history_sums *sums);

/*
 * Adds up the slots that begin in the window: `each` gets the sums of every bucket that has any, in order, and returns false to
 * end it. bucket_of NULL: all of them are left in `sums`, and `each` is not used. 0 or a negative number with err.
 */
typedef bool qpw_history_each_bucket(int64_t bucket, const struct qpw_history_sums *sums, void *arg);
int qpw_history_sum(struct qpw_history_sums *sums, const struct qpw_history_window *window, int64_t (*bucket_of)(int64_t start),
                    qpw_history_each_bucket *each, void *arg, struct qpw_error *err);

int qpw_history_fail(struct qpw_history_reader *r, int code, struct qpw_error *err);

/* The next row: 1; none: 0; or a negative number with err. s NULL: it could not be prepared. */
int qpw_history_step(struct qpw_history_reader *r, sqlite3_stmt *s, struct qpw_error *err);

#endif
