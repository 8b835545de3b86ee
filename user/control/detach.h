/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* detach.h - remove attached programs when no auditor runs, or those that do not belong to the running one. */
#ifndef QPW_AUDIT_DETACH_H
#define QPW_AUDIT_DETACH_H

#include <stddef.h>
#include <stdint.h>

#include "instance/instance.h"

/*
 * Remove the programs of every instance, of any version, from the named interfaces (n 0: from all), and empty clsact
 * qdiscs made for them; also from interfaces that have moved to another network namespace. *ret_removed: number of
 * interfaces. Return 0; -ENOENT: a named interface has no programs of ours (err names it), and nothing was removed;
 * -EBUSY: an instance is still held by something out of reach; or another negative errno.
 */
int qpw_detach(const char *const *names, size_t n, size_t *ret_removed, struct qpw_error *err);

/*
 * For the auditor: the same for all instances except its own, `instance`, on interfaces of this network namespace and
 * without the lock. Names without programs of another instance are ignored.
 */
int qpw_detach_others(uint32_t instance, const char *const *names, size_t n, size_t *ret_removed, struct qpw_error *err);

#endif
