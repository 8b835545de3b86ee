/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* hooks_list.h - fill the lists of hooks.h. Used by hooks*.c only. */
#ifndef QPW_KERNEL_HOOKS_LIST_H
#define QPW_KERNEL_HOOKS_LIST_H

#include "instance/hooks.h"

/*
 * Fill name, id and `program` of an entry from a program id; a program that has ended meanwhile gets no name and counts
 * as foreign. Returns 0, or a negative errno with err filled (-EPERM without CAP_SYS_ADMIN): then its owner is unknown.
 */
int qpw_hooks_name_program(uint32_t prog_id, struct qpw_hook_entry *entry, struct qpw_error *err);

/* Append an entry, or count it if the list is full. An entry that may be ours then replaces a foreign one. */
void qpw_hooks_append(struct qpw_hook_list *list, const struct qpw_hook_entry *entry);

#endif
