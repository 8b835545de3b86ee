/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* account.h - the last stages of the slow path, for a connection that is known: verdict → meter and finding → cache. */
#ifndef QPW_BPF_ACCOUNT_H
#define QPW_BPF_ACCOUNT_H

#include "cache.h"
#include "count.h"
#include "finding.h"
#include "judge.h"
#include "look.h"
#include "track.h"

/* Return the row that connection c counts in now. */
static __always_inline __u32 qpw_meter_of(struct qpw_work *w, const struct qpw_conn *c, __u16 port)
{
    qpw_meter_key_clear(w);
    w->meter.kind = qpw_kind(w->key.protocol);
    w->meter.protocol = w->key.protocol;
    w->meter.direction = c->direction;
    w->meter.scope = qpw_conn_scope(c);
    w->meter.verdict = w->verdict;
    if (w->misfit)
        w->meter.reason = w->misfit;
    else if (w->verdict == QPW_VERDICT_UNDECIDED || c->reason == QPW_REASON_UNLISTED_LOCAL ||
             qpw_is_foreign(c->reason))
        w->meter.reason = c->reason;
    w->meter.port = port;
    w->meter.rule = c->rule;
    w->meter.peer = qpw_conn_peer(c);
    if (w->meter.peer)
        w->meter.apart = (__u8)qpw_apart();
    return qpw_meter_slot(w);
}

/* Return whether a frame for a group of cards has the packet counted apart from the others of its connection. */
static __always_inline int qpw_is_aside(const struct qpw_work *w)
{
    return w->meter.apart == QPW_APART_GROUP && !qpw_is_group(QPW_OF_DESTINATION);
}

/*
 * Tag and interface are those of the initiator's first packet, whichever way the others go: a host may answer through
 * another interface, or with a tag where the question had none. 1: c has them from this packet, and they are others.
 */
static __always_inline int qpw_initiator_seen(const struct qpw_work *w, struct qpw_conn *c)
{
    int changed;

    if (!(c->vlan & QPW_CONN_VLAN_UNSURE) || c->direction == QPW_DIR_UNKNOWN || !qpw_from_initiator(c, !w->rx))
        return 0;
    changed = (c->vlan & QPW_VLAN_ID) != w->pkt.vlan || c->iface != w->iface.number;
    c->vlan = w->pkt.vlan | (c->vlan & (QPW_CONN_PARENT | QPW_CONN_EACH | QPW_CONN_PROVISIONAL));
    c->iface = w->iface.number;
    return changed;
}

/*
 * Judge c if anything that decides its verdict has changed since it was judged; w->verdict is what it has now. That is
 * read once: another CPU may put a new exchange, not judged yet, in the place of c at any moment.
 */
QPW_STAGE __u32 qpw_judge_again(struct qpw_conn *c)
{
    struct qpw_work *w = qpw_work();
    int each, seen;

    if (!w || !c)
        return 0;
    each = qpw_kind(w->key.protocol) == QPW_KIND_ICMP || (c->vlan & QPW_CONN_EACH);
    w->verdict = *(volatile __u8 *)&c->verdict;
    seen = qpw_initiator_seen(w, c);
    if (seen) /* what the cache has of the other end's packets was judged by their tag */
        qpw_invalidate(w, /* syn_too= */ 1);
    if (!seen && w->verdict && !each && qpw_is_judged(c) &&
        !(w->owned && (c->vlan & QPW_CONN_PROVISIONAL)))
        return 0;
    if (w->verdict && c->iface != w->iface.number) {
        if (!each && c->direction != QPW_DIR_UNKNOWN && !qpw_from_initiator(c, !w->rx))
            return 0; /* the next packet of the initiator will do: rules may ask for its interface */
        c->iface = w->iface.number;
    }
    w->before = *c;
    qpw_judge(w, c, w->pkt.source_port);
    qpw_look_again(w, c);
    if (w->before.finding && !(each && qpw_is_judged(&w->before)) &&
        (w->before.verdict != c->verdict || w->before.direction != c->direction ||
         qpw_conn_mismatch(&w->before) != qpw_conn_mismatch(c))) {
        qpw_finding_supersede(qpw_service_port(w, &w->before));
        c->finding = 0;
    }
    return 0;
}

/* Return whether the cache may answer for packets like this one from now on. */
static __always_inline __u32 qpw_cacheable(const struct qpw_work *w, const struct qpw_conn *c)
{
    __u32 this_way = w->rx ? QPW_CACHE_RX : QPW_CACHE_TX;

    if (!w->cacheable || w->opened || config.no_cache || config.count_conns || (c->vlan & QPW_CONN_EACH))
        return 0;
    if (w->pkt.fragment)
        return this_way; /* a later fragment: it does not identify its connection */
    if (qpw_kind(w->key.protocol) == QPW_KIND_ICMP && c->verdict == QPW_VERDICT_UNEXPECTED)
        return this_way; /* other payload has passed both ways already; the other end's next packet changes the outcome */
    if (w->key.protocol == QPW_IPPROTO_TCP) {
        if ((w->pkt.tcp_flags & (QPW_TCP_SYN | QPW_TCP_ACK)) == QPW_TCP_SYN)
            return c->state == QPW_STATE_SYN && c->isn == w->pkt.seq && qpw_from_initiator(c, !w->rx) ? this_way : 0;
        if (c->state != QPW_STATE_ESTABLISHED && c->state != QPW_STATE_MIDSTREAM)
            return 0;
    }
    if (c->state == QPW_STATE_DATAGRAM && (c->end[1] & QPW_END_VOUCHED))
        return w->rx ? QPW_CACHE_RX : 0; /* another process may send the next from the same port */
    if (c->outcome == QPW_OUTCOME_DATA)
        return qpw_look_cacheable(w, c);
    if (c->state == QPW_STATE_DATAGRAM) /* the other end's packet will change the outcome; of SCTP, any will */
        return w->key.protocol == QPW_IPPROTO_SCTP ? 0 : this_way;
    /* TCP: payload will; mid-stream without a direction, an end that has done its part changes no more. */
    return c->state == QPW_STATE_MIDSTREAM && !qpw_direction_known(c) &&
                   (c->end[!w->rx] & QPW_END_PAYLOAD)
               ? this_way
               : 0;
}

static __always_inline void qpw_count_replay(struct qpw_work *w)
{
    struct qpw_counts *counts;

    if (!config.count_conns)
        return;
    counts = bpf_map_lookup_elem(&conn_counts, &w->key);
    if (!counts) {
        __builtin_memset(&w->none, 0, sizeof(w->none));
        bpf_map_update_elem(&conn_counts, &w->key, &w->none, BPF_NOEXIST);
        counts = bpf_map_lookup_elem(&conn_counts, &w->key);
        if (!counts)
            return;
    }
    if (!counts->connections && qpw_kind(w->key.protocol) == QPW_KIND_ICMP)
        counts->connections = 1 + ((__u64)w->pkt.source_port << 8 | w->pkt.icmp_code);
    if (w->rx) {
        counts->rx_packets += w->frames;
        counts->rx_bytes += w->bytes;
    } else {
        counts->tx_packets += w->frames;
        counts->tx_bytes += w->bytes;
    }
}

/* Note by what answered exchange c vouches for companions: its remote end, and the owner of the node's end. */
QPW_STAGE __u32 qpw_parent_note(const struct qpw_conn *c)
{
    struct qpw_work *w = qpw_work();
    struct qpw_parent *parent;
    __u32 member;

    if (!w || !c)
        return 0;
    __builtin_memset(&w->parent, 0, sizeof(w->parent));
    qpw_copy16(w->parent.remote, w->key.remote);
    w->parent.rule = c->rule;
    parent = bpf_map_lookup_elem(&parents, &w->parent);
    if (!parent) {
        __builtin_memset(&w->parent_value, 0, sizeof(w->parent_value));
        bpf_map_update_elem(&parents, &w->parent, &w->parent_value, BPF_NOEXIST);
        parent = bpf_map_lookup_elem(&parents, &w->parent);
    }
    if (!parent) {
        qpw_stat(QPW_LOSS_PARENT_TABLE);
        return 0;
    }
    parent->last_ns = w->now;
    parent->protocol = w->key.protocol;
    for (member = 0; member < QPW_PARENT_OWNERS; member++)
        if (parent->of[member].owner == c->owner)
            break;
    if (member == QPW_PARENT_OWNERS)
        member = parent->turn++;
    member = qpw_opaque(w, member) & (QPW_PARENT_OWNERS - 1);
    parent->of[member].owner = c->owner;
    parent->of[member].local_port = w->key.local_port;
    parent->of[member].remote_port = w->key.remote_port;
    qpw_copy16(parent->of[member].local, w->key.local);
    return 0;
}

/* Note the source MAC of a frame that opens an exchange in the name of that peer. */
__noinline __u32 qpw_opener_note(__u32 peer)
{
    struct qpw_work *w = qpw_work();
    struct qpw_openers *known;
    __u32 oldest = 0, i;
    const __u8 *mac;

    if (!w || (w->iface.flags & QPW_IFACE_L3))
        return 0;
    mac = w->pkt.macs + 6;
    known = bpf_map_lookup_elem(&openers, &peer);
    if (!known)
        return 0;
    for (i = 0; i < QPW_OPENERS; i++) {
        const struct qpw_opener *of = &known->of[i];

        if (qpw_word(of->mac) == qpw_word(mac) && of->mac[4] == mac[4] && of->mac[5] == mac[5])
            break;
        if (of->last_ns < known->of[oldest & (QPW_OPENERS - 1)].last_ns)
            oldest = i;
    }
    if (i == QPW_OPENERS)
        i = oldest;
    i = qpw_opaque(w, i) & (QPW_OPENERS - 1);
    __builtin_memcpy(known->of[i].mac, mac, 6);
    known->of[i].last_ns = w->now;
    return 0;
}

/* Account for a packet on connection c, which is judged: meter, finding, parents, cache. */
QPW_STAGE __u32 qpw_account(struct qpw_conn *c)
{
    struct qpw_work *w = qpw_work();
    __u32 meter, slot, finding = 0;
    __u32 directions;
    __u16 port;
    int others; /* another CPU has just made the entry and is about to count it */

    if (!w || !c)
        return 0;
    port = qpw_service_port(w, c);
    meter = qpw_meter_of(w, c, port);
    others = !c->meter && !w->made;
    if (!others && (!c->meter || (c->meter != meter && c->iface == w->iface.number && !qpw_is_aside(w) &&
                                  qpw_kind(w->key.protocol) != QPW_KIND_ICMP))) {
        if (c->meter)
            qpw_count_connection(c->meter, -1);
        else if (qpw_conn_services(c))
            qpw_look_unseen(w, c);
        qpw_count_connection(meter, 1);
        c->meter = (__u16)meter;
    }
    if (w->judged && c->meter)
        qpw_judged_count(c->meter);
    if (qpw_is_finding(c) || qpw_is_infra_news(w, c)) {
        finding = qpw_finding_of(c, port, meter);
        slot = (__u16)finding;
        if (slot && !c->finding && !others)
            qpw_count_connection(slot, 1);
        if (!others)
            c->finding = (__u16)slot;
    }
    slot = qpw_finding_counts(finding, meter);
    qpw_count(slot, w->rx, w->frames, w->bytes);
    qpw_count_replay(w);
    if (w->opened && w->rx && qpw_conn_peer(c))
        qpw_opener_note(qpw_conn_peer(c));
    if ((c->vlan & QPW_CONN_PARENT) && c->outcome >= QPW_OUTCOME_ANSWERED && qpw_direction_known(c))
        qpw_parent_note(c);
    directions = qpw_cacheable(w, c);
    if (directions)
        directions &= qpw_always_own();
    if (directions)
        qpw_cache_put(slot, directions);
    return 0;
}

#endif
