/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* rights.h - check the privileges of this process before starting anything that would fail halfway, and drop them. */
#ifndef QPW_HOST_RIGHTS_H
#define QPW_HOST_RIGHTS_H

#include <stdbool.h>
#include <stddef.h>

#include "util/error.h"

/*
 * Check that programs in the hooks can be found, distinguished from others' and changed: root, CAP_NET_ADMIN and
 * CAP_SYS_ADMIN (needed to open programs and maps by id; implies CAP_BPF and CAP_PERFMON) in the initial user
 * namespace. Returns 0, or -EPERM with err naming what is missing.
 */
int qpw_rights_check(struct qpw_error *err);

/* List missing optional privileges, each with what stays unseen without it, in buf; empty: none. Returns buf. */
const char *qpw_rights_optional(char *buf, size_t size);

/* Return whether this process has that capability (CAP_BPF) in its effective set. */
bool qpw_rights_have(unsigned capability);

/*
 * Irrevocably drop every capability except `kept` (as far as it has them), and whatever executing a program could add.
 * Returns 0 or a negative errno. Without CAP_SETPCAP the bounding set stays, but nothing can be regained from it.
 */
int qpw_rights_keep(const unsigned *kept, size_t n);

/* The same, keeping the capabilities that commands need to read what is attached: those that the unit grants. */
int qpw_rights_keep_reading(void);

/* Return whether the kernel still reports any other capability for this process; then buf names it. */
bool qpw_rights_left(const unsigned *kept, size_t n, char *buf, size_t size);

#endif
