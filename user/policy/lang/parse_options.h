/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* parse_options.h - the options of a rule, an `only` line or a suppression: KEY=VALUE and flags. */
#ifndef QPW_POLICY_LANG_PARSE_OPTIONS_H
#define QPW_POLICY_LANG_PARSE_OPTIONS_H

#include "policy/lang/policy.h"
#include "policy/lang/statements.h"
#include "util/error.h"
#include "util/near.h"

/* Destinations of the options of a rule, an `only` line or a suppression; NULL: that statement lacks the option. */
struct qpw_option_targets {
    const struct qpw_policy *policy;
    const struct qpw_where *where;
    struct qpw_addresses *from;
    struct qpw_addresses *to;
    uint16_t *flags;
    int *vlan;
    int64_t *until;
    char *name;
    uint8_t *outcome;
    uint32_t *speaks;
    struct {
        const char *key;
        char **value;
        bool is_name;
    } texts[7]; /* terminated by an empty entry */
    bool row; /* accepts the flags default, optional, weak */
};

/* Return a hint at the most similar of the words that are valid, in a buffer of the caller's block. */
#define QPW_NEAR(value, ...) qpw_near_among(value, (const char *const[]){__VA_ARGS__, NULL}, (char[64]){0}, 64)

/* Set the options from word `first` on. Returns 0, or a negative errno with err filled. */
int qpw_options_set(const struct qpw_option_targets *to, const struct qpw_policy_statement *statement, size_t first,
                    struct qpw_error *err);

#endif
