/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * connections.h - the connections of a replay: taken out of the programs' tables when they have ended
 * by the capture's clock, and written as JSON lines.
 */
#ifndef QPW_REPLAY_CONNECTIONS_H
#define QPW_REPLAY_CONNECTIONS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "kernel/object.h"
#include "util/error.h"

/* One connection that has ended, or that the captures ended in. */
struct qpw_ended {
    struct qpw_conn_key key;
    struct qpw_conn conn;
    struct qpw_counts counts; /* rx: towards the local end */
};

/* Called for each, once. 0, or a negative errno that stops the walk. */
typedef int (*qpw_ended_fn)(const struct qpw_ended *ended, void *data);

/*
 * Takes the connections that have been idle for twice their time-out (all: every one) out of the
 * tables. The programs themselves treat a connection past its time-out as ended; it stays for as long
 * again because a late answer is told by it. What long-lived connections vouch for is renewed.
 * `call` may be NULL. 0, or a negative errno with err.
 */
int qpw_connections_end(struct qpw_kernel *k, bool all, qpw_ended_fn call, void *data, struct qpw_error *err);

/*
 * After the last walk: adds how many were taken out of each table to the kernel's statistics, as
 * `expired`, and reckons how many were pushed out of full tables. 0, or a negative errno with err.
 */
int qpw_connections_account(struct qpw_kernel *k, const uint64_t ended[QPW_CLASS_COUNT], uint64_t *ret_evicted,
                            struct qpw_error *err);

/*
 * The line of one connection as a JSON object (contract, 6), owned by the caller; NULL: out of memory.
 * names: the policy's rules.
 */
json_t *qpw_connection_json(const struct qpw_ended *ended, const struct qpw_registry *names);

#endif
