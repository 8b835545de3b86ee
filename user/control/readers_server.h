/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* readers_server.h - the process beside the auditor that runs the commands of readers.h. */
#ifndef QPW_CONTROL_READERS_SERVER_H
#define QPW_CONTROL_READERS_SERVER_H

#include "util/error.h"

/*
 * Listens, and lets the group in. *ret_fd is the caller's. 0; -ENOENT: there is no such group; another negative errno with
 * err filled: the group stays out.
 */
int qpw_readers_listen(int *ret_fd, struct qpw_error *err);

/* Serves until nobody holds the other end of the pipe `life` any more. Returns an exit status. */
int qpw_readers_serve(int listen_fd, int life);

#endif
