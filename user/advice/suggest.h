/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * suggest.h - policy lines that would explain what was unexpected, for a person to decide about.
 *
 * Rules that few have used are proposed to be narrowed to these. Every line is commented out and carries its evidence. Only what was answered counts, never what was
 * merely attempted or refused; never `any`. One line is one service and one program. A line's addresses are
 * the fewest prefixes that hold exactly those seen; where these are many they have a set of their own.
 */
#ifndef QPW_ADVICE_SUGGEST_H
#define QPW_ADVICE_SUGGEST_H

#include <stdio.h>

#include "policy/lang/policy.h"
#include "snapshot/snapshot.h"
#include "snapshot/users.h"

#define QPW_SUGGEST_ADDRESSES 8u  /* prefixes in one line; more become a named set */
#define QPW_SUGGEST_PEER_PORTS 2u /* from so many unexplained ports on, answered each way, an address may be a node */
#define QPW_SUGGEST_EVIDENCE "# first seen" /* how the line of evidence before a proposal begins */

struct qpw_suggest_options {
    /* Text for the process behind a finding, or "" ; may be NULL. */
    const char *(*process)(void *arg, const struct qpw_finding_row *finding);
    void *arg;
    /* Who used the rules, sorted as qpw_rule_users_read() does; NULL: not known, as of a capture. */
    const struct qpw_rule_user_row *users;
    size_t n_users;
    uint64_t users_since_unix_ns; /* from when on that is known; 0: since attaching */
};

/* Writes policy text to out. 0 or -ENOMEM; *ret_lines (may be NULL) is the number of lines proposed. */
int qpw_policy_suggest(const struct qpw_snapshot *snapshot, const struct qpw_suggest_options *options, FILE *out,
                       size_t *ret_lines);

#endif
