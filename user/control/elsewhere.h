/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* elsewhere.h - an auditor whose lock is not visible here: its /run is a different one, or its folder was removed. */
#ifndef QPW_CONTROL_ELSEWHERE_H
#define QPW_CONTROL_ELSEWHERE_H

#include <stdbool.h>

#include "include/qportwatch_user.h"
#include "instance/instance.h"

/* Return whether the lock here is not that of the auditor in *meta. k: its instance. */
bool qpw_lock_is_elsewhere(const struct qpw_kernel *k, const struct qpw_meta *meta);

/*
 * Check for a running auditor before acting in its place; the caller holds the lock. Return 0: none; -EADDRINUSE with
 * err filled: one is running, because its heartbeat advances. Waits three seconds for that, but only if the lock is
 * elsewhere.
 */
int qpw_lock_check_elsewhere(const struct qpw_kernel *k, const struct qpw_meta *meta, struct qpw_error *err);

#endif
