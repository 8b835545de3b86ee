/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * track.h - the connection that a packet belongs to, and what the packet changes of it:
 * locality → fragments → look-up → direction.
 */
#ifndef QPW_BPF_TRACK_H
#define QPW_BPF_TRACK_H

#include "cache.h"
#include "conn.h"
#include "expiry.h"
#include "finding.h"
#include "connless.h"
#include "local.h"
#include "open.h"
#include "parse.h"
#include "question.h"
#include "tcp.h"

/* Keep the ports of a first fragment for the later ones, which take them here. Returns 0 if they are not known. */
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
    w->pair = qpw_tag_pair_number(&t);
    w->incarnation = qpw_pair_incarnation(w->pair);
    __builtin_memset(&w->frag, 0, sizeof(w->frag));
    qpw_copy16(w->frag.source, p->source);
    qpw_copy16(w->frag.destination, p->destination);
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

/* Set bucket, set and mark of the exchange; not w->pair, whose tag has the addresses alone. */
static __always_inline void qpw_bucket_at(struct qpw_work *w, const struct qpw_tag *t)
{
    w->bucket = qpw_tag_bucket(t);
    w->half_set = qpw_tag_half_set(t, config.secret, config.half_sets);
    w->half_mark = qpw_tag_half_mark(t);
}

/*
 * Set the bucket where changes of w->key are noted; read it before the entry, so that no change in between is missed.
 */
static __always_inline void qpw_find_bucket(struct qpw_work *w)
{
    struct qpw_tag t;

    t = qpw_tag_pair(config.secret, w->key.local, w->key.remote, w->pkt.v6);
    w->pair = qpw_tag_pair_number(&t);
    qpw_tag_exchange(&t, config.secret, w->key.local_port, w->key.remote_port, w->key.protocol);
    qpw_bucket_at(w, &t);
    if (w->pkt.fragment != QPW_LATER_FRAGMENT) /* its own was read before its ports were looked up */
        w->incarnation = qpw_incarnation(w->bucket, qpw_is_syn(&w->pkt));
}

__noinline __u32 qpw_bucket_of(void)
{
    struct qpw_work *w = qpw_work();

    if (w)
        qpw_find_bucket(w);
    return 0;
}

/* Set w->key to the exchange, by the local end's view. local_is_source: which end of the packet is local. */
static __always_inline void qpw_key_of_packet(struct qpw_work *w, __u32 local_is_source)
{
    const struct qpw_pkt *p = &w->pkt;
    int ports;

    ports = qpw_kind(p->protocol) == QPW_KIND_PORT;
    __builtin_memset(&w->key, 0, sizeof(w->key));
    w->key.protocol = p->protocol;
    if (local_is_source) { /* in branches: from where is chosen, bytes are copied one by one */
        qpw_copy16(w->key.local, p->source);
        qpw_copy16(w->key.remote, p->destination);
        w->key.local_port = ports ? p->source_port : 0;
        w->key.remote_port = ports ? p->destination_port : 0;
    } else {
        qpw_copy16(w->key.local, p->destination);
        qpw_copy16(w->key.remote, p->source);
        w->key.local_port = ports ? p->destination_port : 0;
        w->key.remote_port = ports ? p->source_port : 0;
    }
    if (!w->placed || qpw_is_self(w)) /* else the local end is the hook's: qpw_identify() has found its bucket */
        qpw_find_bucket(w);
}

/* Do the same where it is rare. */
__noinline __u32 qpw_make_key(__u32 local_is_source)
{
    struct qpw_work *w = qpw_work();

    if (w)
        qpw_key_of_packet(w, local_is_source);
    return 0;
}

/*
 * Replay, both ends local: the responder is the local end of the key, so that the exchange is inbound whichever of its
 * packets came first. Makes the key for a new one; returns whether this packet is of the local end.
 */
static __noinline int qpw_self_key(struct qpw_work *w)
{
    const struct qpw_pkt *p = &w->pkt;
    int answers = 0;

    if (qpw_is_syn(p))
        answers = !!(p->tcp_flags & QPW_TCP_ACK);
    else if (p->protocol == QPW_IPPROTO_TCP)
        answers = qpw_listed(/* outbound= */ 0, p->protocol, p->source_port) &&
                  !qpw_listed(/* outbound= */ 0, p->protocol, p->destination_port);
    qpw_make_key(answers);
    w->rx = !answers;
    return answers;
}

/* Find the entry of this packet's exchange; set w->key and *from_local. A replay's self traffic: either way round. */
static __always_inline struct qpw_conn *qpw_lookup(struct qpw_work *w, int *from_local)
{
    struct qpw_conn *c;

    *from_local = !w->rx;
    if (!qpw_is_self(w)) {
#ifdef QPW_OLD_VERIFIER /* see QPW_OFTEN */
        qpw_make_key((__u32)*from_local);
#else
        qpw_key_of_packet(w, (__u32)*from_local);
#endif
        if (qpw_asks_questions(w->key.protocol))
            qpw_question_ahead(w);
        return qpw_conn_find(w);
    }
    w->cacheable = 0; /* a tag has the ends as the hook has them, not as the connection's key has */
    qpw_make_key(/* local_is_source= */ 1);
    c = qpw_conn_find(w);
    *from_local = 1;
    w->rx = 0; /* whichever hook it came through: rx is towards the local end of the key */
    if (c)
        return c;
    qpw_make_key(/* local_is_source= */ 0);
    *from_local = 0;
    w->rx = 1;
    return qpw_conn_find(w);
}

/* End an entry whose time-out has passed: another exchange begins. Returns whether it may be a late answer to the node. */
QPW_STAGE __u32 qpw_expired(struct qpw_conn *c, __u32 from_local)
{
    struct qpw_work *w = qpw_work();
    __u32 late;

    if (!w || !c)
        return 0;
    late = c->state == QPW_STATE_DATAGRAM && c->evidence >= QPW_EVIDENCE_FIRST && c->direction == QPW_DIR_OUTBOUND &&
           !from_local && !qpw_conn_over(&control, c, w->key.protocol, w->now);
    qpw_event_ended(w, c);
    qpw_stat(QPW_STAT_EXPIRED(QPW_CLASS_NONE));
    qpw_conn_delete(c->conn_class);
    return late;
}

/* Make w->key that of an exchange between the same ends, with w->question's address and that port. */
static __always_inline void qpw_other_key(struct qpw_work *w, __u16 local_port)
{
    qpw_copy16(w->key.local, w->question.local);
    w->key.local_port = local_port;
    qpw_bucket_of();
}

/*
 * A datagram that the node sends first on w->key: what is remembered of questions from there, into w->asked and
 * w->junk. 1: it may answer from another address than was asked; w->key is then that of the question's exchange.
 */
__noinline __u32 qpw_ask_memory(void)
{
    struct qpw_work *w = qpw_work();

    if (!w)
        return 0;
    qpw_question_of_key(w);
    w->asked = qpw_question_get();
    w->junk = 0;
    if (QPW_ASKED_WHAT(w->asked) < QPW_ASKED_THIS) {
        w->junk = qpw_junk_asked(w);
        return 0;
    }
    qpw_asked_address(w, QPW_ASKED_WHERE(w->asked));
    w->asked_group = QPW_ASKED_WHERE(w->asked) >= QPW_ASKED_GROUPS;
    if (w->asked_group || QPW_ASKED_WHAT(w->asked) == QPW_ASKED_OTHER ||
        qpw_same_address(w->question.local, w->key.local))
        return 0;
    w->saved = w->key;
    qpw_other_key(w, w->key.local_port);
    return 1;
}

/* Restore w->key as it was before qpw_other_key(). */
__noinline __u32 qpw_key_back(void)
{
    struct qpw_work *w = qpw_work();

    if (!w)
        return 0;
    w->key = w->saved;
    return qpw_bucket_of();
}

/*
 * The exchange that the datagram answers from another address than was asked, w->key being its key; NULL: there is
 * none.
 */
static __always_inline struct qpw_conn *qpw_asked_conn(struct qpw_work *w)
{
    struct qpw_conn *c;

    if (!qpw_ask_memory())
        return 0;
    c = qpw_conn_find(w);
    if (c && !qpw_conn_expired(&control, c, w->key.protocol, w->now)) {
        w->cacheable = 0; /* its tag is of another address than changes of the entry are noted under */
        return c;
    }
    qpw_key_back();
    return 0;
}

/*
 * From one of the node's addresses to one of the node's: no packet of its own come back, for it puts none such on a
 * wire, but forged. Who answers it is to be seen to answer.
 */
static __noinline int qpw_forged_echo(struct qpw_work *w)
{
    if (w->pkt.kind != QPW_PKT_IP || w->pkt.fragment == QPW_LATER_FRAGMENT || !qpw_asks_questions(w->pkt.protocol) ||
        !qpw_is_local(w, w->pkt.destination, QPW_LOCAL_ADDRESS))
        return 0;
    qpw_make_key(/* local_is_source= */ 0);
    qpw_question_of_key(w);
    qpw_question_put(qpw_asked_number());
    return 0;
}

/* The node has opened an exchange with the sender of undecidable packets: record that traffic passed both ways. */
static __always_inline void qpw_unjudged_opened(struct qpw_work *w, __u32 meter)
{
    qpw_junk_key(w, w->key.local, w->key.remote, 0);
    qpw_unjudged(QPW_ASKED_PORT(w->junk), 1, meter);
}

/*
 * The node sent TCP payload by hand, of no connection, after the other end had sent some of another: one way each, and
 * an exchange of the two.
 */
static __always_inline void qpw_strays_crossed(struct qpw_work *w, __u32 meter)
{
    if (qpw_stray_get(w))
        qpw_unjudged(QPW_REASON_MIDSTREAM, 1, meter);
}

/* Mark the exchange of a question as answered when an answer from another port has opened w->key. */
__noinline __u32 qpw_answered_elsewhere(void)
{
    struct qpw_work *w = qpw_work();
    struct qpw_conn *c;

    if (!w)
        return 0;
    w->saved = w->question = w->key;
    qpw_asked_address(w, QPW_ASKED_WHERE(w->asked));
    qpw_other_key(w, QPW_ASKED_PORT(w->asked));
    c = qpw_conn_find(w);
    if (c && !qpw_conn_expired(&control, c, w->key.protocol, w->now) && c->outcome < QPW_OUTCOME_ANSWERED) {
        c->outcome = QPW_OUTCOME_ANSWERED;
        qpw_invalidate(w, /* syn_too= */ 1);
        w->answer_port = w->saved.local_port;
        if (qpw_is_finding(c))
            qpw_finding_of(c, w->key.local_port, c->meter);
        w->answer_port = 0;
    }
    w->key = w->saved;
    qpw_bucket_of();
    return 0;
}

/* Replace c, whose tuple a new connection took: the old one ends, this packet opens the new. */
static __always_inline struct qpw_conn *qpw_restart(void *ctx, struct qpw_work *w, struct qpw_conn *c, int from_local)
{
    qpw_event_ended(w, c);
    qpw_conn_delete(c->conn_class);
    qpw_seed_delete();
    if (qpw_is_self(w))
        from_local = qpw_self_key(w);
    return qpw_open(ctx, w, from_local, /* late= */ 0);
}

/* Restart by the other end's tentative SYN, which a SYN+ACK has confirmed. */
static __noinline struct qpw_conn *qpw_restart_answered(struct qpw_work *w, struct qpw_conn *c, int from_local)
{
    __u64 first = c->last_ns;

    qpw_event_ended(w, c);
    qpw_conn_delete(c->conn_class);
    qpw_seed_delete();
    if (qpw_is_self(w))
        from_local = qpw_self_key(w);
    __builtin_memset(&w->conn, 0, sizeof(w->conn));
    w->conn.first_ns = first;
    w->conn.last_ns = w->now;
    w->conn.vlan = w->pkt.vlan | QPW_CONN_VLAN_UNSURE;
    w->conn.iface = w->iface.number;
    if (qpw_is_self(w))
        w->conn.flags |= QPW_CONN_SELF;
    qpw_open_handshake(&w->conn, &w->pkt, from_local, /* is_syn_ack= */ 1);
    qpw_tcp_sent(&w->conn, &w->pkt, from_local);
    qpw_invalidate(w, /* syn_too= */ 1);
    return qpw_conn_store(w);
}

/* Return the service port of c as meters and findings carry it; the ICMP type stands where a port stands. */
static __always_inline __u16 qpw_service_port(const struct qpw_work *w, const struct qpw_conn *c)
{
    if (qpw_kind(w->key.protocol) == QPW_KIND_ICMP)
        return w->pkt.source_port;
    if (c->direction == QPW_DIR_INBOUND)
        return w->key.local_port;
    return c->direction == QPW_DIR_OUTBOUND ? w->key.remote_port : 0;
}

/* Apply the socket table's answer to a live entry. What was found under the old direction is another finding's. */
QPW_STAGE __u32 qpw_seed_arrived(struct qpw_conn *c)
{
    struct qpw_work *w = qpw_work();

    if (!w || !c)
        return 0;
    w->before = *c;
    if (!qpw_apply_seed(w, c))
        return 0;
    if (w->before.finding) {
        qpw_finding_supersede(qpw_service_port(w, &w->before));
        c->finding = 0;
    }
    return 1;
}

/*
 * One more datagram on entry c. Who asked is remembered for as long as it goes on, for its entry may be pushed out;
 * and who was taken to answer a group asked by itself, once the node replies to it alone.
 */
QPW_STAGE __u32 qpw_remember(struct qpw_conn *c, __u32 from_local)
{
    struct qpw_work *w = qpw_work();

    if (!w || !c || !qpw_asks_questions(w->key.protocol))
        return 0;
    if (from_local && (c->flags & QPW_CONN_GRACE)) {
        c->flags &= ~QPW_CONN_GRACE;
        qpw_set_direction(c, QPW_DIR_INBOUND, QPW_EVIDENCE_FIRST);
        c->outcome = QPW_OUTCOME_ATTEMPTED;
        qpw_outdate(c); /* judged again */
    }
    if (!from_local && (c->flags & QPW_CONN_GROUP)) { /* it speaks to the node itself: another finding */
        c->flags &= ~QPW_CONN_GROUP;
        c->finding = 0;
    }
    if ((c->flags & QPW_CONN_REMOTE_FIRST) ||
        (c->direction == QPW_DIR_INBOUND && c->evidence == QPW_EVIDENCE_FIRST)) {
        qpw_question_of_key(w);
        qpw_question_put(qpw_asked_number());
    }
    return 0;
}

/* Advance c, the entry of the exchange, by one packet. Return QPW_DO_*. */
QPW_STAGE __u32 qpw_step(struct qpw_conn *c, __u32 from_local)
{
    struct qpw_work *w = qpw_work();

    if (!w || !c || w->pkt.fragment == QPW_LATER_FRAGMENT)
        return QPW_DO_NOTHING;
    if (w->key.protocol == QPW_IPPROTO_TCP)
        return qpw_tcp_step(c, &w->pkt, (int)from_local, config.replay);
    w->begins = !(c->flags & (from_local ? QPW_CONN_SENT_LOCAL : QPW_CONN_SENT_REMOTE));
    return qpw_datagram_step(c, &w->pkt, (int)from_local);
}

#define QPW_SETTLED_CLASS 0xffu
#define QPW_SETTLED_CHANGED 0x100u
#define QPW_SETTLED_SYN 0x200u

/*
 * What is left of it: what user space has found of it, its last-seen, its table. socket: of the connection, where todo
 * asks for it. Returns the class it is to move to, QPW_CLASS_NONE where it stays, and QPW_SETTLED_*: what is out of
 * date.
 */
QPW_STAGE __u32 qpw_settle(struct qpw_conn *c, __u32 todo, __u32 socket, __u32 from_local)
{
    __u32 conn_class = QPW_CLASS_NONE;
    struct qpw_work *w = qpw_work();
    int tcp;

    if (!w || !c)
        return QPW_CLASS_NONE;
    tcp = w->key.protocol == QPW_IPPROTO_TCP;
    if (todo & QPW_DO_LOOK)
        todo |= qpw_answer_unseen(c, socket, from_local);
    if (tcp && (c->flags & QPW_CONN_ASKED) && c->evidence != QPW_EVIDENCE_HANDSHAKE && qpw_seed_arrived(c)) {
        qpw_outdate(c); /* judged again */
        todo |= QPW_DO_CHANGED;
        if (c->state == QPW_STATE_MIDSTREAM)
            todo |= QPW_DO_ESTABLISH;
    }
    if (tcp && c->state == QPW_STATE_MIDSTREAM && !qpw_direction_known(c))
        qpw_ask_socket(w, c);
    if ((__s64)(w->now - c->last_ns) > 0) /* a capture's clock may step back */
        c->last_ns = w->now;
    if (todo & QPW_DO_CLOSE) {
        if (qpw_may_be_seeded(c))
            qpw_seed_delete();
        conn_class = QPW_CLASS_HALF;
    } else if (todo & QPW_DO_ESTABLISH) {
        if (tcp)
            conn_class = QPW_CLASS_EST;
        else if (c->conn_class == QPW_CLASS_HALF && qpw_kind(w->key.protocol) != QPW_KIND_ICMP)
            conn_class = QPW_CLASS_DGRAM; /* not ICMP: anybody is answered */
    } else if (c->conn_class & QPW_CLASS_HELD && (__s64)(w->now - c->first_ns) > (__s64)QPW_HELD_NS) {
        conn_class = QPW_CLASS_EST;
    }
    if (todo & QPW_DO_CHANGED)
        return conn_class | QPW_SETTLED_CHANGED;
    return todo & QPW_DO_CHANGED_SYN ? conn_class | QPW_SETTLED_SYN : conn_class;
}

/*
 * Cached copies of w->key are out of date: all, or those of its SYNs, of which this one has a number of its own. A scan
 * sends each with another, so that no copy is made of it before it is repeated. settled: of qpw_settle().
 */
__noinline __u32 qpw_changed(__u32 settled)
{
    struct qpw_incarnations *all = qpw_all_incarnations();
    struct qpw_work *w = qpw_work();

    if (!w || !all)
        return 0;
    if (settled & QPW_SETTLED_CHANGED) {
        qpw_invalidate(w, /* syn_too= */ 1);
    } else {
        qpw_syn_outdate(all, w->bucket);
        w->cacheable = 0;
    }
    return 0;
}

/* Handle one more packet on entry c: its state, its table. Returns the entry, possibly in another table. */
static __always_inline struct qpw_conn *qpw_advance(void *ctx, struct qpw_work *w, struct qpw_conn *c, int from_local)
{
    __u32 todo, settled, socket = 0;

    if (w->key.protocol != QPW_IPPROTO_TCP)
        qpw_remember(c, (__u32)from_local);
    todo = qpw_opaque(w, qpw_step(c, (__u32)from_local));
    from_local = (int)qpw_opaque(w, (__u32)from_local);
    if (todo & QPW_DO_RESTART)
        return qpw_restart(ctx, w, c, from_local);
    if (todo & QPW_DO_RESTART_ANSWERED)
        return qpw_restart_answered(w, c, from_local);

    if (todo & QPW_DO_LOOK)
        socket = (__u32)qpw_tcp_socket(ctx, w, /* any_remote= */ 0);
    settled = qpw_opaque(w, qpw_settle(c, todo, socket, (__u32)from_local));
    if (settled & QPW_SETTLED_CLASS)
        c = qpw_conn_move(w, c, (__u8)settled);
    if (settled & (QPW_SETTLED_CHANGED | QPW_SETTLED_SYN))
        qpw_changed(settled);
    return c;
}

/* Set w->key to that of the packet that an ICMP error quotes, by the local end's view; *ret_type: its ICMP type. */
static __always_inline int qpw_quoted_key(struct qpw_work *w, __u16 *ret_type)
{
    const __u8 *q = w->quote, *l4;
    __u32 header = w->pkt.v6 ? 40 : (q[0] & 15) * 4u;
    __u8 protocol = w->pkt.v6 ? q[6] : q[9];
    __u8 kind = qpw_kind(protocol);

    /* The ports or the type must be there. */
    if (header < 20 || w->quoted_bytes < header + (kind == QPW_KIND_PROTOCOL ? 0 : 4))
        return 0;
    if (w->pkt.v6 && (qpw_is_mapped(q + 8) || qpw_is_mapped(q + 24)))
        return 0; /* as an IPv4 exchange it would be found */
    l4 = q + header;
    __builtin_memset(&w->key, 0, sizeof(w->key));
    w->key.protocol = protocol;
    if (w->pkt.v6) {
        qpw_copy16(w->key.local, w->rx ? q + 8 : q + 24);
        qpw_copy16(w->key.remote, w->rx ? q + 24 : q + 8);
    } else {
        qpw_set_v4(w->key.local, w->rx ? q + 12 : q + 16);
        qpw_set_v4(w->key.remote, w->rx ? q + 16 : q + 12);
    }
    if (kind == QPW_KIND_PORT) {
        w->key.local_port = qpw_get16(w->rx ? l4 : l4 + 2);
        w->key.remote_port = qpw_get16(w->rx ? l4 + 2 : l4);
    }
    *ret_type = kind == QPW_KIND_ICMP ? l4[0] : 0;
    return 1;
}

/* Mark the exchange that an ICMP error quotes as refused if it was only attempted (RFC 792, RFC 4443). */
__noinline __u32 qpw_refused_by_icmp(void)
{
    struct qpw_work *w = qpw_work();
    struct qpw_conn *c;
    __u16 port;
    int refuses;

    if (!w)
        return 0;
    refuses = w->pkt.v6 || w->pkt.icmp_code != 4; /* "fragmentation needed" is path MTU discovery, RFC 1191 */
    w->saved = w->key;
    if (!qpw_quoted_key(w, &port))
        return 0; /* w->key is as it was */
    qpw_bucket_of();
    c = qpw_conn_find(w);
    if (c && qpw_conn_over(&control, c, w->key.protocol, w->now))
        c = 0;
    w->quoted_known = !!c;
    if (c && refuses && c->outcome == QPW_OUTCOME_ATTEMPTED && qpw_direction_known(c) &&
        qpw_from_initiator(c, w->rx)) { /* rx: the node's own packet is quoted */
        c->outcome = QPW_OUTCOME_REFUSED;
        qpw_invalidate(w, /* syn_too= */ 1);
        if (!port)
            port = c->direction == QPW_DIR_INBOUND ? w->key.local_port : w->key.remote_port;
        if (c->finding && qpw_is_finding(c))
            qpw_finding_of(c, port, c->meter);
    }
    w->key = w->saved;
    qpw_bucket_of();
    return 0;
}

/*
 * From an IP packet to its connection. Returns the connection, for qpw_account(); NULL where the packet belongs to
 * none and is counted.
 */
static __noinline struct qpw_conn *qpw_connection(void *ctx, struct qpw_work *w)
{
    struct qpw_conn *c;
    int reason, from_local, late = 0;
    __u8 before;

    if (w->pkt.kind != QPW_PKT_IP && !w->pkt.has_addresses) {
        qpw_undecided(QPW_DIR_UNDECODABLE);
        return 0;
    }
    reason = (int)qpw_opaque(w, qpw_locality(w));
    if (reason == QPW_REASON_ECHO)
        qpw_forged_echo(w);
    if (reason == QPW_REASON_ECHO || reason == QPW_REASON_NOT_LOCAL || reason & QPW_LOCALITY_TRANSIT) {
        qpw_transit(w, reason & ~QPW_LOCALITY_TRANSIT);
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
    from_local = (int)qpw_opaque(w, (__u32)from_local);
    if (c && qpw_conn_expired(&control, c, w->key.protocol, w->now)) {
        late = (int)qpw_expired(c, (__u32)from_local);
        c = 0;
    }
    if (from_local && qpw_asks_questions(w->key.protocol) && !qpw_is_self(w)) {
        if (qpw_to_group()) {
            w->cacheable = 0; /* each of them is waited for an answer to */
            qpw_grace_put(w);
        } else if (!c) {
            c = qpw_asked_conn(w);
        }
    }
    if (!c && qpw_is_self(w))
        from_local = qpw_self_key(w);
    late = (int)qpw_opaque(w, (__u32)late);
    from_local = (int)qpw_opaque(w, (__u32)from_local);
    c = c ? qpw_advance(ctx, w, c, from_local) : qpw_open(ctx, w, from_local, late);
    if (!c) { /* the table is full: count the packet, and report the loss */
        w->pkt.reason = QPW_REASON_TABLE_FULL;
        qpw_undecided(QPW_DIR_UNKNOWN);
        return 0;
    }
    if (qpw_is_foreign(reason) && !w->opened)
        reason = QPW_REASON_UNLISTED_LOCAL; /* the other end spoke to that address, or it was the node's until now */
    before = c->reason;
    if (qpw_is_foreign(reason) || (reason && !c->reason))
        c->reason = (__u8)reason;
    else if (!reason && (c->reason == QPW_REASON_UNLISTED_LOCAL || qpw_is_foreign(c->reason)))
        c->reason = QPW_REASON_NONE; /* the address is known by now */
    if (c->reason != before && !w->opened)
        qpw_invalidate(w, /* syn_too= */ 1); /* the next packet is of another row */
    return c;
}

#endif
