/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* rule.h - why a rule exists: its purpose, who approved it, who owns the service, until when. */
#ifndef QPW_WORDS_RULE_H
#define QPW_WORDS_RULE_H

#include <stdbool.h>

#include "policy/lang/policy.h"

struct qpw_rule_words {
    char purpose[512]; /* each is empty unless the policy states it */
    char ref[96];
    char owner[128];
    char until[32];
    char from[192];    /* as in from= */
    bool own;          /* a built-in group instead of a statement of the policy: basic network traffic, or companions */
    bool vendor;       /* from the vendor's page: its ref= names a line there, rather than an approval by the site */
    bool cut;          /* the statement is truncated: it may contain more */
};

/*
 * Explain a rule: from the policy's text or, if policy is NULL, from the statement kept with the rule, which may be
 * truncated.
 */
void qpw_rule_words(const struct qpw_policy *policy, const struct qpw_rule_info *info, struct qpw_rule_words *ret);

/*
 * Return the rule's statement: the policy's text if known, otherwise what the instance keeps of it, which ends in "…"
 * if truncated. Points into the policy or to buf.
 */
const char *qpw_rule_statement(const struct qpw_policy *policy, const struct qpw_rule_info *info, char *buf, size_t size);

/* Return the rule's origin: "tool", "vendor" or "site". Static. */
const char *qpw_rule_origin(const struct qpw_rule_words *words);

/*
 * Return what is insecure about a service as such: "clear-text login and data" for tcp/23; NULL: nothing known. Static.
 */
const char *qpw_words_insecure(unsigned protocol, unsigned port);

/* The same for a rule's statement: of its first insecure port. */
const char *qpw_words_insecure_rule(const struct qpw_rule_info *info);

#endif
