/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* hooks_tcx.h - TCX, by bpf(2) itself: Debian 12's libbpf and headers are older than it. Used by hooks.c only. */
#ifndef QPW_KERNEL_HOOKS_TCX_H
#define QPW_KERNEL_HOOKS_TCX_H

#include "instance/hooks.h"

/* Appends what stands there in its order. 0, -EOPNOTSUPP (kernel before 6.6), or another negative errno. */
int qpw_tcx_query(unsigned ifindex, enum qpw_point point, struct qpw_hook_list *list, struct qpw_error *err);

/* Attaches in front of all, without a link. Errors as qpw_tcx_query. */
int qpw_tcx_attach(unsigned ifindex, enum qpw_point point, int prog_fd, struct qpw_error *err);

/* As qpw_hooks_replace(). */
int qpw_tcx_replace(unsigned ifindex, enum qpw_point point, const struct qpw_hook_entry *entry, int prog_fd,
                    struct qpw_error *err);

int qpw_tcx_detach(unsigned ifindex, enum qpw_point point, const struct qpw_hook_entry *entry, struct qpw_error *err);

#endif
