/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "serve/own_line.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "host/own_address.h"

/* Write the one address of a range; false: a prefix, which does not say which of its addresses is the node's. */
static bool address_of(const struct qpw_range *range, uint8_t ret[16])
{
    qpw_u128 number = range->first;

    if (range->first != range->last)
        return false;
    for (int i = 15; i >= 0; i--, number >>= 8)
        ret[i] = (uint8_t)number;
    return true;
}

static bool is_own(const struct qpw_peer *peer, struct qpw_listen_at *at, bool find)
{
    uint8_t addr[16];
    bool own = false;

    for (size_t i = 0; at->given && i < at->n; i++)
        own |= qpw_addresses_contain(&peer->addresses, at->addr[i]);
    for (size_t i = 0; i < peer->addresses.n; i++) {
        if (!address_of(&peer->addresses.ranges[i], addr) || !qpw_address_is_own(addr))
            continue;
        own = true;
        if (find && !at->given && at->n < QPW_LISTEN_ADDRESSES)
            memcpy(at->addr[at->n++], addr, sizeof(addr));
    }
    return own;
}

const struct qpw_peer *qpw_own_line(const struct qpw_policy *policy, struct qpw_listen_at *at, bool find)
{
    const struct qpw_peer *ret = NULL;

    for (size_t i = 0; i < policy->n_peers; i++)
        if (is_own(&policy->peers[i], at, find))
            ret = &policy->peers[i];
    return ret;
}

static bool is_for(const struct qpw_rule *rule, uint16_t port)
{
    bool tcp = rule->flags & QPW_RULE_ANY_PROTOCOL || rule->protocols[IPPROTO_TCP / 64] >> IPPROTO_TCP % 64 & 1;

    if (rule->direction != QPW_DIR_INBOUND || !tcp || rule->flags & (QPW_RULE_DISABLED | QPW_RULE_NEVER | QPW_RULE_UNREAD))
        return false;
    for (size_t i = 0; i < rule->n_ports; i++)
        if (rule->ports[i].first <= port && port <= rule->ports[i].last)
            return true;
    return rule->flags & QPW_RULE_ANY_PORT;
}

bool qpw_own_line_explains(const struct qpw_policy *policy, uint16_t port)
{
    for (size_t i = 0; i < policy->n_rules; i++)
        if (is_for(&policy->rules[i], port))
            return true;
    return false;
}

void qpw_own_line_target(const struct qpw_peer *peer, struct qpw_poll_target *ret)
{
    *ret = (struct qpw_poll_target){0};
    snprintf(ret->name, sizeof(ret->name), "%s", peer->name);
    for (size_t i = 0; i < peer->addresses.n && ret->n_addrs < QPW_POLL_ADDRESSES; i++)
        ret->n_addrs += address_of(&peer->addresses.ranges[i], ret->addr[ret->n_addrs]);
    for (size_t i = 0; i < peer->keys.n; i++)
        snprintf(ret->pin[ret->n_pins++], sizeof(ret->pin[0]), "%s", peer->keys.text[i]);
}
