/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/lang/policy.h"

#include <stdlib.h>
#include <string.h>

#include "policy/lang/parse.h"
#include "util/name_table.h"

QPW_NAME_TABLE(qpw_infra_name, group, QPW_INFRA_GROUPS, QPW_INFRA_COUNT, "invalid")

QPW_NAME_TABLE(qpw_implied_name, group, QPW_IMPLIED_GROUPS, QPW_IMPLIED_COUNT, "invalid")

bool qpw_protocol_in(const uint64_t protocols[4], unsigned protocol)
{
    return protocol < 256 && (protocols[protocol / 64] >> protocol % 64 & 1);
}

bool qpw_rule_in_force(const struct qpw_rule *rule, int64_t now)
{
    if (rule->flags & (QPW_RULE_DISABLED | QPW_RULE_NEVER))
        return false;
    if ((rule->flags & QPW_RULE_FROM && !rule->from.n) || (rule->flags & QPW_RULE_TO && !rule->to.n))
        return false;
    return !rule->until || now < rule->until;
}

const char *qpw_rule_owner(const struct qpw_rule *rule)
{
    return rule->owner ? rule->owner : "any";
}

bool qpw_rule_is_named(const struct qpw_rule *rule, const char *name)
{
    return !strcmp(rule->name, name) || !strcmp(rule->generated, name) ||
           (rule->feature && !strcmp(rule->feature, name));
}

unsigned qpw_rule_width(const struct qpw_rule *rule)
{
    unsigned ports = 0;

    if (rule->flags & QPW_RULE_ANY_PORT)
        return 65536;
    for (size_t i = 0; i < rule->n_ports; i++)
        ports += rule->ports[i].last - rule->ports[i].first + 1u;
    return ports;
}

int64_t qpw_policy_next_expiry(const struct qpw_policy *policy, int64_t now)
{
    int64_t next = 0;

    for (size_t i = 0; i < policy->n_rules; i++)
        if (policy->rules[i].until > now && (!next || policy->rules[i].until < next))
            next = policy->rules[i].until;
    for (size_t i = 0; i < policy->n_suppressions; i++)
        if (policy->suppressions[i].until > now && (!next || policy->suppressions[i].until < next))
            next = policy->suppressions[i].until;
    return next;
}

void qpw_rule_clear(struct qpw_rule *rule)
{
    free(rule->text);
    free(rule->purpose);
    free(rule->feature);
    free(rule->parent);
    free(rule->ref);
    free(rule->owner);
    free(rule->iface);
    free(rule->ports);
    qpw_addresses_clear(&rule->from);
    qpw_addresses_clear(&rule->to);
}

void qpw_suppression_clear(struct qpw_suppression *line)
{
    free(line->text);
    free(line->reason);
    free(line->ref);
    free(line->rule);
    free(line->ports);
    qpw_addresses_clear(&line->from);
    qpw_addresses_clear(&line->to);
}

static void clear_strings(char **strings, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(strings[i]);
    free(strings);
}

void qpw_policy_clear(struct qpw_policy *policy)
{
    for (size_t i = 0; i < policy->n_rules; i++)
        qpw_rule_clear(&policy->rules[i]);
    for (size_t i = 0; i < policy->n_peers; i++)
        qpw_addresses_clear(&policy->peers[i].addresses);
    for (size_t i = 0; i < policy->n_readers; i++)
        qpw_addresses_clear(&policy->readers[i].addresses);
    for (size_t i = 0; i < policy->n_sets; i++)
        qpw_addresses_clear(&policy->sets[i].addresses);
    for (size_t i = 0; i < policy->n_suppressions; i++)
        qpw_suppression_clear(&policy->suppressions[i]);
    free(policy->rules);
    free(policy->peers);
    free(policy->readers);
    free(policy->cluster_ca);
    free(policy->sets);
    free(policy->suppressions);
    free(policy->path);
    free(policy->source_name);
    free(policy->platform);
    clear_strings(policy->files, policy->n_files);
    clear_strings(policy->warnings, policy->n_warnings);
    *policy = (struct qpw_policy){0};
}
