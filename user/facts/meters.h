/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* meters.h - traffic rows merged for readers: rows that differ only in reason, peer or counting slot become one. */
#ifndef QPW_FACTS_METERS_H
#define QPW_FACTS_METERS_H

#include "facts/totals.h"

struct qpw_meter_sum {
    struct qpw_meter_key key; /* reason, peer and apart are zero */
    struct qpw_counts counts;
    uint64_t first_unix_ns;
};

/* Merge the rows, most bytes first. Return 0 or -ENOMEM; the caller frees *ret. */
int qpw_meters_sum(const struct qpw_snapshot *s, struct qpw_meter_sum **ret, size_t *ret_n);

#endif
