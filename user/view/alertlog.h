/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * alertlog.h - count the alerts of each severity in the alert log since the instance was attached.
 *
 * Records with the same flow_id, that is, repeated or escalated alerts, count once.
 *
 * Read what was appended since the last call, starting with the newest QPW_ALERT_TAIL bytes; follows rotation,
 * truncation and the next auditor's log. If the log cannot be read, or its available part begins later than the
 * instance, the view counts findings instead and says so.
 */
#ifndef QPW_VIEW_ALERTLOG_H
#define QPW_VIEW_ALERTLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snapshot/snapshot.h"
#include "util/idmap.h"

#define QPW_ALERT_TAIL (8u << 20)

struct qpw_alert_tail {
    char *path;
    int fd;                 /* -1: not open */
    uint64_t device, inode, offset; /* of the open file */
    uint64_t from_unix_ns;  /* earlier records do not count */
    char from[20];          /* the same as a record's time stamp prefix, "2026-01-02T03:04:05" */
    char begun[20];         /* latest time of a complete log's first record, because attaching itself writes one */
    bool stamped, whole;    /* a record was seen; the first one was not later than `begun` */
    char *line;             /* beginning of an incomplete line */
    size_t n_line;
    uint64_t counts[5];     /* by severity 1 to 4: each flow_id once, with its worst severity */
    struct qpw_idmap seen; /* the worst severity of each flow_id */
};

/* Initialise an empty tail. Returns 0 or -ENOMEM. */
int qpw_alert_tail_init(struct qpw_alert_tail *tail, const char *path, uint64_t from_unix_ns);
/* Read new records. Returns 0, or a negative errno if the log does not exist or cannot be read. */
int qpw_alert_tail_read(struct qpw_alert_tail *tail);
/* Free and zero the tail; may be zeroed already. */
void qpw_alert_tail_free(struct qpw_alert_tail *tail);

/*
 * Return the counts by severity since the snapshot's instance was attached, from its auditor's log; NULL: unknown. The
 * caller zeroes the tail before the first call and frees it.
 */
const uint64_t *qpw_alert_counts(struct qpw_alert_tail *tail, const struct qpw_snapshot *s);

#endif
