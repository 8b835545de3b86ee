/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/lang/suppress.h"

#include <string.h>

bool qpw_suppression_in_force(const struct qpw_suppression *line, int64_t now)
{
    return !line->until || now < line->until;
}

static bool port_matches(const struct qpw_suppression *line, const struct qpw_suppress_query *query)
{
    bool has_port = query->kind == QPW_KIND_ICMP || (query->kind == QPW_KIND_PORT && query->port);

    if (line->flags & QPW_RULE_ANY_PORT)
        return true;
    for (size_t i = 0; has_port && i < line->n_ports; i++)
        if (query->port >= line->ports[i].first && query->port <= line->ports[i].last)
            return true;
    return false;
}

static bool address_matches(bool wanted, const struct qpw_addresses *set, const uint8_t *addr)
{
    return !wanted || (addr && qpw_addresses_contain(set, addr));
}

static bool matches(const struct qpw_suppression *line, const struct qpw_suppress_query *query)
{
    if (!qpw_suppression_in_force(line, query->now) || query->outcome > line->outcome)
        return false;
    if (line->direction != QPW_DIR_UNKNOWN && line->direction != query->direction)
        return false;
    if (!(line->flags & QPW_RULE_ANY_PROTOCOL) &&
        (query->kind == QPW_KIND_ETHERTYPE || !qpw_protocol_in(line->protocols, query->protocol)))
        return false;
    if (line->rule && (!query->rule || strcmp(line->rule, query->rule)))
        return false;
    return port_matches(line, query) && address_matches(line->flags & QPW_RULE_FROM, &line->from, query->from) &&
           address_matches(line->flags & QPW_RULE_TO, &line->to, query->to);
}

const struct qpw_suppression *qpw_policy_suppressed(const struct qpw_policy *policy,
                                                    const struct qpw_suppress_query *query)
{
    for (size_t i = 0; i < policy->n_suppressions; i++)
        if (matches(&policy->suppressions[i], query))
            return &policy->suppressions[i];
    return NULL;
}
