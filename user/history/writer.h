/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * writer.h - the process that writes the history.
 *
 * It is a separate process because a disk may be slow, full, hung or corrupt, and SQLite then blocks: neither an alert
 * nor the loop may wait for it. It holds no map and no program of the kernel side, so that a detach takes effect at
 * once, and no capability. The auditor sends it one frame (frame.h) a minute, never a second one before the answer to
 * the first; it exits when the connection closes.
 */
#ifndef QPW_HISTORY_WRITER_H
#define QPW_HISTORY_WRITER_H

#include <stdbool.h>
#include <sys/types.h>

#include "history/history.h"

#define QPW_HISTORY_COMMAND "historian" /* internal command that runs this process */

/* Start it. *ret_fd is the caller's non-blocking end. 0, or a negative errno with err. */
int qpw_history_start(const char *path, bool standard, pid_t *ret_pid, int *ret_fd, struct qpw_error *err);

/*
 * Send a frame's descriptor, which the caller keeps. 0 or a negative errno; -EAGAIN: the process cannot take one now.
 */
int qpw_history_send(int fd, int frame);

/* Receive the answer to the last frame. True: *ret is set. *ret_gone: the process has exited. */
bool qpw_history_answer(int fd, struct qpw_history_result *ret, bool *ret_gone);

/* Run that process, its end of the connection being descriptor 3. Returns the exit status. */
int qpw_history_serve(int argc, char **argv);

#endif
