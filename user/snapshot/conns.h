/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * conns.h - the tables of connections, as user space reads and clears them.
 *
 * Three are hashes of the kernel. The half-open one is an array of sets (bpf/half.h) that only the programs may
 * change while they run: user space takes entries out of it in a replay, where nothing runs beside it.
 */
#ifndef QPW_KERNEL_CONNS_H
#define QPW_KERNEL_CONNS_H

#include <stdbool.h>
#include <stdint.h>

#include "instance/object.h"

/* The map that holds the connections of that class. */
enum qpw_map qpw_conns_map(enum qpw_conn_class conn_class);

/* How many connections the table has places for; 0 where the kernel does not say. */
uint64_t qpw_conns_capacity(const struct qpw_kernel *k, enum qpw_conn_class conn_class);

/*
 * Calls `each` for every entry of a table, with copies that are its own until it returns. What comes or goes
 * meanwhile is passed or not; `each` may remove what it is passed. 0 or a negative errno.
 */
typedef void qpw_conns_each(const struct qpw_conn_key *key, const struct qpw_conn *conn, void *data);
int qpw_conns_walk(const struct qpw_kernel *k, enum qpw_conn_class conn_class, qpw_conns_each *each, void *data);

/* The entry of a key in one table. 0, -ENOENT, or another negative errno. */
int qpw_conns_find(const struct qpw_kernel *k, enum qpw_conn_class conn_class, const struct qpw_conn_key *key,
                   struct qpw_conn *ret);

/* The same in whichever table has it, those of established connections first, half-open ones last. */
int qpw_conns_find_any(const struct qpw_kernel *k, const struct qpw_conn_key *key, struct qpw_conn *ret);

/* Takes an entry out and makes cached copies of it invalid. 0, -ENOENT; -EBUSY: of the half-open table, live. */
int qpw_conns_remove(struct qpw_kernel *k, enum qpw_conn_class conn_class, const struct qpw_conn_key *key);

/*
 * The owner that connections carry by that number (qpw_conn.owner). 0; -ENOENT: there is none, or its place was given
 * to another since; or another negative errno.
 */
int qpw_conn_owner(const struct qpw_kernel *k, uint32_t number, struct qpw_owner *ret);

/* Something else about a connection was changed from user space (its seed): cached copies of it become invalid. */
void qpw_kernel_touch(struct qpw_kernel *k, const struct qpw_conn_key *key);

#endif
