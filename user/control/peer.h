/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* peer.h - identify a requesting process and check its rights. */
#ifndef QPW_CONTROL_PEER_H
#define QPW_CONTROL_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "util/error.h"

/*
 * Check whether the process at the other end of a Unix socket may end or change the audit: it needs CAP_NET_ADMIN, in
 * this process's own user, pid and network namespaces. uid 0 is not enough, because a container with the host's network
 * has it, too. Return 0; -EPERM with err filled: it may not, or its rights cannot be read. *ret_pid (may be NULL): its
 * pid, 0: not visible from here.
 */
int qpw_peer_may_control(int fd, pid_t *ret_pid, struct qpw_error *err);

/*
 * Check whether a process has CAP_NET_ADMIN in this process's own user, pid and network namespaces. may_be_elsewhere:
 * also accept one in another network namespace that could enter this one (CAP_SYS_ADMIN, too). Return 0; -EPERM: it has
 * not; -EACCES: it cannot be inspected; err then holds the rest of a sentence about it. The caller must ensure that pid
 * still is the same process.
 */
int qpw_peer_has_rights(pid_t pid, bool may_be_elsewhere, struct qpw_error *err);

/*
 * Describe a process on one line: "ana (as root), pts/3: qportwatch detach eth0"; unreadable parts are omitted. No
 * control characters, truncated to size. False if it is unknown or has ended: "process 12".
 */
bool qpw_peer_describe(pid_t pid, char *ret, size_t size);

/* Get the user's name only: the login user, else the owner of the process. */
void qpw_peer_user(pid_t pid, char *ret, size_t size);

#endif
