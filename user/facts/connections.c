/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "facts/connections.h"

#include <netinet/in.h>
#include <stdlib.h>

struct qpw_connection_ends qpw_connection_ends(const struct qpw_conn_key *key, const struct qpw_conn *conn)
{
    bool remote = conn->direction == QPW_DIR_UNKNOWN ? conn->flags & QPW_CONN_REMOTE_FIRST
                                                     : conn->direction == QPW_DIR_INBOUND;

    return remote ? (struct qpw_connection_ends){key->remote, key->local, key->remote_port, key->local_port}
                  : (struct qpw_connection_ends){key->local, key->remote, key->local_port, key->remote_port};
}

bool qpw_protocol_has_ports(unsigned protocol)
{
    return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP;
}

unsigned qpw_protocol_kind(unsigned protocol)
{
    if (qpw_protocol_has_ports(protocol))
        return QPW_KIND_PORT;
    return protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6 ? QPW_KIND_ICMP : QPW_KIND_PROTOCOL;
}

static int rank(unsigned verdict)
{
    switch (verdict) {
    case QPW_VERDICT_UNEXPECTED: return 0;
    case QPW_VERDICT_UNDECIDED: return 1;
    case QPW_VERDICT_WEAK: return 2;
    case QPW_VERDICT_IMPLIED: return 3;
    default: return 4;
    }
}

static int by_rank(const void *a, const void *b)
{
    const struct qpw_connection *x = a, *y = b;
    int order = rank(x->conn.verdict) - rank(y->conn.verdict);

    if (!order)
        order = (int)x->key.protocol - y->key.protocol;
    if (!order)
        order = (int)qpw_connection_ends(&x->key, &x->conn).to_port - qpw_connection_ends(&y->key, &y->conn).to_port;
    return order ? order : (x->conn.last_ns < y->conn.last_ns) - (x->conn.last_ns > y->conn.last_ns);
}

void qpw_connections_sort(struct qpw_connection *rows, size_t n)
{
    if (n)
        qsort(rows, n, sizeof(*rows), by_rank);
}
