/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* collection.h - a snapshot under construction; internal to collect.c and collect_rows.c. */
#ifndef QPW_KERNEL_COLLECTION_H
#define QPW_KERNEL_COLLECTION_H

#include "instance/object.h"
#include "snapshot/snapshot.h"

/* A finding as stored in one table. */
struct qpw_raw_finding {
    struct qpw_finding_key key;
    struct qpw_finding value;
    int rank; /* precedence where tables differ: 0 answered, 1 reserved, 2 attempted */
};

/* Working data while the rows are made. */
struct qpw_collection {
    const struct qpw_kernel *k;
    struct qpw_snapshot s;
    int64_t unix_offset_ns; /* to add to the programs' clock for Unix time */
    struct qpw_raw_finding *raw;
    size_t n_raw;
    struct qpw_counts *counts; /* [QPW_COUNTER_SLOTS], summed over CPUs */
    uint32_t *row_of;          /* [QPW_COUNTER_SLOTS]: 1 + index of the slot's meter row, 0: none */
};

/* Convert a time of the programs' clock to Unix time; 0 stays 0. */
static inline uint64_t qpw_collection_unix(const struct qpw_collection *c, uint64_t ns)
{
    return ns ? ns + c->unix_offset_ns : 0;
}

/*
 * Read findings, meters and their counters, and make the rows of both, so that each packet is in one meter row. Return
 * 0 or a negative errno.
 */
int qpw_collect_rows(struct qpw_collection *c);

/* Add a row; slot QPW_COUNTER_SLOTS: it has none of its own. Return NULL if out of memory. Rows may move. */
struct qpw_meter_row *qpw_collection_add_meter(struct qpw_collection *c, const struct qpw_meter_key *key, uint32_t slot,
                                               uint64_t first_ns);

#endif
