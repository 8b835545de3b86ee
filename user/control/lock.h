/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * lock.h - the lock that permits one auditor per network namespace, and the address of its socket.
 *
 * Both are files named by the namespace's inode, in a folder that only root may enter, and the group of readers.h if it
 * exists, so that no other user can take the lock or impersonate the auditor. The lock is an open file description lock
 * (fcntl(2), F_OFD_SETLK) and ends with its holder. An auditor in another mount namespace may have a different folder:
 * see control/elsewhere.h.
 */
#ifndef QPW_CONTROL_LOCK_H
#define QPW_CONTROL_LOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/un.h>

#include "host/pid_namespace.h"
#include "util/error.h"

#define QPW_LOCK_FOLDER "/run/qportwatch"

/*
 * Take the lock of this network namespace, creating its folder if necessary. The lock is held until the caller closes
 * *ret_fd. Return 0; -EADDRINUSE: another process holds it, *ret_holder (own 0: its pid is not written yet); or another
 * negative errno with err filled: the folder cannot be created, or is not exclusively root's.
 */
int qpw_lock_take(int *ret_fd, struct qpw_pid *ret_holder, struct qpw_error *err);

/* Release the lock and remove its file, the sockets and the event files; keep the folder, because it identifies this /run. */
void qpw_lock_release(int fd);

/*
 * Return 1 if a process holds the lock, with *ret_holder that process; 0 if none does; a negative errno if unknown.
 * Never blocks.
 */
int qpw_lock_held(struct qpw_pid *ret_holder);

/*
 * Write a remedy for a holder that hangs as the rest of a sentence: "'kill -9 12' ends it". A pid of another pid
 * namespace is omitted, because here it would be a different process. Returns buf.
 */
const char *qpw_lock_way_out(struct qpw_pid holder, char *buf, size_t size);

/* Return a number that identifies the folder, different for a different /run. 0: there is none. */
uint64_t qpw_lock_folder_id(void);

/*
 * Return whether an auditor has run in this folder since boot, in any network namespace, and note that one has. The folder
 * lies in memory; that it exists says nothing, because a package has it made when the system starts.
 */
bool qpw_lock_was_audited(void);
void qpw_lock_note_audited(void);

/* Get the address of the auditor's socket in this network namespace. */
void qpw_lock_address(struct sockaddr_un *ret);

/* Get the address of the socket for read-only users; see readers.h. */
void qpw_lock_readers_address(struct sockaddr_un *ret);

#endif
