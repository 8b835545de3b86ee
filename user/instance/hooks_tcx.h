/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * hooks_tcx.h - TCX through bpf(2) itself, because Debian 12's libbpf and headers are older. Used by hooks.c and
 * hook_scan.c only.
 */
#ifndef QPW_KERNEL_HOOKS_TCX_H
#define QPW_KERNEL_HOOKS_TCX_H

#include "instance/hooks.h"

/*
 * Append the hook's programs in order. Returns 0, -EOPNOTSUPP (before Linux 6.6), or another negative errno with err
 * filled.
 */
int qpw_tcx_query(unsigned ifindex, enum qpw_point point, struct qpw_hook_list *list, struct qpw_error *err);

/* Attach before all others, without a link. Errors as for qpw_tcx_query(). */
int qpw_tcx_attach(unsigned ifindex, enum qpw_point point, int prog_fd, struct qpw_error *err);

/* As qpw_hooks_replace(). */
int qpw_tcx_replace(unsigned ifindex, enum qpw_point point, const struct qpw_hook_entry *entry, int prog_fd,
                    struct qpw_error *err);

int qpw_tcx_detach(unsigned ifindex, enum qpw_point point, const struct qpw_hook_entry *entry, struct qpw_error *err);

#endif
