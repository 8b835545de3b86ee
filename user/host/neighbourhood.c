/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "host/neighbourhood.h"

#include <errno.h>
#include <linux/gen_stats.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/netlink_ask.h"
#include "util/array.h"

#define USABLE (NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT)

/* A reading in progress. */
struct reading {
    struct qpw_neighbourhood *to;
    uint64_t now_unix_ns;
    long ticks_per_second;
};

static void take_counters(struct qpw_device *d, const struct nlattr *attr)
{
    struct rtnl_link_stats64 s = {0};
    size_t length = mnl_attr_get_payload_len(attr);

    memcpy(&s, mnl_attr_get_payload(attr), length < sizeof(s) ? length : sizeof(s));
    d->rx = s.rx_packets;
    d->tx = s.tx_packets;
    d->rx_lost = s.rx_missed_errors + s.rx_dropped + s.rx_errors;
    d->tx_lost = s.tx_dropped + s.tx_errors;
}

static int take_link(const struct nlmsghdr *message, void *data)
{
    const struct ifinfomsg *link = mnl_nlmsg_get_payload(message);
    struct qpw_neighbourhood *to = ((struct reading *)data)->to;
    const struct nlattr *attr;
    struct qpw_device *d;

    if (message->nlmsg_type != RTM_NEWLINK || message->nlmsg_len < MNL_NLMSG_HDRLEN + sizeof(*link))
        return MNL_CB_OK;
    d = QPW_ADD(to->devices, to->n_devices);
    if (!d)
        return MNL_CB_ERROR;
    to->n_devices++;
    d->ifindex = (unsigned)link->ifi_index;
    d->up = link->ifi_flags & IFF_UP;
    d->loopback = link->ifi_flags & IFF_LOOPBACK;
    mnl_attr_for_each(attr, message, sizeof(*link)) {
        size_t length = mnl_attr_get_payload_len(attr);

        if (mnl_attr_get_type(attr) == IFLA_IFNAME)
            memcpy(d->name, mnl_attr_get_payload(attr), length < sizeof(d->name) ? length : sizeof(d->name) - 1);
        else if (mnl_attr_get_type(attr) == IFLA_ADDRESS && length == sizeof(d->mac))
            memcpy(d->mac, mnl_attr_get_payload(attr), sizeof(d->mac));
        else if (mnl_attr_get_type(attr) == IFLA_STATS64)
            take_counters(d, attr);
    }
    return MNL_CB_OK;
}

const struct qpw_device *qpw_device_by_index(const struct qpw_neighbourhood *n, unsigned ifindex)
{
    for (size_t i = 0; i < n->n_devices; i++)
        if (n->devices[i].ifindex == ifindex)
            return &n->devices[i];
    return NULL;
}

/* Add the drops of a device's root queueing discipline, which include those of its children. */
static int take_qdisc(const struct nlmsghdr *message, void *data)
{
    const struct tcmsg *tc = mnl_nlmsg_get_payload(message);
    const struct nlattr *attr, *inner;
    struct gnet_stats_queue queue = {0};
    struct qpw_device *d;

    if (message->nlmsg_type != RTM_NEWQDISC || message->nlmsg_len < MNL_NLMSG_HDRLEN + sizeof(*tc))
        return MNL_CB_OK;
    d = (struct qpw_device *)qpw_device_by_index(((struct reading *)data)->to, (unsigned)tc->tcm_ifindex);
    if (!d || tc->tcm_parent != TC_H_ROOT)
        return MNL_CB_OK;
    mnl_attr_for_each(attr, message, sizeof(*tc)) {
        if (mnl_attr_get_type(attr) != TCA_STATS2)
            continue;
        mnl_attr_for_each_nested(inner, attr)
            if (mnl_attr_get_type(inner) == TCA_STATS_QUEUE && mnl_attr_get_payload_len(inner) >= sizeof(queue))
                memcpy(&queue, mnl_attr_get_payload(inner), sizeof(queue));
    }
    d->tx_lost += queue.drops;
    return MNL_CB_OK;
}

static int take_held(const struct nlmsghdr *message, void *data)
{
    const struct ifaddrmsg *held = mnl_nlmsg_get_payload(message);
    struct qpw_neighbourhood *to = ((struct reading *)data)->to;
    struct qpw_device_address address = {0};
    const struct nlattr *attr;
    struct qpw_device_address *more;
    bool local = false, any = false;

    if (message->nlmsg_type != RTM_NEWADDR || message->nlmsg_len < MNL_NLMSG_HDRLEN + sizeof(*held))
        return MNL_CB_OK;
    mnl_attr_for_each(attr, message, sizeof(*held)) {
        /* Preferred to IFA_ADDRESS, which is the peer on a point-to-point link. */
        if (mnl_attr_get_type(attr) == IFA_LOCAL)
            any = local = qpw_netlink_address(attr, address.addr);
        else if (mnl_attr_get_type(attr) == IFA_ADDRESS && !local)
            any = qpw_netlink_address(attr, address.addr);
    }
    if (!any)
        return MNL_CB_OK;
    more = QPW_ADD(to->addresses, to->n_addresses);
    if (!more)
        return MNL_CB_ERROR;
    address.ifindex = held->ifa_index;
    *more = address;
    to->n_addresses++;
    return MNL_CB_OK;
}

static int take_neighbour(const struct nlmsghdr *message, void *data)
{
    const struct ndmsg *nd = mnl_nlmsg_get_payload(message);
    const struct reading *reading = data;
    struct qpw_neighbour neighbour = {0}, *more;
    const struct nlattr *attr;
    struct nda_cacheinfo cache = {0};
    bool address = false, mac = false;

    if (message->nlmsg_type != RTM_NEWNEIGH || message->nlmsg_len < MNL_NLMSG_HDRLEN + sizeof(*nd) || !(nd->ndm_state & USABLE))
        return MNL_CB_OK;
    mnl_attr_for_each(attr, message, sizeof(*nd)) {
        size_t length = mnl_attr_get_payload_len(attr);

        if (mnl_attr_get_type(attr) == NDA_DST) {
            address = qpw_netlink_address(attr, neighbour.addr);
        } else if (mnl_attr_get_type(attr) == NDA_LLADDR && length == sizeof(neighbour.mac)) {
            memcpy(neighbour.mac, mnl_attr_get_payload(attr), sizeof(neighbour.mac));
            mac = true;
        } else if (mnl_attr_get_type(attr) == NDA_CACHEINFO && length >= sizeof(cache)) {
            memcpy(&cache, mnl_attr_get_payload(attr), sizeof(cache));
        }
    }
    if (!address || !mac)
        return MNL_CB_OK;
    more = QPW_ADD(reading->to->neighbours, reading->to->n_neighbours);
    if (!more)
        return MNL_CB_ERROR;
    neighbour.ifindex = (unsigned)nd->ndm_ifindex;
    neighbour.confirmed_unix_ns = reading->now_unix_ns - cache.ndm_confirmed * (uint64_t)(1000000000 / reading->ticks_per_second);
    *more = neighbour;
    reading->to->n_neighbours++;
    return MNL_CB_OK;
}

/* Dump all objects of one kind; header: length of the message type's own header. */
static int dump(uint16_t type, size_t header, mnl_cb_t callback, struct reading *reading)
{
    _Alignas(8) char buffer[QPW_NETLINK_ASK_BYTES];
    struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);

    mnl_nlmsg_put_extra_header(message, header);
    message->nlmsg_type = type;
    message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    return qpw_netlink_ask(message, buffer, callback, reading);
}

static int read_devices(struct reading *reading)
{
    int r = dump(RTM_GETLINK, sizeof(struct ifinfomsg), take_link, reading);

    return r ? r : dump(RTM_GETQDISC, sizeof(struct tcmsg), take_qdisc, reading);
}

int qpw_devices_read(struct qpw_neighbourhood *ret)
{
    *ret = (struct qpw_neighbourhood){0};
    return read_devices(&(struct reading){.to = ret, .ticks_per_second = 1});
}

int qpw_neighbourhood_read(uint64_t now_unix_ns, struct qpw_neighbourhood *ret)
{
    struct reading reading = {.to = ret, .now_unix_ns = now_unix_ns, .ticks_per_second = sysconf(_SC_CLK_TCK)};
    int r;

    *ret = (struct qpw_neighbourhood){0};
    if (reading.ticks_per_second <= 0)
        reading.ticks_per_second = 100;
    r = read_devices(&reading);
    if (r < 0)
        return r;
    r = dump(RTM_GETADDR, sizeof(struct ifaddrmsg), take_held, &reading);
    if (r < 0)
        return r;
    return dump(RTM_GETNEIGH, sizeof(struct ndmsg), take_neighbour, &reading);
}

void qpw_neighbourhood_clear(struct qpw_neighbourhood *n)
{
    free(n->devices);
    free(n->addresses);
    free(n->neighbours);
    *n = (struct qpw_neighbourhood){0};
}
