/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* check_int.h - what the parts of check share; everybody else includes check.h. */
#ifndef QPW_POLICY_CHECK_INT_H
#define QPW_POLICY_CHECK_INT_H

#include "policy/tools/check.h"

/* Appends a remark; `where` NULL: the text says it. 0 or -ENOMEM. */
int qpw_remark_add(struct qpw_remarks *remarks, enum qpw_remark_kind kind, const struct qpw_where *where,
                   const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Remarks on speaks= where it says nothing, or is asked of too much. 0 or -ENOMEM. */
int qpw_check_row_speaks(const struct qpw_policy *policy, const struct qpw_rule *rule, struct qpw_remarks *ret);

#endif
