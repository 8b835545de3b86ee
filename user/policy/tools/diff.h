/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* diff.h - how two policies differ in effect, as text. Differences in notation do not count. */
#ifndef QPW_POLICY_DIFF_H
#define QPW_POLICY_DIFF_H

#include "policy/lang/policy.h"

enum qpw_change {
    QPW_CHANGE_NONE = 0,
    QPW_CHANGE_OPENS,
    QPW_CHANGE_CLOSES,
    QPW_CHANGE_MOVES,
    QPW_CHANGE_SETTING, /* groups, peers, suppressions, what is required between nodes */
};

struct qpw_policy_difference {
    enum qpw_change change;
    char *text; /* "now allowed: inbound tcp 3713 (Cloud Data Fabric) from any" */
};

struct qpw_differences {
    struct qpw_policy_difference *list; /* moves, openings, closings, settings */
    size_t n;
};

/* Compare `old` and `new` as of `now` (Unix seconds). 0 or -ENOMEM; the caller clears *ret. */
int qpw_policy_diff(const struct qpw_policy *old, const struct qpw_policy *new, int64_t now,
                    struct qpw_differences *ret);
void qpw_differences_clear(struct qpw_differences *differences);

const char *qpw_change_name(enum qpw_change change); /* "opens", "closes", "moves", "setting" */

#endif
