/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * route.h - what a host that forwards sends for others: whether the routing table leads to where it came from. User
 * space asks the table once for each source prefix and interface.
 */
#ifndef QPW_BPF_ROUTE_H
#define QPW_BPF_ROUTE_H

#include "event.h"
#include "local.h"

/* Set w->route to the packet's source prefix and interface. */
static __always_inline void qpw_route_aim(struct qpw_work *w)
{
    __u32 zeroes = w->pkt.v6 ? 8 : 1;

    __builtin_memset(&w->route, 0, sizeof(w->route));
    for (__u32 i = 0; i < 16; i++)
        if (i < 16 - zeroes)
            w->route.source[i] = w->pkt.source[i];
    w->route.ifindex = w->ifindex;
}

/* Ask user space about the packet's addresses. Returns 1 if the question was sent. */
static __always_inline int qpw_route_ask(struct qpw_work *w)
{
    struct qpw_event *e = qpw_event_question(w, &w->route_tokens, QPW_EVENT_ASK_ROUTE);

    if (!e)
        return 0;
    __builtin_memset(&e->route.ends, 0, sizeof(e->route.ends));
    qpw_copy16(e->route.ends.local, w->pkt.source);
    qpw_copy16(e->route.ends.remote, w->pkt.destination);
    e->route.ends.local_port = w->pkt.source_port;
    e->route.ends.remote_port = w->pkt.destination_port;
    e->route.ends.protocol = w->pkt.protocol;
    e->route.received = w->rx;
    bpf_ringbuf_submit(e, qpw_wake_flag(w->now));
    return 1;
}

/* Find the entry of w->route; ask about it where it is new or old. NULL: not yet. */
static __always_inline struct qpw_route *qpw_route_find(struct qpw_work *w)
{
    struct qpw_route *r = bpf_map_lookup_elem(&routes, &w->route);
    __u64 again;

    if (!r) {
        if (!qpw_route_ask(w))
            return 0;
        __builtin_memset(&w->route_value, 0, sizeof(w->route_value));
        w->route_value.since_ns = w->route_value.asked_ns = w->now;
        bpf_map_update_elem(&routes, &w->route, &w->route_value, BPF_NOEXIST);
        return bpf_map_lookup_elem(&routes, &w->route);
    }
    again = r->word == QPW_ROUTE_ASKED ? QPW_ROUTE_AGAIN_NS : QPW_ROUTE_NS;
    if ((__s64)(w->now - r->asked_ns) > (__s64)again && qpw_route_ask(w))
        r->asked_ns = w->now;
    return r;
}

/* A packet for somebody else that the host is to send on: from there, what leaves by the same interface came. */
__noinline __u32 qpw_route_received(void)
{
    struct qpw_work *w = qpw_work();
    struct qpw_route *r;

    if (!w)
        return 0;
    qpw_route_aim(w);
    r = qpw_route_find(w);
    if (r)
        r->received_ns = w->now;
    return 0;
}

/*
 * Judge a packet that leaves a forwarding host with a source that is none of its addresses. Return QPW_REASON_NOT_LOCAL
 * if it came from where the routing table leads; QPW_REASON_ROUTE_UNKNOWN with QPW_LOCALITY_TRANSIT while that is being
 * asked or no auditor runs; otherwise the reason why it counts as the node's.
 */
__noinline __u32 qpw_route_sent(void)
{
    struct qpw_work *w = qpw_work();
    struct qpw_route *r;

    if (!w)
        return QPW_REASON_NOT_LOCAL;
    if (!(w->iface.flags & (QPW_IFACE_L3 | QPW_IFACE_MACS)) && !qpw_is_own_mac(w))
        return QPW_REASON_FOREIGN_SOURCE; /* IP forwards with the card's own */
    qpw_route_aim(w);
    r = qpw_route_find(w);
    if (!r)
        return QPW_REASON_ROUTE_UNKNOWN | QPW_LOCALITY_TRANSIT;
    switch (r->word) {
    case QPW_ROUTE_ELSEWHERE: return QPW_REASON_NOT_LOCAL;
    case QPW_ROUTE_NOWHERE: return QPW_REASON_ROUTE_UNKNOWN;
    case QPW_ROUTE_SAME:
        return r->received_ns && (__s64)(w->now - r->received_ns) < (__s64)QPW_ROUTE_NS ? QPW_REASON_NOT_LOCAL
                                                                                        : QPW_REASON_FOREIGN_SOURCE;
    }
    if ((__s64)(w->now - r->since_ns) < (__s64)QPW_ROUTE_WAIT_NS ||
        (__s64)(w->now - control.heartbeat_ns) > (__s64)QPW_AUDITOR_STALE_NS)
        return QPW_REASON_ROUTE_UNKNOWN | QPW_LOCALITY_TRANSIT;
    return QPW_REASON_ROUTE_UNKNOWN;
}

#endif
