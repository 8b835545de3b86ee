/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* close.h - remove what is attached. */
#ifndef QPW_AUDITOR_CLOSE_H
#define QPW_AUDITOR_CLOSE_H

#include "auditor/internal.h"

/*
 * Detach from every interface and from the root cgroup, as far as possible. Returns 0, or the negative errno of the first
 * failure with err filled.
 */
int qpw_auditor_remove_all(struct qpw_auditor *a, struct qpw_error *err);

#endif
