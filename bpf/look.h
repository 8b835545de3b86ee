/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * look.h - what speaks on a connection: classify the first bytes that each end sends, once, on the slow path.
 *
 * TCP: the segment that follows the end's SYN in sequence, if the handshake was seen. Datagrams: the first one each
 * way. Bytes from the middle of a stream are never examined. Only the class is kept, in qpw_conn.speaks; speech.h
 * determines and judges it. A direction's packets are cached once its class is known, so that a client that speaks
 * first does not hide the server's answer; packets without payload are cached earlier, so that an end that only
 * acknowledges does not stay on the slow path.
 */
#ifndef QPW_BPF_LOOK_H
#define QPW_BPF_LOOK_H

#include "cache.h"
#include "judge.h"
#include "maps.h"
#include "tcp.h"

/*
 * Stop waiting for the beginning of an end's stream when a segment lies this far behind it, in bytes: the first flight
 * took another path.
 */
#define QPW_LOOK_REACH (128u << 10)

/*
 * Treat a first segment of up to this many zero bytes as possible padding of a short frame, which a capture or a card
 * took for payload: a segment with the same sequence number replaces it. A program may also send them first: classify
 * what follows without them if it cannot be classified with them.
 */
#define QPW_LOOK_PADDING 6u

/* Stop waiting after this many segments that do not continue the stream, because an end could repeat them for ever. */
#define QPW_LOOK_PATIENCE 64u

/* Return the class if no more bytes arrive: the one so far, or mid-stream if only later bytes arrived. */
static __always_inline __u8 qpw_final_class(__u8 speaks)
{
    return speaks & QPW_SPEECH ? speaks & ~QPW_SPEECH_WAITS : QPW_SPEECH_MIDSTREAM;
}

static __always_inline int qpw_is_classified(__u8 speaks)
{
    return (speaks & QPW_SPEECH) && !(speaks & QPW_SPEECH_WAITS);
}

/*
 * Call qpw_speaks_judge() with numbers, and qpw_speech_of() with w->head. Global, so that the verifier checks each once.
 */
__noinline __u32 qpw_judge_numbers(__u32 services, __u32 speaks, __u32 udp, __u32 outbound)
{
    struct qpw_spoken_both both = {.services = services, .own = (__u8)speaks, .other = (__u8)(speaks >> 8),
                                   .udp = (__u8)udp, .outbound = (__u8)outbound};

    return qpw_speaks_judge(&both);
}

__noinline __u32 qpw_head_named(__u32 services)
{
    struct qpw_work *w = qpw_work();

    return w ? qpw_speech_named(&w->head, services) : 0;
}

__noinline __u32 qpw_head_speech(__u32 services)
{
    struct qpw_work *w = qpw_work();

    return w ? qpw_speech_of(&w->head, services) : 0;
}

static __always_inline __u32 qpw_look_judge(const struct qpw_work *w, const struct qpw_conn *c, __u8 own, __u8 other)
{
    if (!qpw_conn_services(c))
        return QPW_JUDGED_UNASKED;
    return qpw_judge_numbers(qpw_conn_services(c), own | (__u32)other << 8, w->key.protocol == QPW_IPPROTO_UDP,
                             c->direction == QPW_DIR_OUTBOUND);
}

/* Judge w->conn's classes again after a policy change: its new rule may name other services. */
__noinline __u32 qpw_look_rejudged(void)
{
    struct qpw_work *w = qpw_work();

    if (!w)
        return 0;
    w->conn.speaks[0] &= ~QPW_SPEECH_MISMATCH;
    w->conn.speaks[1] &= ~QPW_SPEECH_MISMATCH;
    if (qpw_look_judge(w, &w->conn, w->conn.speaks[1], w->conn.speaks[0]) == QPW_JUDGED_MISMATCH)
        w->conn.speaks[1] |= QPW_SPEECH_MISMATCH;
    return 0;
}

static __always_inline void qpw_look_again(struct qpw_work *w, struct qpw_conn *c)
{
    if (!(c->speaks[0] | c->speaks[1]))
        return;
    w->conn = *c;
    qpw_look_rejudged();
    c->speaks[0] = w->conn.speaks[0];
    c->speaks[1] = w->conn.speaks[1];
}

/* Count c, new in the meter of a rule that names services, as mid-stream if its first bytes cannot be examined. */
static __always_inline void qpw_look_unseen(struct qpw_work *w, const struct qpw_conn *c)
{
    if (w->key.protocol == QPW_IPPROTO_TCP && c->evidence != QPW_EVIDENCE_HANDSHAKE)
        w->judged = QPW_JUDGED_MIDSTREAM;
}

/* Count the connection's new judgement in that meter, and subtract the earlier one. */
__noinline __u32 qpw_judged_count(__u32 meter)
{
    struct qpw_judged_counts *counts = bpf_map_lookup_elem(&judged, &meter);
    struct qpw_work *w = qpw_work();

    if (!w || !counts)
        return 0;
    __sync_fetch_and_add(&counts->n[w->judged & (QPW_JUDGED_VALUES - 1)], 1); /* mute is not counted */
    if (w->judged_before)
        __sync_fetch_and_add(&counts->n[w->judged_before & (QPW_JUDGED_VALUES - 1)], -1);
    return 0;
}

/* Return the directions (QPW_CACHE_*) in which packets of c, whose outcome is final, may be served from the cache. */
static __always_inline __u32 qpw_look_cacheable(const struct qpw_work *w, const struct qpw_conn *c)
{
    if (w->key.protocol != QPW_IPPROTO_TCP || c->evidence != QPW_EVIDENCE_HANDSHAKE)
        return QPW_CACHE_RX | QPW_CACHE_TX;
    return (qpw_is_classified(c->speaks[0]) ? QPW_CACHE_RX : 0) | (qpw_is_classified(c->speaks[1]) ? QPW_CACHE_TX : 0) |
           QPW_CACHE_NO_PAYLOAD;
}

/* Set the class of an end of c, and judge the connection with it. */
static __always_inline void qpw_look_set(struct qpw_work *w, struct qpw_conn *c, __u32 local, __u8 speaks)
{
    __u8 was[2] = {c->speaks[0], c->speaks[1]};
    int mismatch = (was[0] | was[1]) & QPW_SPEECH_MISMATCH;
    __u8 own = local ? speaks : was[1], other = local ? was[0] : speaks;
    __u32 now = qpw_look_judge(w, c, own, other);

    c->speaks[!!local] = speaks | (was[!!local] & QPW_SPEECH_MISMATCH) |
                         (now == QPW_JUDGED_MISMATCH && !mismatch ? QPW_SPEECH_MISMATCH : 0);
    if (mismatch)
        return;
    if (now == QPW_JUDGED_MISMATCH) {
        w->judged = (__u8)now;
        if (!local && qpw_is_classified(own))
            w->judged_before = (__u8)qpw_look_judge(w, c, own, was[0]);
        qpw_invalidate(w, /* syn_too= */ 0); /* from now on, count its packets in its finding, too */
    } else if (local && qpw_is_classified(speaks)) {
        w->judged = (__u8)now;
    }
}

/*
 * The same of a class that confirms a service which the rule names. The node's end matches then; of the other end nothing
 * follows: what the node's end has said before is judged as it was, see qpw_speaks_judge().
 */
static __always_inline void qpw_look_matches(struct qpw_work *w, struct qpw_conn *c, __u32 local, __u8 speaks)
{
    c->speaks[!!local] = speaks | (c->speaks[!!local] & QPW_SPEECH_MISMATCH);
    if (local && !((c->speaks[0] | c->speaks[1]) & QPW_SPEECH_MISMATCH))
        w->judged = QPW_JUDGED_MATCH;
}

/* Return the slot in which the beginning of w->head_id is reassembled. */
static __always_inline struct qpw_head_part *qpw_head_part(const struct qpw_work *w)
{
    __u32 number = (__u32)(w->head_id * 0x9e3779b97f4a7c15ull >> 52) & (QPW_HEADS - 1);

    return bpf_map_lookup_elem(&heads, &number);
}

/* Copy the part of w->head_id received so far into w->head and w->head_*. Returns 0 if there is none. */
__noinline __u32 qpw_head_get(void)
{
    struct qpw_work *w = qpw_work();
    struct qpw_head_part *part = w ? qpw_head_part(w) : 0;
    __u32 found;

    if (!part)
        return 0;
    bpf_spin_lock(&part->lock);
    found = part->id == w->head_id;
    w->head.first = part->first;
    w->head.last = part->last;
    w->head.n = part->n;
    w->head_next = part->next;
    w->head_zeros = part->zeros;
    w->head_others = part->others;
    bpf_spin_unlock(&part->lock);
    return found;
}

/* Store w->head for w->head_id if more bytes are expected (keep), otherwise erase the slot. */
__noinline __u32 qpw_head_put(__u32 keep)
{
    struct qpw_work *w = qpw_work();
    struct qpw_head_part *part = w ? qpw_head_part(w) : 0;

    if (!part)
        return 0;
    bpf_spin_lock(&part->lock);
    if (keep || part->id == w->head_id) {
        part->id = keep ? w->head_id : 0;
        part->first = keep ? w->head.first : 0;
        part->last = keep ? w->head.last : 0;
        part->n = keep ? w->head.n : 0;
        part->next = keep ? w->head_next : 0;
        part->zeros = keep ? w->head_zeros : 0;
        part->others = keep ? w->head_others : 0;
    }
    bpf_spin_unlock(&part->lock);
    return 0;
}

/*
 * Return the offset of this segment's payload from the first byte of its end's stream; negative if it lies before it,
 * as a keep-alive's does.
 */
static __always_inline __s32 qpw_look_offset(const struct qpw_work *w, const struct qpw_conn *c, __u32 local)
{
    __u32 first = qpw_from_initiator(c, (int)local) ? c->isn : c->synack_seq;

    return (__s32)(w->pkt.seq + !!(w->pkt.tcp_flags & QPW_TCP_SYN) - first - 1);
}

/* Return how many payload bytes behind `skip` can be read, at most `most`; set w->head_at to their frame offset. */
static __always_inline __u32 qpw_look_bytes(struct qpw_work *w, __u32 skip, __u32 most)
{
    __u32 start = w->pkt.l4_offset + w->pkt.l4_header + skip, n = w->pkt.payload - skip;

    w->head_at = start;
    if (w->in.frame.length <= start)
        return 0;
    if (n > w->in.frame.length - start)
        n = w->in.frame.length - start; /* truncated by a capture */
    return n > most ? most : n;
}

/* qpw_look_begins() for a datagram. */
static __always_inline __u32 qpw_look_datagram(struct qpw_work *w, struct qpw_conn *c, __u32 local)
{
    __u32 n;

    if (!w->begins || (c->speaks[local] & QPW_SPEECH) || c->evidence < QPW_EVIDENCE_FIRST)
        return 0;
    n = qpw_look_bytes(w, 0, QPW_HEAD_BYTES);
    if (!n)
        qpw_look_set(w, c, local, QPW_SPEECH_SHORT);
    return n;
}

/*
 * Return how many bytes of a segment continue the beginning that is being reassembled. offset: of the segment's payload
 * in the stream.
 */
static __always_inline __u32 qpw_look_continues(struct qpw_work *w, struct qpw_conn *c, __u32 local, __s32 offset)
{
    __u32 next, have;
    int again;

    if (!qpw_head_get()) {
        qpw_look_set(w, c, local, qpw_final_class(c->speaks[local]));
        return 0;
    }
    next = w->head_next;
    have = w->head.n;
    again = !offset && have && have == w->head_zeros; /* padding, or a retransmission */
    if (again || offset > (__s32)next || offset + (__s32)w->pkt.payload <= (__s32)next) { /* or a gap, or old bytes */
        w->head_others++;
        if (w->head_others >= QPW_LOOK_PATIENCE)
            qpw_look_set(w, c, local, c->speaks[local] & QPW_SPEECH ? QPW_SPEECH_SHORT : QPW_SPEECH_MIDSTREAM);
        else if (again)
            w->head.n = w->head_next = w->head_zeros = 0;
        qpw_head_put(w->head_others < QPW_LOOK_PATIENCE);
        if (!again || w->head_others >= QPW_LOOK_PATIENCE)
            return 0;
        next = have = 0;
    }
    return qpw_look_bytes(w, next - (__u32)offset, QPW_HEAD_BYTES - (have & (QPW_HEAD_BYTES - 1)));
}

/*
 * Determine whether this packet carries the first bytes of its end of w->conn, or more of them. Returns how many bytes at
 * w->head_at to append to w->head; 0: none, and the connection is already up to date.
 */
__noinline __u32 qpw_look_begins(__u32 local)
{
    struct qpw_work *w = qpw_work();
    struct qpw_conn *c;
    __s32 offset;
    __u8 speaks;
    __u32 n;

    if (!w || w->pkt.fragment == QPW_LATER_FRAGMENT)
        return 0;
    c = &w->conn;
    local = !!local;
    __builtin_memset(&w->head, 0, sizeof(w->head));
    if (w->key.protocol == QPW_IPPROTO_UDP)
        return qpw_look_datagram(w, c, local);
    speaks = c->speaks[local];
    if (w->key.protocol != QPW_IPPROTO_TCP || c->evidence != QPW_EVIDENCE_HANDSHAKE || qpw_is_classified(speaks))
        return 0;
    offset = qpw_look_offset(w, c, local);
    w->head_id = c->first_ns ^ (__u64)(c->isn ^ w->key.remote_port) << 32 ^ (__u64)w->key.local_port << 1 ^ local;
    w->head_next = w->head_zeros = w->head_others = 0;
    if (!w->pkt.payload) { /* if the stream ends here, there is no more to wait for */
        if (speaks & QPW_SPEECH_WAITS && w->pkt.tcp_flags & (QPW_TCP_FIN | QPW_TCP_RST)) {
            qpw_look_set(w, c, local, qpw_final_class(speaks));
            qpw_head_put(/* keep= */ 0);
        }
        return 0;
    }
    if (offset < 0 || offset >= (__s32)QPW_LOOK_REACH) {
        if (offset > 0 || w->pkt.payload > 1) /* except a keep-alive, which is one byte */
            qpw_look_set(w, c, local, QPW_SPEECH_MIDSTREAM);
        return 0;
    }
    if (speaks & QPW_SPEECH_WAITS)
        return qpw_look_continues(w, c, local, offset);
    if (offset) { /* bytes before it are still missing */
        c->speaks[local] = speaks | QPW_SPEECH_WAITS;
        w->head_others = 1;
        qpw_head_put(/* keep= */ 1);
        return 0;
    }
    n = qpw_look_bytes(w, 0, QPW_HEAD_BYTES);
    if (!n)
        qpw_look_set(w, c, local, QPW_SPEECH_SHORT);
    return n;
}

/* Append the n bytes of w->payload to w->head, and zero w->payload, whose other bytes already are. */
static __always_inline void qpw_head_append(struct qpw_work *w, __u32 n)
{
    __u64 first = __builtin_bswap64(w->payload[0]), last = __builtin_bswap64(w->payload[1]);
    __u32 by = 8 * (w->head.n & 7);

    w->payload[0] = w->payload[1] = 0;
    if (w->head.n & 8) {
        w->head.last |= first >> by;
    } else {
        w->head.first |= first >> by;
        w->head.last |= last >> by | first << 1 << (63 - by);
    }
    w->head.n += n;
}

/* Classify w->head without its leading zeros. Returns that class, or `speech` if it is still too short. */
__noinline __u32 qpw_head_behind_zeros(__u32 speech, __u32 services)
{
    struct qpw_work *w = qpw_work();
    __u32 zeros, behind;

    if (!w)
        return speech;
    zeros = w->head_zeros & 7;
    if (w->head.n <= zeros)
        return speech;
    w->head.first = w->head.first << (8 * zeros) | w->head.last >> 1 >> (63 - 8 * zeros);
    w->head.last <<= 8 * zeros;
    w->head.n -= zeros;
    behind = qpw_head_speech(services);
    return behind == QPW_SPEECH_SHORT ? speech : behind;
}

/* Append the n bytes of w->payload to the beginning of that end of w->conn, and classify it. */
__noinline __u32 qpw_look_classify(__u32 local, __u32 n)
{
    struct qpw_work *w = qpw_work();
    __u32 named, speech, waits, end;
    struct qpw_conn *c;
    __u8 speaks, other;

    if (!w)
        return 0;
    c = &w->conn;
    local = !!local;
    speaks = c->speaks[local];
    other = c->speaks[!local];
    end = w->head_at - w->pkt.l4_offset - w->pkt.l4_header + n; /* payload bytes used so far */
    qpw_head_append(w, n);
    w->head.udp = w->key.protocol == QPW_IPPROTO_UDP;
    w->head.initiator = (__u8)qpw_from_initiator(c, (int)local);
    w->head.length =
        w->pkt.fragment ? w->pkt.payload & ~3u : w->pkt.payload; /* of a first fragment, not of the datagram */
    named = qpw_opaque(w, qpw_head_named(qpw_conn_services(c)));
    speech = named ? named : qpw_opaque(w, qpw_head_speech(qpw_conn_services(c)));
    waits = qpw_speech_waits(&w->head, speech) && end == w->pkt.payload && !(w->pkt.tcp_flags & QPW_TCP_FIN);
    if (waits && !(w->head.first | w->head.last) && w->head.n <= QPW_LOOK_PADDING)
        w->head_zeros = w->head.n;
    else if (!waits && w->head_zeros && (speech == QPW_SPEECH_BIN || speech == QPW_SPEECH_SHORT))
        speech = qpw_opaque(w, qpw_head_behind_zeros(speech, qpw_conn_services(c)));
    if (!(speaks & QPW_SPEECH) && !(other & QPW_SPEECH))
        speaks |= QPW_SPEECH_FIRST;
    speaks = (__u8)(speech | (speaks & QPW_SPEECH_FIRST) | (waits ? QPW_SPEECH_WAITS : 0));
    if (waits || w->head_next || (c->speaks[local] & QPW_SPEECH_WAITS)) {
        w->head_next = (__u32)qpw_look_offset(w, c, local) + end;
        qpw_head_put(waits);
    }
    w->head.first = w->head.last = 0;
    if (named && !waits)
        qpw_look_matches(w, c, local, speaks);
    else
        qpw_look_set(w, c, local, speaks);
    return 0;
}

#define QPW_TCP_OPTION_MPTCP 30
#define QPW_MPTCP_JOIN 1

/*
 * Return whether the SYN's options (header bytes behind the first 20, in w->quote) join a Multipath TCP connection
 * (RFC 8684, 3.2). Stacks align that option to four bytes.
 */
__noinline __u32 qpw_is_join(__u32 bytes)
{
    struct qpw_work *w = qpw_work();

    if (!w)
        return 0;
#pragma unroll
    for (__u32 i = 0; i < 10; i++)
        if (4 * i + 12 <= bytes && w->quote[4 * i] == QPW_TCP_OPTION_MPTCP && w->quote[4 * i + 2] >> 4 == QPW_MPTCP_JOIN &&
            (w->quote[4 * i + 1] == 12 || w->quote[4 * i + 1] == 16))
            return 1;
    return 0;
}

/*
 * Exempt a Multipath TCP subflow, which begins in the middle of a stream. Both ends have to request it if both were
 * seen; otherwise one end could evade classification. join: this SYN or SYN+ACK of that end of w->conn has the option.
 */
__noinline __u32 qpw_look_joined(__u32 local, __u32 join)
{
    struct qpw_work *w = qpw_work();
    struct qpw_conn *c;
    int answer;

    if (!w)
        return 0;
    c = &w->conn;
    local = !!local;
    answer = w->pkt.tcp_flags & QPW_TCP_ACK;
    if (c->state != (answer ? QPW_STATE_SYN_ACK : QPW_STATE_SYN) || (c->speaks[local] & QPW_SPEECH) ||
        qpw_from_initiator(c, (int)local) == !!answer)
        return 0;
    if (answer && (c->speaks[!local] & QPW_SPEECH) != QPW_SPEECH_JOINED && c->direction == QPW_DIR_OUTBOUND)
        join = 0;
    if (join)
        c->speaks[local] = QPW_SPEECH_JOINED;
    else if ((c->speaks[!local] & QPW_SPEECH) == QPW_SPEECH_JOINED)
        c->speaks[!local] = QPW_SPEECH_NONE;
    else
        return 0;
    if (answer && join && qpw_conn_services(c))
        w->judged = QPW_JUDGED_JOINED;
    return 0;
}

/* Examine the options of a SYN, unless their length is that of nearly every SYN. */
static __always_inline void qpw_look_syn(void *ctx, struct qpw_work *w, const int xdp)
{
    __u32 n = w->pkt.l4_header - 20u, join = 0;

    if (n >= 12 && n != 20 && n <= 40) {
        n = ((n - 1) & 63) + 1; /* verifier: as in qpw_reparse() */
        barrier_var(n);
        if (w->in.frame.length >= w->pkt.l4_offset + 20u + n && !qpw_payload(ctx, w->pkt.l4_offset + 20u, w->quote, n, xdp))
            join = qpw_is_join(n);
    }
    if (join || ((w->conn.speaks[0] | w->conn.speaks[1]) & QPW_SPEECH))
        qpw_look_joined(!w->rx, join);
}

/* Examine this packet for the end of w->conn that sent it. */
static __always_inline void qpw_look_packet(void *ctx, struct qpw_work *w, const int xdp)
{
    __u32 n;

    if (qpw_is_syn(&w->pkt))
        qpw_look_syn(ctx, w, xdp);
    n = qpw_look_begins(!w->rx);
    if (!n)
        return;
    n = ((n - 1) & (QPW_HEAD_BYTES - 1)) + 1; /* verifier: as in qpw_reparse() */
    barrier_var(n);
    if (!qpw_payload(ctx, w->head_at, w->payload, n, xdp))
        qpw_look_classify(!w->rx, n);
}

/* Global functions, so that the verifier checks them once. */
__noinline __u32 qpw_look_xdp(struct xdp_md *ctx)
{
    struct qpw_work *w = qpw_work();

    if (w)
        qpw_look_packet(ctx, w, /* xdp= */ 1);
    return 0;
}

__noinline __u32 qpw_look_tc(struct __sk_buff *ctx)
{
    struct qpw_work *w = qpw_work();

    if (w)
        qpw_look_packet(ctx, w, /* xdp= */ 0);
    return 0;
}

/* Return whether the packet has to be examined. A SYN: if it has unusual options, or may contradict an earlier one. */
static __always_inline int qpw_is_looked_at(const struct qpw_work *w, const struct qpw_conn *c)
{
    __u8 speaks = w->rx ? c->speaks[0] : c->speaks[1];

    if (qpw_is_syn(&w->pkt) &&
        ((w->pkt.l4_header >= 32 && w->pkt.l4_header != 40) || ((c->speaks[0] | c->speaks[1]) & QPW_SPEECH)))
        return 1;
    return (w->pkt.payload && !qpw_is_classified(speaks)) || (speaks & QPW_SPEECH_WAITS);
}

/*
 * Examine the packet. Works on a copy of c, so that the verifier need not follow each table that c may be in, and
 * writes back only the class of the end that sent the packet, because another CPU may be setting the other end's.
 */
static __always_inline void qpw_look(void *ctx, struct qpw_work *w, struct qpw_conn *c, const int xdp)
{
    if (!qpw_is_looked_at(w, c))
        return;
    w->conn = *c;
    if (xdp)
        qpw_look_xdp(ctx);
    else
        qpw_look_tc(ctx);
    if (w->rx || qpw_is_syn(&w->pkt))
        c->speaks[0] = w->conn.speaks[0];
    if (!w->rx || qpw_is_syn(&w->pkt))
        c->speaks[1] = w->conn.speaks[1];
}

#endif
