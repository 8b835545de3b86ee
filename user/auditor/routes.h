/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * routes.h - answers the programs of a host that forwards: does the routing table lead to where a packet came from? And
 * finds prefixes that rules of it (ip rule) deliver to the node itself.
 */
#ifndef QPW_AUDITOR_ROUTES_H
#define QPW_AUDITOR_ROUTES_H

#include "auditor/internal.h"

struct qpw_routes;

/* 0 or -ENOMEM with err. What an auditor before this one was not asked or could not answer is asked again. */
int qpw_routes_open(struct qpw_auditor *a, struct qpw_error *err);
void qpw_routes_close(struct qpw_auditor *a);

/*
 * The programs ask about a packet, sent or received by an interface. What turns out to be nobody's but the node's is a
 * finding, for the packet itself has passed as transit.
 */
struct qpw_route_asked {
    const struct qpw_conn_key *ends; /* local: its source, remote: its destination */
    unsigned ifindex;
    bool received;
    uint64_t when_ns; /* by the programs' clock */
};
void qpw_routes_ask(struct qpw_auditor *a, const struct qpw_route_asked *asked);

/* Routes or rules have changed: at most once a second all words are asked for again, each with its next packet. */
void qpw_routes_changed(struct qpw_auditor *a);
void qpw_routes_tick(struct qpw_auditor *a);

#endif
