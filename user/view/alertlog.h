/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * alertlog.h - how many alerts of each severity the alert log holds since the kernel side was attached.
 *
 * An alert that was told again, or escalated, is one: records of one flow_id are.
 *
 * Reads what was appended since the last call, and starts with the newest QPW_ALERT_TAIL bytes; follows
 * rotation, truncation and another log of the next auditor. Where the log cannot be read, or what was found of
 * it begins later than the kernel side, the view counts findings instead, and says so.
 */
#ifndef QPW_VIEW_ALERTLOG_H
#define QPW_VIEW_ALERTLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snapshot/snapshot.h"

#define QPW_ALERT_TAIL (8u << 20)

struct qpw_alert_tail {
    char *path;
    int fd;                 /* -1: not open */
    uint64_t device, inode, offset; /* of the open file */
    uint64_t from_unix_ns;  /* records before do not count */
    char from[20];          /* the same as a log's time stamp begins, "2026-01-02T03:04:05" */
    char begun[20];         /* the latest that a whole log's first record is of: attaching itself is one */
    bool stamped, whole;    /* a record was seen; the first one was not later than that */
    char *line;             /* beginning of a line whose end is not written yet */
    size_t n_line;
    uint64_t counts[5];     /* by severity 1 to 4: each flow_id once, by the worst that was said of it */
    struct qpw_alert_seen *seen; /* hash table by flow_id */
    size_t n_seen, seen_size;
};

/* A tail of nothing yet. 0 or -ENOMEM. */
int qpw_alert_tail_init(struct qpw_alert_tail *tail, const char *path, uint64_t from_unix_ns);
/* Takes in what is new. 0; a negative errno where the log is not there or cannot be read. */
int qpw_alert_tail_read(struct qpw_alert_tail *tail);
/* Frees and zeroes; a zeroed tail is fine. */
void qpw_alert_tail_free(struct qpw_alert_tail *tail);

/*
 * Counts by severity since that snapshot's kernel side began, out of the log that its auditor writes.
 * NULL: they cannot be known. The tail is zeroed before the first call, and freed by the caller.
 */
const uint64_t *qpw_alert_counts(struct qpw_alert_tail *tail, const struct qpw_snapshot *s);

#endif
