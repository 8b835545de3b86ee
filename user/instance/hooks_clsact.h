/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* hooks_clsact.h - the clsact qdisc, where there is no TCX. Used by hooks.c only. */
#ifndef QPW_KERNEL_HOOKS_CLSACT_H
#define QPW_KERNEL_HOOKS_CLSACT_H

#include "instance/hooks.h"

/* Appends its filters by priority, also those of an `ingress` qdisc. No qdisc: nothing. 0 or a negative errno. */
int qpw_clsact_query(unsigned ifindex, enum qpw_point point, struct qpw_hook_list *list, struct qpw_error *err);

/* Whether there is a clsact or ingress qdisc, as far as that can be asked. */
bool qpw_clsact_has_qdisc(unsigned ifindex);

/* As qpw_hooks_attach_tc, at the lowest free priority. */
int qpw_clsact_attach(unsigned ifindex, enum qpw_point point, int prog_fd, bool *ret_made_qdisc,
                      struct qpw_error *err);

/* As qpw_hooks_replace(). */
int qpw_clsact_replace(unsigned ifindex, enum qpw_point point, const struct qpw_hook_entry *entry, int prog_fd,
                       struct qpw_error *err);

int qpw_clsact_detach(unsigned ifindex, enum qpw_point point, const struct qpw_hook_entry *entry,
                      struct qpw_error *err);

/* Removes the qdisc with whatever is in it: ask first. */
int qpw_clsact_remove(unsigned ifindex, struct qpw_error *err);

#endif
