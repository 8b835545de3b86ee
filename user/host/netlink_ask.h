/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* netlink_ask.h - one question to rtnetlink and its whole answer. */
#ifndef QPW_HOST_NETLINK_ASK_H
#define QPW_HOST_NETLINK_ASK_H

#include <libmnl/libmnl.h>

#define QPW_NETLINK_ASK_BYTES 32768 /* a message of a dump is at most this long (NLMSG_GOODSIZE of any page size) */

/*
 * Sends the request, which stands in buffer[QPW_NETLINK_ASK_BYTES], on a socket of its own and hands each message of the
 * answer to callback, which ends an answer of one message by MNL_CB_STOP. 0, or a negative errno (-EINTR: things changed
 * during a dump; -EAGAIN: no answer came).
 */
int qpw_netlink_ask(struct nlmsghdr *request, char *buffer, mnl_cb_t callback, void *data);

#endif
