/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* netns.h - other network namespaces, by the numbers that the kernel tells of them, and all that can be found. */
#ifndef QPW_HOST_NETNS_H
#define QPW_HOST_NETNS_H

#include "util/error.h"

/*
 * Opens the namespace that has this number (RTM_GETNSID) in the calling thread's own: one that has a name below
 * /run/netns, or a process. A descriptor, or a negative errno with err filled (-ENOENT: nothing leads to it).
 */
int qpw_netns_open(int nsid, struct qpw_error *err);

/*
 * Calls visit(descriptor, data) once for each other network namespace that such a name or process leads to. The descriptor
 * is closed after it. visit may enter it.
 */
void qpw_netns_each_other(void (*visit)(int fd, void *data), void *data);

#endif
