/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* rights.h - what this process may do, asked before anything is done that would fail halfway. */
#ifndef QPW_HOST_RIGHTS_H
#define QPW_HOST_RIGHTS_H

#include <stdbool.h>
#include <stddef.h>

#include "util/error.h"

/*
 * Whether programs in the hooks can be found, told from others' and changed: root, CAP_NET_ADMIN and CAP_SYS_ADMIN (by
 * which the kernel opens programs and maps by their ids; it stands for CAP_BPF and CAP_PERFMON too), in the initial user
 * namespace. 0, or -EPERM with err naming what is missing.
 */
int qpw_rights_check(struct qpw_error *err);

/* What is optional and missing, each with what is not seen without it, into buf; an empty text: nothing. */
const char *qpw_rights_optional(char *buf, size_t size);

/* Whether this process has that capability (CAP_BPF) in effect. */
bool qpw_rights_have(unsigned capability);

/*
 * Give up, for good, every capability but those (of which it keeps what it has), and whatever might be gained by executing
 * something. 0 or a negative errno. Without CAP_SETPCAP the bounding set stays, of which nothing can be gained then.
 */
int qpw_rights_keep(const unsigned *kept, size_t n);

/* Whether this process has any other capability, as the kernel says; then buf says which. */
bool qpw_rights_left(const unsigned *kept, size_t n, char *buf, size_t size);

#endif
