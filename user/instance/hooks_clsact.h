/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* hooks_clsact.h - the clsact qdisc, for kernels without TCX. Used by hooks.c and hook_scan.c only. */
#ifndef QPW_KERNEL_HOOKS_CLSACT_H
#define QPW_KERNEL_HOOKS_CLSACT_H

#include "instance/hooks.h"

/*
 * Append the filters in order of priority, also those of an `ingress` qdisc; none without a qdisc. Returns 0, or a
 * negative errno with err filled.
 */
int qpw_clsact_query(unsigned ifindex, enum qpw_point point, struct qpw_hook_list *list, struct qpw_error *err);

/* Return whether there is a clsact or ingress qdisc; false if unknown. */
bool qpw_clsact_has_qdisc(unsigned ifindex);

/* As qpw_hooks_attach_tc(), at the lowest free priority. */
int qpw_clsact_attach(unsigned ifindex, enum qpw_point point, int prog_fd, bool *ret_made_qdisc,
                      struct qpw_error *err);

/* As qpw_hooks_replace(). */
int qpw_clsact_replace(unsigned ifindex, enum qpw_point point, const struct qpw_hook_entry *entry, int prog_fd,
                       struct qpw_error *err);

int qpw_clsact_detach(unsigned ifindex, enum qpw_point point, const struct qpw_hook_entry *entry,
                      struct qpw_error *err);

/* Remove the qdisc with all its filters; the caller checks that it may. */
int qpw_clsact_remove(unsigned ifindex, struct qpw_error *err);

#endif
