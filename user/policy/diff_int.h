/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* diff_int.h - what the parts of diff share; everybody else includes diff.h. */
#ifndef QPW_POLICY_DIFF_INT_H
#define QPW_POLICY_DIFF_INT_H

#include "policy/diff.h"

/* Appends a difference; takes the text, whose being NULL is -ENOMEM. 0 or -ENOMEM. */
int qpw_diff_say(struct qpw_differences *ret, enum qpw_change change, char *text);

/* Appends those of everything that is not a row. 0 or -ENOMEM. */
int qpw_diff_settings(const struct qpw_policy *old, const struct qpw_policy *new, int64_t now,
                      struct qpw_differences *ret);

#endif
