/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* tally.h - counters and findings in a bounded number of series, for monitoring systems. */
#ifndef QPW_FACTS_TALLY_H
#define QPW_FACTS_TALLY_H

#include "facts/gaps.h"
#include "facts/severity.h"
#include "facts/totals.h"

struct qpw_traffic_tally {
    const char *device; /* name; a device deleted and recreated is summed up. Points into the snapshot */
    uint8_t direction, verdict;
    struct qpw_counts counts;
};

/*
 * Sum up by device, direction and verdict, sorted in that order. Return 0 or -ENOMEM; the caller frees *ret before the
 * snapshot.
 */
int qpw_traffic_tally(const struct qpw_snapshot *s, struct qpw_traffic_tally **ret, size_t *ret_n);

/* Number of open findings, by severity (0 unused), direction, and unanswered (0) or answered (1). */
struct qpw_finding_tally {
    size_t open[QPW_SEVERITY_INFO + 1][QPW_DIR_COUNT][2];
};
void qpw_finding_tally(const struct qpw_snapshot *s, struct qpw_finding_tally *ret);

/*
 * Return the total length in ns during which at least one gap was open. without_auditor: count gaps without an auditor,
 * else those in which packets were not seen. gaps: oldest first.
 */
uint64_t qpw_gaps_length(const struct qpw_gap *gaps, size_t n, bool without_auditor);

#endif
