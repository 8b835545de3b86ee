/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * routes.h - answer the programs of a forwarding host whether the routing table leads to where a packet came from, and
 * find prefixes that routing rules (ip rule) deliver to the node itself.
 */
#ifndef QPW_AUDITOR_ROUTES_H
#define QPW_AUDITOR_ROUTES_H

#include "auditor/internal.h"

struct qpw_routes;

/* Return 0 or -ENOMEM with err. Questions that an earlier auditor missed or could not answer will be asked again. */
int qpw_routes_open(struct qpw_auditor *a, struct qpw_error *err);
void qpw_routes_close(struct qpw_auditor *a);

/*
 * A question of the programs about a packet sent or received by an interface. If it turns out to be the node's own, it
 * becomes a finding, because the packet itself passed as transit.
 */
struct qpw_route_asked {
    const struct qpw_conn_key *ends; /* local: its source, remote: its destination */
    unsigned ifindex;
    bool received;
    uint64_t when_ns; /* by the programs' clock */
};
void qpw_routes_ask(struct qpw_auditor *a, const struct qpw_route_asked *asked);

/*
 * After a change of routes or rules, withdraw all answers, at most once a second; each is asked for again with its next
 * packet.
 */
void qpw_routes_changed(struct qpw_auditor *a);
void qpw_routes_tick(struct qpw_auditor *a);

#endif
