/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * conns.h - read and clear the connection tables from user space.
 *
 * Three are kernel hash maps. The half-open one is an array of sets (bpf/half.h) that only the programs may change
 * while they run; user space removes entries from it only in a replay, where nothing runs concurrently. Established
 * connections stand in a set at first; they are read as what they are.
 */
#ifndef QPW_KERNEL_CONNS_H
#define QPW_KERNEL_CONNS_H

#include <stdbool.h>
#include <stdint.h>

#include "instance/object.h"

/* Return the map that holds connections of that class. */
enum qpw_map qpw_conns_map(enum qpw_conn_class conn_class);

/* Return the capacity of the table in connections; 0 if the kernel does not report it. */
uint64_t qpw_conns_capacity(const struct qpw_kernel *k, enum qpw_conn_class conn_class);

/*
 * Call `each` for every entry of a table, with copies that are valid until it returns. Entries added or removed
 * meanwhile may or may not be passed; `each` may remove its own entry. Return 0 or a negative errno.
 */
typedef void qpw_conns_each(const struct qpw_conn_key *key, const struct qpw_conn *conn, void *data);
int qpw_conns_walk(const struct qpw_kernel *k, enum qpw_conn_class conn_class, qpw_conns_each *each, void *data);

/* Look up a key in one table. Return 0, -ENOENT, or another negative errno. */
int qpw_conns_find(const struct qpw_kernel *k, enum qpw_conn_class conn_class, const struct qpw_conn_key *key,
                   struct qpw_conn *ret);

/* The same in all tables: established connections first, half-open ones last. */
int qpw_conns_find_any(const struct qpw_kernel *k, const struct qpw_conn_key *key, struct qpw_conn *ret);

/*
 * Remove an entry and invalidate cached copies of it. Return 0, -ENOENT, or -EBUSY for what stands in a set that is in
 * use: half-open, or established and not old enough to have left it.
 */
int qpw_conns_remove(struct qpw_kernel *k, enum qpw_conn_class conn_class, const struct qpw_conn_key *key);

/*
 * Look up the owner with the number that connections store (qpw_conn.owner). Return 0, -ENOENT if there is none or its
 * slot was reused since, or another negative errno.
 */
int qpw_conn_owner(const struct qpw_kernel *k, uint32_t number, struct qpw_owner *ret);

/* Invalidate cached copies of a connection after user space changed another part of it (its seed). */
void qpw_kernel_touch(struct qpw_kernel *k, const struct qpw_conn_key *key);

#endif
