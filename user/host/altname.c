/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "host/altname.h"

#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define BUFFER_BYTES 32768
#define SEQUENCE 1
#define ALTNAME_BYTES 128u /* ALTIFNAMSIZ, include/uapi/linux/if.h */

static int on_link(const struct nlmsghdr *message, void *data)
{
    const struct nlattr *attr;
    char *ret = data;

    mnl_attr_for_each(attr, message, sizeof(struct ifinfomsg))
        if (mnl_attr_get_type(attr) == IFLA_IFNAME)
            snprintf(ret, 16, "%s", mnl_attr_get_str(attr));
    return MNL_CB_STOP;
}

const char *qpw_altname_main(const char *name, char buf[16])
{
    char buffer[BUFFER_BYTES];
    struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
    struct mnl_socket *socket;
    ssize_t got = -1;

    *buf = '\0';
    if (!*name || strlen(name) >= ALTNAME_BYTES)
        return name;
    request->nlmsg_type = RTM_GETLINK;
    request->nlmsg_flags = NLM_F_REQUEST;
    request->nlmsg_seq = SEQUENCE;
    mnl_nlmsg_put_extra_header(request, sizeof(struct ifinfomsg));
    mnl_attr_put_strz(request, IFLA_ALT_IFNAME, name);
    socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
    if (!socket)
        return name;
    if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) == 0 && mnl_socket_sendto(socket, request, request->nlmsg_len) >= 0)
        got = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));
    if (got >= 0)
        got = mnl_cb_run(buffer, got, SEQUENCE, mnl_socket_get_portid(socket), on_link, buf);
    mnl_socket_close(socket);
    return got >= 0 && *buf ? buf : name;
}
