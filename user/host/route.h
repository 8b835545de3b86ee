/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* route.h - what the routing tables of this network namespace say. Addresses as in qportwatch.h. */
#ifndef QPW_HOST_ROUTE_H
#define QPW_HOST_ROUTE_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct qpw_route_answer {
    unsigned ifindex; /* by which it leaves, 0: none */
    bool local;       /* it is delivered to the node itself */
    bool unicast;     /* to one other host */
};

/*
 * Ask where a packet would go, rules and all tables considered. from NULL: from any address; arriving: the interface by
 * which it comes in, 0: sent by the node. 0, or a negative errno: there is no route, or it cannot be asked.
 */
int qpw_route_ask(const uint8_t from[16], const uint8_t to[16], unsigned arriving, struct qpw_route_answer *ret);

/*
 * Name the interface by which a packet from one of the node's addresses to another host leaves. 0 with ret filled, or a
 * negative errno: there is no route, or it cannot be asked.
 */
int qpw_route_interface(const uint8_t from[16], const uint8_t to[16], char ret[IF_NAMESIZE]);

/*
 * The interfaces of the default routes that count: of each family the ones with the lowest metric in the main table, all
 * of them where the route has several. Each once. How many are in ret, at most `room`; or a negative errno.
 */
int qpw_route_defaults(unsigned *ret, size_t room);

#endif
