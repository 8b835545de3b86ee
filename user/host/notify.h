/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * notify.h - messages to the service manager that started this process: sd_notify(3), whose protocol is a datagram to the
 * socket named by NOTIFY_SOCKET.
 */
#ifndef QPW_HOST_NOTIFY_H
#define QPW_HOST_NOTIFY_H

/*
 * Sends lines of NAME=VALUE. Never waits. 1: sent; 0: nobody wants to know (no NOTIFY_SOCKET); a negative errno otherwise,
 * which is no reason to do anything else.
 */
int qpw_notify(const char *state);

#endif
