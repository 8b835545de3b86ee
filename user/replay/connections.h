/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* connections.h - ended connections of a replay, and their JSON lines. */
#ifndef QPW_REPLAY_CONNECTIONS_H
#define QPW_REPLAY_CONNECTIONS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "instance/object.h"
#include "util/error.h"

/* A connection that has ended, or was open when the captures ended. */
struct qpw_ended {
    struct qpw_conn_key key;
    struct qpw_conn conn;
    struct qpw_counts counts; /* rx: towards the local end; zeros where the instance was loaded without them */
};

/* Called once for each. Returns 0, or a negative errno that ends the replay. */
typedef int (*qpw_ended_fn)(const struct qpw_ended *ended, void *data);

/*
 * Read how many entries the programs have added to a table since it was loaded, and how many they have removed. Returns
 * 0, or a negative errno with err filled.
 */
int qpw_connections_made(const struct qpw_kernel *k, enum qpw_conn_class conn_class, uint64_t *ret_opened,
                         uint64_t *ret_closed, struct qpw_error *err);

/*
 * Count the connections evicted from a table that is empty now: those added but removed neither by the programs nor by
 * expiry. Returns 0, or a negative errno with err filled.
 */
int qpw_connections_evicted(const struct qpw_kernel *k, enum qpw_conn_class conn_class, uint64_t *ret,
                            struct qpw_error *err);

/* Build a connection's line as a JSON object, owned by the caller; NULL: out of memory. names: the policy's rules. */
json_t *qpw_connection_json(const struct qpw_ended *ended, const struct qpw_registry *names);

#endif
