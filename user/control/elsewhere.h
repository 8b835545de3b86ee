/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* elsewhere.h - an auditor whose lock cannot be seen from here: its /run is another one, or its folder was removed. */
#ifndef QPW_CONTROL_ELSEWHERE_H
#define QPW_CONTROL_ELSEWHERE_H

#include <stdbool.h>

#include "include/qportwatch_user.h"
#include "instance/instance.h"

/* Whether the lock here says nothing about the auditor that *meta is of. k: its kernel side. */
bool qpw_lock_is_elsewhere(const struct qpw_kernel *k, const struct qpw_meta *meta);

/*
 * To be asked by who holds the lock before acting in the auditor's place. 0: none lives; -EADDRINUSE with err filled: one
 * does, for its heartbeat goes on. Waits for that for three seconds, only where the lock is elsewhere.
 */
int qpw_lock_check_elsewhere(const struct qpw_kernel *k, const struct qpw_meta *meta, struct qpw_error *err);

#endif
