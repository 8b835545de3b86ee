/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* connections.h - properties of a connection-table entry: its initiator, the port asked for, its place in a list. */
#ifndef QPW_FACTS_CONNECTIONS_H
#define QPW_FACTS_CONNECTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "qportwatch.h"

struct qpw_connection {
    struct qpw_conn_key key;
    struct qpw_conn conn;
};

/*
 * The two ends, initiator first; with unknown direction, the sender of the first packet. Addresses point into the key.
 */
struct qpw_connection_ends {
    const uint8_t *from, *to;
    uint16_t from_port, to_port; /* 0 where the protocol has none */
};
struct qpw_connection_ends qpw_connection_ends(const struct qpw_conn_key *key, const struct qpw_conn *conn);

bool qpw_protocol_has_ports(unsigned protocol);

/* Return the enum qpw_kind of a protocol, as meters and findings use it. */
unsigned qpw_protocol_kind(unsigned protocol);

/*
 * Sort by need of attention: unexpected, undecided, weak, implied, then the rest; within each by port, then latest
 * first.
 */
void qpw_connections_sort(struct qpw_connection *rows, size_t n);

#endif
