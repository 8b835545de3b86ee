/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * readers.h - commands that only read, run for members of the group `qportwatch`, who are not root.
 *
 * What they read takes root's rights. They ask over a socket of their own, which the auditor never touches: descriptors
 * that come with a message can hold up who closes them, and before Linux 6.16 they cannot be refused. A process
 * beside the auditor serves it (qpw_readers_serve()); each command runs in a process of its own, its output goes back as
 * packets, so no descriptor of the asker is ever taken.
 *
 *   request  the command's words, each with its NUL, in one packet
 *   answer   packets that begin with '1' (standard output) or '2' (standard error), then 'x' and the exit status
 */
#ifndef QPW_CONTROL_READERS_H
#define QPW_CONTROL_READERS_H

#include <stdbool.h>
#include <sys/types.h>

#include "util/error.h"

#define QPW_READERS_GROUP "qportwatch"
#define QPW_READERS_COMMAND "readers" /* the program as that process; not for people */

/*
 * Listens, and lets the group in. *ret_fd is the caller's. 0; -ENOENT: there is no such group; another negative errno with
 * err filled: the group stays out.
 */
int qpw_readers_listen(int *ret_fd, struct qpw_error *err);

/* Serves until nobody holds the other end of the pipe `life` any more. Returns an exit status. */
int qpw_readers_serve(int listen_fd, int life);

/*
 * Has the command run: argv[0] is its name. Its exit status, with the output on this process's; or -1: nobody serves
 * readers here, or this process may not ask.
 */
int qpw_readers_ask(int argc, char **argv);

/* Whether the words are a command that only reads, with options that name no file. err says why not. */
bool qpw_readers_may(int argc, char *const *argv, struct qpw_error *err);

#endif
