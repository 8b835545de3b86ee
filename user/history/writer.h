/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * writer.h - the process that writes the history.
 *
 * It is one of its own, because a disk may be slow, full, hung or damaged, and SQLite then waits where it stands: neither
 * an alert nor the loop may wait with it. It holds no map and no program of the kernel side, so that what is detached
 * ends at once, and no capability. The auditor sends it a frame (frame.h) a minute, never a second one before
 * the answer to the first; it ends with the connection.
 */
#ifndef QPW_HISTORY_WRITER_H
#define QPW_HISTORY_WRITER_H

#include <stdbool.h>
#include <sys/types.h>

#include "history/history.h"

#define QPW_HISTORY_COMMAND "historian" /* the program as that process; not for people */

/* Starts it. *ret_fd is the caller's end, which never blocks. 0, or a negative errno with err. */
int qpw_history_start(const char *path, bool standard, pid_t *ret_pid, int *ret_fd, struct qpw_error *err);

/* Sends a frame's descriptor, which stays the caller's. 0 or a negative errno; -EAGAIN: it takes none just now. */
int qpw_history_send(int fd, int frame);

/* The answer to the frame sent last. True: it is there. *ret_gone: the process has ended. */
bool qpw_history_answer(int fd, struct qpw_history_result *ret, bool *ret_gone);

/* What that process does, its own end being descriptor 3. The exit status. */
int qpw_history_serve(int argc, char **argv);

#endif
