/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The programs: one packet core, thin entry points. Each describes the frame as its hook presents it and
 * always passes the packet on: XDP_PASS, or TC_ACT_UNSPEC, which is TCX "next".
 */
#include <linux/bpf.h>
#include <linux/if_packet.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "account.h"
#include "executable.h"
#include "fast.h"
#include "infra.h"
#include "look.h"
#include "maps.h"
#include "owner.h"
#include "parse.h"
#include "route.h"
#include "track.h"

static __always_inline int qpw_is_icmp_error(const struct qpw_pkt *p)
{
    return p->kind == QPW_PKT_IP && p->fragment != QPW_LATER_FRAGMENT &&
           ((p->protocol == QPW_IPPROTO_ICMP && p->source_port == QPW_ICMP_UNREACHABLE) ||
            (p->protocol == QPW_IPPROTO_ICMPV6 && p->source_port == QPW_ICMP6_UNREACHABLE));
}

static __always_inline int qpw_may_cache(const struct qpw_pkt *p)
{
    if (p->kind != QPW_PKT_IP || p->fragment == QPW_FIRST_FRAGMENT || config.no_cache || config.count_conns ||
        qpw_is_icmp_error(p))
        return 0;
    if (p->protocol != QPW_IPPROTO_TCP)
        return 1;
    return !(p->tcp_flags & (QPW_TCP_FIN | QPW_TCP_RST)) &&
           (p->tcp_flags & (QPW_TCP_SYN | QPW_TCP_ACK)) != (QPW_TCP_SYN | QPW_TCP_ACK);
}

/* Copy the first bytes of a header that is not in the linear part, and parse them there. */
static __always_inline int qpw_reparse(void *ctx, struct qpw_work *w, const int xdp)
{
    struct qpw_frame copy = w->in.frame;
    __u32 n = w->in.frame.length;

    __builtin_memset(&w->pkt, 0, sizeof(w->pkt));
    copy.data = w->header;
    if (n > QPW_COPIED_BYTES)
        n = QPW_COPIED_BYTES;
    n = ((n - 1) & (QPW_HEADER_BYTES - 1)) + 1; /* verifier (6.1): never 0, and never above, in the register used */
    barrier_var(n);
    if (!w->in.frame.length) {
        w->pkt.kind = QPW_PKT_UNDECODABLE;
        w->pkt.reason = QPW_REASON_SHORT_ETHERNET;
        return 0;
    }
    if (qpw_load(ctx, 0, w->header, n, xdp)) {
        w->pkt.kind = QPW_PKT_UNDECODABLE;
        w->pkt.reason = QPW_REASON_HEADER_OFFSET;
        return 0;
    }
    return qpw_parse(&copy, &w->pkt, 0);
}

/* Global, as the stages are. */
__noinline __u32 qpw_reparse_xdp(struct xdp_md *ctx)
{
    struct qpw_work *w = qpw_work();

    return w ? (__u32)qpw_reparse(ctx, w, 1) : 0;
}

__noinline __u32 qpw_reparse_tc(struct __sk_buff *ctx)
{
    struct qpw_work *w = qpw_work();

    return w ? (__u32)qpw_reparse(ctx, w, 0) : 0;
}

/* Load the beginning of the packet that an ICMP error quotes, as far as its headers reach. */
static __always_inline void qpw_load_quote(void *ctx, struct qpw_work *w, const int xdp)
{
    __u32 start = w->pkt.l4_offset + 8u, n = w->pkt.payload - 8;

    w->quoted_bytes = 0;
    if (!qpw_is_icmp_error(&w->pkt) || w->pkt.payload <= 8 || w->in.frame.length <= start)
        return;
    if (n > w->in.frame.length - start)
        n = w->in.frame.length - start; /* a capture cut it */
    if (n > QPW_QUOTE_BYTES)
        n = QPW_QUOTE_BYTES;
    n = ((n - 1) & (QPW_QUOTE_BYTES - 1)) + 1; /* verifier: as in qpw_reparse() */
    barrier_var(n);
    if (!qpw_load(ctx, start, w->quote, n, xdp))
        w->quoted_bytes = (__u8)n;
}

/*
 * The packet's tag in the cache, and what its tuple's incarnation is. The tuple's place is left in w, for the slow
 * path.
 */
static __always_inline struct qpw_tag qpw_identify(struct qpw_work *w, __u32 ifindex, __u32 rx, __u32 *ret_incarnation)
{
    const struct qpw_pkt *p = &w->pkt;
    int is_syn = qpw_is_syn(p);
    int icmp = p->protocol == QPW_IPPROTO_ICMP || p->protocol == QPW_IPPROTO_ICMPV6;
    __u16 local_port = rx ? p->destination_port : p->source_port;
    __u16 remote_port = rx ? p->source_port : p->destination_port;
    struct qpw_tag t = qpw_tag_pair(config.secret, rx ? p->destination : p->source, rx ? p->source : p->destination,
                                    p->v6);

    if (p->fragment) { /* a later one; no ports */
        *ret_incarnation = qpw_pair_incarnation(qpw_tag_pair_number(&t));
        qpw_tag_exchange(&t, config.secret, 0, 0, p->protocol);
        qpw_tag_packet(&t, config.secret, ifindex, p->vlan, p->fragment_id);
        t.a += QPW_TAG_FRAGMENT;
        qpw_tag_group(&t, p->macs);
        return t;
    }
    w->pair = qpw_tag_pair_number(&t);
    qpw_tag_exchange(&t, config.secret, icmp ? 0 : local_port, icmp ? 0 : remote_port, p->protocol);
    qpw_bucket_at(w, &t);
    w->placed = 1;
    *ret_incarnation = w->incarnation = qpw_incarnation(w->bucket, is_syn);
    qpw_tag_packet(&t, config.secret, ifindex, p->vlan, is_syn ? p->seq : icmp ? p->source_port : 0);
    qpw_tag_group(&t, p->macs);
    if (is_syn)
        t.a += QPW_TAG_SYN;
    return t;
}

/*
 * The slot that the cache knows the packet by, 0: it does not. Global, as are the stages: parsing leaves many states,
 * of which none matters here.
 */
__noinline __u32 qpw_known_slot(__u32 ifindex, __u32 rx, __u32 fast)
{
    struct qpw_work *w = qpw_work();
    __u32 slot, incarnation;
    int is_syn;

    if (!w)
        return 0;
    w->generation = *(volatile __u32 *)&control.generation;
    w->tag = qpw_identify(w, ifindex, rx, &incarnation);
    if (fast == QPW_FAST_MISSED)
        return 0;
    is_syn = w->placed && qpw_is_syn(&w->pkt);
    if (is_syn)
        qpw_half_ahead(w->half_set);
    slot = is_syn && qpw_syn_delta(incarnation, qpw_epoch(w->now)) ?
               0 : qpw_opaque(w, qpw_cache_find(&w->tag, incarnation, (int)rx, w->pkt.payload, w->now));
    return slot;
}

/*
 * Set the owner of the node's end of c. A decision or question belongs to one process; judge again when another takes
 * over.
 */
static __always_inline void qpw_owner_set_of(struct qpw_conn *c, __u32 number)
{
    if (c->state == QPW_STATE_DATAGRAM && (c->end[1] & (QPW_END_VOUCHED | QPW_END_OWNER_ASKED)) && c->owner != number) {
        c->end[1] &= ~(QPW_END_VOUCHED | QPW_END_OWNER_ASKED);
        qpw_outdate(c);
    }
    c->owner = number;
}

/*
 * Return whether to ask user space who has the exchange: for a companion that is not decided, unless the node refused
 * it, because then nobody has it; and for an exchange that vouches for companions, once the node has sent payload.
 */
static __always_inline int qpw_is_asked_about(const struct qpw_work *w, const struct qpw_conn *c)
{
    return ((c->vlan & QPW_CONN_PROVISIONAL) && c->outcome != QPW_OUTCOME_REFUSED) ||
           ((c->vlan & QPW_CONN_PARENT) && !w->rx && c->outcome == QPW_OUTCOME_DATA && c->verdict != QPW_VERDICT_PEER);
}

/*
 * The node's own copy of what it sent to a group or a broadcast address (dev_loopback_xmit()): it was on no wire, and
 * begins with its IP header, so that it reads as a frame of another EtherType. The fast path knows no connection of
 * such a frame.
 */
static __always_inline int qpw_is_loopback(void *ctx, const int xdp)
{
    return !xdp && !config.replay && ((struct __sk_buff *)ctx)->pkt_type == PACKET_LOOPBACK;
}

/*
 * The packet's interface into w->iface: as it was for the last packet in the same tick and under the same generation,
 * which changes with it. The tick bounds what a CPU may see that has not seen the change and the generation in order.
 */
static __always_inline void qpw_interface(struct qpw_work *w)
{
    __u32 generation = *(volatile __u32 *)&control.generation;
    struct qpw_iface *iface;

    if (w->iface.ifindex == w->ifindex && w->iface_generation == generation && w->iface_ns == w->now)
        return;
    iface = bpf_map_lookup_elem(&ifaces, &w->ifindex);
    if (iface)
        w->iface = *iface;
    else
        __builtin_memset(&w->iface, 0, sizeof(w->iface));
    w->iface_generation = generation;
    w->iface_ns = w->now;
}

static __always_inline __u32 qpw_slow_path(void *ctx, const int xdp)
{
    struct qpw_work *w = qpw_work();
    struct qpw_conn *c;
    struct qpw_wire wire;

    if (!w || qpw_is_loopback(ctx, xdp))
        return 0;
    if (w->more && xdp)
        qpw_reparse_xdp(ctx);
    else if (w->more)
        qpw_reparse_tc(ctx);
    qpw_interface(w);
    w->self = 0;
    if (!(control.flags & QPW_CONTROL_POLICY))
        qpw_stat(QPW_LOSS_POLICY_MISSING);
    wire = qpw_wire_of(&w->in, w->in.frame.length, w->pkt.payload, w->pkt.kind == QPW_PKT_IP);
    w->frames = wire.frames;
    w->bytes = wire.bytes;
    w->owner.how = QPW_OWNER_NONE;
    if (w->pkt.kind == QPW_PKT_NON_IP) {
        if (!xdp && !w->rx && !config.replay)
            qpw_owner_of_sender(ctx);
        qpw_non_ip();
        return 0;
    }
    qpw_load_quote(ctx, w, xdp);
    c = qpw_connection(ctx, w);
    if (!c)
        return 0;
    if (w->quoted_bytes)
        qpw_refused_by_icmp();
    if (w->rx && qpw_is_dhcp_answer(w)) {
        if (xdp)
            qpw_dhcp_learn_xdp(ctx);
        else
            qpw_dhcp_learn_tc(ctx);
    }
    w->owned = w->rx && (c->end[1] & QPW_END_OWNER_ASKED);
    if (!xdp && !w->rx && !config.replay && !(control.flags & QPW_CONTROL_UNOWNED)) {
        if (!c->owner || qpw_is_finding(c) || !qpw_is_judged(c) ||
            (c->state == QPW_STATE_DATAGRAM && (c->end[1] & QPW_END_VOUCHED)))
            qpw_owner_of_sender(ctx);
        if (w->owner.how)
            qpw_owner_set_of(c, w->owner.number);
        w->owned = 1;
    }
    qpw_judge_again(c);
    qpw_look(ctx, w, c, xdp);
    if (w->owned && !(c->end[1] & QPW_END_OWNER_ASKED) && qpw_is_asked_about(w, c) && qpw_event_ask_owner(c))
        c->end[1] |= QPW_END_OWNER_ASKED;
    qpw_account(c);
    w->misfit = 0; /* of this packet; what follows is about other exchanges */
    if (w->opened && QPW_ASKED_WHAT(w->asked) == QPW_ASKED_OTHER)
        qpw_answered_elsewhere();
    else if (w->opened && QPW_ASKED_WHAT(w->junk) >= QPW_ASKED_THIS && c->verdict != QPW_VERDICT_PEER &&
             c->verdict != QPW_VERDICT_INFRA)
        qpw_unjudged_opened(w, c->meter);
    else if (!xdp && w->stray && c->verdict == QPW_VERDICT_UNDECIDED && qpw_is_handmade(ctx))
        qpw_strays_crossed(w, c->meter);
    return 0;
}

/* Global, so that the verifier checks it once and not for every path through the parser. Helpers differ by type. */
__noinline __u32 qpw_slow_xdp(struct xdp_md *ctx)
{
    return qpw_slow_path(ctx, 1);
}

__noinline __u32 qpw_slow_tc(struct __sk_buff *ctx)
{
    return qpw_slow_path(ctx, 0);
}

/*
 * Reload data and data_end. Verifier: the range that a path has checked is part of its state; reloading drops it, so
 * that paths which differ only in this merge. The same goes for what was asked of the buffer.
 */
static __always_inline void qpw_bounds(void *ctx, struct qpw_frame *f, const int xdp)
{
    if (xdp) {
        f->data = (const __u8 *)(long)((volatile struct xdp_md *)ctx)->data;
        f->end = (const __u8 *)(long)((volatile struct xdp_md *)ctx)->data_end;
    } else {
        __u16 cell;

        f->data = (const __u8 *)(long)((volatile struct __sk_buff *)ctx)->data;
        f->end = (const __u8 *)(long)((volatile struct __sk_buff *)ctx)->data_end;
        f->merged = (__u8)qpw_forget(&cell, f->merged);
        f->vlan_present = (__u8)qpw_forget(&cell, f->vlan_present);
    }
}

/* Parse the packet itself. Returns 1 if not all headers are in its linear part. */
static __always_inline int qpw_parse_direct(void *ctx, struct qpw_frame *f, struct qpw_pkt *p, const int xdp)
{
    int rc = qpw_parse_link(f, p, 1);

    if (!rc) {
        qpw_bounds(ctx, f, xdp);
        rc = qpw_parse_network(f, p, 1);
    }
    if (!rc) {
        qpw_bounds(ctx, f, xdp);
        rc = qpw_parse_transport(f, p, 1);
    }
    return qpw_parse_end(p, rc);
}

/*
 * Every packet that the fast path leaves: parse, ask the cache. 1: the slow path is to take it, all it needs is in the
 * work area. fast: QPW_FAST_*; rx, xdp: constants of the entry point.
 */
static __always_inline __u32 qpw_packet(void *ctx, struct qpw_input *in, __u32 fast, const int rx, const int xdp)
{
    struct qpw_work *w = qpw_work();
    struct qpw_wire wire;
    __u32 slot;
    int more, cacheable;

    if (!w)
        return 0;
    w->now = qpw_now();
    __builtin_memset(&w->pkt, 0, sizeof(w->pkt));
    if (config.replay && control.replay_padded)
        more = 1; /* in the copy, which ends where the real bytes do */
    else
        more = qpw_parse_direct(ctx, &in->frame, &w->pkt, xdp);
    cacheable = !more && qpw_may_cache(&w->pkt);
    w->placed = 0;
    if (cacheable) {
        slot = qpw_known_slot(in->ifindex, rx, fast);
        if (slot) {
            wire = qpw_wire_of(in, in->frame.length, w->pkt.payload, 1);
            qpw_count(slot, rx, wire.frames, wire.bytes);
            return 0;
        }
    }
    w->cacheable = (__u8)cacheable;
    w->opened = 0;
    w->made = 0;
    w->asked = 0;
    w->asked_group = 0;
    w->junk = 0;
    w->stray = 0;
    w->misfit = 0;
    w->infra_news = 0;
    w->quoted_known = 0;
    w->judged = 0;
    w->judged_before = 0;
    w->begins = 0;
    w->more = (__u8)more;
    w->rx = rx;
    w->ifindex = in->ifindex;
    w->in.frame.length = in->frame.length; /* field by field: packet pointers may not be stored in a map */
    w->in.frame.wire = in->frame.wire;
    w->in.frame.ethertype = in->frame.ethertype;
    w->in.frame.vlan_tci = in->frame.vlan_tci;
    w->in.frame.vlan_present = in->frame.vlan_present;
    w->in.frame.l3 = in->frame.l3;
    w->in.frame.merged = in->frame.merged;
    w->in.frame.offloaded = in->frame.offloaded;
    w->in.gso_segs = in->gso_segs;
    w->in.gso_size = in->gso_size;
    w->in.bytes = in->bytes;
    return 1;
}

/* Replay: what the record counts, the frame's own length, and how much of it is real (the rest is padding). */
static __always_inline void qpw_replay_length(struct qpw_input *in, const __u8 *end)
{
    if (!config.replay)
        return;
    in->frame.wire = control.replay_wire;
    in->bytes = control.replay_bytes;
    in->frame.length = control.replay_captured < in->frame.length ? control.replay_captured : in->frame.length;
    in->frame.end = end;
    in->frame.offloaded = 1;
    if (in->frame.wire < in->frame.length)
        in->frame.wire = in->frame.length;
}

static __always_inline struct qpw_input qpw_xdp_input(struct xdp_md *ctx)
{
    const __u8 *data = (const __u8 *)(long)ctx->data, *end = (const __u8 *)(long)ctx->data_end;

    return (struct qpw_input){
        .frame = {.data = data, .end = end, .length = (__u32)(end - data)},
        .ifindex = ctx->ingress_ifindex,
    };
}

static __always_inline struct qpw_input qpw_tc_input(struct __sk_buff *skb, const int rx, const int l3)
{
    return (struct qpw_input){
        .frame = {
            .data = (const __u8 *)(long)skb->data,
            .end = (const __u8 *)(long)skb->data_end,
            .length = skb->len,
            .wire = skb->len,
            .ethertype = bpf_ntohs((__u16)skb->protocol),
            .vlan_tci = (__u16)skb->vlan_tci,
            .vlan_present = !!skb->vlan_present,
            .l3 = l3,
            .merged = skb->gso_size != 0,
        },
        .ifindex = skb->ifindex,
        .gso_segs = skb->gso_segs,
        .gso_size = skb->gso_size,
        .bytes = rx ? 0 : skb->wire_len, /* counts each segment's headers; on ingress it does not */
    };
}

/* Global, as the slow path is: what the fast path has tried is not followed through them. */
static __always_inline __u32 qpw_packet_xdp_way(struct xdp_md *ctx, __u32 fast, const int rx)
{
    struct qpw_input in = qpw_xdp_input(ctx);

    if (config.has_xdp_buff_len)
        in.frame.length = (__u32)bpf_xdp_get_buff_len(ctx);
    in.frame.wire = in.frame.length;
    qpw_replay_length(&in, in.frame.end);
    return qpw_packet(ctx, &in, fast, rx, 1);
}

__noinline __u32 qpw_packet_xdp(struct xdp_md *ctx, __u32 fast)
{
    return qpw_packet_xdp_way(ctx, fast, 1);
}

/* Replay only. */
__noinline __u32 qpw_packet_xdp_tx(struct xdp_md *ctx)
{
    return qpw_packet_xdp_way(ctx, QPW_FAST_OTHER, 0);
}

static __always_inline __u32 qpw_packet_tc(struct __sk_buff *skb, __u32 fast, const int rx, const int l3)
{
    struct qpw_input in = qpw_tc_input(skb, rx, l3);
    __u16 cell;

    if (rx)
        in.frame.merged = (__u8)qpw_forget(&cell, in.frame.merged); /* else all of parsing is followed twice */
    qpw_replay_length(&in, in.frame.end);
    return qpw_packet(skb, &in, fast, rx, 0);
}

__noinline __u32 qpw_packet_tc_rx(struct __sk_buff *skb, __u32 fast)
{
    return qpw_packet_tc(skb, fast, 1, 0);
}

__noinline __u32 qpw_packet_tc_tx(struct __sk_buff *skb, __u32 fast)
{
    return qpw_packet_tc(skb, fast, 0, 0);
}

__noinline __u32 qpw_packet_tc_rx_l3(struct __sk_buff *skb, __u32 fast)
{
    return qpw_packet_tc(skb, fast, 1, 1);
}

__noinline __u32 qpw_packet_tc_tx_l3(struct __sk_buff *skb, __u32 fast)
{
    return qpw_packet_tc(skb, fast, 0, 1);
}

/*
 * Not "xdp.frags": libbpf would demand multi-buffer support of every kernel. The loader sets the flag where it is
 * supported.
 */
SEC("xdp")
int qpw_xdp_rx(struct xdp_md *ctx)
{
    struct qpw_input in = qpw_xdp_input(ctx);
    __u32 fast = qpw_fast_path(ctx, &in, 1, 0, 1);

    if (fast != QPW_FAST_COUNTED && qpw_packet_xdp(ctx, fast))
        qpw_slow_xdp(ctx);
    return XDP_PASS;
}

SEC("tc")
int qpw_tc_rx(struct __sk_buff *skb)
{
    struct qpw_input in = qpw_tc_input(skb, 1, 0);
    __u32 fast = qpw_fast_path(skb, &in, 1, 0, 0);

    if (fast != QPW_FAST_COUNTED && qpw_packet_tc_rx(skb, fast))
        qpw_slow_tc(skb);
    return TC_ACT_UNSPEC;
}

SEC("tc")
int qpw_tc_tx(struct __sk_buff *skb)
{
    struct qpw_input in = qpw_tc_input(skb, 0, 0);
    __u32 fast = qpw_fast_path(skb, &in, 0, 0, 0);

    if (fast != QPW_FAST_COUNTED && qpw_packet_tc_tx(skb, fast))
        qpw_slow_tc(skb);
    return TC_ACT_UNSPEC;
}

SEC("tc")
int qpw_tc_rx_l3(struct __sk_buff *skb)
{
    struct qpw_input in = qpw_tc_input(skb, 1, 1);
    __u32 fast = qpw_fast_path(skb, &in, 1, 1, 0);

    if (fast != QPW_FAST_COUNTED && qpw_packet_tc_rx_l3(skb, fast))
        qpw_slow_tc(skb);
    return TC_ACT_UNSPEC;
}

SEC("tc")
int qpw_tc_tx_l3(struct __sk_buff *skb)
{
    struct qpw_input in = qpw_tc_input(skb, 0, 1);
    __u32 fast = qpw_fast_path(skb, &in, 0, 1, 0);

    if (fast != QPW_FAST_COUNTED && qpw_packet_tc_tx_l3(skb, fast))
        qpw_slow_tc(skb);
    return TC_ACT_UNSPEC;
}

/* Copy that frame of the replay into the test run's packet and `control`. NULL: there is none. */
static __always_inline struct qpw_replay_frame *qpw_replay_take(void *ctx, __u32 number, const int xdp)
{
    struct qpw_replay_frame *f = bpf_map_lookup_elem(&replay_frames, &number);
    __u32 n;

    if (!f)
        return 0;
    control.replay_now_ns = f->now_ns;
    control.replay_bytes = f->bytes;
    control.replay_wire = f->wire;
    control.replay_captured = n = f->captured;
    if (!n)
        return f;
    n = ((n - 1) & (QPW_HEADER_BYTES - 1)) + 1; /* verifier: as in qpw_reparse() */
    barrier_var(n);
    if (xdp ? bpf_xdp_store_bytes(ctx, 0, f->data, n) : bpf_skb_store_bytes(ctx, 0, f->data, n, 0))
        return 0;
    return f;
}

/*
 * The frames that were handed over, each as the programs above take it. The packet is longer than any of them, hence
 * control.replay_padded. Return how many were taken.
 */
SEC("xdp")
int qpw_replay_xdp(struct xdp_md *ctx)
{
    struct qpw_replay_frame *f;

    if (!config.has_xdp_buff_len) /* as old as bpf_xdp_store_bytes() */
        return 0;
#pragma clang loop unroll(disable)
    for (__u32 i = 0; i < QPW_REPLAY_FRAMES; i++) {
        f = qpw_replay_take(ctx, i, 1);
        if (!f)
            return (int)i;
        if (f->tx ? qpw_packet_xdp_tx(ctx) : qpw_packet_xdp(ctx, QPW_FAST_OTHER))
            qpw_slow_xdp(ctx);
        if (f->is_last)
            return (int)i + 1;
    }
    return 0;
}

SEC("tc")
int qpw_replay_tc(struct __sk_buff *skb)
{
    struct qpw_replay_frame *f;

#pragma clang loop unroll(disable)
    for (__u32 i = 0; i < QPW_REPLAY_FRAMES; i++) {
        f = qpw_replay_take(skb, i, 0);
        if (!f)
            return (int)i;
        if (f->tx ? qpw_packet_tc_tx(skb, QPW_FAST_OTHER) : qpw_packet_tc_rx(skb, QPW_FAST_OTHER))
            qpw_slow_tc(skb);
        if (f->is_last)
            return (int)i + 1;
    }
    return 0;
}

/* Always return 1, so that the system call proceeds. */
SEC("cgroup/sock_create")
int qpw_sock_create(struct bpf_sock *sk)
{
    if (!qpw_owner_elsewhere(sk))
        qpw_owner_note(bpf_sk_storage_get(&owners, sk, 0, BPF_SK_STORAGE_GET_F_CREATE), QPW_OWNER_CREATED);
    return 1;
}

static __always_inline int qpw_connect(struct bpf_sock_addr *ctx)
{
    if (!qpw_owner_elsewhere(ctx) && ctx->sk)
        qpw_owner_note(bpf_sk_storage_get(&owners, ctx->sk, 0, BPF_SK_STORAGE_GET_F_CREATE), QPW_OWNER_CONNECTED);
    return 1;
}

SEC("cgroup/connect4")
int qpw_connect4(struct bpf_sock_addr *ctx)
{
    return qpw_connect(ctx);
}

SEC("cgroup/connect6")
int qpw_connect6(struct bpf_sock_addr *ctx)
{
    return qpw_connect(ctx);
}

/* Note that a process executes another file. */
SEC("tracepoint/sched/sched_process_exec")
int qpw_exec(void *record)
{
    struct qpw_exe e = {.last_ns = bpf_ktime_get_ns()};
    __u32 tgid = bpf_get_current_pid_tgid() >> 32, where = 0;
    __u64 exe = 0;
    long length;

    if (bpf_probe_read_kernel(&where, sizeof(where), record + config.exec_path))
        where = 0;
    length = bpf_probe_read_kernel_str(e.path, sizeof(e.path), record + (where & QPW_DATA_LOC));
    if (where && length > 1 && length < (long)sizeof(e.path)) /* else it was cut */
        exe = qpw_exe_enter(&e);
    if (!exe)
        qpw_stat(QPW_LOSS_EXECUTABLE_TABLE);
    qpw_exe_put(tgid, exe);
    return 0;
}

/* A process begins as what its parent is; the parent runs. So does a thread, whose number no process has meanwhile. */
SEC("tracepoint/sched/sched_process_fork")
int qpw_fork(void *record)
{
    __u32 child = 0;
    int evicted;

    if (!bpf_probe_read_kernel(&child, sizeof(child), record + config.fork_child) && child)
        qpw_exe_put(child, qpw_exe_get(bpf_get_current_pid_tgid() >> 32, &evicted));
    return 0;
}

char _license[] SEC("license") = "Dual BSD/GPL";
