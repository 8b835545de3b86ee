/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * heads.h - records of the log that peers heard of and kept, as heads of its chain or as events: each has to be in the log,
 * because nobody on this node can change what a neighbour wrote down.
 */
#ifndef QPW_ALERT_LOG_HEADS_H
#define QPW_ALERT_LOG_HEADS_H

#include <stdbool.h>

#include "alert/log/chain.h"
#include "util/error.h"

#define QPW_LOG_HEADS_MOST 65536u
#define QPW_LOG_HEADS_BYTES (8u << 20)

struct qpw_log_head {
    struct qpw_log_chain chain;
    char time[40];    /* when it was heard, of an event when it was written, as text */
    const char *file; /* where it was kept; borrowed */
    bool found;
};

struct qpw_log_heads {
    struct qpw_log_head *heads; /* by number, after qpw_log_heads_sort() */
    size_t n;
};

/*
 * Add the records of a file that `serve` keeps: heads/NAME with a line "TIME NUMBER:SUM" for each head, or events/NAME with
 * lines of the log itself. Anybody may have written it. path has to stay. Return 0 or a negative errno with err filled.
 */
int qpw_log_heads_load(struct qpw_log_heads *h, const char *path, struct qpw_error *err);

/* Sort them, before the first record is seen. */
void qpw_log_heads_sort(struct qpw_log_heads *h);

/* Note that the log has this record. */
void qpw_log_heads_see(struct qpw_log_heads *h, const struct qpw_log_chain *record);

/*
 * Return the first head that is not in the log, NULL if all are; those of records before `first`, with which the log
 * begins, cannot be looked for. *ret_missing and *ret_older: their numbers.
 */
const struct qpw_log_head *qpw_log_heads_missing(const struct qpw_log_heads *h, uint64_t first, size_t *ret_missing, size_t *ret_older);

void qpw_log_heads_clear(struct qpw_log_heads *h);

#endif
