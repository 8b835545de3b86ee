/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* collect_maps.h - reading whole maps with few system calls; internal to collect.c. */
#ifndef QPW_KERNEL_COLLECT_MAPS_H
#define QPW_KERNEL_COLLECT_MAPS_H

#include <stddef.h>
#include <stdint.h>

#include "snapshot/snapshot.h"
#include "snapshot/collect.h"

/* All entries of a hash map: keys and values side by side, each of its own size. */
struct qpw_entries {
    void *keys;
    void *values;
    size_t count;
};

/*
 * Reads a hash or LRU map whole, in batches (kernel 5.6). Entries that come or go meanwhile may be
 * in it or not; none twice. The sizes have to be the map's (-EPROTO). The caller clears *ret. 0 or a
 * negative errno.
 */
int qpw_entries_read(int fd, size_t key_size, size_t value_size, struct qpw_entries *ret);

/* The same of any map, entry by entry: a trie has batches since kernel 5.13 only, and other tokens. */
int qpw_entries_read_singly(int fd, size_t key_size, size_t value_size, struct qpw_entries *ret);
void qpw_entries_clear(struct qpw_entries *e);

/* How many entries a map may have; 0 where it cannot be asked. */
uint64_t qpw_map_capacity(int fd);

/*
 * Reads `count` values of a per-CPU array from `first` on and adds up each one's CPUs: `words` numbers
 * of 64 bits a value, into sums[0 … count * words - 1]. 0 or a negative errno.
 */
int qpw_percpu_sum(int fd, uint32_t first, uint32_t count, size_t words, uint64_t *sums);

/* The same of slots of `counters`, whatever blocks they stand in. 0 or a negative errno. */
int qpw_counters_sum(int fd, uint32_t first, uint32_t count, struct qpw_counts *sums);

/* Adds all of one to another; sums may wrap, as corrections do. */
void qpw_counts_correct(struct qpw_counts *to, const struct qpw_counts *from);

/* Reads `corrections`. The caller clears *ret with qpw_entries_clear(). 0 or a negative errno. */
int qpw_corrections_read(int fd, struct qpw_entries *ret);

/*
 * Correction number `index` of those that were read, which are count * QPW_COUNTS_BLOCK, and the slot that it is of. It
 * points into *corrections, and may be all zeroes.
 */
const struct qpw_counts *qpw_correction_at(const struct qpw_entries *corrections, size_t index, uint32_t *ret_slot);

/* What one slot of `counters` holds, corrected. 0 or a negative errno. */
int qpw_counters_one(const struct qpw_kernel *k, uint32_t slot, struct qpw_counts *ret);

/* Writes one slot of `counters`, a value a possible CPU; only where no program counts. 0 or a negative errno. */
int qpw_counters_put(int fd, uint32_t slot, const struct qpw_counts *values);

/* Reads `count` values of `size` bytes of an array from its start. 0 or a negative errno. */
int qpw_array_read(int fd, size_t size, uint32_t count, void *values);

/* Kernel memory of all maps in bytes, the policy's tables too, as far as the kernel accounts for it. */
uint64_t qpw_kernel_memory(const struct qpw_kernel *k);

/* ---- collect_host.c: what is not in the maps ---- */

/*
 * Interfaces watched, interfaces not watched and notes in words. Parts that cannot be read are left
 * out, except for a lack of memory (-ENOMEM).
 */
int qpw_collect_host(const struct qpw_kernel *k, const struct qpw_collect_options *options, struct qpw_snapshot *s);

#endif
