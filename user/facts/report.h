/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* report.h - everything about a node and what it saw, put together once: a pure function of a snapshot. */
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
    const struct qpw_snapshot *s; /* the caller's; has to outlive the report */
    uint64_t since_unix_ns;       /* 0: the whole period */
    struct qpw_answer answer;     /* of the whole period: --since changes what is listed, not how the node is */
    struct qpw_totals totals;
    struct qpw_findings found;    /* since then */
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
 * since_unix_ns: leaves out findings not seen since then, gaps that ended before and coverage records
 * of before; 0: none. Counters are sums over the whole period, from which nothing can be taken out.
 * 0 or -ENOMEM, then *ret is untouched. The caller clears *ret before the snapshot.
 */
int qpw_report_make(const struct qpw_snapshot *s, uint64_t since_unix_ns, struct qpw_report *ret);
void qpw_report_clear(struct qpw_report *r);

#endif
