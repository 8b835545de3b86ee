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

/* The programs ask about a packet from ends->local to ends->remote, sent or received by that interface. */
void qpw_routes_ask(struct qpw_auditor *a, unsigned ifindex, const struct qpw_conn_key *ends, bool received);

/* Routes or rules have changed: at most once a second all words are asked for again, each with its next packet. */
void qpw_routes_changed(struct qpw_auditor *a);
void qpw_routes_tick(struct qpw_auditor *a);

#endif
