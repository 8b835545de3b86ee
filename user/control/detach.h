/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* detach.h - removing what is attached: when no auditor lives, and what is not a live auditor's. */
#ifndef QPW_AUDIT_DETACH_H
#define QPW_AUDIT_DETACH_H

#include <stddef.h>
#include <stdint.h>

#include "instance/instance.h"

/*
 * Removes the programs of every run of qportwatch, of any version, from the named interfaces (n 0: from all), and a clsact
 * qdisc that was made for them and is empty; also from interfaces that took them along to another network namespace.
 * ret_removed counts interfaces. 0; -ENOENT: nothing of ours on a named interface (err names it), and nothing is removed;
 * -EBUSY: something of a run is still held where it cannot be reached; or another error.
 */
int qpw_detach(const char *const *names, size_t n, size_t *ret_removed, struct qpw_error *err);

/*
 * For the auditor: the same for all runs but its own, `instance`, on interfaces of this network namespace, without the
 * lock. A name on which no other run stands is passed over.
 */
int qpw_detach_others(uint32_t instance, const char *const *names, size_t n, size_t *ret_removed, struct qpw_error *err);

#endif
