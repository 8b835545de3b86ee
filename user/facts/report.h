/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* report.h - the whole report of a node as data: a pure function of a snapshot. */
#ifndef QPW_FACTS_REPORT_H
#define QPW_FACTS_REPORT_H

#include "facts/answer.h"
#include "facts/findings.h"
#include "facts/gaps.h"
#include "facts/meters.h"
#include "facts/peers.h"
#include "facts/rules.h"
#include "facts/totals.h"

struct qpw_report {
    const struct qpw_snapshot *s; /* borrowed; must outlive the report */
    uint64_t since_unix_ns;       /* 0: the whole period */
    struct qpw_answer answer;     /* for the whole period: --since limits the lists, not the node's state */
    struct qpw_totals totals;
    struct qpw_findings found;    /* since since_unix_ns */
    struct qpw_meter_sum *meters;
    size_t n_meters;
    struct qpw_peer_sum *peers;
    size_t n_peers;
    struct qpw_rule_use *rules;
    size_t n_rules;
    struct qpw_gap *gaps;
    size_t n_gaps;
};

/*
 * Make a report. since_unix_ns: omit findings not seen since then, and gaps that ended and coverage records made
 * before; 0: omit none. Counters always cover the whole period, because sums cannot be split. Return 0, or -ENOMEM and
 * leave *ret untouched. The caller clears *ret before the snapshot.
 */
int qpw_report_make(const struct qpw_snapshot *s, uint64_t since_unix_ns, struct qpw_report *ret);
void qpw_report_clear(struct qpw_report *r);

#endif
