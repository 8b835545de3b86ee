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

/* Default routes, collected while reading. */
struct defaults {
    unsigned ifindex[16]; /* of the lowest metric so far */
    size_t n;
    uint32_t metric;
};

static void add_default(struct defaults *d, unsigned ifindex)
{
    for (size_t i = 0; i < d->n; i++)
        if (d->ifindex[i] == ifindex)
            return;
    if (ifindex && d->n < sizeof(d->ifindex) / sizeof(*d->ifindex))
        d->ifindex[d->n++] = ifindex;
}

static void add_hops(struct defaults *d, const struct nlattr *hops)
{
    const struct rtnexthop *hop = mnl_attr_get_payload(hops);
    int left = mnl_attr_get_payload_len(hops);

    for (; RTNH_OK(hop, left); left -= RTNH_ALIGN(hop->rtnh_len), hop = RTNH_NEXT(hop))
        add_default(d, (unsigned)hop->rtnh_ifindex);
}

static int take_default(const struct nlmsghdr *message, void *data)
{
    const struct rtmsg *route = mnl_nlmsg_get_payload(message);
    const struct nlattr *attr, *hops = NULL;
    struct defaults *d = data;
    uint32_t metric = 0, table = route->rtm_table;
    unsigned ifindex = 0;

    if (message->nlmsg_type != RTM_NEWROUTE || route->rtm_dst_len || route->rtm_type != RTN_UNICAST)
        return MNL_CB_OK;
    mnl_attr_for_each(attr, message, sizeof(*route)) {
        bool number = mnl_attr_get_payload_len(attr) >= sizeof(uint32_t);

        if (mnl_attr_get_type(attr) == RTA_OIF && number)
            ifindex = mnl_attr_get_u32(attr);
        else if (mnl_attr_get_type(attr) == RTA_PRIORITY && number)
            metric = mnl_attr_get_u32(attr);
        else if (mnl_attr_get_type(attr) == RTA_TABLE && number)
            table = mnl_attr_get_u32(attr);
        else if (mnl_attr_get_type(attr) == RTA_MULTIPATH)
            hops = attr;
    }
    if (table != RT_TABLE_MAIN || metric > d->metric)
        return MNL_CB_OK;
    if (metric < d->metric)
        d->n = 0;
    d->metric = metric;
    if (hops)
        add_hops(d, hops);
    else
        add_default(d, ifindex);
    return MNL_CB_OK;
}

static int read_defaults(unsigned char family, struct defaults *ret)
{
    _Alignas(8) char buffer[QPW_NETLINK_ASK_BYTES];
    struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
    struct rtmsg *route = mnl_nlmsg_put_extra_header(message, sizeof(*route));

    *ret = (struct defaults){.metric = UINT32_MAX};
    message->nlmsg_type = RTM_GETROUTE;
    message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    route->rtm_family = family;
    return qpw_netlink_ask(message, buffer, take_default, ret);
}

int qpw_route_defaults(unsigned *ret, size_t room)
{
    struct defaults v4 = {0}, v6 = {0};
    size_t n = 0;
    int r = read_defaults(AF_INET, &v4);

    if (r == 0)
        r = read_defaults(AF_INET6, &v6);
    if (r < 0)
        return r;
    for (size_t i = 0; i < v6.n; i++)
        add_default(&v4, v6.ifindex[i]);
    for (; n < v4.n && n < room; n++)
        ret[n] = v4.ifindex[n];
    return (int)n;
}
