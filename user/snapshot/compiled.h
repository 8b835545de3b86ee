/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* compiled.h - the policy in force, read back from the tables that the programs use. */
#ifndef QPW_SNAPSHOT_COMPILED_H
#define QPW_SNAPSHOT_COMPILED_H

#include "instance/kernel.h"
#include "policy/compile/compiled.h"

/*
 * Fill *ret with all that judging needs; `listed` and `exceptions` stay empty (a snapshot has them). A concurrent
 * reload does no harm: one of the two policies is read whole. Return 0, or a negative errno with err filled. The caller
 * clears *ret.
 */
int qpw_compiled_read(const struct qpw_kernel *k, struct qpw_compiled *ret, struct qpw_error *err);

#endif
