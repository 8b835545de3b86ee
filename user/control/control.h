/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * control.h - one auditor in a network namespace, and how other commands speak to it.
 *
 * An abstract Unix socket is both the lock and the channel: it belongs to the network namespace (so
 * it is found from any mount namespace), the kernel releases it when its owner dies, and only
 * processes of root are answered. One request, one answer, each one message as in message.h.
 */
#ifndef QPW_CONTROL_CONTROL_H
#define QPW_CONTROL_CONTROL_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#include "util/error.h"

/*
 * Takes the lock: *ret_fd listens. -EADDRINUSE: another process has it, *ret_pid names it (0: it did
 * not answer). Another negative errno with err filled.
 */
int qpw_control_listen(int *ret_fd, pid_t *ret_pid, struct qpw_error *err);

/*
 * Accepts one client of root; -EAGAIN: none waits, -EPERM: it was not root's. *ret_fd is the caller's, and neither
 * receiving nor sending waits on it: a client that says nothing must not hold up the auditor.
 */
int qpw_control_accept(int listen_fd, int *ret_fd);

/* Connects to the auditor of this network namespace, for two seconds at most. -ENOENT: there is none. */
int qpw_control_connect(int *ret_fd, pid_t *ret_pid, struct qpw_error *err);

/*
 * Whether an auditor of this network namespace holds the lock: 1, *ret_pid names it (0: not known); 0: none does; or a
 * negative errno where that cannot be known. Never waits.
 */
int qpw_control_held(pid_t *ret_pid);

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
 * Sends a request and waits up to `seconds` for the answer. The exit status it gives (>= 0; not 0: err says why) with
 * *ret_answer, the caller's; or a negative errno with err filled: -ENOENT: no auditor lives here, -EMSGSIZE: the
 * request is too long. ret_answer and ret_pid may be NULL.
 */
int qpw_control_ask(const json_t *request, unsigned seconds, json_t **ret_answer, pid_t *ret_pid,
                    struct qpw_error *err);

#endif
