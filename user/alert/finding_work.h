/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* finding_work.h - one finding in a round of the engine, and its record. */
#ifndef QPW_ALERT_FINDING_WORK_H
#define QPW_ALERT_FINDING_WORK_H

#include "alert/internal.h"
#include "facts/life.h"

/* One row and its assessment. */
struct qpw_finding_work {
    const struct qpw_finding_row *row;
    struct qpw_alert_state *state;
    struct qpw_finding_life life;
    enum qpw_signature_name signature;
    bool answered;
    bool another; /* the program at the node's end differs from the reported one */
    size_t together; /* findings covered by its life-cycle step, including itself, if no record reports the step yet */
};

/* Return the number of connections, or of packets if there are no connections; at least 1. */
uint64_t qpw_finding_work_occurrences(const struct qpw_finding_row *row);

/* Look up the process at the node's end. The result belongs to w->state, which keeps the best one; NULL: none known. */
const struct qpw_process *qpw_finding_work_process(struct qpw_engine *e, const struct qpw_finding_work *w);

/* Write a record of that kind and note in w->state what it says. Return 0 or a negative errno. */
int qpw_finding_work_write(struct qpw_engine *e, struct qpw_finding_work *w, enum qpw_record_kind kind,
                           uint64_t now_ns);

/* Stop counting the finding as delayed by the rate limit. */
void qpw_finding_work_release(struct qpw_engine *e, struct qpw_alert_state *state);

#endif
