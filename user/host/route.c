/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "host/route.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdbool.h>

#define ANSWER_BYTES 8192

static int take_route(const struct nlmsghdr *message, void *data)
{
    unsigned *ifindex = data;
    const struct nlattr *attr;

    if (message->nlmsg_type != RTM_NEWROUTE)
        return MNL_CB_OK;
    mnl_attr_for_each(attr, message, sizeof(struct rtmsg))
        if (mnl_attr_get_type(attr) == RTA_OIF && mnl_attr_get_payload_len(attr) >= sizeof(*ifindex))
            *ifindex = mnl_attr_get_u32(attr);
    return MNL_CB_STOP;
}

static void put_address(struct nlmsghdr *message, uint16_t type, const uint8_t addr[16])
{
    bool v4 = IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)addr);

    mnl_attr_put(message, type, v4 ? 4 : 16, v4 ? addr + 12 : addr);
}

static int ask(struct mnl_socket *socket, const uint8_t from[16], const uint8_t to[16], unsigned *ret)
{
    _Alignas(8) char buffer[ANSWER_BYTES];
    struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
    struct rtmsg *route = mnl_nlmsg_put_extra_header(message, sizeof(*route));
    ssize_t received;

    message->nlmsg_type = RTM_GETROUTE;
    message->nlmsg_flags = NLM_F_REQUEST;
    message->nlmsg_seq = 1;
    route->rtm_family = IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)to) ? AF_INET : AF_INET6;
    route->rtm_dst_len = route->rtm_src_len = route->rtm_family == AF_INET ? 32 : 128;
    put_address(message, RTA_DST, to);
    put_address(message, RTA_SRC, from);
    if (mnl_socket_sendto(socket, message, message->nlmsg_len) < 0)
        return -errno;
    received = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));
    if (received < 0 || mnl_cb_run(buffer, received, 1, mnl_socket_get_portid(socket), take_route, ret) < 0)
        return -errno;
    return *ret ? 0 : -ENETUNREACH;
}

int qpw_route_interface(const uint8_t from[16], const uint8_t to[16], char ret[IF_NAMESIZE])
{
    struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
    unsigned ifindex = 0;
    int r;

    if (!socket)
        return -errno;
    r = mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0 ? -errno : ask(socket, from, to, &ifindex);
    mnl_socket_close(socket);
    if (r == 0 && !if_indextoname(ifindex, ret))
        r = -errno;
    return r;
}
