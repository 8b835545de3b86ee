/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * lock.h - who may be the auditor of a network namespace, and where its socket is.
 *
 * Both are files named by the namespace's inode in a folder that only root may enter, and go
 * through the group of readers.h where there is one, so that no other user can take the one or be spoken to in place of the
 * other. The lock is a lock of the open file (fcntl(2), F_OFD_SETLK) and ends with its holder. An auditor in another mount
 * namespace may have a folder of its own: see control/elsewhere.h.
 */
#ifndef QPW_CONTROL_LOCK_H
#define QPW_CONTROL_LOCK_H

#include <stdint.h>
#include <sys/un.h>

#include "host/pid_namespace.h"
#include "util/error.h"

#define QPW_LOCK_FOLDER "/run/qportwatch"

/*
 * Takes the lock of this network namespace, making its folder if need be. *ret_fd is the caller's and holds it.
 * -EADDRINUSE: another process holds it, *ret_holder is that process (own 0: it has not written its number yet). Another
 * negative errno with err filled: the folder cannot be made, or it is not root's alone.
 */
int qpw_lock_take(int *ret_fd, struct qpw_pid *ret_holder, struct qpw_error *err);

/* Gives the lock back and removes what belongs to it, socket and file; the folder stays, since it tells one /run from another. */
void qpw_lock_release(int fd);

/*
 * Whether a process holds the lock: 1 with *ret_holder that process, 0, or a negative errno where that cannot be known.
 * Never waits.
 */
int qpw_lock_held(struct qpw_pid *ret_holder);

/*
 * What can be done about a holder that hangs, as the rest of a sentence: "'kill -9 12' ends it". The number of another
 * pid namespace is not for who is asked here: it would be a stranger's. Into buf, which is returned.
 */
const char *qpw_lock_way_out(struct qpw_pid holder, char *buf, size_t size);

/* Which folder that is: another number where /run is another one. 0: there is none. */
uint64_t qpw_lock_folder_id(void);

/* Where the socket of this network namespace's auditor is. */
void qpw_lock_address(struct sockaddr_un *ret);

/* Where those who may only read ask; see readers.h. */
void qpw_lock_readers_address(struct sockaddr_un *ret);

#endif
