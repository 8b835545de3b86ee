/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* reload.h - put a new policy in force in the attached instance, with or without a running auditor. */
#ifndef QPW_AUDITOR_RELOAD_H
#define QPW_AUDITOR_RELOAD_H

#include <jansson.h>

#include "policy/lang/load.h"

/*
 * Reload the policy the auditor was started with, or, if any option is given, the one these options name from now on.
 * Return an exit status (enum qpw_exit); USAGE: the policy is at fault; if not OK, nothing was changed and err says
 * why. *ret_answer is owned by the caller, as from qpw_audit_reload(); NULL: no answer.
 */
int qpw_reload(const struct qpw_policy_options *options, json_t **ret_answer, struct qpw_error *err);

#endif
