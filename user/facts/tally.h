/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* tally.h - counters and findings by the few words that do not grow with the traffic: what a monitoring system keeps. */
#ifndef QPW_FACTS_TALLY_H
#define QPW_FACTS_TALLY_H

#include "facts/gaps.h"
#include "facts/severity.h"
#include "facts/totals.h"

struct qpw_traffic_tally {
    const char *device; /* name; of one that was deleted and made again, both together. In the snapshot */
    uint8_t direction, verdict;
    struct qpw_counts counts;
};

/* By device, direction and verdict, in that order. 0 or -ENOMEM; the caller frees *ret before the snapshot. */
int qpw_traffic_tally(const struct qpw_snapshot *s, struct qpw_traffic_tally **ret, size_t *ret_n);

/* Open findings, by severity (0 unused), direction, and whether they were answered. */
struct qpw_finding_tally {
    size_t open[QPW_SEVERITY_INFO + 1][QPW_DIR_COUNT][2];
};
void qpw_finding_tally(const struct qpw_snapshot *s, struct qpw_finding_tally *ret);

/*
 * How long, in ns, at least one of the gaps was: of those without an auditor, or of the others, when packets went by unseen.
 * gaps: oldest first.
 */
uint64_t qpw_gaps_length(const struct qpw_gap *gaps, size_t n, bool without_auditor);

#endif
