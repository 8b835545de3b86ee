/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* netlink_ask.h - send one rtnetlink request and receive its whole answer. */
#ifndef QPW_HOST_NETLINK_ASK_H
#define QPW_HOST_NETLINK_ASK_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stdint.h>

#define QPW_NETLINK_ASK_BYTES 32768 /* bound on a dump message (NLMSG_GOODSIZE of any page size) */

/*
 * Send the request, which stands in buffer[QPW_NETLINK_ASK_BYTES], on a new socket and pass each message of the answer
 * to callback; it ends a single-message answer by returning MNL_CB_STOP. Returns 0, or a negative errno (-EINTR: things
 * changed during a dump; -EAGAIN: no answer came).
 */
int qpw_netlink_ask(struct nlmsghdr *request, char *buffer, mnl_cb_t callback, void *data);

/* Convert an address attribute of either family to 16 bytes, IPv4-mapped. False: it has another length; ret is as it was. */
bool qpw_netlink_address(const struct nlattr *attr, uint8_t ret[16]);

#endif
