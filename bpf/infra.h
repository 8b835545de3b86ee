/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * infra.h - infrastructure is what a node needs of it and no more: the form of a packet first, then an allowance.
 *
 * Anything that any node may exchange with any other, and that no rule lists, is a channel: an echo carries what one
 * wants. So a packet has to be of a form that hosts and routers make by themselves, and each remote end has so many of
 * them, and so many bytes, a minute. What is beyond either is judged as if no rule spoke of it. Large echoes, which
 * people use to try a path, are let pass some more, and recorded.
 *
 * Sources: RFC 792, 826, 1812 (4.3.2.3), 2131, 2132, 4443 (2.4), 4861, 8415; ITU-T I.371 for the allowance (GCRA).
 */
#ifndef QPW_BPF_INFRA_H
#define QPW_BPF_INFRA_H

#include "local.h"
#include "maps.h"
#include "question.h"

#define QPW_ICMP_HEADER 8u
#define QPW_ERROR_BYTES (576u - 20u)   /* of an ICMP error with its header */
#define QPW_ERROR_BYTES6 (1280u - 40u)
#define QPW_ND_BYTES 128u              /* of solicitations and advertisements of neighbours, with their options */

static __always_inline int qpw_is_echo_request(const struct qpw_pkt *p)
{
    return p->v6 ? p->source_port == QPW_ICMP6_ECHO || p->source_port == QPW_ICMP6_EXTENDED_ECHO
                 : p->source_port == QPW_ICMP_ECHO || p->source_port == QPW_ICMP_EXTENDED_ECHO;
}

/* Routers advertise and redirect; of hosts, those that forward do. Which the node in a capture is, is not known. */
static __always_inline int qpw_may_route(const struct qpw_work *w)
{
    return w->rx || config.replay || qpw_family_flag(w, QPW_IFACE_FORWARD4, QPW_IFACE_FORWARD6);
}

static __always_inline __u32 qpw_nd_misfit(const struct qpw_work *w)
{
    const struct qpw_pkt *p = &w->pkt;
    int router = p->source_port == QPW_ICMP6_ADVERTISEMENT || p->source_port == QPW_ICMP6_REDIRECT;

    if (p->hops != 255 || (router && !qpw_may_route(w)))
        return QPW_REASON_INFRA_FORM;
    return p->payload > (router ? QPW_ERROR_BYTES6 : QPW_ND_BYTES) ? QPW_REASON_INFRA_SIZE : QPW_REASON_NONE;
}

static __always_inline int qpw_is_dhcp_server(struct qpw_work *w)
{
    return bpf_map_lookup_elem(&dhcp_servers, w->key.remote) != 0;
}

/*
 * Return QPW_REASON_NONE if the packet has that shape; an echo may have any size. group: its destination is a group or
 * broadcast address.
 */
static __always_inline __u32 qpw_shape_misfit(struct qpw_work *w, __u32 shape, int group)
{
    const struct qpw_pkt *p = &w->pkt;
    __u32 most = p->v6 ? QPW_ERROR_BYTES6 : QPW_ERROR_BYTES;

    if (shape >= QPW_SHAPE_ECHO && shape <= QPW_SHAPE_ND && p->fragment)
        return QPW_REASON_INFRA_FORM; /* no host fragments them by itself, and ND may not be (RFC 6980) */
    switch (shape) {
    case QPW_SHAPE_FRAME: return p->form == QPW_FORM_WRONG ? QPW_REASON_INFRA_FORM : QPW_REASON_NONE;
    case QPW_SHAPE_ERROR:
        if (!p->v6 && p->source_port == QPW_ICMP_REDIRECT && !qpw_may_route(w))
            return QPW_REASON_INFRA_FORM;
        return p->payload > most ? QPW_REASON_INFRA_SIZE : QPW_REASON_NONE;
    case QPW_SHAPE_CONTROL:
        return p->payload > QPW_ICMP_HEADER + QPW_ECHO_BYTES ? QPW_REASON_INFRA_SIZE : QPW_REASON_NONE;
    case QPW_SHAPE_ND: return qpw_nd_misfit(w);
    case QPW_SHAPE_GROUP: return qpw_is_multicast(p->destination) ? QPW_REASON_NONE : QPW_REASON_INFRA_FORM;
    case QPW_SHAPE_DHCP: return group || qpw_is_dhcp_server(w) ? QPW_REASON_NONE : QPW_REASON_INFRA_FORM;
    default: return QPW_REASON_NONE;
    }
}

/* ---- Allowances ---- */

/* Return whether so much is still used up. What lies farther off than any packet puts it is from before the clock stepped back. */
static __always_inline int qpw_rate_used(__u64 until, __u64 now)
{
    return until - now - 1 < QPW_RATE_NS + 1000000000ull;
}

/* Return until when it is used up with another `cost`; 0: that is more than `most`. */
static __always_inline __u64 qpw_rate_after(__u64 until, __u64 now, __u64 cost, __u64 most)
{
    __u64 after = (qpw_rate_used(until, now) ? until : now) + cost;

    return after - now > most ? 0 : after;
}

/*
 * Deduct w->rate from an allowance. Return 1 if it covered the packet, 2 if only as one of its large echoes, 0 if not.
 */
static __always_inline __u32 qpw_rate_take(const struct qpw_work *w, struct qpw_allowance *r)
{
    __u64 packets = qpw_rate_after(r->packets_ns, w->now, w->rate.packets_ns, QPW_RATE_NS);
    __u64 bytes = qpw_rate_after(r->bytes_ns, w->now, w->rate.bytes_ns, QPW_RATE_NS);
    __u64 large = qpw_rate_after(r->large_ns, w->now, w->rate.large_ns, QPW_RATE_LARGE_NS);

    if (packets && bytes) {
        r->packets_ns = packets;
        r->bytes_ns = bytes;
        return 1;
    }
    if (!large)
        return 0;
    r->large_ns = large;
    return 2;
}

static __always_inline __u32 qpw_rate_hash(const struct qpw_work *w)
{
    const __u8 *key = (const __u8 *)w->rate.key;
    __u64 sum = 0;

#pragma unroll
    for (int i = 0; i < 5; i++) /* the address, rule and direction */
        sum += config.secret[i] * qpw_word(key + 4 * i);
    return (__u32)(qpw_tag_spread(sum, config.secret[QPW_SET_SECRET]) >> 32);
}

/* Write whose allowance it is into w->rate.key. What the node sends to groups is all its own. */
static __always_inline void qpw_rate_key(struct qpw_work *w, __u32 rule, int group)
{
    __u8 *addr = (__u8 *)w->rate.key;

    __builtin_memset(w->rate.key, 0, sizeof(w->rate.key));
    w->rate.key[2] = (__u64)rule << 8 | 2 | !!w->rx;
    if (group && !w->rx)
        return;
    if (w->pkt.kind == QPW_PKT_IP) {
        qpw_copy16(addr, w->key.remote);
        return;
    }
    /* A card, and of ARP the address that it speaks of: many neighbours may be behind one card. */
    if (w->rx) {
        __builtin_memcpy(addr, w->pkt.macs + 6, 6);
        __builtin_memcpy(addr + 12, w->pkt.source + 12, 4);
    } else {
        __builtin_memcpy(addr, w->pkt.macs, 6);
        __builtin_memcpy(addr + 12, w->pkt.destination + 12, 4);
    }
}

/* Widen w->rate.key to its whole prefix: IPv4 /24, IPv6 /48, a card's maker with the /24 of ARP. */
static __always_inline void qpw_rate_prefix(struct qpw_work *w)
{
    __u8 *addr = (__u8 *)w->rate.key;

    if (w->pkt.kind != QPW_PKT_IP) {
        addr[3] = addr[4] = addr[5] = addr[15] = 0;
    } else if (w->pkt.v6) {
        w->rate.key[0] &= __builtin_bswap64(0xffffffffffff0000ull);
        w->rate.key[1] = 0;
    } else {
        addr[15] = 0;
    }
}

/* Take from the allowance of w->rate.key. Returns as qpw_rate_take(), or 3 if its set has no room for another. */
__noinline __u32 qpw_rate_spend(void)
{
    struct qpw_work *w = qpw_work();
    __u32 index, at = QPW_RATE_WAYS, unused = QPW_RATE_WAYS, taken = 3;
    struct qpw_allowances *set;
    struct qpw_allowance *r;

    if (!w)
        return 0;
    index = (__u32)((__u64)qpw_rate_hash(w) * QPW_RATE_SETS >> 32);
    set = bpf_map_lookup_elem(&rates, &index);
    if (!set)
        return 0;
    bpf_spin_lock(&set->lock);
#pragma unroll
    for (__u32 i = 0; i < QPW_RATE_WAYS; i++) {
        r = &set->way[i];
        if (r->key[0] == w->rate.key[0] && r->key[1] == w->rate.key[1] && r->key[2] == w->rate.key[2])
            at = i;
        if (!qpw_rate_used(r->packets_ns, w->now) && !qpw_rate_used(r->bytes_ns, w->now) &&
            !qpw_rate_used(r->large_ns, w->now))
            unused = i; /* nothing is forgotten with it */
    }
    if (at == QPW_RATE_WAYS)
        at = unused;
    if (at < QPW_RATE_WAYS) {
        r = &set->way[at & (QPW_RATE_WAYS - 1)];
        r->key[0] = w->rate.key[0];
        r->key[1] = w->rate.key[1];
        r->key[2] = w->rate.key[2];
        taken = qpw_rate_take(w, r);
    }
    bpf_spin_unlock(&set->lock);
    return taken;
}

/* Do the same with the allowance that a prefix shares with others of the same hash. */
__noinline __u32 qpw_rate_spend_prefix(void)
{
    struct qpw_work *w = qpw_work();
    struct qpw_allowances *set;
    __u32 index, taken;

    if (!w)
        return 0;
    qpw_rate_prefix(w);
    index = QPW_RATE_SETS + qpw_rate_hash(w) % QPW_RATE_PREFIXES;
    set = bpf_map_lookup_elem(&rates, &index);
    if (!set)
        return 0;
    bpf_spin_lock(&set->lock);
    taken = qpw_rate_take(w, &set->way[0]);
    bpf_spin_unlock(&set->lock);
    return taken;
}

/* Put the cost of this packet into w->rate. */
static __always_inline void qpw_rate_costs(struct qpw_work *w, __u32 shape, int group)
{
    int many = group || w->quoted_known;

    w->rate.packets_ns = QPW_RATE_NS / (many ? QPW_RATE_MANY : QPW_RATE_PACKETS) * w->frames;
    w->rate.bytes_ns = w->quoted_known ? 0 : QPW_RATE_NS / QPW_RATE_BYTES * w->bytes;
    w->rate.large_ns = ~0ull >> 1;
    if (shape != QPW_SHAPE_ECHO)
        return;
    if (qpw_is_echo_request(&w->pkt) ? w->pkt.unsplit : w->echo_asked)
        w->rate.large_ns = QPW_RATE_LARGE_NS / QPW_RATE_LARGE;
    if (w->pkt.payload > QPW_ICMP_HEADER + QPW_ECHO_BYTES)
        w->rate.packets_ns = ~0ull >> 1; /* only as a large one */
}

/* Return why rule's shape has no room for this packet of w->key; QPW_REASON_NONE: it has. Sets w->infra_news. */
__noinline __u32 qpw_infra_misfit(__u32 shape, __u32 rule)
{
    struct qpw_work *w = qpw_work();
    __u32 misfit, taken;
    int group;

    if (!w)
        return 0;
    group = w->pkt.kind == QPW_PKT_IP ? qpw_is_group(QPW_OF_DESTINATION) : w->pkt.macs[0] & 1;
    misfit = qpw_shape_misfit(w, shape, group);
    if (misfit)
        return misfit;
    qpw_rate_costs(w, shape, group);
    qpw_rate_key(w, rule, group);
    taken = qpw_rate_spend();
    if (taken == 3)
        taken = qpw_rate_spend_prefix();
    if (!taken && shape == QPW_SHAPE_ECHO && w->pkt.payload > QPW_ICMP_HEADER + QPW_ECHO_BYTES)
        return QPW_REASON_INFRA_SIZE;
    w->infra_news = taken == 2 && qpw_is_echo_request(&w->pkt);
    return taken ? QPW_REASON_NONE : QPW_REASON_INFRA_RATE;
}

/* ---- DHCP ---- */

#define QPW_DHCP_OPTIONS 240u /* behind BOOTP's fields and the magic cookie */
#define QPW_DHCP_SERVER_ID 54
#define QPW_DHCP_PAD 0
#define QPW_DHCP_END 255
#define QPW_DHCP_MOST 32 /* options that are looked through */

/* RFC 2131, 4.1; RFC 8415, 7.2 */
#define QPW_DHCP_SERVER_PORT 67
#define QPW_DHCP_CLIENT_PORT 68
#define QPW_DHCP6_SERVER_PORT 547
#define QPW_DHCP6_CLIENT_PORT 546

/* A datagram of a server to the node's client, which has just asked a group for one. */
static __always_inline int qpw_is_dhcp_answer(struct qpw_work *w)
{
    if (!w->rx || w->key.protocol != QPW_IPPROTO_UDP ||
        !((w->key.remote_port == QPW_DHCP_SERVER_PORT && w->key.local_port == QPW_DHCP_CLIENT_PORT) ||
          (w->key.remote_port == QPW_DHCP6_SERVER_PORT && w->key.local_port == QPW_DHCP6_CLIENT_PORT)))
        return 0;
    return qpw_grace_get(w);
}

/* Enter w->question.remote as a server of the node. A full table is no loss: its exchanges are then findings. */
static __always_inline void qpw_dhcp_know(struct qpw_work *w)
{
    bpf_map_update_elem(&dhcp_servers, w->question.remote, &w->now, BPF_ANY);
}

/*
 * A server answers to what the node asked a group: it is known from now on, and so is the one that it names, which the
 * node will ask itself when its lease is to be renewed; a relay in between has another address.
 */
static __always_inline int qpw_dhcp_learn(void *ctx, struct qpw_work *w, const int xdp)
{
    __u32 at = w->pkt.l4_offset + 8u + QPW_DHCP_OPTIONS;

    qpw_copy16(w->question.remote, w->key.remote);
    qpw_dhcp_know(w);
    if (w->pkt.v6)
        return 0;
    for (int i = 0; i < QPW_DHCP_MOST; i++) {
        if (qpw_load(ctx, at, w->quote, 2, xdp) || w->quote[0] == QPW_DHCP_END)
            return 0;
        if (w->quote[0] == QPW_DHCP_SERVER_ID && w->quote[1] == 4)
            break;
        at += w->quote[0] == QPW_DHCP_PAD ? 1 : 2u + w->quote[1];
    }
    if (w->quote[0] != QPW_DHCP_SERVER_ID || qpw_load(ctx, at + 2, w->quote, 4, xdp) || !qpw_word(w->quote))
        return 0;
    qpw_set_v4(w->question.remote, w->quote);
    qpw_dhcp_know(w);
    return 0;
}

/* Global: the verifier goes through the loop once, and not for every path that leads to it. */
__noinline __u32 qpw_dhcp_learn_xdp(struct xdp_md *ctx)
{
    struct qpw_work *w = qpw_work();

    return w ? (__u32)qpw_dhcp_learn(ctx, w, /* xdp= */ 1) : 0;
}

__noinline __u32 qpw_dhcp_learn_tc(struct __sk_buff *ctx)
{
    struct qpw_work *w = qpw_work();

    return w ? (__u32)qpw_dhcp_learn(ctx, w, /* xdp= */ 0) : 0;
}

#endif
