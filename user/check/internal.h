/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* internal.h - shared by the files of this folder only. */
#ifndef QPW_CHECK_INTERNAL_H
#define QPW_CHECK_INTERNAL_H

#include "check/check.h"

#define QPW_RELEASE(major, minor) ((major) << 16 | (minor) << 8)

/* Add a remark; todo NULL: nothing to do. */
void qpw_remark(struct qpw_check *c, enum qpw_remark_level level, const char *what, const char *todo, const char *why, ...)
    __attribute__((format(printf, 5, 6)));

/* Check the named interfaces; fills c->chosen. */
void qpw_check_interfaces(struct qpw_check *c);
/* Check the kernel, memory, clock, privileges, and what bypasses the hooks. */
void qpw_check_machine(struct qpw_check *c);
/* Check policy, peers and alert log; call it before the others. */
void qpw_check_policy(struct qpw_check *c);
void qpw_check_log(struct qpw_check *c);

#endif
