/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* export.h - a policy in other formats: JSON, CSV, an equivalent nftables ruleset. */
#ifndef QPW_POLICY_EXPORT_H
#define QPW_POLICY_EXPORT_H

#include <jansson.h>
#include <stdio.h>

#include "policy/lang/policy.h"

/*
 * Return the complete policy as one document "qportwatch.policy/1": a new reference, or NULL without memory. `now`:
 * Unix seconds.
 */
json_t *qpw_policy_json(const struct qpw_policy *policy, int64_t now);

/* Write one line per rule, with titles; RFC 4180. */
void qpw_policy_csv(const struct qpw_policy *policy, int64_t now, FILE *out);

/*
 * Write a table "inet qportwatch" that accepts, in both directions, what the policy does not call unexpected, and drops
 * everything else: rules, peers, infra and implied groups, answers to accepted traffic. What nftables cannot know (a
 * live parent, allowances of infrastructure) is accepted, with a comment in the ruleset.
 */
void qpw_policy_nft(const struct qpw_policy *policy, int64_t now, FILE *out);

#endif
