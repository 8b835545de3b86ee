/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* collect_maps.h - read whole maps with few system calls; internal to collect.c. */
#ifndef QPW_KERNEL_COLLECT_MAPS_H
#define QPW_KERNEL_COLLECT_MAPS_H

#include <stddef.h>
#include <stdint.h>

#include "snapshot/snapshot.h"
#include "snapshot/collect.h"

/* All entries of a hash map, in two parallel arrays with the map's key and value sizes. */
struct qpw_entries {
    void *keys;
    void *values;
    size_t count;
};

/*
 * Read a hash or LRU map whole, in batches (kernel 5.6). Entries added or deleted meanwhile may or may not be included;
 * none is included twice. The sizes must be the map's (else -EPROTO). Return 0 or a negative errno. The caller clears
 * *ret.
 */
int qpw_entries_read(int fd, size_t key_size, size_t value_size, struct qpw_entries *ret);

/* The same for any map, entry by entry: a trie supports batches only since kernel 5.13, and with other tokens. */
int qpw_entries_read_singly(int fd, size_t key_size, size_t value_size, struct qpw_entries *ret);
void qpw_entries_clear(struct qpw_entries *e);

/* Return the maximum number of entries of a map; 0 if it cannot be queried. */
uint64_t qpw_map_capacity(int fd);

/*
 * Read `count` values of a per-CPU array starting at `first`, and sum up each one over the CPUs: `words` 64-bit numbers
 * a value, into sums[0 … count * words - 1]. Return 0 or a negative errno.
 */
int qpw_percpu_sum(int fd, uint32_t first, uint32_t count, size_t words, uint64_t *sums);

/* The same for slots of `counters`, independent of their layout in blocks. Return 0 or a negative errno. */
int qpw_counters_sum(int fd, uint32_t first, uint32_t count, struct qpw_counts *sums);

/* Add all fields; sums may wrap, as corrections do. */
void qpw_counts_correct(struct qpw_counts *to, const struct qpw_counts *from);

/* Read `corrections`. Return 0 or a negative errno. The caller clears *ret with qpw_entries_clear(). */
int qpw_corrections_read(int fd, struct qpw_entries *ret);

/*
 * Return correction number `index` of those read, which are count * QPW_COUNTS_BLOCK, and the slot it applies to.
 * Points into *corrections, and may be all zero.
 */
const struct qpw_counts *qpw_correction_at(const struct qpw_entries *corrections, size_t index, uint32_t *ret_slot);

/* Read one slot of `counters`, corrected. Return 0 or a negative errno. */
int qpw_counters_one(const struct qpw_kernel *k, uint32_t slot, struct qpw_counts *ret);

/*
 * Write one slot of `counters`, one value per possible CPU; call only while no program counts. Return 0 or a negative
 * errno.
 */
int qpw_counters_put(int fd, uint32_t slot, const struct qpw_counts *values);

/* Read `count` values of `size` bytes from the start of an array. Return 0 or a negative errno. */
int qpw_array_read(int fd, size_t size, uint32_t count, void *values);

/* ---- collect_host.c: data from outside the maps ---- */

/*
 * Collect monitored and unmonitored interfaces and notes. Parts that cannot be read are omitted; the only error is
 * -ENOMEM.
 */
int qpw_collect_host(const struct qpw_kernel *k, const struct qpw_collect_options *options, struct qpw_snapshot *s);

#endif
