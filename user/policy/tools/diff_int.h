/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* diff_int.h - internals shared by the files of diff; others include diff.h. */
#ifndef QPW_POLICY_DIFF_INT_H
#define QPW_POLICY_DIFF_INT_H

#include "policy/tools/diff.h"

/* A run of ports that one policy has open under some condition and the other has not. */
struct qpw_opening {
    uint8_t direction;
    uint16_t protocol; /* 256: any */
    uint32_t first;
    uint32_t last;
    bool ports;        /* the protocol has ports or types */
    const char *condition;
    const struct qpw_rule *rule;
    bool used;         /* already reported */
};

/* One of the two policies. */
struct qpw_diff_side {
    const struct qpw_policy *policy;
    char **conditions;        /* by rule, as text; NULL: not in force */
    uint32_t *ids;            /* by rule: number of its condition, over both policies */
    struct qpw_opening *more; /* what the other side lacks */
    size_t n_more;
};

/* Fill everything except `policy` of both sides. 0 or -ENOMEM; the caller clears both in either case. */
int qpw_diff_compare(struct qpw_diff_side *old, struct qpw_diff_side *new, int64_t now);
void qpw_diff_side_clear(struct qpw_diff_side *side);

/* Return whether the rule covers the protocol (256: any) and all ports first…last. */
bool qpw_diff_covers(const struct qpw_rule *rule, unsigned protocol, uint32_t first, uint32_t last);

/* Append a difference. Takes ownership of the text; a NULL text is -ENOMEM. 0 or -ENOMEM. */
int qpw_diff_add(struct qpw_differences *ret, enum qpw_change change, char *text);

/* Append the differences in everything that is not a rule. 0 or -ENOMEM. */
int qpw_diff_settings(const struct qpw_policy *old, const struct qpw_policy *new, int64_t now,
                      struct qpw_differences *ret);

#endif
