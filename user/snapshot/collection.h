/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* collection.h - a picture while it is put together; internal to collect.c and collect_rows.c. */
#ifndef QPW_KERNEL_COLLECTION_H
#define QPW_KERNEL_COLLECTION_H

#include "instance/object.h"
#include "snapshot/snapshot.h"

/* A finding as one table has it. */
struct qpw_raw_finding {
    struct qpw_finding_key key;
    struct qpw_finding value;
    int rank; /* which to believe where tables differ: 0 answered, 1 reserved, 2 attempted */
};

/* What is needed while the rows are put together. */
struct qpw_collection {
    const struct qpw_kernel *k;
    struct qpw_snapshot s;
    int64_t unix_offset_ns; /* from the programs' clock to Unix time */
    struct qpw_raw_finding *raw;
    size_t n_raw;
    struct qpw_counts *counts; /* [QPW_COUNTER_SLOTS], summed over CPUs */
    uint32_t *row_of;          /* [QPW_COUNTER_SLOTS]: 1 + index of the meter row of a slot, 0: none */
    size_t room_meters;
};

/* A moment of the programs' clock in Unix time; 0 stays 0. */
static inline uint64_t qpw_collection_unix(const struct qpw_collection *c, uint64_t ns)
{
    return ns ? ns + c->unix_offset_ns : 0;
}

/*
 * Reads findings, meters and their counters and makes the rows of both, so that each packet is in one
 * meter row. 0 or a negative errno.
 */
int qpw_collect_rows(struct qpw_collection *c);

/* One more row; slot QPW_COUNTER_SLOTS: it has none of its own. NULL: no memory. Rows may move. */
struct qpw_meter_row *qpw_collection_add_meter(struct qpw_collection *c, const struct qpw_meter_key *key, uint32_t slot,
                                               uint64_t first_ns);

#endif
