/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * control.h - communication of other commands with the one auditor of a network namespace.
 *
 * A Unix socket beside the lock (lock.h), in a folder that only root may enter. Root gets answers; requests that end or
 * change the audit need more rights (peer.h). One request, one answer, each a single message as in message.h. Every
 * wait is bounded: QPW_CONTROL_CONNECT_SECONDS for connecting, QPW_CONTROL_ANSWER_SECONDS for an answer.
 */
#ifndef QPW_CONTROL_CONTROL_H
#define QPW_CONTROL_CONTROL_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#include "util/error.h"

#define QPW_CONTROL_CONNECT_SECONDS 2
#define QPW_CONTROL_ANSWER_SECONDS 5

/* The auditor's end: the listening socket and the lock; -1: closed, or not held. */
struct qpw_control_end {
    int fd;
    int lock;
    bool takes_files; /* clients can attach descriptors to a message: see qpw_control_accept() */
};

/*
 * Take the lock and listen. Return 0; -EADDRINUSE with err filled: another process holds the lock; or another negative
 * errno with err filled. Release *ret with qpw_control_close().
 */
int qpw_control_listen(struct qpw_control_end *ret, struct qpw_error *err);
void qpw_control_close(struct qpw_control_end *end);

/*
 * Accept one client with uid 0. Return 0; -EAGAIN: none is waiting; -EPERM with err filled: it may not ask; or another
 * negative errno. The caller owns *ret_fd, which is non-blocking, so that a silent client cannot stall the auditor.
 *
 * A client could also stall it by attaching descriptors: the process that receives the message or closes the socket
 * closes them, and closing may block, as with a lingering socket. Linux 6.16 rejects them for us; on older kernels,
 * only clients that may end the audit anyway are served (peer.h). The others receive the reason and are disconnected by
 * a child process that is about to exit, where blocking does no harm.
 */
int qpw_control_accept(const struct qpw_control_end *end, int *ret_fd, struct qpw_error *err);

/* Close fd, with any messages still queued on it, in a detached child process, because closing may block. */
void qpw_control_let_go(int fd);

/*
 * Connect to the auditor of this network namespace. Return 0; -ENOENT: no auditor; -EAGAIN: it does not answer; or
 * another negative errno, with err filled. *ret_pid (may be NULL): its pid here, 0: not visible in this pid namespace.
 */
int qpw_control_connect(int *ret_fd, pid_t *ret_pid, struct qpw_error *err);

/* Return whether the other end has disconnected after its message was received. Never blocks. */
bool qpw_control_is_gone(int fd);

/* Send one message. Return 0, -EMSGSIZE (longer than QPW_CONTROL_BYTES) or another negative errno. */
int qpw_control_send(int fd, const json_t *message);

/*
 * Receive one message; the caller owns *ret. Return 0; -EAGAIN: nothing received yet; -EPIPE: disconnected; -EBADMSG
 * with err filled: not a valid message; or another negative errno.
 */
int qpw_control_receive(int fd, json_t **ret, struct qpw_error *err);

/*
 * Send a request and wait for the answer. Return its exit status (>= 0; if not 0, err holds the reason) and
 * *ret_answer, owned by the caller; or a negative errno with err filled: -ENOENT: no auditor is running, -EMSGSIZE: the
 * request is too long. ret_answer and ret_pid may be NULL.
 */
int qpw_control_ask(const json_t *request, json_t **ret_answer, pid_t *ret_pid, struct qpw_error *err);

#endif
