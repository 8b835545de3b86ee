/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* rules.h - the usage of each rule, both the policy's and the built-in ones. */
#ifndef QPW_FACTS_RULES_H
#define QPW_FACTS_RULES_H

#include <stdbool.h>

#include "facts/totals.h"

struct qpw_rule_use {
    const struct qpw_rule_info *info;
    uint16_t id;
    struct qpw_counts counts; /* without inferred traffic, which the rule did not judge */
    uint64_t inferred;        /* packets of inferred traffic: undecided, but consistent with the rule */
    uint64_t first_unix_ns;
};

/*
 * List rules in force, and removed ones that were used; most packets first. Return 0 or -ENOMEM; the caller frees *ret.
 */
int qpw_rules_use(const struct qpw_snapshot *s, struct qpw_rule_use **ret, size_t *ret_n);

/* Return whether that row of traffic counts as use of the rule it names. */
static inline bool qpw_meter_uses_rule(const struct qpw_snapshot *s, const struct qpw_meter_key *key)
{
    return key->rule && key->rule < s->n_rules && key->verdict != QPW_VERDICT_UNDECIDED;
}

/* Return whether a rule is the tool's own: in no file of the policy, so that nobody can remove it. */
bool qpw_rule_is_own(const struct qpw_rule_info *rule);

#endif
