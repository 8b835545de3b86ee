/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* readers_server.h - the process beside the auditor that runs the commands of readers.h. */
#ifndef QPW_CONTROL_READERS_SERVER_H
#define QPW_CONTROL_READERS_SERVER_H

#include "util/error.h"

/*
 * Listen and grant the group access. The caller owns *ret_fd. Return 0; -ENOENT: there is no such group; or another
 * negative errno with err filled: the group has no access.
 */
int qpw_readers_listen(int *ret_fd, struct qpw_error *err);

/* Serve until the other end of the pipe `life` is closed. Return an exit status. */
int qpw_readers_serve(int listen_fd, int life);

#endif
