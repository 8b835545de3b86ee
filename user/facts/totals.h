/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* totals.h - sums over a snapshot's meters, for the summary line and `status`. */
#ifndef QPW_AUDIT_TOTALS_H
#define QPW_AUDIT_TOTALS_H

#include <stddef.h>
#include <stdint.h>

#include "snapshot/snapshot.h"

/* Each of the two arrays sums to `packets`. */
struct qpw_totals {
    uint64_t packets;
    uint64_t bytes;
    uint64_t by_direction[QPW_DIR_COUNT];
    uint64_t by_verdict[QPW_VERDICT_COUNT];
    size_t unexpected; /* findings that are not superseded */
    size_t answered;   /* of those, answered or more */
    uint64_t lost;     /* everything under `losses` that concerns detail or connections, not events */
};

void qpw_totals_of(const struct qpw_snapshot *s, struct qpw_totals *ret);

/* Whether a loss means that something was counted less precisely (an event not sent loses nothing). */
int qpw_loss_matters(enum qpw_loss loss);

#endif
