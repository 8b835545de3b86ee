/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* diff_int.h - what the parts of diff share; everybody else includes diff.h. */
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
    bool used;         /* it is told */
};

/* One of the two policies. */
struct qpw_diff_side {
    const struct qpw_policy *policy;
    char **conditions;        /* by row, in words; NULL: not in force */
    uint32_t *ids;            /* by row: number of its condition, over both policies */
    struct qpw_opening *more; /* what the other has not */
    size_t n_more;
};

/* Fills everything but `policy` of both sides. 0 or -ENOMEM; the caller clears both in either case. */
int qpw_diff_compare(struct qpw_diff_side *old, struct qpw_diff_side *new, int64_t now);
void qpw_diff_side_clear(struct qpw_diff_side *side);

/* Whether the row speaks of the protocol (256: of any) and of all ports first…last. */
bool qpw_diff_covers(const struct qpw_rule *rule, unsigned protocol, uint32_t first, uint32_t last);

/* Appends a difference; takes the text, whose being NULL is -ENOMEM. 0 or -ENOMEM. */
int qpw_diff_say(struct qpw_differences *ret, enum qpw_change change, char *text);

/* Appends those of everything that is not a row. 0 or -ENOMEM. */
int qpw_diff_settings(const struct qpw_policy *old, const struct qpw_policy *new, int64_t now,
                      struct qpw_differences *ret);

#endif
