/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "host/link_table.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "host/netlink_ask.h"
#include "qportwatch.h"
#include "util/array.h"

/* from linux/if.h, which cannot be included together with net/if.h */
#define LOWER_UP 0x10000u

struct qpw_link *qpw_link_find(struct qpw_link *links, size_t count, unsigned ifindex)
{
    for (size_t i = 0; i < count; i++)
        if (links[i].ifindex == ifindex)
            return &links[i];
    return NULL;
}

/* Copy a string attribute, truncated and zero-padded, because links are compared as bytes. */
static void copy_text(const struct nlattr *attr, char *to, size_t size)
{
    size_t length = strnlen(mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr));

    memset(to, 0, size);
    memcpy(to, mnl_attr_get_payload(attr), length < size ? length : size - 1);
}

static void read_driver(int fd, struct qpw_link *link)
{
    struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};
    struct ifreq request = {.ifr_data = (char *)&info};

    memcpy(request.ifr_name, link->name, sizeof(request.ifr_name));
    if (ioctl(fd, SIOCETHTOOL, &request) == 0)
        memcpy(link->driver, info.driver, strnlen(info.driver, sizeof(link->driver) - 1));
}

/* Return whether IFLA_LINK of such a device names the one that carries its frames (a veth's names its peer). */
static bool rides_on_lower(const char *kind)
{
    static const char *const kinds[] = {"vlan", "macvlan", "macvtap", "ipvlan", "ipvtap", "macsec", "dsa"};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
        if (!strcmp(kind, kinds[i]))
            return true;
    return false;
}

/* Return entry `index` of the sysctl array `type` in a link's address family attribute. */
static bool conf_value(const struct nlattr *family, uint16_t type, unsigned index)
{
    const struct nlattr *attr;
    uint32_t value;

    mnl_attr_for_each_nested(attr, family) {
        if (mnl_attr_get_type(attr) != type || mnl_attr_get_payload_len(attr) < (index + 1) * sizeof(value))
            continue;
        memcpy(&value, (const char *)mnl_attr_get_payload(attr) + index * sizeof(value), sizeof(value));
        return value;
    }
    return false;
}

static void read_link_attribute(const struct nlattr *attr, struct qpw_link *link)
{
    const struct nlattr *inner;
    struct rtnl_link_stats64 stats;

    switch (mnl_attr_get_type(attr)) {
    case IFLA_IFNAME:
        copy_text(attr, link->name, sizeof(link->name));
        break;
    case IFLA_ADDRESS:
        if (mnl_attr_get_payload_len(attr) == sizeof(link->mac))
            memcpy(link->mac, mnl_attr_get_payload(attr), sizeof(link->mac));
        break;
    case IFLA_MTU:
        link->mtu = mnl_attr_get_u32(attr);
        break;
    case IFLA_MASTER:
        link->upper = mnl_attr_get_u32(attr);
        break;
    case IFLA_LINK:
        link->lower = mnl_attr_get_u32(attr);
        break;
    case IFLA_LINKINFO:
        mnl_attr_for_each_nested(inner, attr)
            if (mnl_attr_get_type(inner) == IFLA_INFO_KIND)
                copy_text(inner, link->kind, sizeof(link->kind));
        break;
    case IFLA_AF_SPEC:
        mnl_attr_for_each_nested(inner, attr) {
            if (mnl_attr_get_type(inner) == AF_INET)
                link->forward4 = conf_value(inner, IFLA_INET_CONF, IPV4_DEVCONF_FORWARDING - 1);
            else if (mnl_attr_get_type(inner) == AF_INET6)
                link->forward6 = conf_value(inner, IFLA_INET6_CONF, DEVCONF_FORWARDING);
        }
        break;
    case IFLA_STATS64:
        if (mnl_attr_get_payload_len(attr) < 2 * sizeof(uint64_t))
            break;
        memcpy(&stats, mnl_attr_get_payload(attr), 2 * sizeof(uint64_t));
        link->rx_packets = stats.rx_packets;
        link->tx_packets = stats.tx_packets;
        break;
    }
}

/* Forget where a link of that number moved to, because the number is in use here again. */
static void forget_move(struct qpw_link_table *p, unsigned ifindex)
{
    for (size_t i = 0; i < QPW_MOVED_KEPT; i++)
        if (p->moved[i].ifindex == ifindex)
            p->moved[i].ifindex = 0;
}

static int new_link(const struct nlmsghdr *message, struct qpw_link_table *p)
{
    const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
    struct qpw_link link, *known = qpw_link_find(p->links, p->n_links, info->ifi_index);
    const struct nlattr *attr;
    bool lower_elsewhere = false;

    memset(&link, 0, sizeof(link));
    link.ifindex = info->ifi_index;
    link.type = info->ifi_type;
    link.flags = info->ifi_flags;
    link.up = info->ifi_flags & IFF_UP;
    link.carrier = info->ifi_flags & LOWER_UP;
    mnl_attr_for_each(attr, message, sizeof(*info)) {
        if (mnl_attr_get_type(attr) == IFLA_WIRELESS)
            return MNL_CB_OK; /* a wireless event, which lacks most attributes */
        if (mnl_attr_get_type(attr) == IFLA_LINK_NETNSID)
            lower_elsewhere = true;
        read_link_attribute(attr, &link);
    }
    if (lower_elsewhere || !rides_on_lower(link.kind))
        link.lower = 0;
    if (known) {
        memcpy(link.driver, known->driver, sizeof(link.driver));
        link.serial = known->serial;
        *known = link;
        return MNL_CB_OK;
    }
    known = QPW_ADD(p->links, p->n_links);
    if (!known) {
        errno = ENOMEM;
        return MNL_CB_ERROR;
    }
    forget_move(p, (unsigned)info->ifi_index);
    link.serial = ++p->serial;
    read_driver(p->ioctl_fd, &link);
    p->links[p->n_links++] = link;
    return MNL_CB_OK;
}

/* Remember which namespace a link moved to (reported since Linux 4.15). */
static void note_move(const struct nlmsghdr *message, struct qpw_link_table *p)
{
    const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
    struct qpw_moved moved = {.ifindex = (unsigned)info->ifi_index, .nsid = -1};
    const struct nlattr *attr;

    mnl_attr_for_each(attr, message, sizeof(*info)) {
        if (mnl_attr_get_type(attr) == IFLA_NEW_NETNSID)
            moved.nsid = (int)mnl_attr_get_u32(attr);
        else if (mnl_attr_get_type(attr) == IFLA_NEW_IFINDEX)
            moved.new_ifindex = mnl_attr_get_u32(attr);
    }
    if (moved.nsid >= 0)
        p->moved[p->n_moved++ % QPW_MOVED_KEPT] = moved;
}

static void delete_link(const struct nlmsghdr *message, struct qpw_link_table *p)
{
    const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
    struct qpw_link *known = qpw_link_find(p->links, p->n_links, info->ifi_index);

    note_move(message, p);
    if (known)
        *known = p->links[--p->n_links];
    /* The kernel reports each removed address too, except for links that move to another namespace with theirs. */
    for (size_t i = 0; i < p->n_addresses;) {
        if (p->addresses[i].ifindex == (unsigned)info->ifi_index)
            p->addresses[i] = p->addresses[--p->n_addresses];
        else
            i++;
    }
}

static bool is_loopback(const uint8_t addr[16])
{
    static const uint8_t v4[13] = {[10] = 0xff, [11] = 0xff, [12] = 127}, v6[16] = {[15] = 1};

    return !memcmp(addr, v4, sizeof(v4)) || !memcmp(addr, v6, sizeof(v6));
}

/* Fill *a from the message. False: no usable address in it. */
static bool read_address(const struct nlmsghdr *message, struct qpw_link_address *a)
{
    const struct ifaddrmsg *info = mnl_nlmsg_get_payload(message);
    const struct nlattr *attr, *local = NULL, *plain = NULL, *broadcast = NULL;

    memset(a, 0, sizeof(*a));
    if (info->ifa_family != AF_INET && info->ifa_family != AF_INET6)
        return false;
    a->ifindex = info->ifa_index;
    mnl_attr_for_each(attr, message, sizeof(*info)) {
        switch (mnl_attr_get_type(attr)) {
        case IFA_LOCAL: local = attr; break;
        case IFA_ADDRESS: plain = attr; break;
        case IFA_BROADCAST: broadcast = attr; break;
        }
    }
    /* On a point-to-point link, IFA_ADDRESS is the peer. */
    if (!local && !plain)
        return false;
    qpw_netlink_address(local ? local : plain, a->addr);
    if (info->ifa_family != AF_INET)
        return true;
    a->prefix = info->ifa_prefixlen;
    qpw_netlink_address(plain ? plain : local, a->other);
    if (broadcast) {
        qpw_netlink_address(broadcast, a->broadcast);
    } else if (info->ifa_prefixlen < 31) {
        /* The kernel routes the subnet's last address as broadcast even if none was configured. */
        qpw_netlink_address(plain ? plain : local, a->broadcast);
        for (unsigned bit = 96 + info->ifa_prefixlen; bit < 128; bit++)
            a->broadcast[bit / 8] |= 0x80 >> bit % 8;
    }
    return true;
}

static bool same_address(const struct qpw_link_address *a, const struct qpw_link_address *b)
{
    return a->ifindex == b->ifindex && a->prefix == b->prefix && !memcmp(a->addr, b->addr, 16) &&
           !memcmp(a->other, b->other, 16);
}

static int change_address(const struct nlmsghdr *message, struct qpw_link_table *p)
{
    struct qpw_link_address address;
    size_t i;

    if (!read_address(message, &address))
        return MNL_CB_OK;
    for (i = 0; i < p->n_addresses; i++)
        if (same_address(&p->addresses[i], &address))
            break;
    if (message->nlmsg_type == RTM_DELADDR) {
        if (i < p->n_addresses)
            p->addresses[i] = p->addresses[--p->n_addresses];
        return MNL_CB_OK;
    }
    if (i == p->n_addresses) {
        if (!QPW_ADD(p->addresses, p->n_addresses)) {
            errno = ENOMEM;
            return MNL_CB_ERROR;
        }
        p->n_addresses++;
    }
    p->addresses[i] = address;
    return MNL_CB_OK;
}

/*
 * Track prefixes that the kernel delivers to the node itself. Only table "local" counts: in other tables, such routes
 * divert packets for other hosts to a proxy. Routes of single addresses follow from the addresses.
 */
static int change_route(const struct nlmsghdr *message, struct qpw_link_table *p)
{
    const struct rtmsg *route = mnl_nlmsg_get_payload(message);
    unsigned whole = route->rtm_family == AF_INET ? 32 : 128;
    struct qpw_served_device served = {.prefix = 128 - whole + route->rtm_dst_len};
    const struct nlattr *attr;
    size_t i;

    if ((route->rtm_family != AF_INET && route->rtm_family != AF_INET6) || route->rtm_type != RTN_LOCAL ||
        route->rtm_table != RT_TABLE_LOCAL || !route->rtm_dst_len || route->rtm_dst_len >= whole)
        return MNL_CB_OK;
    mnl_attr_for_each(attr, message, sizeof(*route))
        if (mnl_attr_get_type(attr) == RTA_DST)
            qpw_netlink_address(attr, served.addr);
    if (is_loopback(served.addr))
        return MNL_CB_OK;
    for (i = 0; i < p->n_served; i++)
        if (!memcmp(&p->served[i], &served, sizeof(served)))
            break;
    if (message->nlmsg_type == RTM_DELROUTE) {
        if (i < p->n_served)
            p->served[i] = p->served[--p->n_served];
        return MNL_CB_OK;
    }
    if (i < p->n_served)
        return MNL_CB_OK;
    if (!QPW_ADD(p->served, p->n_served)) {
        errno = ENOMEM;
        return MNL_CB_ERROR;
    }
    p->served[p->n_served++] = served;
    return MNL_CB_OK;
}

static void change_forwarding(const struct nlmsghdr *message, struct qpw_link_table *p)
{
    const struct netconfmsg *info = mnl_nlmsg_get_payload(message);
    const struct nlattr *attr, *ifindex = NULL, *forwarding = NULL;
    struct qpw_link *link;

    mnl_attr_for_each(attr, message, sizeof(*info)) {
        if (mnl_attr_get_type(attr) == NETCONFA_IFINDEX)
            ifindex = attr;
        else if (mnl_attr_get_type(attr) == NETCONFA_FORWARDING)
            forwarding = attr;
    }
    /* "all" and "default" have negative indices, which match no link. */
    link = ifindex ? qpw_link_find(p->links, p->n_links, mnl_attr_get_u32(ifindex)) : NULL;
    if (!link || !forwarding)
        return;
    if (info->ncm_family == AF_INET)
        link->forward4 = mnl_attr_get_u32(forwarding);
    else if (info->ncm_family == AF_INET6)
        link->forward6 = mnl_attr_get_u32(forwarding);
}

int qpw_link_table_message(const struct nlmsghdr *message, void *data)
{
    struct qpw_link_table *p = data;
    const struct ifinfomsg *link = mnl_nlmsg_get_payload(message);

    switch (message->nlmsg_type) {
    case RTM_NEWLINK:
    case RTM_DELLINK:
        /* Bridges report ports with the same message types; a port leaving its bridge is not a deleted link. */
        if (message->nlmsg_len < MNL_NLMSG_HDRLEN + sizeof(*link) || link->ifi_family != AF_UNSPEC)
            return MNL_CB_OK;
        if (message->nlmsg_type == RTM_NEWLINK)
            return new_link(message, p);
        delete_link(message, p);
        return MNL_CB_OK;
    case RTM_NEWADDR:
    case RTM_DELADDR:
        if (message->nlmsg_len < MNL_NLMSG_HDRLEN + sizeof(struct ifaddrmsg))
            return MNL_CB_OK;
        return change_address(message, p);
    case RTM_NEWRULE:
    case RTM_DELRULE:
        p->routes_changed = true;
        return MNL_CB_OK;
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
        p->routes_changed = true;
        if (message->nlmsg_len < MNL_NLMSG_HDRLEN + sizeof(struct rtmsg))
            return MNL_CB_OK;
        return change_route(message, p);
    case RTM_NEWNETCONF:
        if (message->nlmsg_len >= MNL_NLMSG_HDRLEN + sizeof(struct netconfmsg))
            change_forwarding(message, p);
        return MNL_CB_OK;
    default:
        return MNL_CB_OK;
    }
}

void qpw_link_table_clear(struct qpw_link_table *p)
{
    free(p->links);
    free(p->addresses);
    free(p->served);
    p->links = NULL;
    p->addresses = NULL;
    p->served = NULL;
    p->n_links = p->n_addresses = p->n_served = 0;
}

int qpw_local_order(const void *a, const void *b)
{
    const struct qpw_local *x = a, *y = b;
    int order = memcmp(x->addr, y->addr, 16);

    return order ? order : (x->prefix > y->prefix) - (x->prefix < y->prefix);
}

struct qpw_local *qpw_link_table_locals(const struct qpw_link_table *p, size_t *ret_count)
{
    static const uint8_t none[16];
    struct qpw_local *locals = calloc(2 * p->n_addresses + p->n_served + 1, sizeof(*locals));
    size_t count = 0, kept = 0;

    if (!locals)
        return NULL;
    for (size_t i = 0; i < p->n_addresses; i++) {
        const struct qpw_link_address *a = &p->addresses[i];

        if (is_loopback(a->addr))
            continue;
        memcpy(locals[count].addr, a->addr, 16);
        locals[count].prefix = 128;
        locals[count++].flags = QPW_LOCAL_ADDRESS;
        if (!memcmp(a->broadcast, none, 16))
            continue;
        memcpy(locals[count].addr, a->broadcast, 16);
        locals[count].prefix = 128;
        locals[count++].flags = QPW_LOCAL_BROADCAST;
    }
    for (size_t i = 0; i < p->n_served; i++) {
        memcpy(locals[count].addr, p->served[i].addr, 16);
        locals[count].prefix = p->served[i].prefix;
        locals[count++].flags = QPW_LOCAL_ADDRESS;
    }
    qsort(locals, count, sizeof(*locals), qpw_local_order);
    for (size_t i = 0; i < count; i++) {
        if (kept && !qpw_local_order(&locals[kept - 1], &locals[i]))
            locals[kept - 1].flags |= locals[i].flags;
        else
            locals[kept++] = locals[i];
    }
    *ret_count = kept;
    return locals;
}
