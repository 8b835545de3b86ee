/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "host/netlink_ask.h"

#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#define SEQUENCE 1
#define ANSWER_SECONDS 10 /* normally the kernel answers at once */

int qpw_netlink_ask(struct nlmsghdr *request, char *buffer, mnl_cb_t callback, void *data)
{
    struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
    struct timeval patience = {.tv_sec = ANSWER_SECONDS};
    ssize_t received;
    int r, left = MNL_CB_OK;

    if (!socket)
        return -errno;
    setsockopt(mnl_socket_get_fd(socket), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    request->nlmsg_seq = SEQUENCE;
    r = mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0 || mnl_socket_sendto(socket, request, request->nlmsg_len) < 0
            ? -errno : 0;
    while (r == 0 && left > MNL_CB_STOP) {
        received = mnl_socket_recvfrom(socket, buffer, QPW_NETLINK_ASK_BYTES);
        left = received < 0 ? -1 : mnl_cb_run(buffer, received, SEQUENCE, mnl_socket_get_portid(socket), callback, data);
        if (left < 0)
            r = -errno;
    }
    mnl_socket_close(socket);
    return r;
}

bool qpw_netlink_address(const struct nlattr *attr, uint8_t ret[16])
{
    static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};
    size_t length = mnl_attr_get_payload_len(attr);

    if (length == 16) {
        memcpy(ret, mnl_attr_get_payload(attr), 16);
    } else if (length == 4) {
        memcpy(ret, prefix, sizeof(prefix));
        memcpy(ret + 12, mnl_attr_get_payload(attr), 4);
    }
    return length == 4 || length == 16;
}
