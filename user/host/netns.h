/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* netns.h - network namespaces: this one, another by its id in this one (nsid), and all that can be found. */
#ifndef QPW_HOST_NETNS_H
#define QPW_HOST_NETNS_H

#include <stdint.h>

#include "util/error.h"

/* Return the inode of the calling thread's network namespace; 0 if unknown. */
uint64_t qpw_netns_inode(void);

/*
 * Open the namespace that has this id (RTM_GETNSID) in the calling thread's own; it must have a name below /run/netns,
 * or a process. Returns a descriptor, or a negative errno with err filled (-ENOENT: nothing leads to it).
 */
int qpw_netns_open(int nsid, struct qpw_error *err);

/*
 * Call visit(descriptor, data) once for each other network namespace with such a name or process. The descriptor is
 * closed afterwards; visit may enter the namespace.
 */
void qpw_netns_each_other(void (*visit)(int fd, void *data), void *data);

#endif
