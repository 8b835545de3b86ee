/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* reload.h - a new policy for the kernel side that is attached, whether an auditor lives or not. */
#ifndef QPW_AUDITOR_RELOAD_H
#define QPW_AUDITOR_RELOAD_H

#include <jansson.h>

#include "policy/lang/load.h"

/*
 * Reads the policy again and swaps it in: the one the auditor was started with, or (any option given)
 * this one from now on. Returns an exit status (enum qpw_exit), USAGE where the policy is at fault, and err why nothing
 * was changed where it is not OK. *ret_answer is the caller's, as qpw_audit_reload() gives it; NULL without an answer.
 */
int qpw_reload(const struct qpw_policy_options *options, json_t **ret_answer, struct qpw_error *err);

#endif
