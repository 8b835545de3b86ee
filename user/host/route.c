/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "host/route.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <string.h>

#include "host/netlink_ask.h"

static int take_route(const struct nlmsghdr *message, void *data)
{
    const struct rtmsg *route = mnl_nlmsg_get_payload(message);
    struct qpw_route_answer *answer = data;
    const struct nlattr *attr;

    if (message->nlmsg_type != RTM_NEWROUTE || message->nlmsg_len < MNL_NLMSG_HDRLEN + sizeof(*route))
        return MNL_CB_OK;
    answer->local = route->rtm_type == RTN_LOCAL;
    answer->unicast = route->rtm_type == RTN_UNICAST;
    mnl_attr_for_each(attr, message, sizeof(*route))
        if (mnl_attr_get_type(attr) == RTA_OIF && mnl_attr_get_payload_len(attr) >= sizeof(answer->ifindex))
            answer->ifindex = mnl_attr_get_u32(attr);
    return MNL_CB_STOP;
}

static bool is_v4(const uint8_t addr[16])
{
    return IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)addr);
}

static void put_address(struct nlmsghdr *message, uint16_t type, const uint8_t addr[16])
{
    bool v4 = is_v4(addr);

    mnl_attr_put(message, type, v4 ? 4 : 16, v4 ? addr + 12 : addr);
}

int qpw_route_ask(const uint8_t from[16], const uint8_t to[16], unsigned arriving, struct qpw_route_answer *ret)
{
    _Alignas(8) char buffer[QPW_NETLINK_ASK_BYTES];
    struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
    struct rtmsg *route = mnl_nlmsg_put_extra_header(message, sizeof(*route));
    unsigned whole = is_v4(to) ? 32 : 128;

    *ret = (struct qpw_route_answer){0};
    message->nlmsg_type = RTM_GETROUTE;
    message->nlmsg_flags = NLM_F_REQUEST;
    route->rtm_family = is_v4(to) ? AF_INET : AF_INET6;
    route->rtm_dst_len = whole;
    put_address(message, RTA_DST, to);
    if (from) {
        route->rtm_src_len = whole;
        put_address(message, RTA_SRC, from);
    }
    if (arriving)
        mnl_attr_put_u32(message, RTA_IIF, arriving);
    return qpw_netlink_ask(message, buffer, take_route, ret);
}

int qpw_route_interface(const uint8_t from[16], const uint8_t to[16], char ret[IF_NAMESIZE])
{
    struct qpw_route_answer answer;
    int r = qpw_route_ask(from, to, 0, &answer);

    if (r == 0 && !answer.ifindex)
        r = -ENETUNREACH;
    if (r == 0 && !if_indextoname(answer.ifindex, ret))
        r = -errno;
    return r;
}
