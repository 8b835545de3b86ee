/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* peer.h - who asks something of the auditor, and whether they may. */
#ifndef QPW_CONTROL_PEER_H
#define QPW_CONTROL_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "util/error.h"

/*
 * Whether the process at the other end of a Unix socket may end or change the audit: it has CAP_NET_ADMIN, in this
 * process's own user, pid and network namespaces. uid 0 is not enough: a container with the host's network has it, too.
 * 0; -EPERM with err filled: it may not, or what decides it cannot be read. *ret_pid: its process id, 0: not to be seen
 * from here; may be NULL.
 */
int qpw_peer_may_control(int fd, pid_t *ret_pid, struct qpw_error *err);

/*
 * Whether a process has CAP_NET_ADMIN in this process's own user, pid and network namespaces. may_be_elsewhere: or it is in
 * another network namespace, and could enter this one: it has CAP_SYS_ADMIN, too. 0; with the rest of a sentence about it in
 * err -EPERM: it has not; -EACCES: it cannot be looked into. That it is still the same process is the caller's to know.
 */
int qpw_peer_has_rights(pid_t pid, bool may_be_elsewhere, struct qpw_error *err);

/*
 * Who a process is, on one line: "ana (as root), pts/3: qportwatch detach eth0"; what cannot be read is left out. Free of
 * control characters, cut to size. False where it is not known, or has ended: "process 12".
 */
bool qpw_peer_describe(pid_t pid, char *ret, size_t size);

/* The user's name alone: who logged in, else whose process it is. */
void qpw_peer_user(pid_t pid, char *ret, size_t size);

#endif
