/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "host/netlink.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/link_table.h"
#include "qportwatch.h"

#define BUFFER_BYTES 32768
#define EVENT_QUEUE_BYTES (1 << 20)
#define DUMP_ATTEMPTS 16

struct qpw_netlink {
    struct mnl_socket *events;
    struct qpw_link_table now;
    struct qpw_link *published_links; /* as last reported to the handler */
    size_t n_published_links;
    struct qpw_local *published_locals;
    size_t n_published_locals;
    bool overrun; /* notifications were lost and the link table has not been re-read yet */
    _Alignas(8) char buffer[BUFFER_BYTES];
};

/*
 * Send one dump request and apply its whole answer. Returns 0, -EINTR if the kernel reports a concurrent change, or
 * another negative errno.
 */
static int dump_one(struct mnl_socket *socket, char *buffer, uint16_t type, const void *payload, size_t size,
                    struct qpw_link_table *p)
{
    unsigned port = mnl_socket_get_portid(socket);
    struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
    ssize_t received;
    int r;

    request->nlmsg_type = type;
    request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    request->nlmsg_seq = type;
    memcpy(mnl_nlmsg_put_extra_header(request, size), payload, size);
    if (mnl_socket_sendto(socket, request, request->nlmsg_len) < 0)
        return -errno;
    do {
        received = mnl_socket_recvfrom(socket, buffer, BUFFER_BYTES);
        if (received < 0)
            return -errno;
        r = mnl_cb_run(buffer, received, type, port, qpw_link_table_message, p);
        if (r < 0)
            return -errno;
    } while (r != MNL_CB_STOP);
    return 0;
}

/* Dump only routing table "local" where the kernel can filter (Linux 4.20); otherwise skip the others while reading. */
static int dump_local_routes(struct mnl_socket *socket, char *buffer, struct qpw_link_table *p)
{
    static const int families[] = {AF_INET, AF_INET6};
    int strict = 1, r = 0;

    setsockopt(mnl_socket_get_fd(socket), SOL_NETLINK, NETLINK_GET_STRICT_CHK, &strict, sizeof(strict));
    for (size_t i = 0; r == 0 && i < sizeof(families) / sizeof(*families); i++) {
        struct rtmsg route = {.rtm_family = (unsigned char)families[i], .rtm_table = RT_TABLE_LOCAL, .rtm_type = RTN_LOCAL};

        r = dump_one(socket, buffer, RTM_GETROUTE, &route, sizeof(route), p);
    }
    return r;
}

/* Replace the link table with a fresh dump; known links keep their serials and driver names. */
static int read_all(struct qpw_netlink *n)
{
    static const struct ifinfomsg any_link;
    static const struct ifaddrmsg any_address;
    struct qpw_link_table fresh;
    struct mnl_socket *socket;
    int r = -EINTR;

    for (int i = 0; i < DUMP_ATTEMPTS && r == -EINTR; i++) {
        fresh = n->now;
        fresh.addresses = NULL;
        fresh.n_addresses = fresh.n_links = 0;
        fresh.links = NULL;
        fresh.served = NULL;
        fresh.n_served = 0;
        socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
        if (!socket)
            return -errno;
        r = mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0 ? -errno : 0;
        if (!r)
            r = dump_one(socket, n->buffer, RTM_GETLINK, &any_link, sizeof(any_link), &fresh);
        if (!r)
            r = dump_one(socket, n->buffer, RTM_GETADDR, &any_address, sizeof(any_address), &fresh);
        if (!r)
            r = dump_local_routes(socket, n->buffer, &fresh);
        mnl_socket_close(socket);
        if (r)
            qpw_link_table_clear(&fresh);
    }
    if (r)
        return r;
    for (size_t i = 0; i < fresh.n_links; i++) {
        const struct qpw_link *known = qpw_link_find(n->now.links, n->now.n_links, fresh.links[i].ifindex);

        if (known)
            fresh.links[i].serial = known->serial;
    }
    qpw_link_table_clear(&n->now);
    n->now = fresh;
    n->now.routes_changed = true;
    n->overrun = false;
    return 0;
}

static bool same_link(const struct qpw_link *a, const struct qpw_link *b)
{
    struct qpw_link x = *a, y = *b;

    x.rx_packets = y.rx_packets = x.tx_packets = y.tx_packets = 0;
    return !memcmp(&x, &y, sizeof(x));
}

static void report_local(const struct qpw_netlink_handler *handler, const struct qpw_local *local, uint32_t flags)
{
    struct qpw_local changed = *local;

    changed.flags = flags;
    if (handler && handler->local)
        handler->local(handler->arg, &changed);
}

static void report_link(const struct qpw_netlink_handler *handler, const struct qpw_link *was,
                        const struct qpw_link *now)
{
    if (handler && handler->link)
        handler->link(handler->arg, was, now);
}

/* Report the differences of two sorted sets in one pass. */
static void report_locals(const struct qpw_netlink_handler *handler, const struct qpw_local *was, size_t n_was,
                          const struct qpw_local *now, size_t n_now)
{
    size_t i = 0, j = 0;
    int order;

    while (i < n_was || j < n_now) {
        order = i == n_was ? 1 : j == n_now ? -1 : qpw_local_order(&was[i], &now[j]);
        if (order < 0)
            report_local(handler, &was[i++], 0);
        else if (order > 0)
            report_local(handler, &now[j], now[j].flags), j++;
        else {
            if (was[i].flags != now[j].flags)
                report_local(handler, &now[j], now[j].flags);
            i++, j++;
        }
    }
}

/* Publish the current tables and call the handler for every difference from the previously published ones. */
static int publish(struct qpw_netlink *n, const struct qpw_netlink_handler *handler)
{
    size_t n_was_links = n->n_published_links, n_was_locals = n->n_published_locals, n_locals;
    struct qpw_link *was_links = n->published_links, *links = malloc((n->now.n_links + 1) * sizeof(*links)), *other;
    struct qpw_local *was_locals = n->published_locals, *locals = qpw_link_table_locals(&n->now, &n_locals);

    if (!links || !locals) {
        free(links);
        free(locals);
        return -ENOMEM;
    }
    if (n->now.n_links)
        memcpy(links, n->now.links, n->now.n_links * sizeof(*links));
    n->published_links = links;
    n->n_published_links = n->now.n_links;
    n->published_locals = locals;
    n->n_published_locals = n_locals;

    for (size_t i = 0; i < n_was_links; i++) {
        other = qpw_link_find(links, n->n_published_links, was_links[i].ifindex);
        if (!other || other->serial != was_links[i].serial)
            report_link(handler, &was_links[i], NULL);
    }
    report_locals(handler, was_locals, n_was_locals, locals, n_locals);
    for (size_t i = 0; i < n->n_published_links; i++) {
        other = qpw_link_find(was_links, n_was_links, links[i].ifindex);
        if (!other || other->serial != links[i].serial)
            report_link(handler, NULL, &links[i]);
        else if (!same_link(other, &links[i]))
            report_link(handler, other, &links[i]);
    }
    free(was_links);
    free(was_locals);
    if (n->now.routes_changed && handler && handler->routes)
        handler->routes(handler->arg);
    n->now.routes_changed = false;
    return 0;
}

static int subscribe(struct qpw_netlink *n)
{
    /* RTNLGRP_TC: filters and qdiscs; only the fact that something changed is kept. */
    static const int groups[] = {RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_NETCONF,
                                 RTNLGRP_IPV6_NETCONF, RTNLGRP_TC, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,
                                 RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE};
    int size = EVENT_QUEUE_BYTES, fd;

    n->events = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (!n->events)
        return -errno;
    fd = mnl_socket_get_fd(n->events);
    /* Best effort: without privilege the queue stays short, and an overrun only causes a re-read. */
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    if (mnl_socket_bind(n->events, 0, MNL_SOCKET_AUTOPID) < 0)
        return -errno;
    for (size_t i = 0; i < sizeof(groups) / sizeof(*groups); i++)
        if (mnl_socket_setsockopt(n->events, NETLINK_ADD_MEMBERSHIP, (void *)&groups[i], sizeof(groups[i])) < 0)
            return -errno;
    return 0;
}

int qpw_netlink_open(struct qpw_netlink **ret, struct qpw_error *err)
{
    struct qpw_netlink *n = calloc(1, sizeof(*n));
    int r;

    if (!n)
        return qpw_fail(err, -ENOMEM, "netlink: out of memory");
    n->now.ioctl_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    r = subscribe(n);
    if (!r)
        r = read_all(n);
    if (!r)
        r = publish(n, NULL);
    if (r) {
        qpw_netlink_close(n);
        return qpw_fail(err, r, "netlink: links and addresses cannot be read: %s", strerror(-r));
    }
    *ret = n;
    return 0;
}

void qpw_netlink_close(struct qpw_netlink *n)
{
    if (!n)
        return;
    if (n->events)
        mnl_socket_close(n->events);
    if (n->now.ioctl_fd >= 0)
        close(n->now.ioctl_fd);
    qpw_link_table_clear(&n->now);
    free(n->published_links);
    free(n->published_locals);
    free(n);
}

int qpw_netlink_fd(const struct qpw_netlink *n)
{
    return mnl_socket_get_fd(n->events);
}

/* Apply queued notifications. ENOBUFS or a truncated message means that some were lost; then dump everything again. */
static int take_in(struct qpw_netlink *n)
{
    ssize_t received;

    for (;;) {
        received = mnl_socket_recvfrom(n->events, n->buffer, sizeof(n->buffer));
        if (received < 0 && errno == EINTR)
            continue;
        if (received < 0 && errno == EAGAIN)
            break;
        if (received < 0 && (errno == ENOBUFS || errno == ENOSPC)) {
            n->overrun = true;
            continue;
        }
        if (received < 0)
            return -errno;
        if (mnl_cb_run(n->buffer, received, 0, 0, qpw_link_table_message, &n->now) < 0)
            n->overrun = true;
    }
    return n->overrun ? read_all(n) : 0;
}

int qpw_netlink_drain(struct qpw_netlink *n, const struct qpw_netlink_handler *handler, struct qpw_error *err)
{
    int r = take_in(n);

    if (!r)
        r = publish(n, handler);
    if (r)
        return qpw_fail(err, r, "netlink: links and addresses cannot be followed: %s", strerror(-r));
    return 0;
}

int qpw_netlink_refresh(struct qpw_netlink *n, struct qpw_error *err)
{
    int r = read_all(n);

    if (r)
        return qpw_fail(err, r, "netlink: links and addresses cannot be read: %s", strerror(-r));
    return 0;
}

const struct qpw_link *qpw_netlink_links(const struct qpw_netlink *n, size_t *ret_count)
{
    *ret_count = n->n_published_links;
    return n->published_links;
}

const struct qpw_local *qpw_netlink_locals(const struct qpw_netlink *n, size_t *ret_count)
{
    *ret_count = n->n_published_locals;
    return n->published_locals;
}

const struct qpw_link *qpw_netlink_by_index(const struct qpw_netlink *n, unsigned ifindex)
{
    return qpw_link_find(n->published_links, n->n_published_links, ifindex);
}

const struct qpw_link *qpw_netlink_by_name(const struct qpw_netlink *n, const char *name)
{
    for (size_t i = 0; i < n->n_published_links; i++)
        if (!strcmp(n->published_links[i].name, name))
            return &n->published_links[i];
    return NULL;
}

bool qpw_netlink_moved(const struct qpw_netlink *n, unsigned ifindex, int *ret_nsid, unsigned *ret_ifindex)
{
    const struct qpw_moved *moved;

    for (unsigned i = n->now.n_moved; i > 0 && i + QPW_MOVED_KEPT > n->now.n_moved; i--) {
        moved = &n->now.moved[(i - 1) % QPW_MOVED_KEPT];
        if (moved->ifindex != ifindex)
            continue;
        *ret_nsid = moved->nsid;
        /* A link keeps its number if it is free there. */
        *ret_ifindex = moved->new_ifindex ? moved->new_ifindex : ifindex;
        return true;
    }
    return false;
}

/* Bounded, because the kernel allows at most 8 levels of nested devices. */
static bool is_below(const struct qpw_netlink *n, unsigned below, unsigned above, int depth)
{
    const struct qpw_link *link = qpw_netlink_by_index(n, below);

    if (!link || depth == 0)
        return false;
    if (link->upper && (link->upper == above || is_below(n, link->upper, above, depth - 1)))
        return true;
    for (size_t i = 0; i < n->n_published_links; i++)
        if (n->published_links[i].lower == below &&
            (n->published_links[i].ifindex == above || is_below(n, n->published_links[i].ifindex, above, depth - 1)))
            return true;
    return false;
}

bool qpw_netlink_stacked(const struct qpw_netlink *n, unsigned a, unsigned b)
{
    return a != b && (is_below(n, a, b, 8) || is_below(n, b, a, 8));
}
