/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * notify.h - messages to the service manager that started this process: sd_notify(3), whose protocol is a datagram to the
 * socket named by NOTIFY_SOCKET.
 */
#ifndef QPW_HOST_NOTIFY_H
#define QPW_HOST_NOTIFY_H

#include <stddef.h>

#define QPW_NOTIFY_FDS 16 /* at once */

/*
 * Sends lines of NAME=VALUE. Never waits. 1: sent; 0: nobody wants to know (no NOTIFY_SOCKET); a negative errno otherwise,
 * which is no reason to do anything else.
 */
int qpw_notify(const char *state);

/* The same with descriptors for its store (FDSTORE=1). */
int qpw_notify_with(const char *state, const int *fds, size_t n);

/*
 * What it kept in that store under the name since an earlier start, and has passed on with this one (LISTEN_FDS): the caller's,
 * closed on exec. Others that it passed are closed. How many; asked once, and a child has none.
 */
size_t qpw_notify_stored(const char *name, int *ret, size_t room);

#endif
