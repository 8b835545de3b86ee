/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* route.h - look up the routing tables of this network namespace. Addresses as in qportwatch.h. */
#ifndef QPW_HOST_ROUTE_H
#define QPW_HOST_ROUTE_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct qpw_route_answer {
    unsigned ifindex; /* outgoing interface; 0: none */
    bool local;       /* delivered to the node itself */
    bool unicast;     /* to a single other host */
};

/*
 * Look up the route of a packet, with all rules and tables. from NULL: any source; arriving: ifindex that it arrives
 * by, 0 if the node sends it. Returns 0, or a negative errno: no route, or the look-up failed.
 */
int qpw_route_ask(const uint8_t from[16], const uint8_t to[16], unsigned arriving, struct qpw_route_answer *ret);

/*
 * Name the interface by which a packet from one of the node's addresses to another host leaves. Returns 0 with ret
 * filled, or a negative errno: no route, or the look-up failed.
 */
int qpw_route_interface(const uint8_t from[16], const uint8_t to[16], char ret[IF_NAMESIZE]);

/*
 * Find the interfaces of the effective default routes: per family, those of the main table with the lowest metric, and
 * every next hop of a multipath route. Stores each ifindex once, at most `room`. Returns how many, or a negative errno.
 */
int qpw_route_defaults(unsigned *ret, size_t room);

#endif
