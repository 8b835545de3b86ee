/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * expire.h - remove idle connections from the tables.
 *
 * The programs themselves treat an entry past its timeout as ended, so this decides nothing; it keeps the tables small
 * and the count of evictions meaningful.
 */
#ifndef QPW_AUDITOR_EXPIRE_H
#define QPW_AUDITOR_EXPIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "instance/object.h"

#define QPW_EXPIRE_V4 1
#define QPW_EXPIRE_V6 2

struct qpw_expire {
    uint64_t expired[QPW_CLASS_COUNT]; /* total, as in the kernel's statistics */
    uint8_t families[QPW_MAX_PEERS];   /* by peer: QPW_EXPIRE_* of its live connections */
    bool all;                          /* remove every connection, idle or not; set by the caller */
    /* Called for each live connection; may be NULL. */
    void (*live)(const struct qpw_conn_key *key, const struct qpw_conn *conn, void *data);
    void *live_data;
    /* Called for each removed connection; may be NULL. */
    void (*ended)(const struct qpw_conn_key *key, const struct qpw_conn *conn, void *data);
    void *data;
};

/* Return 0 or a negative errno with err filled. There is nothing to free. */
int qpw_expire_open(struct qpw_kernel *k, struct qpw_expire *ret, struct qpw_error *err);

/*
 * Walk all connection tables once: remove expired connections, and renew what live ones vouch for (`parents`). Some may
 * be left for the next walk. Live half-open ones stay until their slots are needed (conns.h). Return 0, or a negative
 * errno with err filled.
 */
int qpw_expire_run(struct qpw_kernel *k, struct qpw_expire *expire, struct qpw_error *err);

/*
 * Write the number of connections removed from a table into the kernel's statistics; only user space writes this entry.
 * Return 0 or -errno.
 */
int qpw_expire_save(struct qpw_kernel *k, enum qpw_conn_class conn_class, uint64_t value);

#endif
