/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* rule.h - why a rule of the policy is there: its purpose, who approved it, whose the service is, until when. */
#ifndef QPW_WORDS_RULE_H
#define QPW_WORDS_RULE_H

#include <stdbool.h>

#include "policy/lang/policy.h"

struct qpw_rule_words {
    char purpose[512]; /* each is empty where the policy does not say it */
    char ref[96];
    char owner[128];
    char until[32];
    char from[192];    /* as in from= */
    bool own;          /* no statement of the policy but a group of the tool's own: basic network traffic, or companions */
    bool vendor;       /* from the vendor's page: its ref= names a line of that, and no approval of the site's */
    bool cut;          /* what is known of the statement ends before its end: more may have been said */
};

/*
 * Of the rule of that name: from the policy's text where there is one (NULL: there is not), else as far as the statement kept
 * beside the rule goes, which may be cut.
 */
void qpw_rule_words(const struct qpw_policy *policy, const struct qpw_rule_info *info, struct qpw_rule_words *ret);

/* "tool", "vendor" or "site": whose the rule is. Static. */
const char *qpw_rule_origin(const struct qpw_rule_words *words);

/* What is insecure of a service by itself: "clear-text login and data" of tcp/23; NULL: not known to be. Static. */
const char *qpw_words_insecure(unsigned protocol, unsigned port);

/* The same of a rule's statement: the first of its ports that is. */
const char *qpw_words_insecure_rule(const struct qpw_rule_info *info);

#endif
