/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* hooks_list.h - how the lists of hooks.h are filled. Used by hooks*.c only. */
#ifndef QPW_KERNEL_HOOKS_LIST_H
#define QPW_KERNEL_HOOKS_LIST_H

#include "instance/hooks.h"

/*
 * Fills name, id and `program` of an entry from a program id; one that has ended meanwhile has no name and is not ours.
 * 0, or a negative errno with err filled (-EPERM without CAP_SYS_ADMIN): then nobody knows whose it is.
 */
int qpw_hooks_name_program(uint32_t prog_id, struct qpw_hook_entry *entry, struct qpw_error *err);

/* Adds to the list, or counts what does not fit. What may be ours always fits, in the place of another's. */
void qpw_hooks_append(struct qpw_hook_list *list, const struct qpw_hook_entry *entry);

#endif
