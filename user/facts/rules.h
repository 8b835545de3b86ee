/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* rules.h - what each rule of the policy, and of the tool's own groups, was used for. */
#ifndef QPW_FACTS_RULES_H
#define QPW_FACTS_RULES_H

#include <stdbool.h>

#include "facts/totals.h"

struct qpw_rule_use {
    const struct qpw_rule_info *info;
    uint16_t id;
    struct qpw_counts counts; /* traffic only inferred to be its own is not counted: it was not judged by it */
    uint64_t inferred;        /* packets of that: undecided, but consistent with it */
    uint64_t first_unix_ns;
};

/* Rules in force, or used before a reload took them out; most packets first. 0 or -ENOMEM; the caller frees *ret. */
int qpw_rules_use(const struct qpw_snapshot *s, struct qpw_rule_use **ret, size_t *ret_n);

/* Whether that row of traffic counts as use of the rule it names. */
static inline bool qpw_meter_uses_rule(const struct qpw_snapshot *s, const struct qpw_meter_key *key)
{
    return key->rule && key->rule < s->n_rules && key->verdict != QPW_VERDICT_UNDECIDED;
}

#endif
