/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * expire.h - takes idle connections out of the tables.
 *
 * The programs themselves treat an entry past its time-out as ended, so this decides nothing; it
 * keeps the tables small and the count of evictions meaningful.
 */
#ifndef QPW_AUDITOR_EXPIRE_H
#define QPW_AUDITOR_EXPIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "instance/object.h"

#define QPW_EXPIRE_V4 1
#define QPW_EXPIRE_V6 2

struct qpw_expire {
    uint64_t expired[QPW_CLASS_COUNT]; /* in all, as in the kernel's statistics */
    uint8_t families[QPW_MAX_PEERS];   /* by peer: QPW_EXPIRE_* of the live connections that were passed */
    bool all;                          /* removes every connection, idle or not; a caller may set it */
    /* Called for each one that goes on; NULL: nobody wants to know. */
    void (*live)(const struct qpw_conn_key *key, const struct qpw_conn *conn, void *data);
    void *live_data;
    /* Called for each one that was removed; NULL: nobody wants to know. A caller may set both. */
    void (*ended)(const struct qpw_conn_key *key, const struct qpw_conn *conn, void *data);
    void *data;
};

/* 0 or a negative errno with err filled. There is nothing to free. */
int qpw_expire_open(struct qpw_kernel *k, struct qpw_expire *ret, struct qpw_error *err);

/*
 * One walk over all tables of connections: removes those that are over and renews what live connections vouch for
 * (`parents`). Some may be left for the next walk. Live half-open ones stay until their places are needed (conns.h).
 * 0, or a negative errno with err filled.
 */
int qpw_expire_run(struct qpw_kernel *k, struct qpw_expire *expire, struct qpw_error *err);

/*
 * Writes how many were taken out of a table into the kernel's statistics, which are user space's own here. 0 or -errno.
 */
int qpw_expire_save(struct qpw_kernel *k, enum qpw_conn_class conn_class, uint64_t value);

#endif
