/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* export.h - a policy in other forms: JSON, CSV, an nftables ruleset of the same meaning. */
#ifndef QPW_POLICY_EXPORT_H
#define QPW_POLICY_EXPORT_H

#include <jansson.h>
#include <stdio.h>

#include "policy/lang/policy.h"

/* One document "qportwatch.policy/1" with everything in it; a new reference, NULL: no memory. `now` in Unix seconds. */
json_t *qpw_policy_json(const struct qpw_policy *policy, int64_t now);

/* A line a row, with titles; RFC 4180. */
void qpw_policy_csv(const struct qpw_policy *policy, int64_t now, FILE *out);

/*
 * A table "inet qportwatch" that lets pass what the policy does not call unexpected and drops the rest,
 * both ways: rows, peers, infra and implied groups, answers to what passed. What nftables cannot know (a live parent,
 * allowances of infrastructure) is left open and said in comments.
 */
void qpw_policy_nft(const struct qpw_policy *policy, int64_t now, FILE *out);

#endif
