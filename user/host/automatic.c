/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "host/automatic.h"

#include <net/if.h>

#include "host/route.h"
#include "include/qportwatch_user.h"

#define MOST_PEERS 64u /* a bound on route requests: peers share a few interfaces */

/*
 * Append the link if it exists, is not loopback and is neither in the list nor stacked on a link that is. Returns the
 * new count.
 */
static size_t add(const struct qpw_netlink *links, unsigned ifindex, unsigned *list, size_t n, size_t room)
{
    const struct qpw_link *link = qpw_netlink_by_index(links, ifindex);

    for (size_t i = 0; i < n; i++) /* watching stacked devices would count packets twice */
        if (list[i] == ifindex || qpw_netlink_stacked(links, list[i], ifindex))
            return n;
    if (!link || link->flags & IFF_LOOPBACK || n == room)
        return n;
    list[n] = ifindex;
    return n + 1;
}

static void put_number(qpw_u128 number, uint8_t ret[16])
{
    for (int i = 15; i >= 0; i--, number >>= 8)
        ret[i] = (uint8_t)number;
}

size_t qpw_automatic_find(const struct qpw_netlink *links, const struct qpw_policy *policy, unsigned *ret, size_t room)
{
    unsigned defaults[QPW_MAX_IFACES];
    struct qpw_route_answer route;
    int found = qpw_route_defaults(defaults, QPW_MAX_IFACES);
    uint8_t addr[16];
    size_t n = 0;

    for (int i = 0; i < found; i++)
        n = add(links, defaults[i], ret, n, room);
    for (size_t i = 0; policy && i < policy->n_peers && i < MOST_PEERS; i++) {
        for (size_t j = 0; j < policy->peers[i].addresses.n; j++) {
            put_number(policy->peers[i].addresses.ranges[j].first, addr);
            if (qpw_route_ask(NULL, addr, 0, &route) == 0)
                n = add(links, route.ifindex, ret, n, room);
        }
    }
    return n;
}
