/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* compiled.h - the policy in force, read back from the tables that packets are judged by. */
#ifndef QPW_SNAPSHOT_COMPILED_H
#define QPW_SNAPSHOT_COMPILED_H

#include "instance/kernel.h"
#include "policy/compile/compiled.h"

/*
 * Fills *ret with what judging needs; `listed` and `exceptions` stay empty (a snapshot has them). A reload meanwhile
 * changes nothing: one of the two policies is read whole. The caller clears *ret. 0, or a negative errno with err.
 */
int qpw_compiled_read(const struct qpw_kernel *k, struct qpw_compiled *ret, struct qpw_error *err);

#endif
