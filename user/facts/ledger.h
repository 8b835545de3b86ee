/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ledger.h - what one node sent to another and that one received, balanced over many statements. Pure.
 *
 * A comparison of two statements sees two minutes. The ledger adds a point for each of them, so that the error at the
 * edges stays that of two points, however long it runs, and small losses show.
 */
#ifndef QPW_FACTS_LEDGER_H
#define QPW_FACTS_LEDGER_H

#include "facts/conservation.h"

#define QPW_LEDGER_POINTS 64u
#define QPW_LEDGER_SPAN_US 600000000u /* the last ten minutes */
#define QPW_LEDGER_STEP_US 5000000u   /* minimum time between two points */
#define QPW_LEDGER_RUNNING 3u         /* statements in which a difference must grow */

struct qpw_ledger_point {
    uint64_t at_us;           /* the sender's clock */
    uint64_t sent, received;  /* counters at that time */
    uint64_t tolerance;       /* of the balance that it is the end of */
};

struct qpw_ledger {
    struct qpw_ledger_point first; /* since both nodes began to count, or the last blind time */
    struct qpw_ledger_point point[QPW_LEDGER_POINTS]; /* oldest first */
    size_t n;
    unsigned running;         /* statements in a row in which the difference was large enough and grew */
    bool less;                /* the sign of that: fewer arrived */
};

/* Forget everything: an end began to count again, or was blind. */
void qpw_ledger_begin(struct qpw_ledger *l);

/*
 * Add the end of a balance of these flows (not SHORT). Without effect if the ledger has a point of the same time or later,
 * within QPW_LEDGER_STEP_US.
 */
void qpw_ledger_add(struct qpw_ledger *l, const struct qpw_flow *sender, const struct qpw_flow *receiver, int64_t offset_us,
                    const struct qpw_balance *balance);

/*
 * Balance the last ten minutes. MISSING and EXCESS as qpw_balance_of(), but over the last ten minutes and since the
 * beginning, and growing in three statements running. SHORT: there are fewer than two points.
 */
void qpw_ledger_balance(const struct qpw_ledger *l, struct qpw_balance *ret);

#endif
