/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* route.h - what the routing table of this network namespace says. */
#ifndef QPW_HOST_ROUTE_H
#define QPW_HOST_ROUTE_H

#include <net/if.h>
#include <stdint.h>

/*
 * Name the interface by which a packet from one of the node's addresses to another host leaves. Addresses as in
 * qportwatch.h. 0 with ret filled, or a negative errno: there is no route, or it cannot be asked.
 */
int qpw_route_interface(const uint8_t from[16], const uint8_t to[16], char ret[IF_NAMESIZE]);

#endif
