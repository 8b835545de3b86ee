/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * parse_self.c - the rule `self`: the port at which `serve` answers, for those that the policy gives a key.
 *
 * It stands behind all rules of the policy, so that one of these can explain the same port otherwise. Traffic of peers is
 * judged before any rule; it is for readers, and lists the port so that its listener is no finding.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policy/lang/parse.h"
#include "util/array.h"
#include "util/cleanup.h"

#define AS_TEXT(port) #port
#define TEXT(port) "inbound tcp " AS_TEXT(port) " \"qportwatch serve, for peers and readers\" name=" QPW_SELF_NAME

/* Add the addresses of everyone who may ask. */
static int add_askers(const struct qpw_policy *policy, struct qpw_addresses *ret)
{
    int r = 0;

    for (size_t i = 0; i < policy->n_peers && r == 0; i++)
        if (policy->peers[i].keys.n || policy->cluster_ca)
            r = qpw_addresses_add_all(ret, &policy->peers[i].addresses);
    for (size_t i = 0; i < policy->n_readers && r == 0; i++)
        r = qpw_addresses_add_all(ret, &policy->readers[i].addresses);
    qpw_addresses_normalise(ret);
    return r;
}

static bool has_self(const struct qpw_policy *policy)
{
    for (size_t i = 0; i < policy->n_rules; i++)
        if (!strcmp(policy->rules[i].name, QPW_SELF_NAME))
            return true;
    return false;
}

static int add_rule(struct qpw_policy *policy, const struct qpw_addresses *from, struct qpw_error *err)
{
    static const char text[] = TEXT(QPW_SELF_PORT);
    QPW_CLEANUP(qpw_statements_clear) struct qpw_statements own = {0};
    struct qpw_rule *rule;
    int r = qpw_statements_read_text(&own, QPW_SELF_FILE, text, sizeof(text) - 1, err);

    if (r < 0)
        return r;
    rule = QPW_ADD(policy->rules, policy->n_rules);
    if (!rule)
        return qpw_fail(err, -ENOMEM, "out of memory");
    r = qpw_parse_rule(policy, &own.list[0], rule, err);
    if (r < 0)
        return r;
    rule->where = (struct qpw_where){.file = QPW_SELF_FILE};
    rule->flags |= QPW_RULE_FROM | QPW_RULE_BUILTIN;
    policy->n_rules++;
    return qpw_addresses_add_all(&rule->from, from) < 0 ? qpw_fail(err, -ENOMEM, "out of memory") : 0;
}

int qpw_parse_self(struct qpw_policy *policy, struct qpw_error *err)
{
    struct qpw_addresses from = {0};
    int r = add_askers(policy, &from) < 0 ? qpw_fail(err, -ENOMEM, "out of memory") : 0;

    if (r == 0 && from.n && !has_self(policy))
        r = add_rule(policy, &from, err);
    qpw_addresses_clear(&from);
    return r;
}
