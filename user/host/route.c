/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "host/route.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdbool.h>

#include "host/netlink_ask.h"

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

int qpw_route_interface(const uint8_t from[16], const uint8_t to[16], char ret[IF_NAMESIZE])
{
    _Alignas(8) char buffer[QPW_NETLINK_ASK_BYTES];
    struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
    struct rtmsg *route = mnl_nlmsg_put_extra_header(message, sizeof(*route));
    unsigned ifindex = 0;
    int r;

    message->nlmsg_type = RTM_GETROUTE;
    message->nlmsg_flags = NLM_F_REQUEST;
    route->rtm_family = IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)to) ? AF_INET : AF_INET6;
    route->rtm_dst_len = route->rtm_src_len = route->rtm_family == AF_INET ? 32 : 128;
    put_address(message, RTA_DST, to);
    put_address(message, RTA_SRC, from);
    r = qpw_netlink_ask(message, buffer, take_route, &ifindex);
    if (r == 0 && !ifindex)
        r = -ENETUNREACH;
    if (r == 0 && !if_indextoname(ifindex, ret))
        r = -errno;
    return r;
}
