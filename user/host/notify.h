/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * notify.h - messages to the service manager: the protocol of sd_notify(3), a datagram to the socket that NOTIFY_SOCKET
 * names.
 */
#ifndef QPW_HOST_NOTIFY_H
#define QPW_HOST_NOTIFY_H

#include <stddef.h>

#define QPW_NOTIFY_FDS 16 /* maximum a call */

/*
 * Send lines of NAME=VALUE, without blocking. Returns 1 if sent, 0 without NOTIFY_SOCKET, or a negative errno, which
 * callers may ignore.
 */
int qpw_notify(const char *state);

/* The same, passing descriptors for the manager's store (FDSTORE=1). */
int qpw_notify_with(const char *state, const int *fds, size_t n);

/*
 * Take the descriptors that the manager stored under this name and passed to this start (LISTEN_FDS). The caller owns
 * them; they are close-on-exec. Descriptors of other names are closed. Returns how many. Works once; the environment is
 * cleared, so that children inherit none.
 */
size_t qpw_notify_stored(const char *name, int *ret, size_t room);

#endif
