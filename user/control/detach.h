/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* detach.h - removing what is attached when no auditor lives. */
#ifndef QPW_AUDIT_DETACH_H
#define QPW_AUDIT_DETACH_H

#include <stddef.h>

#include "instance/instance.h"

/*
 * Removes the programs of every kernel side of qportwatch, of any version, from the named interfaces
 * (n 0: from all), and a clsact qdisc that was made for them and is empty. ret_removed counts
 * interfaces. 0; -ENOENT: nothing of ours on a named interface (err names it); or another error.
 */
int qpw_detach(const char *const *names, size_t n, size_t *ret_removed, struct qpw_error *err);

#endif
