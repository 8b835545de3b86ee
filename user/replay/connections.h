/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * connections.h - the connections of a replay that have ended, and their JSON lines.
 */
#ifndef QPW_REPLAY_CONNECTIONS_H
#define QPW_REPLAY_CONNECTIONS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "instance/object.h"
#include "util/error.h"

/* One connection that has ended, or that the captures ended in. */
struct qpw_ended {
    struct qpw_conn_key key;
    struct qpw_conn conn;
    struct qpw_counts counts; /* rx: towards the local end */
};

/* Called for each, once. 0, or a negative errno that ends the replay. */
typedef int (*qpw_ended_fn)(const struct qpw_ended *ended, void *data);

/* Entries made in a table since it was loaded, and taken out of it by the programs. 0, or a negative errno with err. */
int qpw_connections_made(const struct qpw_kernel *k, enum qpw_conn_class conn_class, uint64_t *ret_opened,
                         uint64_t *ret_closed, struct qpw_error *err);

/*
 * How many connections were pushed out of a table, where it is empty now: made, and neither taken out by the
 * programs nor by expire. 0, or a negative errno with err.
 */
int qpw_connections_evicted(const struct qpw_kernel *k, enum qpw_conn_class conn_class, uint64_t *ret,
                            struct qpw_error *err);

/*
 * The line of one connection as a JSON object, owned by the caller; NULL: out of memory.
 * names: the policy's rules.
 */
json_t *qpw_connection_json(const struct qpw_ended *ended, const struct qpw_registry *names);

#endif
