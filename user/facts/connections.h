/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* connections.h - what an entry of the tables of connections says: who opened it, which port was asked, what comes first. */
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

/* The two ends in the order of who asked whom; of an unknown direction, of the first packet. Point into the key. */
struct qpw_connection_ends {
    const uint8_t *from, *to;
    uint16_t from_port, to_port; /* 0 where the protocol has none */
};
struct qpw_connection_ends qpw_connection_ends(const struct qpw_conn_key *key, const struct qpw_conn *conn);

bool qpw_protocol_has_ports(unsigned protocol);

/* enum qpw_kind of a protocol, as meters and findings carry it. */
unsigned qpw_protocol_kind(unsigned protocol);

/* What needs a look first: unexpected, undecided, weak, implied, then the rest; within each by port, then the latest. */
void qpw_connections_sort(struct qpw_connection *rows, size_t n);

#endif
