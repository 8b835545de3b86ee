/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* totals.h - sums over a snapshot's meters, and the addition that all of facts/ uses. */
#ifndef QPW_FACTS_TOTALS_H
#define QPW_FACTS_TOTALS_H

#include <stddef.h>
#include <stdint.h>

#include "snapshot/snapshot.h"

/* Packets and bytes of both directions together. */
struct qpw_sum {
    uint64_t packets;
    uint64_t bytes;
};

/* by_verdict and by_direction each sum to `all`; undecided and transit each to their verdict. */
struct qpw_totals {
    struct qpw_sum all;
    struct qpw_sum by_verdict[QPW_VERDICT_COUNT];
    struct qpw_sum by_direction[QPW_DIR_COUNT];
    struct qpw_sum undecided[QPW_REASON_COUNT];
    struct qpw_sum transit[QPW_REASON_COUNT];
};

void qpw_totals_of(const struct qpw_snapshot *s, struct qpw_totals *ret);

/*
 * Return the increase from `before` to `now`, never negative: between two reads a packet can move from a meter to its
 * finding.
 */
struct qpw_totals qpw_totals_since(const struct qpw_totals *now, const struct qpw_totals *before);

/* Return the sum of both directions of a row. */
struct qpw_sum qpw_sum_of(const struct qpw_counts *counts);

/* Return part as a percentage of whole; 0 if whole is 0. */
double qpw_percent_of(uint64_t part, uint64_t whole);

/* Add *more to *to. */
void qpw_counts_add(struct qpw_counts *to, const struct qpw_counts *more);

/* Set *first to `other` if that is earlier; 0 means unknown in both. */
void qpw_earlier(uint64_t *first, uint64_t other);

#endif
