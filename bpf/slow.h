/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * slow.h - the whole way of a packet that the cache does not answer for:
 * locality → fragments → connection → direction → verdict → meter and finding → cache.
 */
#ifndef QPW_BPF_SLOW_H
#define QPW_BPF_SLOW_H

#include "cache.h"
#include "conn.h"
#include "count.h"
#include "finding.h"
#include "judge.h"
#include "local.h"
#include "open.h"
#include "tcp.h"

static __always_inline void qpw_meter_key_clear(struct qpw_work *w)
{
    __builtin_memset(&w->meter, 0, sizeof(w->meter));
    w->meter.iface = w->iface.number;
}

/* Counts a packet that belongs to no connection, in the row that w->meter names. */
static __always_inline void qpw_count_meter(struct qpw_work *w)
{
    qpw_count(qpw_meter_slot(), w->rx, w->frames, w->bytes);
}

/* Non-IP, judged by its EtherType; an unknown one is a finding between two MAC addresses. */
__noinline __u32 qpw_non_ip(void)
{
    struct qpw_work *w = qpw_work();
    __u32 slot, answer, finding = 0;

    if (!w)
        return 0;
    __builtin_memset(&w->key, 0, sizeof(w->key));
    answer = qpw_walk(qpw_space(QPW_KIND_ETHERTYPE, 0, w->pkt.ethertype), !w->rx);
    qpw_meter_key_clear(w);
    w->meter.kind = QPW_KIND_ETHERTYPE;
    w->meter.direction = QPW_DIR_NON_IP;
    w->meter.scope = QPW_SCOPE_OTHER;
    w->meter.verdict = answer ? QPW_ANSWER_VERDICT(answer) : QPW_VERDICT_UNEXPECTED;
    w->meter.port = w->pkt.ethertype;
    w->meter.rule = QPW_ANSWER_RULE(answer);
    slot = qpw_meter_slot();
    if (w->meter.verdict == QPW_VERDICT_UNEXPECTED) {
        struct qpw_finding *v = &w->finding_value;

        __builtin_memset(&w->finding, 0, sizeof(w->finding));
        __builtin_memcpy(w->finding.responder + 10, w->pkt.macs, 6);
        __builtin_memcpy(w->finding.initiator + 10, w->pkt.macs + 6, 6);
        w->finding.kind = QPW_KIND_ETHERTYPE;
        w->finding.port = w->pkt.ethertype;
        w->finding.direction = QPW_DIR_NON_IP;
        w->finding.verdict = QPW_VERDICT_UNEXPECTED;
        __builtin_memset(v, 0, sizeof(*v));
        v->first_ns = v->last_ns = w->now;
        v->meter = (__u16)slot;
        v->rule = QPW_ANSWER_RULE(answer);
        v->vlan = w->pkt.vlan;
        v->iface = w->iface.number;
        v->outcome = QPW_OUTCOME_ATTEMPTED;
        v->scope = QPW_SCOPE_OTHER;
        v->flags = w->pkt.macs[0] & 1 ? QPW_FINDING_MULTICAST : 0;
        finding = qpw_finding_touch();
    }
    qpw_count(finding ? finding : slot, w->rx, w->frames, w->bytes);
    return 0;
}

static __always_inline int qpw_transit(struct qpw_work *w, int reason)
{
    qpw_meter_key_clear(w);
    w->meter.kind = qpw_kind(w->pkt.protocol);
    w->meter.protocol = w->pkt.protocol;
    w->meter.direction = QPW_DIR_TRANSIT;
    w->meter.verdict = QPW_VERDICT_TRANSIT;
    w->meter.reason = (__u8)reason;
    qpw_count_meter(w);
    return 0;
}

/* A packet without a connection: undecodable, or a fragment whose first is not known. The verdict peer comes first. */
__noinline __u32 qpw_undecided(__u32 direction)
{
    struct qpw_work *w = qpw_work();
    const __u8 *remote;
    __u16 peer;

    if (!w)
        return 0;
    remote = w->rx ? w->pkt.source : w->pkt.destination;
    peer = w->pkt.has_addresses ? qpw_peer(w, remote) : 0;
    if (w->rx && w->pkt.has_addresses)
        bpf_map_update_elem(&undecodable, remote, &w->now, BPF_ANY);
    qpw_meter_key_clear(w);
    w->meter.kind = w->pkt.has_addresses ? qpw_kind(w->pkt.protocol) : QPW_KIND_NONE;
    w->meter.protocol = w->pkt.has_addresses ? w->pkt.protocol : 0;
    w->meter.direction = (__u8)direction;
    w->meter.scope = w->self ? QPW_SCOPE_SELF : peer ? QPW_SCOPE_PEER : QPW_SCOPE_OTHER;
    w->meter.verdict = peer ? QPW_VERDICT_PEER : QPW_VERDICT_UNDECIDED;
    w->meter.reason = w->pkt.reason;
    w->meter.peer = peer;
    qpw_count_meter(w);
    return 0;
}

/* First fragments leave their ports behind, later ones take them. 0: not known. */
__noinline __u32 qpw_fragment_ports(void)
{
    struct qpw_work *w = qpw_work();
    struct qpw_frag fresh = {}, *seen;
    struct qpw_pkt *p;
    struct qpw_tag t;

    if (!w)
        return 0;
    p = &w->pkt;
    t = qpw_tag_pair(config.secret, w->rx ? p->destination : p->source, w->rx ? p->source : p->destination, p->v6);
    w->pair = qpw_tag_pair_incarnation(&t);
    w->incarnation = qpw_pair_incarnation(w->pair);
    __builtin_memset(&w->frag, 0, sizeof(w->frag));
    __builtin_memcpy(w->frag.source, p->source, 16);
    __builtin_memcpy(w->frag.destination, p->destination, 16);
    w->frag.id = p->fragment_id;
    w->frag.protocol = p->v6 ? 0 : p->protocol;
    if (p->fragment == QPW_FIRST_FRAGMENT) {
        fresh.protocol = p->protocol;
        fresh.seen_ns = w->now;
        fresh.source_port = p->source_port;
        fresh.destination_port = p->destination_port;
        if (bpf_map_update_elem(&frags, &w->frag, &fresh, BPF_ANY))
            qpw_stat(QPW_LOSS_FRAGMENT_TABLE);
        qpw_invalidate_fragments(w->pair); /* the same number may have been another datagram's */
        return 1;
    }
    seen = bpf_map_lookup_elem(&frags, &w->frag);
    if (!seen || (__s64)(w->now - seen->seen_ns) > (__s64)(control.fragment_ns >> 1))
        w->cacheable = 0; /* what it is known by ends before a cached copy does */
    if (!seen || (__s64)(w->now - seen->seen_ns) > (__s64)control.fragment_ns) {
        if (qpw_kind(p->protocol) == QPW_KIND_PROTOCOL && !(p->v6 && qpw_is_extension(p->protocol)))
            return 1; /* no ports to miss */
        p->reason = QPW_REASON_FRAGMENT;
        return 0;
    }
    p->protocol = seen->protocol; /* behind the extension headers that only the first fragment has */
    p->source_port = seen->source_port;
    p->destination_port = seen->destination_port;
    return 1;
}

/* Where changes of w->key are noted; read before the entry is, so that no change in between is missed. */
static __always_inline void qpw_place_of(struct qpw_work *w)
{
    struct qpw_tag t = qpw_tag_pair(config.secret, w->key.local, w->key.remote, w->pkt.v6);

    w->pair = qpw_tag_pair_incarnation(&t);
    qpw_tag_exchange(&t, config.secret, w->key.local_port, w->key.remote_port, w->key.protocol);
    w->place = qpw_tag_incarnation(&t);
    w->half_set = qpw_tag_half_set(&t, config.secret, config.half_sets);
    w->half_mark = qpw_tag_half_mark(&t);
    if (w->pkt.fragment != QPW_LATER_FRAGMENT) /* its own was read before its ports were looked up */
        w->incarnation = qpw_incarnation(w->place, qpw_is_syn(&w->pkt));
}

/* The key of the exchange, by the local end's view. local_is_source: which end of the packet is local. */
static __always_inline void qpw_make_key(struct qpw_work *w, int local_is_source)
{
    const struct qpw_pkt *p = &w->pkt;
    int ports = qpw_kind(p->protocol) == QPW_KIND_PORT;

    __builtin_memset(&w->key, 0, sizeof(w->key));
    __builtin_memcpy(w->key.local, local_is_source ? p->source : p->destination, 16);
    __builtin_memcpy(w->key.remote, local_is_source ? p->destination : p->source, 16);
    w->key.protocol = p->protocol;
    if (ports) {
        w->key.local_port = local_is_source ? p->source_port : p->destination_port;
        w->key.remote_port = local_is_source ? p->destination_port : p->source_port;
    }
    qpw_place_of(w);
}

/* The entry of this packet's exchange, w->key and *from_local set. A replay's self traffic: either way round. */
static __always_inline struct qpw_conn *qpw_lookup(struct qpw_work *w, int *from_local)
{
    struct qpw_conn *c;

    *from_local = !w->rx;
    if (!w->self) {
        qpw_make_key(w, *from_local);
        return qpw_conn_find(w);
    }
    qpw_make_key(w, 1);
    c = qpw_conn_find(w);
    *from_local = 1;
    w->rx = 0; /* whichever hook it came through: rx is towards the local end of the key */
    if (c)
        return c;
    qpw_make_key(w, 0); /* new: the first packet's destination is the local end, so its sender is inbound */
    *from_local = 0;
    w->rx = 1;
    return qpw_conn_find(w);
}

/* An entry whose time-out has passed. Returns it where the exchange goes on all the same, NULL where another begins. */
static __always_inline struct qpw_conn *qpw_expired(struct qpw_work *w, struct qpw_conn *c, int from_local, int *late)
{
    if (c->state == QPW_STATE_DATAGRAM && c->evidence >= QPW_EVIDENCE_FIRST && !qpw_from_initiator(c, from_local) &&
        !qpw_conn_over(c, w->key.protocol, w->now)) {
        if (c->direction == QPW_DIR_INBOUND)
            return c; /* the node's late answer: it does not become a client by it */
        *late = 1;
    }
    qpw_event_ended(w, c);
    qpw_stat(QPW_STAT_EXPIRED(QPW_CLASS_NONE));
    qpw_conn_delete(w, c->conn_class);
    return 0;
}

/* A new connection took the tuple of c: the old one ends, this packet opens the new. */
static __always_inline struct qpw_conn *qpw_restart(void *ctx, struct qpw_work *w, struct qpw_conn *c, int from_local)
{
    qpw_event_ended(w, c);
    qpw_conn_delete(w, c->conn_class);
    bpf_map_delete_elem(&seeds, &w->key);
    return qpw_open(ctx, w, from_local, 0);
}

/* A restart confirmed by a SYN+ACK: the other end's tentative SYN was the opening. */
static __noinline struct qpw_conn *qpw_restart_answered(struct qpw_work *w, struct qpw_conn *c, int from_local)
{
    __u64 first = c->last_ns;

    qpw_event_ended(w, c);
    qpw_conn_delete(w, c->conn_class);
    bpf_map_delete_elem(&seeds, &w->key);
    __builtin_memset(&w->conn, 0, sizeof(w->conn));
    w->conn.first_ns = first;
    w->conn.last_ns = w->now;
    w->conn.vlan = w->pkt.vlan;
    w->conn.iface = w->iface.number;
    if (w->self)
        w->conn.flags |= QPW_CONN_SELF;
    qpw_open_handshake(&w->conn, &w->pkt, from_local, 1);
    qpw_invalidate(w, 1);
    return qpw_conn_store(w);
}

/* Service port of c as meters and findings carry it; the ICMP type stands where a port stands. */
static __always_inline __u16 qpw_service_port(const struct qpw_work *w, const struct qpw_conn *c)
{
    if (qpw_kind(w->key.protocol) == QPW_KIND_ICMP)
        return w->pkt.source_port;
    if (c->direction == QPW_DIR_INBOUND)
        return w->key.local_port;
    return c->direction == QPW_DIR_OUTBOUND ? w->key.remote_port : 0;
}

/* The socket table's answer for a live entry. What was found under the old direction is another finding's. */
static __noinline int qpw_seed_arrived(struct qpw_work *w, struct qpw_conn *c)
{
    w->before = *c;
    if (!qpw_apply_seed(w, c))
        return 0;
    if (w->before.finding) {
        qpw_finding_supersede(qpw_service_port(w, &w->before));
        c->finding = 0;
    }
    return 1;
}

/* One more packet on entry c: its state, its table. Returns the entry, possibly in another place. */
static __always_inline struct qpw_conn *qpw_advance(void *ctx, struct qpw_work *w, struct qpw_conn *c, int from_local)
{
    int tcp = w->key.protocol == QPW_IPPROTO_TCP;
    __u32 todo;

    if (w->pkt.fragment == QPW_LATER_FRAGMENT)
        todo = QPW_DO_NOTHING;
    else if (tcp)
        todo = qpw_tcp_step(c, &w->pkt, from_local, config.replay);
    else
        todo = qpw_datagram_step(c, from_local);
    todo = qpw_unknown(w, todo);
    if (todo & QPW_DO_RESTART)
        return qpw_restart(ctx, w, c, from_local);
    if (todo & QPW_DO_RESTART_ANSWERED)
        return qpw_restart_answered(w, c, from_local);

    if (tcp && (c->flags & QPW_CONN_ASKED) && qpw_seed_arrived(w, c)) {
        c->generation = control.generation - 1; /* judged anew */
        todo |= QPW_DO_CHANGED;
        if (c->state == QPW_STATE_MIDSTREAM)
            todo |= QPW_DO_ESTABLISH;
    }
    if (tcp && c->state == QPW_STATE_MIDSTREAM && !qpw_direction_known(c))
        qpw_ask_socket(w, c);
    if ((__s64)(w->now - c->last_ns) > 0) /* a capture's clock may step back */
        c->last_ns = w->now;
    if (todo & QPW_DO_CLOSE) {
        bpf_map_delete_elem(&seeds, &w->key);
        c = qpw_conn_move(w, c, QPW_CLASS_HALF);
    } else if (todo & QPW_DO_ESTABLISH) {
        if (tcp)
            c = qpw_conn_move(w, c, QPW_CLASS_EST);
        else if (c->conn_class == QPW_CLASS_HALF && qpw_kind(w->key.protocol) != QPW_KIND_ICMP)
            c = qpw_conn_move(w, c, QPW_CLASS_DGRAM); /* not ICMP: anybody is answered */
    }
    if (todo & QPW_DO_CHANGED)
        qpw_invalidate(w, 1);
    return c;
}

/* An ICMP error quotes a packet of an exchange that was only attempted: it was refused (RFC 792, RFC 4443). */
__noinline __u32 qpw_refused_by_icmp(void)
{
    struct qpw_work *w = qpw_work();
    const __u8 *q, *ports;
    struct qpw_conn *c;
    __u32 header;

    if (!w || w->quoted_bytes < 28 || (!w->pkt.v6 && w->pkt.icmp_code == 4))
        return 0; /* "fragmentation needed" is path MTU discovery, RFC 1191 */
    q = w->quote;
    w->saved = w->key;
    __builtin_memset(&w->key, 0, sizeof(w->key));
    if (w->pkt.v6) {
        if (w->quoted_bytes < 48)
            return 0;
        w->key.protocol = q[6];
        __builtin_memcpy(w->key.local, w->rx ? q + 8 : q + 24, 16);
        __builtin_memcpy(w->key.remote, w->rx ? q + 24 : q + 8, 16);
        ports = q + 40;
    } else {
        header = (q[0] & 15) * 4u;
        if (header != 20)
            return 0;
        w->key.protocol = q[9];
        qpw_set_v4(w->key.local, w->rx ? q + 12 : q + 16);
        qpw_set_v4(w->key.remote, w->rx ? q + 16 : q + 12);
        ports = q + 20;
    }
    if (qpw_kind(w->key.protocol) == QPW_KIND_PORT) {
        w->key.local_port = qpw_get16(w->rx ? ports : ports + 2);
        w->key.remote_port = qpw_get16(w->rx ? ports + 2 : ports);
    }
    qpw_place_of(w);
    c = qpw_conn_find(w);
    if (c && !qpw_conn_over(c, w->key.protocol, w->now) && c->outcome == QPW_OUTCOME_ATTEMPTED &&
        qpw_direction_known(c) && qpw_from_initiator(c, w->rx)) { /* rx: the node's own packet is quoted, so the node must be the initiator */
        c->outcome = QPW_OUTCOME_REFUSED;
        qpw_invalidate(w, 1);
        if (c->finding && qpw_is_finding(c))
            qpw_finding_of(w, c, &w->key, c->direction == QPW_DIR_INBOUND ? w->key.local_port : w->key.remote_port,
                           c->meter);
    }
    w->key = w->saved;
    qpw_place_of(w);
    return 0;
}

/* The row that connection c counts in now. */
static __always_inline __u32 qpw_meter_of(struct qpw_work *w, const struct qpw_conn *c, __u16 port)
{
    qpw_meter_key_clear(w);
    w->meter.kind = qpw_kind(w->key.protocol);
    w->meter.protocol = w->key.protocol;
    w->meter.direction = c->direction;
    w->meter.scope = c->scope;
    w->meter.verdict = c->verdict;
    if (c->verdict == QPW_VERDICT_UNDECIDED || c->reason == QPW_REASON_UNLISTED_LOCAL)
        w->meter.reason = c->reason;
    w->meter.port = port;
    w->meter.rule = c->rule;
    w->meter.peer = c->peer;
    return qpw_meter_slot();
}

/* Judges c if anything that decides its verdict has changed since it was judged. */
static __noinline int qpw_judge_anew(struct qpw_work *w, struct qpw_conn *c)
{
    int icmp = qpw_kind(w->key.protocol) == QPW_KIND_ICMP;

    if (c->verdict && !icmp && c->generation == control.generation && c->vlan == w->pkt.vlan &&
        c->iface == w->iface.number)
        return 0;
    w->before = *c;
    c->vlan = w->pkt.vlan;
    c->iface = w->iface.number;
    qpw_judge(w, c, w->pkt.source_port);
    if (w->before.finding && !icmp && (w->before.verdict != c->verdict || w->before.direction != c->direction)) {
        qpw_finding_supersede(qpw_service_port(w, &w->before));
        c->finding = 0;
    }
    return 0;
}

/* May packets like this one be answered for by the cache from now on? */
static __always_inline __u32 qpw_cacheable(const struct qpw_work *w, const struct qpw_conn *c)
{
    __u32 this_way = w->rx ? QPW_CACHE_RX : QPW_CACHE_TX;

    if (!w->cacheable || w->opened || config.no_cache || config.count_conns)
        return 0;
    if (w->pkt.fragment)
        return this_way; /* a later one: it says nothing about its connection */
    if (w->key.protocol == QPW_IPPROTO_TCP) {
        if ((w->pkt.tcp_flags & (QPW_TCP_SYN | QPW_TCP_ACK)) == QPW_TCP_SYN)
            return c->state == QPW_STATE_SYN && c->isn == w->pkt.seq && qpw_from_initiator(c, !w->rx) ? this_way : 0;
        if (c->state != QPW_STATE_ESTABLISHED && c->state != QPW_STATE_MIDSTREAM)
            return 0;
    }
    if (c->outcome == QPW_OUTCOME_DATA)
        return QPW_CACHE_RX | QPW_CACHE_TX;
    if (c->state == QPW_STATE_DATAGRAM)
        return this_way; /* the other end's packet will change the outcome */
    /* TCP: payload will; mid-stream without a direction, an end that has done its part changes no more. */
    return c->state == QPW_STATE_MIDSTREAM && !qpw_direction_known(c) &&
                   (c->flags & (w->rx ? QPW_CONN_SENT_REMOTE : QPW_CONN_SENT_LOCAL))
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

/* Meter, finding, parents, cache of a packet on connection c, which is judged. */
static __noinline int qpw_account(struct qpw_work *w, struct qpw_conn *c)
{
    __u32 meter, slot, finding = 0;
    __u32 directions;
    __u16 port;
    int others; /* another CPU has just made the entry and is about to count it */

    port = qpw_service_port(w, c);
    meter = qpw_meter_of(w, c, port);
    others = !c->meter && !w->made;
    if (!others && (!c->meter || (c->meter != meter && qpw_kind(w->key.protocol) != QPW_KIND_ICMP))) {
        if (c->meter)
            qpw_count_connection(c->meter, -1);
        qpw_count_connection(meter, 1);
        c->meter = (__u16)meter;
    }
    if (qpw_is_finding(c) || qpw_is_router_news(w, c)) {
        finding = qpw_finding_of(w, c, &w->key, port, meter);
        if (finding && !c->finding && !others)
            qpw_count_connection(finding, 1);
        if (!others)
            c->finding = (__u16)finding;
    }
    slot = finding ? finding : meter;
    qpw_count(slot, w->rx, w->frames, w->bytes);
    qpw_count_replay(w);
    if (c->is_parent && c->outcome >= QPW_OUTCOME_ANSWERED && qpw_direction_known(c)) {
        __builtin_memset(&w->parent, 0, sizeof(w->parent));
        __builtin_memcpy(w->parent.remote, w->key.remote, 16);
        w->parent.rule = c->rule;
        if (bpf_map_update_elem(&parents, &w->parent, &w->now, BPF_ANY))
            qpw_stat(QPW_LOSS_PARENT_TABLE);
    }
    directions = qpw_cacheable(w, c);
    if (directions)
        qpw_cache_put(slot, directions);
    return 0;
}

/*
 * From an IP packet to its connection. Returns the connection, for qpw_account(); NULL where the packet belongs to none and is counted.
 */
static __noinline struct qpw_conn *qpw_connection(void *ctx, struct qpw_work *w)
{
    struct qpw_conn *c;
    int reason, from_local, late = 0;

    if (w->pkt.kind != QPW_PKT_IP && !w->pkt.has_addresses) {
        qpw_undecided(QPW_DIR_UNDECODABLE);
        return 0;
    }
    reason = qpw_locality();
    if (reason == QPW_REASON_ECHO || reason == QPW_REASON_NOT_LOCAL) {
        qpw_transit(w, reason);
        return 0;
    }
    if (w->pkt.kind != QPW_PKT_IP) {
        qpw_undecided(QPW_DIR_UNDECODABLE);
        return 0;
    }
    if (w->pkt.fragment && !qpw_fragment_ports()) {
        qpw_undecided(QPW_DIR_UNKNOWN);
        return 0;
    }

    c = qpw_lookup(w, &from_local);
    from_local = (int)qpw_unknown(w, (__u32)from_local);
    if (c && qpw_conn_expired(c, w->key.protocol, w->now))
        c = qpw_expired(w, c, from_local, &late);
    c = c ? qpw_advance(ctx, w, c, from_local) : qpw_open(ctx, w, from_local, late);
    if (!c) { /* no place for its connection: still counted, and said */
        w->pkt.reason = QPW_REASON_TABLE_FULL;
        qpw_undecided(QPW_DIR_UNKNOWN);
        return 0;
    }
    if (reason && !c->reason)
        c->reason = (__u8)reason;
    else if (!reason && c->reason == QPW_REASON_UNLISTED_LOCAL)
        c->reason = QPW_REASON_NONE; /* the address is known by now */
    return c;
}

#endif
