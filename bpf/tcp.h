/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * tcp.h - what one more packet does to a known exchange. Pure: a function over struct qpw_conn and
 * struct qpw_pkt, the same code natively and in BPF.
 *
 * The direction of a live connection is not changed here: a SYN on its tuple is only tentative until
 * the other end's SYN+ACK acknowledges it (RFC 9293, 3.10.7.4: a live end answers a forged SYN with a
 * challenge ACK and goes on).
 */
#ifndef QPW_BPF_TCP_H
#define QPW_BPF_TCP_H

#include "packet.h"

/* Actions for the caller. */
#define QPW_DO_NOTHING 0u
#define QPW_DO_CHANGED 1u        /* cached copies are out of date */
#define QPW_DO_ESTABLISH 2u      /* belongs among the established now */
#define QPW_DO_CLOSE 4u          /* belongs among the tails now */
#define QPW_DO_RESTART 8u        /* a new connection took the tuple: initiator is the sender of the packet … */
#define QPW_DO_RESTART_ANSWERED 16u /* … or, with a SYN+ACK, its receiver */
#define QPW_DO_ROSE 32u          /* the outcome rose */
#define QPW_DO_LOOK 64u          /* the initiator acknowledges what was not seen: ask the socket table */
#define QPW_DO_CHANGED_SYN 128u  /* cached copies of the SYN are out of date; of other packets there are none yet */

static __always_inline __u32 qpw_rise(struct qpw_conn *c, __u8 outcome)
{
    if (c->outcome >= outcome)
        return QPW_DO_NOTHING;
    c->outcome = outcome;
    return QPW_DO_ROSE | QPW_DO_CHANGED;
}

static __always_inline int qpw_direction_known(const struct qpw_conn *c)
{
    return c->evidence > QPW_EVIDENCE_INFERRED;
}

static __always_inline int qpw_from_initiator(const struct qpw_conn *c, int from_local)
{
    return (c->direction == QPW_DIR_OUTBOUND) == !!from_local;
}

static __always_inline __u8 qpw_tentative_flag(int from_local)
{
    return from_local ? QPW_CONN_TENTATIVE_LOCAL : QPW_CONN_TENTATIVE_REMOTE;
}

/*
 * Return whether this SYN by itself opens another connection: where the old one had ended, and where
 * nothing better is known of it. But the network can forge a RST, and a SYN behind it: neither ends what
 * the node holds open, so both wait for the node's SYN+ACK.
 */
static __always_inline int qpw_tcp_syn_restarts(const struct qpw_conn *c, int from_local)
{
    if (c->state == QPW_STATE_CLOSED)
        return from_local || !(c->flags & QPW_CONN_RST_REMOTE) || c->outcome < QPW_OUTCOME_ANSWERED;
    if (qpw_direction_known(c))
        return 0;
    return from_local || !(c->flags & QPW_CONN_SENT_LOCAL);
}

/* Return whether the node repeats its SYN after a RST that it has not taken: a firewall dropped that, or it was forged. */
static __always_inline int qpw_tcp_syn_goes_on(const struct qpw_conn *c, const struct qpw_pkt *p, int from_local)
{
    return c->state == QPW_STATE_CLOSED && from_local && (c->flags & QPW_CONN_RST_REMOTE) && c->isn == p->seq &&
           c->evidence == QPW_EVIDENCE_HANDSHAKE && c->direction == QPW_DIR_OUTBOUND &&
           c->outcome < QPW_OUTCOME_ANSWERED;
}

static __always_inline __u32 qpw_tcp_syn(struct qpw_conn *c, const struct qpw_pkt *p, int from_local)
{
    if (qpw_tcp_syn_goes_on(c, p, from_local)) {
        c->flags &= ~QPW_CONN_RST_REMOTE;
        c->state = QPW_STATE_SYN;
        return QPW_DO_CHANGED;
    }
    if (qpw_tcp_syn_restarts(c, from_local))
        return QPW_DO_RESTART;
    if (c->evidence == QPW_EVIDENCE_HANDSHAKE && c->isn == p->seq && qpw_from_initiator(c, from_local))
        return QPW_DO_NOTHING; /* retransmitted */
    if ((c->state == QPW_STATE_SYN || c->state == QPW_STATE_SYN_ACK) && qpw_from_initiator(c, from_local)) {
        c->isn = p->seq; /* the initiator tries again */
        if (c->state == QPW_STATE_SYN)
            c->synack_seq = 0; /* and begins to acknowledge again */
        return QPW_DO_CHANGED_SYN;
    }
    c->tentative_seq = p->seq;
    c->flags = (c->flags & ~(QPW_CONN_TENTATIVE_LOCAL | QPW_CONN_TENTATIVE_REMOTE)) | qpw_tentative_flag(from_local);
    return QPW_DO_NOTHING;
}

/* Advance a live entry by a SYN+ACK. replay: there is no socket table, so one from the network is believed. */
static __always_inline __u32 qpw_tcp_syn_ack(struct qpw_conn *c, const struct qpw_pkt *p, int from_local, int replay)
{
    __u8 other = qpw_tentative_flag(!from_local);

    if (c->state == QPW_STATE_CLOSED || !qpw_direction_known(c)) {
        if (from_local || replay)
            return QPW_DO_RESTART_ANSWERED;
        return QPW_DO_NOTHING;
    }
    if ((c->flags & other) && p->ack == c->tentative_seq + 1) {
        /* Simultaneous open (RFC 9293, 3.5): the first SYN's sender repeats its own number; the first seen wins. */
        if (c->state == QPW_STATE_SYN && qpw_from_initiator(c, from_local) && p->seq == c->isn)
            return QPW_DO_NOTHING;
        return QPW_DO_RESTART_ANSWERED;
    }
    /* A packet of the node answers one of the SYNs that it received, not necessarily the last. */
    if ((c->state == QPW_STATE_SYN || c->state == QPW_STATE_SYN_ACK) && !qpw_from_initiator(c, from_local) &&
        (from_local || p->ack == c->isn + 1)) {
        c->isn = p->ack - 1;
        c->synack_seq = p->seq;
        c->state = QPW_STATE_SYN_ACK;
        c->flags &= ~(QPW_CONN_TENTATIVE_LOCAL | QPW_CONN_TENTATIVE_REMOTE);
        return qpw_rise(c, QPW_OUTCOME_ANSWERED);
    }
    return QPW_DO_NOTHING;
}

static __always_inline __u32 qpw_tcp_rst(struct qpw_conn *c, int from_local)
{
    __u32 todo = QPW_DO_NOTHING;

    if (c->state == QPW_STATE_SYN && qpw_direction_known(c) && !qpw_from_initiator(c, from_local))
        todo |= qpw_rise(c, QPW_OUTCOME_REFUSED);
    if (c->state == QPW_STATE_CLOSED)
        return todo;
    if (!from_local)
        c->flags |= QPW_CONN_RST_REMOTE;
    c->state = QPW_STATE_CLOSED;
    return todo | QPW_DO_CLOSE | QPW_DO_CHANGED;
}

/*
 * A keep-alive probe repeats the byte before the next one (RFC 9293, 3.8.4), some with a byte of filling: before any
 * data that is the number of the end's own SYN.
 */
static __always_inline int qpw_tcp_keepalive(const struct qpw_conn *c, const struct qpw_pkt *p, int from_local)
{
    return p->payload == 1 && p->tcp_flags == QPW_TCP_ACK && c->evidence == QPW_EVIDENCE_HANDSHAKE &&
           p->seq == (qpw_from_initiator(c, from_local) ? c->isn : c->synack_seq);
}

/*
 * Count payload in any segment: SYN, FIN, RST, before the handshake, after the end. Payload of both ends is an exchange
 * of data; the responder's alone is an answer, because a host that only refuses sends none. Without a handshake,
 * payload of one end is, too, once the other sends anything except a bare RST, which a host sends to any unknown
 * segment, or a bare SYN, which opens another connection.
 */
static __always_inline __u32 qpw_tcp_sent(struct qpw_conn *c, const struct qpw_pkt *p, int from_local)
{
    const int both = QPW_CONN_SENT_LOCAL | QPW_CONN_SENT_REMOTE;
    int carries = qpw_carries(p) && !qpw_tcp_keepalive(c, p, from_local);

    if (c->end[!!from_local] & QPW_END_UNSEEN)
        c->end[!!from_local] &= ~QPW_END_UNSEEN; /* by now it is */
    if (carries)
        c->end[!!from_local] |= QPW_END_PAYLOAD;
    if (qpw_direction_known(c)) {
        if (c->end[0] & c->end[1] & QPW_END_PAYLOAD)
            return qpw_rise(c, QPW_OUTCOME_DATA);
        return carries && !qpw_from_initiator(c, from_local) ? qpw_rise(c, QPW_OUTCOME_ANSWERED) : QPW_DO_NOTHING;
    }
    if (carries || !(p->tcp_flags & (QPW_TCP_RST | QPW_TCP_SYN)) ||
        (p->tcp_flags & (QPW_TCP_RST | QPW_TCP_ACK)) == QPW_TCP_ACK)
        c->flags |= from_local ? QPW_CONN_SENT_LOCAL : QPW_CONN_SENT_REMOTE;
    return (c->flags & both) == both && ((c->end[0] | c->end[1]) & QPW_END_PAYLOAD) ? qpw_rise(c, QPW_OUTCOME_DATA)
                                                                                    : QPW_DO_NOTHING;
}

/*
 * Let this CPU's stores be seen before what it loads next. A locked instruction does that on x86-64 and s390x; the one
 * that kernels before 5.12 have does not on others, where the next packet of the connection closes it.
 */
static __always_inline void qpw_store_then_load(void)
{
    __u64 cell = 0;

    __sync_fetch_and_add((volatile __u64 *)&cell, 1);
}

/* Return whether the node continues what a RST had ended: it was forged, or outside the window (RFC 5961). */
static __always_inline int qpw_tcp_goes_on(const struct qpw_conn *c, const struct qpw_pkt *p, int from_local)
{
    if (c->state != QPW_STATE_CLOSED || !from_local || (c->end[0] & c->end[1] & QPW_END_FIN))
        return 0;
    return (c->flags & QPW_CONN_RST_REMOTE) || !(p->tcp_flags & QPW_TCP_FIN); /* the node's own: it ends no second time */
}

/*
 * The responder has answered, though none of its packets was seen: they take another interface. open: the handshake is
 * known to be complete. p: a packet of the initiator.
 */
static __always_inline __u32 qpw_tcp_answered_unseen(struct qpw_conn *c, const struct qpw_pkt *p, int from_local, int open)
{
    __u32 todo = qpw_rise(c, QPW_OUTCOME_ANSWERED);

    c->end[!from_local] |= QPW_END_UNSEEN;
    if (!open)
        return todo;
    c->state = QPW_STATE_ESTABLISHED;
    c->synack_seq = p->ack - 1;
    todo |= QPW_DO_ESTABLISH | QPW_DO_CHANGED;
    return qpw_carries(p) && !qpw_tcp_keepalive(c, p, from_local) ? todo | qpw_rise(c, QPW_OUTCOME_DATA) : todo;
}

static __always_inline __u32 qpw_tcp_segment(struct qpw_conn *c, const struct qpw_pkt *p, int from_local)
{
    int from_initiator = qpw_from_initiator(c, from_local);
    __u32 todo = QPW_DO_NOTHING;

    if (qpw_tcp_goes_on(c, p, from_local)) {
        c->flags &= ~QPW_CONN_RST_REMOTE;
        c->state = c->evidence == QPW_EVIDENCE_HANDSHAKE && c->outcome >= QPW_OUTCOME_ANSWERED ?
                       QPW_STATE_ESTABLISHED : QPW_STATE_MIDSTREAM;
        todo |= QPW_DO_ESTABLISH | QPW_DO_CHANGED;
    }
    if (c->state == QPW_STATE_SYN && !from_initiator)
        todo |= qpw_rise(c, QPW_OUTCOME_ANSWERED); /* its SYN+ACK was not seen */
    else if (c->state == QPW_STATE_SYN && (p->tcp_flags & QPW_TCP_ACK))
        todo |= QPW_DO_LOOK; /* anybody can send that */
    if ((c->state == QPW_STATE_SYN_ACK && from_initiator && (p->tcp_flags & QPW_TCP_ACK) &&
         p->ack == c->synack_seq + 1) ||
        ((c->state == QPW_STATE_SYN || c->state == QPW_STATE_SYN_ACK) && !from_initiator && p->payload)) {
        /* The second: its acknowledgement was not seen, but a responder speaks only to who completed the handshake. */
        c->state = QPW_STATE_ESTABLISHED;
        todo |= QPW_DO_ESTABLISH | QPW_DO_CHANGED;
    }
    if (c->state == QPW_STATE_ESTABLISHED && qpw_carries(p) && !qpw_tcp_keepalive(c, p, from_local))
        todo |= qpw_rise(c, QPW_OUTCOME_DATA);
    if (c->state == QPW_STATE_MIDSTREAM && from_local && c->direction == QPW_DIR_INBOUND)
        todo |= qpw_rise(c, QPW_OUTCOME_ANSWERED); /* only a RST is sent without a connection */
    if (c->state == QPW_STATE_MIDSTREAM && qpw_direction_known(c) && qpw_carries(p))
        todo |= qpw_rise(c, QPW_OUTCOME_DATA);
    if (p->tcp_flags & QPW_TCP_FIN) {
        c->end[!!from_local] |= QPW_END_FIN;
        qpw_store_then_load();
    }
    /* Not of a FIN alone: where two CPUs have one each at the same moment, neither may see the other's. */
    if ((c->end[0] & c->end[1] & QPW_END_FIN) && c->state != QPW_STATE_CLOSED) {
        c->state = QPW_STATE_CLOSED;
        todo |= QPW_DO_CLOSE | QPW_DO_CHANGED;
    }
    return todo;
}

/* Advance a live entry by one TCP packet. Returns QPW_DO_* bits. */
static __always_inline __u32 qpw_tcp_step(struct qpw_conn *c, const struct qpw_pkt *p, int from_local, int replay)
{
    __u32 todo = qpw_tcp_sent(c, p, from_local);
    __u8 flags = p->tcp_flags;

    if (flags & QPW_TCP_RST)
        return todo | qpw_tcp_rst(c, from_local);
    if ((flags & (QPW_TCP_SYN | QPW_TCP_ACK)) == QPW_TCP_SYN)
        return todo | qpw_tcp_syn(c, p, from_local);
    if ((flags & (QPW_TCP_SYN | QPW_TCP_ACK)) == (QPW_TCP_SYN | QPW_TCP_ACK))
        return todo | qpw_tcp_syn_ack(c, p, from_local, replay);
    return todo | qpw_tcp_segment(c, p, from_local);
}

/* Headers of packet and chunk, and an error cause with a few words, which some hosts add. */
#define QPW_SCTP_REFUSAL (12 + 4 + 32)

/*
 * Judge an SCTP packet by its first chunk. The reply that a host sends where nobody listens is a refusal; any other
 * reply is an answer; DATA is data once both ends have sent something.
 */
static __always_inline __u32 qpw_sctp_step(struct qpw_conn *c, const struct qpw_pkt *p, int from_local)
{
    const int both = QPW_CONN_SENT_LOCAL | QPW_CONN_SENT_REMOTE;
    __u8 chunk = p->sctp_chunk - 1;
    __u32 todo;

    if (p->sctp_chunk && (chunk == QPW_SCTP_ABORT || chunk == QPW_SCTP_SHUTDOWN_COMPLETE) &&
        p->payload <= QPW_SCTP_REFUSAL && !qpw_from_initiator(c, from_local) && c->outcome < QPW_OUTCOME_ANSWERED)
        return qpw_rise(c, QPW_OUTCOME_REFUSED);
    c->flags |= from_local ? QPW_CONN_SENT_LOCAL : QPW_CONN_SENT_REMOTE;
    if ((c->flags & both) != both)
        return QPW_DO_NOTHING;
    todo = qpw_rise(c, QPW_OUTCOME_ANSWERED);
    if (!p->sctp_chunk || chunk == QPW_SCTP_DATA || chunk == QPW_SCTP_SACK || chunk == QPW_SCTP_I_DATA)
        todo |= qpw_rise(c, QPW_OUTCOME_DATA);
    return todo & QPW_DO_ROSE ? todo | QPW_DO_ESTABLISH : QPW_DO_NOTHING;
}

/* Advance a live entry by one packet of any other protocol. */
static __always_inline __u32 qpw_datagram_step(struct qpw_conn *c, const struct qpw_pkt *p, int from_local)
{
    if (p->protocol == QPW_IPPROTO_SCTP)
        return qpw_sctp_step(c, p, from_local);
    c->flags |= from_local ? QPW_CONN_SENT_LOCAL : QPW_CONN_SENT_REMOTE;
    if ((c->flags & (QPW_CONN_SENT_LOCAL | QPW_CONN_SENT_REMOTE)) != (QPW_CONN_SENT_LOCAL | QPW_CONN_SENT_REMOTE))
        return QPW_DO_NOTHING;
    return qpw_rise(c, QPW_OUTCOME_DATA) & QPW_DO_ROSE ? QPW_DO_ROSE | QPW_DO_CHANGED | QPW_DO_ESTABLISH
                                                      : QPW_DO_NOTHING;
}

#endif
