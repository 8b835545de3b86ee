/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* report.h - everything about a node and what it saw, put together once: a pure function of a snapshot. */
#ifndef QPW_FACTS_REPORT_H
#define QPW_FACTS_REPORT_H

#include <stdio.h>

#include "facts/answer.h"
#include "facts/findings.h"
#include "facts/gaps.h"
#include "facts/meters.h"
#include "facts/peers.h"
#include "facts/rules.h"
#include "facts/totals.h"

/* The names by which renderers know these. */
#define qpw_report_sum qpw_sum
#define qpw_report_sum_of qpw_sum_of
#define qpw_report_meter qpw_meter_sum
#define qpw_report_line qpw_finding_line
#define qpw_report_worry qpw_finding_rank
#define qpw_report_peer qpw_peer_sum
#define qpw_report_port qpw_port_sum
#define QPW_REPORT_PORTS QPW_PEER_PORTS
#define qpw_report_rule qpw_rule_use
#define qpw_report_gap qpw_gap
#define qpw_report_rule_name qpw_snapshot_rule
#define qpw_report_peer_name qpw_snapshot_peer
#define qpw_report_iface_name qpw_snapshot_iface

struct qpw_report {
    const struct qpw_snapshot *s; /* the caller's; has to outlive the report */
    uint64_t since_unix_ns;       /* 0: the whole period */
    struct qpw_answer answer;     /* of the whole period: --since changes what is listed, not how the node is */
    union {
        struct qpw_totals totals;
        struct {
            struct qpw_sum total;
            struct qpw_sum by_verdict[QPW_VERDICT_COUNT];
            struct qpw_sum by_direction[QPW_DIR_COUNT];
            struct qpw_sum undecided[QPW_REASON_COUNT];
            struct qpw_sum transit[QPW_REASON_COUNT];
        };
    };
    union {
        struct qpw_findings found;
        struct {
            const struct qpw_finding_row **findings;
            size_t n_findings, n_unexpected, n_answered;
            struct qpw_finding_line *lines;
            size_t n_lines;
            const struct qpw_detail_row **details;
            size_t n_details;
        };
    };
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
