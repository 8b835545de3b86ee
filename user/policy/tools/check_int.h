/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* check_int.h - internals shared by the files of check; others include check.h. */
#ifndef QPW_POLICY_CHECK_INT_H
#define QPW_POLICY_CHECK_INT_H

#include "policy/tools/check.h"

/* Append a remark; `where` NULL: the text names the place. 0 or -ENOMEM. */
int qpw_remark_add(struct qpw_remarks *remarks, enum qpw_remark_kind kind, const struct qpw_where *where,
                   const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Warn about speaks= that has no effect or covers too much. 0 or -ENOMEM. */
int qpw_check_row_speaks(const struct qpw_policy *policy, const struct qpw_rule *rule, struct qpw_remarks *ret);

#endif
