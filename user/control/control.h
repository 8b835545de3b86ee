/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * control.h - one auditor in a network namespace, and how other commands speak to it.
 *
 * An abstract Unix socket is both the lock and the channel: it belongs to the network namespace (so
 * it is found from any mount namespace), the kernel releases it when its owner dies, and only
 * processes of root are answered. One request, one answer, each a single message of text.
 */
#ifndef QPW_AUDIT_CONTROL_H
#define QPW_AUDIT_CONTROL_H

#include <stddef.h>
#include <sys/types.h>

#include "util/error.h"

#define QPW_CONTROL_BYTES 16384

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

/* Connects to the auditor of this network namespace. -ENOENT: there is none. */
int qpw_control_connect(int *ret_fd, pid_t *ret_pid, struct qpw_error *err);

/*
 * Whether an auditor of this network namespace holds the lock: 1, *ret_pid names it (0: not known); 0: none does; or a
 * negative errno where that cannot be known. Never waits.
 */
int qpw_control_held(pid_t *ret_pid);

/* Sends one message; 0 or a negative errno. */
int qpw_control_send(int fd, const char *text);

/*
 * Receives one message into buf (terminated); its length, 0 when the other end is gone, or a negative errno. -EAGAIN:
 * it has said nothing yet.
 */
ssize_t qpw_control_receive(int fd, char *buf, size_t size);

/*
 * Sends a request and waits up to `seconds` for the answer: first line the exit status, then text.
 * *ret_status and buf are set on success. -ENOENT: no auditor lives here.
 */
int qpw_control_ask(const char *request, unsigned seconds, int *ret_status, char *buf, size_t size, pid_t *ret_pid,
                    struct qpw_error *err);

#endif
