/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * suggest.h - propose policy lines that would explain unexpected traffic, for a person to review.
 *
 * Rules with few users are proposed to be narrowed to these. Every line is commented out and carries its evidence. Only
 * answered traffic counts, never mere attempts or refusals; `any` is never proposed. One line is one service and one
 * program. Its addresses are the fewest prefixes that cover exactly those seen; if there are many, they form a named
 * set.
 */
#ifndef QPW_ADVICE_SUGGEST_H
#define QPW_ADVICE_SUGGEST_H

#include <stdio.h>

#include "policy/lang/policy.h"
#include "snapshot/snapshot.h"
#include "snapshot/users.h"

#define QPW_SUGGEST_ADDRESSES 8u  /* prefixes in one line; more become a named set */
#define QPW_SUGGEST_PEER_PORTS 2u /* unexplained ports, answered each way, from which an address may be a node */
#define QPW_SUGGEST_EVIDENCE "# first seen" /* the start of the line of evidence before a proposal */

struct qpw_suggest_options {
    /* Return text for the process behind a finding, or "". The function may be NULL. */
    const char *(*process)(void *arg, const struct qpw_finding_row *finding);
    void *arg;
    /* The users of rules, sorted as by qpw_rule_users_read(); NULL: unknown, as for a capture. */
    const struct qpw_rule_user_row *users;
    size_t n_users;
    uint64_t users_since_unix_ns; /* since when users are known; 0: since attaching */
};

/* Write policy text to out. 0 or -ENOMEM; *ret_lines (ret_lines may be NULL) is the number of proposed lines. */
int qpw_policy_suggest(const struct qpw_snapshot *snapshot, const struct qpw_suggest_options *options, FILE *out,
                       size_t *ret_lines);

#endif
