/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* peers.h - the traffic of each peer, and whether the policy would allow it to other hosts. */
#ifndef QPW_FACTS_PEERS_H
#define QPW_FACTS_PEERS_H

#include <stdbool.h>

#include "facts/totals.h"

struct qpw_port_sum {
    struct qpw_sum sum;
    uint16_t port;
    uint8_t kind;
    uint8_t protocol;
    uint8_t direction;
};

#define QPW_PEER_PORTS 6
struct qpw_peer_sum {
    const struct qpw_peer_info *info;
    uint16_t number;
    struct qpw_counts counts;
    struct qpw_counts pair; /* of these, unicast IP between static addresses: what both ends count alike */
    uint64_t first_unix_ns;
    uint64_t last_unix_ns; /* 0: unknown, no connection is live */
    bool v4, v6;           /* families of live connections and of findings */
    bool silent;           /* never sent a packet, even if the node sent to it */
    struct qpw_port_sum busiest[QPW_PEER_PORTS]; /* most bytes first; packets 0: end of list */
    struct qpw_port_sum outside[QPW_PEER_PORTS]; /* of these, ports that no rule lists */
    size_t n_ports;        /* all ports, including those beyond the array */
    size_t n_outside;
};

/*
 * Sum up the peers in force, and removed ones that had traffic; the node itself is excluded. Most bytes first, silent
 * ones last. Return 0 or -ENOMEM; the caller frees *ret.
 */
int qpw_peers_sum(const struct qpw_snapshot *s, struct qpw_peer_sum **ret, size_t *ret_n);

/* Compare two const struct qpw_meter_row * for qsort(3): by peer, then by service. */
int qpw_rows_by_peer(const void *a, const void *b);

/* Return the name other nodes use for this one: its name among the peers, else the one in alerts, else the host's. */
const char *qpw_node_name(const struct qpw_snapshot *s);

#endif
