/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * open.h - the first packet of an exchange: who opened it, and on what evidence.
 */
#ifndef QPW_BPF_OPEN_H
#define QPW_BPF_OPEN_H

#include "conn.h"
#include "judge.h"
#include "question.h"
#include "tcp.h"

/* include/net/tcp_states.h; stable, part of the BPF interface (BPF_TCP_SYN_SENT, BPF_TCP_LISTEN) */
#define QPW_TCP_SYN_SENT 2
#define QPW_TCP_LISTEN 10
/* ESTABLISHED, FIN_WAIT1, FIN_WAIT2, CLOSE_WAIT, LAST_ACK, CLOSING: the handshake is complete. */
#define QPW_TCP_OPEN (1u << 1 | 1u << 4 | 1u << 5 | 1u << 8 | 1u << 9 | 1u << 11)
#define QPW_TCP_REQUESTED (1u << 3 | 1u << 12) /* SYN_RECV, NEW_SYN_RECV: the node has sent its SYN+ACK */

/* w->key as the kernel looks up sockets by it, into w->tuple: only its local end if any_remote. Returns its size. */
__noinline __u32 qpw_tuple(__u32 any_remote)
{
    struct qpw_work *w = qpw_work();
    const struct qpw_conn_key *key;
    struct bpf_sock_tuple *tuple;

    if (!w)
        return 0;
    key = &w->key;
    tuple = &w->tuple;
    __builtin_memset(tuple, 0, sizeof(*tuple));
    if (qpw_is_mapped(key->local)) {
        tuple->ipv4.daddr = qpw_word(key->local + 12);
        tuple->ipv4.dport = __builtin_bswap16(key->local_port);
        if (!any_remote) {
            tuple->ipv4.saddr = qpw_word(key->remote + 12);
            tuple->ipv4.sport = __builtin_bswap16(key->remote_port);
        }
        return sizeof(tuple->ipv4);
    }
    qpw_copy16(tuple->ipv6.daddr, key->local);
    tuple->ipv6.dport = __builtin_bswap16(key->local_port);
    if (!any_remote) {
        qpw_copy16(tuple->ipv6.saddr, key->remote);
        tuple->ipv6.sport = __builtin_bswap16(key->remote_port);
    }
    return sizeof(tuple->ipv6);
}

/*
 * State of the TCP socket that a packet of w->key is given to: of its very connection, else of who listens on the local
 * port. any_remote: only the latter is asked for. 0: there is none.
 */
static __noinline int qpw_tcp_socket(void *ctx, struct qpw_work *w, int any_remote)
{
    struct bpf_sock *sk;
    int state;

    if (config.replay)
        return 0;
    if (qpw_tuple((__u32)any_remote) == sizeof(w->tuple.ipv4))
        sk = bpf_skc_lookup_tcp(ctx, &w->tuple, sizeof(w->tuple.ipv4), -1, 0);
    else
        sk = bpf_skc_lookup_tcp(ctx, &w->tuple, sizeof(w->tuple.ipv6), -1, 0);
    if (!sk)
        return 0;
    state = (int)sk->state;
    bpf_sk_release(sk);
    return state;
}

/*
 * Look for a UDP socket where this packet goes. of_exchange: only one that the node has connected to its very sender.
 * A socket that is merely bound may be a server's, and a source port is forged easily.
 */
static __noinline int qpw_udp_socket(void *ctx, struct qpw_work *w, int of_exchange)
{
    const volatile struct bpf_sock *is;
    struct bpf_sock *sk;
    __u32 size, remote4, first, last;
    int found = 1;

    if (config.replay)
        return 0;
    size = qpw_tuple(0);
    if (size == sizeof(w->tuple.ipv4))
        sk = bpf_sk_lookup_udp(ctx, &w->tuple, sizeof(w->tuple.ipv4), -1, 0);
    else
        sk = bpf_sk_lookup_udp(ctx, &w->tuple, sizeof(w->tuple.ipv6), -1, 0);
    if (!sk)
        return 0;
    is = sk; /* all is read: the compiler would choose between pointers into it, which the verifier refuses */
    remote4 = is->dst_ip4;
    first = is->dst_ip6[0];
    last = is->dst_ip6[3];
    if (of_exchange && size == sizeof(w->tuple.ipv4))
        found = remote4 == w->tuple.ipv4.saddr;
    else if (of_exchange)
        found = last == w->tuple.ipv6.saddr[3] && first == w->tuple.ipv6.saddr[0];
    bpf_sk_release(sk);
    return found;
}

/* Step 4: exactly one of the two ports is one the policy lists for its direction. */
static __always_inline void qpw_infer(struct qpw_conn *c, const struct qpw_conn_key *key)
{
    int in = qpw_listed_end(/* outbound= */ 0, key->protocol, key->local_port);
    int out = qpw_listed_end(/* outbound= */ 1, key->protocol, key->remote_port);

    c->direction = QPW_DIR_UNKNOWN;
    c->evidence = QPW_EVIDENCE_NONE;
    if (in == out)
        return;
    c->direction = in ? QPW_DIR_INBOUND : QPW_DIR_OUTBOUND;
    c->evidence = QPW_EVIDENCE_INFERRED;
    c->reason = QPW_REASON_INFERRED;
}

static __always_inline void qpw_set_direction(struct qpw_conn *c, __u8 direction, __u8 evidence)
{
    c->direction = direction;
    c->evidence = evidence;
    c->reason = QPW_REASON_NONE;
}

/* Open by a SYN: its sender is the initiator. By a SYN+ACK: its receiver. */
static __always_inline void qpw_open_handshake(struct qpw_conn *c, const struct qpw_pkt *p, int from_local,
                                               int is_syn_ack)
{
    int local_opens = is_syn_ack ? !from_local : from_local;

    qpw_set_direction(c, local_opens ? QPW_DIR_OUTBOUND : QPW_DIR_INBOUND, QPW_EVIDENCE_HANDSHAKE);
    c->conn_class = local_opens ? QPW_CLASS_OUT : QPW_CLASS_HALF;
    if (is_syn_ack) {
        c->state = QPW_STATE_SYN_ACK;
        c->isn = p->ack - 1;
        c->synack_seq = p->seq;
        c->outcome = QPW_OUTCOME_ANSWERED;
    } else {
        c->state = QPW_STATE_SYN;
        c->isn = p->seq;
        c->outcome = QPW_OUTCOME_ATTEMPTED;
    }
}

/* Apply the sock_diag result for w->key, if there is one. Return 1 if it set the direction. */
static __always_inline int qpw_apply_seed(struct qpw_work *w, struct qpw_conn *c)
{
    struct qpw_seed *seed;

    if (config.replay)
        return 0;
    seed = bpf_map_lookup_elem(&seeds, &w->key);
    if (!seed || (seed->direction != QPW_DIR_INBOUND && seed->direction != QPW_DIR_OUTBOUND))
        return 0;
    qpw_set_direction(c, seed->direction, QPW_EVIDENCE_SOCKET);
    c->flags &= ~QPW_CONN_ASKED;
    if (c->outcome < QPW_OUTCOME_ANSWERED)
        c->outcome = QPW_OUTCOME_ANSWERED; /* the handshake was completed once */
    return 1;
}

/* Return whether there may be a seed for c: not where it began after the last seeds were entered. */
static __always_inline int qpw_may_be_seeded(const struct qpw_conn *c)
{
    return c->first_ns <= *(volatile __u64 *)&control.seeded_ns;
}

/* Drop what the socket table said of a connection that has ended. Most have no seed, and looking takes no lock. */
__noinline __u32 qpw_seed_delete(void)
{
    struct qpw_work *w = qpw_work();

    if (w && bpf_map_lookup_elem(&seeds, &w->key))
        bpf_map_delete_elem(&seeds, &w->key);
    return 0;
}

/* Ask user space for the socket, once; a question that could not be sent is sent with a later packet. */
static __always_inline void qpw_ask_socket(struct qpw_work *w, struct qpw_conn *c)
{
    if (!config.replay && !(c->flags & QPW_CONN_ASKED) && qpw_event_ask())
        c->flags |= QPW_CONN_ASKED;
}

/*
 * The initiator acknowledges what was not seen: has the responder answered? Blind acknowledgements find a listener, or
 * nothing. A socket that is bound to another device than the packet came by is not found from here: once the
 * acknowledgements advance user space is asked, which knows those, too; a replay has these alone. socket: the state of
 * the connection's own, or of who listens, see qpw_tcp_socket(). Returns QPW_DO_*.
 */
QPW_STAGE __u32 qpw_answer_unseen(struct qpw_conn *c, __u32 socket, __u32 from_local)
{
    __u32 known = 1u << (socket & 31), open = !!(known & QPW_TCP_OPEN);
    struct qpw_work *w = qpw_work();
    struct qpw_seed *seed;

    if (!w || !c)
        return QPW_DO_NOTHING;
    if (!open && !(known & QPW_TCP_REQUESTED)) {
        if (!c->synack_seq)
            c->synack_seq = w->pkt.ack;
        if ((__s32)(w->pkt.ack - c->synack_seq) <= 0)
            return QPW_DO_NOTHING;
        seed = config.replay ? 0 : bpf_map_lookup_elem(&seeds, &w->key);
        open = config.replay || (seed && seed->direction == c->direction);
        if (!open) {
            qpw_ask_socket(w, c);
            return QPW_DO_NOTHING;
        }
    }
    return qpw_tcp_answered_unseen(c, &w->pkt, (int)from_local, (int)qpw_opaque(w, open));
}

/* Open TCP that is first seen after its handshake. */
static __always_inline void qpw_open_midstream(void *ctx, struct qpw_work *w, struct qpw_conn *c, int from_local)
{
    const struct qpw_pkt *p = &w->pkt;

    if (from_local)
        w->junk = qpw_junk_asked(w);
    c->state = p->tcp_flags & QPW_TCP_RST ? QPW_STATE_CLOSED : QPW_STATE_MIDSTREAM;
    c->conn_class = QPW_CLASS_HALF; /* until there is evidence: forged segments must not fill the established table */
    c->outcome = QPW_OUTCOME_ATTEMPTED;
    c->reason = p->tcp_flags & (QPW_TCP_RST | QPW_TCP_FIN) ? QPW_REASON_TAIL : QPW_REASON_MIDSTREAM;
    if (p->tcp_flags & QPW_TCP_FIN)
        c->end[!!from_local] |= QPW_END_FIN;
    if (!from_local && (p->tcp_flags & QPW_TCP_RST))
        c->flags |= QPW_CONN_RST_REMOTE;
    if (qpw_apply_seed(w, c)) {
        if (c->state == QPW_STATE_MIDSTREAM)
            c->conn_class = QPW_CLASS_EST;
        return;
    }
    if (c->state == QPW_STATE_CLOSED)
        return;
    if (c->reason == QPW_REASON_TAIL) {
        /* A scan may begin with a FIN, so only a socket of this very tuple proves a connection. */
    } else if (qpw_listed(/* outbound= */ 0, w->key.protocol, w->key.local_port) &&
               qpw_tcp_socket(ctx, w, /* any_remote= */ 1) == QPW_TCP_LISTEN) {
        qpw_set_direction(c, QPW_DIR_INBOUND, QPW_EVIDENCE_SOCKET);
        if (from_local) /* one forged segment of the other end is no answer */
            c->outcome = QPW_OUTCOME_ANSWERED;
    } else {
        qpw_infer(c, &w->key);
    }
    if (!qpw_direction_known(c) && p->payload) {
        if (from_local)
            w->stray = 1;
        else
            qpw_stray_put(w);
    }
    /* User space knows better than a listener: the answer of sock_diag replaces what was found here. */
    qpw_ask_socket(w, c);
}

static __always_inline void qpw_open_tcp(void *ctx, struct qpw_work *w, struct qpw_conn *c, int from_local)
{
    const struct qpw_pkt *p = &w->pkt;
    __u8 flags = p->tcp_flags & (QPW_TCP_SYN | QPW_TCP_ACK | QPW_TCP_RST);

    if (flags == QPW_TCP_SYN) {
        qpw_open_handshake(c, p, from_local, /* is_syn_ack= */ 0);
        return;
    }
    if (flags == (QPW_TCP_SYN | QPW_TCP_ACK)) {
        /* Awaited by a socket. One that is open already may have been opened by the other end. */
        if (from_local || config.replay || qpw_tcp_socket(ctx, w, /* any_remote= */ 0) == QPW_TCP_SYN_SENT) {
            qpw_open_handshake(c, p, from_local, /* is_syn_ack= */ 1);
            return;
        }
        c->state = QPW_STATE_MIDSTREAM;
        c->conn_class = QPW_CLASS_HALF;
        c->outcome = QPW_OUTCOME_ATTEMPTED;
        if (qpw_apply_seed(w, c)) {
            c->conn_class = QPW_CLASS_EST;
            return;
        }
        c->reason = QPW_REASON_UNSOLICITED;
        qpw_ask_socket(w, c); /* a socket bound to another device is not found from here */
        return;
    }
    qpw_open_midstream(ctx, w, c, from_local);
}

/* An echo request: what the node itself begins (RFC 792, RFC 4443). */
static __always_inline int qpw_is_icmp_request(const struct qpw_pkt *p)
{
    return p->source_port == (p->protocol == QPW_IPPROTO_ICMP ? QPW_ICMP_ECHO : QPW_ICMP6_ECHO);
}

/*
 * Handle a line of the table of questions that no longer shows who asked: exactly one listed port makes it `inferred`.
 */
static __always_inline void qpw_infer_because(struct qpw_work *w, struct qpw_conn *c, __u8 reason)
{
    qpw_infer(c, &w->key);
    c->reason = reason;
}

/*
 * A datagram that the node sends first to w->key's remote end, by what is remembered of questions from there
 * (asked: see qpw_question_get()). The rows are those of the table in the manual, qportwatch(8).
 */
static __always_inline void qpw_open_asked(struct qpw_work *w, struct qpw_conn *c, __u32 asked)
{
    const struct qpw_conn_key *key = &w->key;
    int in, out;

    if (QPW_ASKED_WHAT(asked) >= QPW_ASKED_THIS) { /* 1 and 2: an answer, from the port that speaks */
        qpw_set_direction(c, QPW_DIR_INBOUND, QPW_EVIDENCE_FIRST);
        c->outcome = QPW_OUTCOME_ANSWERED;
        c->conn_class = QPW_CLASS_DGRAM;
        c->asked_number = QPW_ASKED_WHERE(asked);
        if (w->asked_group)
            c->flags |= QPW_CONN_GROUP;
        if (QPW_ASKED_WHAT(asked) == QPW_ASKED_OTHER) {
            c->flags |= QPW_CONN_ELSEWHERE;
            c->asked_port = QPW_ASKED_PORT(asked);
        }
        return;
    }
    if (!config.replay && (__s64)(control.window_end_ns - w->now) > 0) { /* 7: it may have asked before */
        qpw_infer_because(w, c, QPW_REASON_JUST_ATTACHED);
        return;
    }
    in = qpw_listed_end(/* outbound= */ 0, key->protocol, key->local_port);
    out = qpw_listed_end(/* outbound= */ 1, key->protocol, key->remote_port);
    if (QPW_ASKED_WHAT(asked) == QPW_ASKED_LOST || QPW_ASKED_WHAT(w->junk) == QPW_ASKED_LOST) {
        if (out && !in) /* 3 */
            qpw_set_direction(c, QPW_DIR_OUTBOUND, QPW_EVIDENCE_INFERRED);
        else /* 4 */
            qpw_set_direction(c, QPW_DIR_UNKNOWN, QPW_EVIDENCE_NONE);
        c->reason = QPW_REASON_QUESTION_LOST;
    } else if (in && !out) { /* 5: a late answer */
        qpw_set_direction(c, QPW_DIR_INBOUND, QPW_EVIDENCE_INFERRED);
        c->reason = QPW_REASON_INFERRED;
    } /* 6: absence is evidence, the memory being intact */
}

/*
 * Open an exchange with a datagram from outside, unless a socket or an earlier packet of the node shows that it is an
 * answer.
 */
static __always_inline void qpw_open_from_outside(void *ctx, struct qpw_work *w, struct qpw_conn *c, int late)
{
    const struct qpw_conn_key *key = &w->key;
    int window = !config.replay && (__s64)(control.window_end_ns - w->now) > 0;

    if (qpw_is_self(w))
        qpw_question_of_key(w); /* else qpw_lookup() has */
    if (qpw_kind(key->protocol) != QPW_KIND_PORT) {
        qpw_question_put(qpw_asked_number());
        return;
    }
    if (qpw_listed(/* outbound= */ 1, key->protocol, key->remote_port) &&
        !qpw_listed(/* outbound= */ 0, key->protocol, key->local_port) &&
        (config.replay ? late
                       : window || (key->protocol == QPW_IPPROTO_UDP && qpw_udp_socket(ctx, w, !late)))) {
        qpw_set_direction(c, QPW_DIR_OUTBOUND, QPW_EVIDENCE_INFERRED);
        c->reason = window ? QPW_REASON_JUST_ATTACHED : QPW_REASON_INFERRED;
    } else if (qpw_grace_get(w) && !qpw_is_group(QPW_OF_KEY_LOCAL)) {
        qpw_set_direction(c, QPW_DIR_OUTBOUND, QPW_EVIDENCE_INFERRED);
        c->reason = QPW_REASON_INFERRED;
        c->outcome = QPW_OUTCOME_ANSWERED;
        c->flags |= QPW_CONN_GRACE;
    }
    /*
     * A packet that most likely answers a question from before the attachment opens nothing, unless more follows:
     * qpw_advance().
     */
    if (c->reason != QPW_REASON_JUST_ATTACHED)
        qpw_question_put(qpw_asked_number());
}

/*
 * Every other protocol: the sender of the first packet, with the exceptions that keep a late answer from
 * turning a server into a client, and a forged port from making the node an initiator.
 * late: the node opened an exchange on this very tuple whose time-out has passed. asked: of what the node sends.
 */
static __always_inline void qpw_open_datagram(void *ctx, struct qpw_work *w, struct qpw_conn *c, int from_local,
                                              int late)
{
    int icmp = qpw_kind(w->key.protocol) == QPW_KIND_ICMP;

    c->state = QPW_STATE_DATAGRAM;
    c->outcome = QPW_OUTCOME_ATTEMPTED;
    c->flags |= from_local ? QPW_CONN_SENT_LOCAL : QPW_CONN_SENT_REMOTE;
    if (from_local) {
        /* ICMP errors are sent because of packets from outside: a flood of these must not fill the node's own table. */
        c->conn_class = icmp && !qpw_is_icmp_request(&w->pkt) ? QPW_CLASS_HALF : QPW_CLASS_OUT;
        qpw_set_direction(c, QPW_DIR_OUTBOUND, QPW_EVIDENCE_FIRST);
        if (!icmp && !qpw_to_group()) /* a group asks nothing */
            qpw_open_asked(w, c, w->asked);
        return;
    }
    c->conn_class = QPW_CLASS_HALF;
    qpw_set_direction(c, QPW_DIR_INBOUND, QPW_EVIDENCE_FIRST);
    if (!icmp)
        qpw_open_from_outside(ctx, w, c, late);
}

/* Make w->conn for the first packet of w->key and store it. NULL: no room (counted). */
static __noinline struct qpw_conn *qpw_open(void *ctx, struct qpw_work *w, int from_local, int late)
{
    struct qpw_conn *c = &w->conn;

    __builtin_memset(c, 0, sizeof(*c));
    c->first_ns = c->last_ns = w->now;
    if (!from_local)
        c->flags |= QPW_CONN_REMOTE_FIRST;
    if (qpw_is_self(w))
        c->flags |= QPW_CONN_SELF;
    c->vlan = w->pkt.vlan;
    c->iface = w->iface.number;
    if (w->key.protocol == QPW_IPPROTO_TCP) {
        qpw_open_tcp(ctx, w, c, from_local);
        qpw_tcp_sent(c, &w->pkt, from_local);
    } else {
        qpw_open_datagram(ctx, w, c, from_local, late);
    }
    if (c->direction == QPW_DIR_UNKNOWN || !qpw_from_initiator(c, from_local))
        c->vlan |= QPW_CONN_VLAN_UNSURE;
    w->opened = w->begins = 1;
    /* Another SYN from outside is no news to its copies, and nothing else than TCP has any. */
    qpw_invalidate(w, w->key.protocol == QPW_IPPROTO_TCP && (from_local || !qpw_is_syn(&w->pkt)));
    return qpw_conn_store(w);
}

#endif
