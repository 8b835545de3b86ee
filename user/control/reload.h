/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* reload.h - a new policy for the kernel side that is attached, whether an auditor lives or not. */
#ifndef QPW_AUDIT_RELOAD_H
#define QPW_AUDIT_RELOAD_H

#include <stddef.h>

#include "policy/lang/load.h"

/*
 * Reads the policy again and swaps it in: the one the auditor was started with, or (any option given)
 * this one from now on. words receives the difference, or why nothing was changed. Returns an exit
 * status (enum qpw_exit): USAGE where the policy is at fault.
 */
int qpw_reload(const struct qpw_policy_options *options, char *words, size_t size);

#endif
