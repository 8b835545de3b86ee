/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * local.h - which end is this node: by the hook and the set of local addresses; or neither (transit).
 */
#ifndef QPW_BPF_LOCAL_H
#define QPW_BPF_LOCAL_H

#include "parse.h"

#define QPW_LOCALITY_TRANSIT 0x100u /* beside a reason */

/*
 * QPW_LOCAL_* of an IPv4 address as it stands in a packet, where all that are the node's are few. Without branches: a
 * return costs as much as all sixteen comparisons, and the verifier goes on once instead of seventeen times.
 */
static __always_inline __u32 qpw_local4_flags(__u32 word)
{
    __u64 local, other, flags = 0;

#pragma unroll
    for (__u32 i = 0; i < QPW_LOCAL4; i++) {
        local = *(volatile __u64 *)&control.local4[i];
        other = (__u32)local ^ word;
        flags |= local & (other - 1); /* only 0 - 1 has bits above the address */
    }
    return (__u32)(flags >> 32);
}

__noinline __u32 qpw_local4(__u32 word)
{
    return qpw_local4_flags(word);
}

/* flags: which of QPW_LOCAL_* it may be. Nobody sends from a broadcast address. hot: a constant, on every slow path. */
static __always_inline int qpw_is_local_on(struct qpw_work *w, const __u8 *addr, __u32 flags, const int hot)
{
    __u32 *value;

    if (control.local4_whole && qpw_is_mapped(addr))
        return (hot ? qpw_local4_flags(qpw_word(addr + 12)) : qpw_local4(qpw_word(addr + 12))) & flags;
    w->local.prefixlen = 128;
    qpw_copy16(w->local.addr, addr);
    value = bpf_map_lookup_elem(&locals, &w->local);
    return value && (*value & flags);
}

static __always_inline int qpw_is_local(struct qpw_work *w, const __u8 *addr, __u32 flags)
{
    return qpw_is_local_on(w, addr, flags, /* hot= */ 0);
}

static __always_inline int qpw_is_limited_broadcast(const __u8 *addr)
{
    return qpw_word(addr + 12) == 0xffffffff && !qpw_word(addr) && addr[10] == 0xff; /* 255.255.255.255 */
}

/* The frame is for one card, or of a device whose frames are not for any: no address makes it a broadcast. */
static __always_inline int qpw_by_card(const struct qpw_work *w)
{
    return !(w->pkt.macs[0] & 1) && !(w->iface.flags & QPW_IFACE_L3);
}

/* Addresses in the work area that are asked about. */
enum qpw_address_of { QPW_OF_KEY_LOCAL, QPW_OF_KEY_REMOTE, QPW_OF_QUESTION_LOCAL, QPW_OF_DESTINATION };

/*
 * A multicast group, the limited broadcast address or a subnet's. The last two only where the frame may be a broadcast.
 */
__noinline __u32 qpw_is_group(__u32 which)
{
    struct qpw_work *w = qpw_work();
    const __u8 *addr;

    if (!w)
        return 0;
    addr = which == QPW_OF_KEY_LOCAL        ? w->key.local
           : which == QPW_OF_KEY_REMOTE     ? w->key.remote
           : which == QPW_OF_QUESTION_LOCAL ? w->question.local
                                            : w->pkt.destination;
    if (qpw_is_multicast(addr))
        return 1;
    return !qpw_by_card(w) && (qpw_is_limited_broadcast(addr) || qpw_is_local(w, addr, QPW_LOCAL_BROADCAST));
}

/* Return the reason (enum qpw_apart) why this packet of a peer is not counted between static addresses of two nodes. */
__noinline __u32 qpw_apart(void)
{
    struct qpw_work *w = qpw_work();

    if (!w)
        return QPW_APART_NONE;
    if (w->rx && ((w->pkt.macs[0] & 1) || qpw_is_group(QPW_OF_DESTINATION)))
        return QPW_APART_GROUP;
    return qpw_is_local(w, w->rx ? w->pkt.destination : w->pkt.source, QPW_LOCAL_FLOATING) ? QPW_APART_FLOATING
                                                                                          : QPW_APART_NONE;
}

static __always_inline int qpw_is_unspecified(const __u8 *addr)
{
    __u32 words = qpw_word(addr) | qpw_word(addr + 4) | qpw_word(addr + 12);

    return !words && (qpw_word(addr + 8) == 0 || (addr[10] == 0xff && addr[11] == 0xff));
}

/* Return whether the node's end of the frame has the interface's own MAC. */
static __always_inline int qpw_is_own_mac(const struct qpw_work *w)
{
    const __u8 *mac = w->pkt.macs + (w->rx ? 0 : 6);

    return qpw_word(mac) == qpw_word(w->iface.mac) && mac[4] == w->iface.mac[4] && mac[5] == w->iface.mac[5];
}

/* Return whether that flag of the interface is set, in the variant for the packet's family. */
static __always_inline int qpw_family_flag(const struct qpw_work *w, __u8 v4, __u8 v6)
{
    return w->iface.flags & (w->pkt.v6 ? v6 : v4);
}

/* Return whether the frame is to (rx) or from (tx) the interface's own MAC, or there is none. */
static __always_inline int qpw_for_card(const struct qpw_work *w)
{
    return w->iface.number && ((w->iface.flags & QPW_IFACE_L3) || qpw_is_own_mac(w));
}

/* The same on a host that does not forward. */
static __always_inline int qpw_own_mac(const struct qpw_work *w)
{
    return qpw_for_card(w) && !qpw_family_flag(w, QPW_IFACE_FORWARD4, QPW_IFACE_FORWARD6);
}

__noinline __u32 qpw_route_sent(void); /* route.h */
__noinline __u32 qpw_route_received(void);

/* Sent from an address that is not the node's: why it is the node's all the same, or else as qpw_locality() has it. */
static __always_inline __u32 qpw_foreign(const struct qpw_work *w)
{
    if (config.replay)
        return qpw_own_mac(w) ? QPW_REASON_UNLISTED_LOCAL : QPW_REASON_NOT_LOCAL;
    if (!w->iface.number || (w->iface.flags & QPW_IFACE_BRIDGED))
        return QPW_REASON_NOT_LOCAL; /* a bridge sends on what others have sent */
    return qpw_family_flag(w, QPW_IFACE_SENDS4, QPW_IFACE_SENDS6) ? qpw_route_sent() : QPW_REASON_FOREIGN_SOURCE;
}

/*
 * Return whether a received packet is for another card's MAC: flooded by the switch, or seen in promiscuous mode.
 * Unknown, and false, in a replay, which has no cards, and where the node has several MACs, as with a bridge that has
 * its own.
 */
static __always_inline int qpw_other_mac(const struct qpw_work *w)
{
    return !config.replay && w->rx && w->iface.number && !(w->iface.flags & (QPW_IFACE_L3 | QPW_IFACE_MACS)) &&
           !(w->pkt.macs[0] & 1) && !qpw_is_own_mac(w);
}

/* Return whether both ends are local, in a replay. Verifier: where that cannot be, the code that asks is dropped. */
static __always_inline int qpw_is_self(const struct qpw_work *w)
{
    return config.scope_self && w->self;
}

/*
 * QPW_REASON_NONE, QPW_REASON_UNLISTED_LOCAL, QPW_REASON_FOREIGN_SOURCE, QPW_REASON_ROUTE_UNKNOWN: the packet is the
 * node's. QPW_REASON_ECHO, QPW_REASON_NOT_LOCAL, and any with QPW_LOCALITY_TRANSIT: in transit. Sets w->self where both
 * ends are local in a replay.
 */
QPW_OFTEN __u32 qpw_locality(struct qpw_work *w)
{
    const struct qpw_pkt *p = &w->pkt;
    int source;

    source = qpw_is_local_on(w, p->source, QPW_LOCAL_ADDRESS, /* hot= */ 1);
    w->self = 0;
    if (!w->rx) {
        if (source) {
            w->self = config.scope_self && qpw_is_local(w, p->destination, QPW_LOCAL_ADDRESS);
            return QPW_REASON_NONE;
        }
        if (qpw_is_unspecified(p->source))
            return QPW_REASON_NONE;
        return qpw_foreign(w);
    }
    if (source) {
        if (!config.scope_self)
            return QPW_REASON_ECHO;
        w->self = qpw_is_local(w, p->destination, QPW_LOCAL_ADDRESS);
        return QPW_REASON_NONE;
    }
    if (qpw_is_local_on(w, p->destination, QPW_LOCAL_ADDRESS | QPW_LOCAL_BROADCAST, /* hot= */ 1) ||
        qpw_is_multicast(p->destination) || (p->macs[0] & 1) || qpw_is_limited_broadcast(p->destination))
        return QPW_REASON_NONE;
    if (!qpw_for_card(w))
        return QPW_REASON_NOT_LOCAL;
    if (!qpw_family_flag(w, QPW_IFACE_FORWARD4, QPW_IFACE_FORWARD6))
        return QPW_REASON_UNLISTED_LOCAL;
    if (!config.replay && !(w->iface.flags & QPW_IFACE_BRIDGED))
        qpw_route_received();
    return QPW_REASON_NOT_LOCAL;
}

/*
 * Return for which packets of this one's tuple (QPW_CACHE_*) qpw_locality() says, whatever else is in them and whenever
 * they come, that they are the node's, and qpw_apart() the same as of this one. The cache asks neither of them, nor the
 * routes, and of the MACs knows whether the frame is for a group.
 */
__noinline __u32 qpw_always_own(void)
{
    struct qpw_work *w = qpw_work();
    const __u8 *near, *far;

    if (!w)
        return 0;
    near = w->rx ? w->pkt.destination : w->pkt.source;
    far = w->rx ? w->pkt.source : w->pkt.destination;
    if (!qpw_is_local(w, near, QPW_LOCAL_ADDRESS)) {
        if (!w->rx)
            return qpw_is_unspecified(near) ? QPW_CACHE_TX : 0;
        return qpw_is_multicast(near) || qpw_is_limited_broadcast(near) || qpw_is_local(w, near, QPW_LOCAL_BROADCAST)
                   ? QPW_CACHE_RX
                   : 0;
    }
    if (w->pkt.macs[0] & 1)
        return w->rx ? QPW_CACHE_RX : QPW_CACHE_TX; /* qpw_apart() */
    if (!w->rx && !config.scope_self && qpw_is_local(w, far, QPW_LOCAL_ADDRESS))
        return QPW_CACHE_TX; /* received, it is an echo */
    return QPW_CACHE_RX | QPW_CACHE_TX | QPW_CACHE_NO_PAYLOAD;
}

#endif
