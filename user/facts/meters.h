/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* meters.h - rows of traffic that a reader takes for one: alike except for reason, peer and counting slot. */
#ifndef QPW_FACTS_METERS_H
#define QPW_FACTS_METERS_H

#include "facts/totals.h"

struct qpw_meter_sum {
    struct qpw_meter_key key; /* reason and peer zero */
    struct qpw_counts counts;
    uint64_t first_unix_ns;
};

/* Most bytes first. 0 or -ENOMEM; the caller frees *ret. */
int qpw_meters_sum(const struct qpw_snapshot *s, struct qpw_meter_sum **ret, size_t *ret_n);

#endif
