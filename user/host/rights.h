/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* rights.h - what this process may do, asked before anything is done that would fail halfway. */
#ifndef QPW_HOST_RIGHTS_H
#define QPW_HOST_RIGHTS_H

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

#endif
