/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * control.h - one auditor in a network namespace, and how other commands speak to it.
 *
 * A Unix socket beside the lock (lock.h), in a folder that only root may enter. Root is answered; what ends or changes
 * the audit takes more (peer.h). One request, one answer, each one message as in message.h. Nothing waits for ever:
 * connecting takes QPW_CONTROL_CONNECT_SECONDS at most, an answer QPW_CONTROL_ANSWER_SECONDS.
 */
#ifndef QPW_CONTROL_CONTROL_H
#define QPW_CONTROL_CONTROL_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#include "util/error.h"

#define QPW_CONTROL_CONNECT_SECONDS 2
#define QPW_CONTROL_ANSWER_SECONDS 5

/* The auditor's end: where it listens, and the lock that it holds; both -1: neither. */
struct qpw_control_end {
    int fd;
    int lock;
    bool takes_files; /* descriptors may come along with a message: see qpw_control_accept() */
};

/*
 * Takes the lock and listens; *ret is given back with qpw_control_close(). -EADDRINUSE with err filled: another process
 * has it. Another negative errno with err filled.
 */
int qpw_control_listen(struct qpw_control_end *ret, struct qpw_error *err);
void qpw_control_close(struct qpw_control_end *end);

/*
 * Accepts one client of root; -EAGAIN: none waits, -EPERM with err filled: it may not ask. *ret_fd is the caller's, and
 * neither receiving nor sending waits on it: a client that says nothing must not hold up the auditor.
 *
 * Nor must one that sends descriptors along: who receives a message or hangs up closes them, and closing may wait, as a
 * socket that lingers does. Linux 6.16 refuses them for us; before, only those are heard who may end the audit anyway
 * (peer.h). The others are told why, and hung up on by a process that is just ending, since that waits for nothing.
 */
int qpw_control_accept(const struct qpw_control_end *end, int *ret_fd, struct qpw_error *err);

/* Leaves closing it, with what others have sent and was not received, to a process of its own that nobody waits for. */
void qpw_control_let_go(int fd);

/*
 * Connects to the auditor of this network namespace. -ENOENT: there is none; -EAGAIN: there is, but it does not answer.
 * *ret_pid: its process id here, 0: it is not to be seen from this pid namespace; may be NULL.
 */
int qpw_control_connect(int *ret_fd, pid_t *ret_pid, struct qpw_error *err);

/* Whether the other end has hung up, of a connection whose message was received. Never waits. */
bool qpw_control_is_gone(int fd);

/* Sends one message. 0, -EMSGSIZE (longer than QPW_CONTROL_BYTES) or another negative errno. */
int qpw_control_send(int fd, const json_t *message);

/*
 * Receives one message; *ret is the caller's. 0; -EAGAIN: the other end has said nothing yet; -EPIPE: it is gone;
 * -EBADMSG with err filled: what it said is no message of ours; or another negative errno.
 */
int qpw_control_receive(int fd, json_t **ret, struct qpw_error *err);

/*
 * Sends a request and waits for the answer. The exit status it gives (>= 0; not 0: err says why) with
 * *ret_answer, the caller's; or a negative errno with err filled: -ENOENT: no auditor lives here, -EMSGSIZE: the
 * request is too long. ret_answer and ret_pid may be NULL.
 */
int qpw_control_ask(const json_t *request, json_t **ret_answer, pid_t *ret_pid, struct qpw_error *err);

#endif
