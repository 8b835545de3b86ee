/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * look.h - what speaks on a connection: the first bytes that each end sends are looked at once, on the slow path.
 *
 * Of TCP the segment whose number is the one behind that end's SYN, the handshake having been seen; of datagrams the
 * first one each way. What is in the middle of a stream is never looked at. Only the class is kept, in qpw_conn.speaks;
 * speech.h tells it and judges it. Packets are cached in a direction once that is told, so that no client which speaks
 * first hides the server's answer; those without payload before, so that an end which only acknowledges is not looked
 * for for ever.
 */
#ifndef QPW_BPF_LOOK_H
#define QPW_BPF_LOOK_H

#include "cache.h"
#include "judge.h"
#include "maps.h"
#include "tcp.h"

/*
 * Beyond this distance from its beginning an end's stream is past its first flight, which took another way: do not wait
 * for it.
 */
#define QPW_LOOK_REACH (128u << 10)

/*
 * So many zeros as the whole of a first segment may be the padding of a short frame, which a capture or a card took for
 * payload: what has its numbers takes its place. Or they are what a program sends before it says anything: what they
 * are followed by is told without them, where it is not told with them.
 */
#define QPW_LOOK_PADDING 6u

/* So many segments that do not continue what is waited for end the waiting: sent again and again, they are not worth it. */
#define QPW_LOOK_PATIENCE 64u

/* What it is if no more comes; where nothing came, only what stands behind it did. */
static __always_inline __u8 qpw_is_all(__u8 speaks)
{
    return speaks & QPW_SPEECH ? speaks & ~QPW_SPEECH_WAITS : QPW_SPEECH_MIDSTREAM;
}

static __always_inline int qpw_is_told(__u8 speaks)
{
    return (speaks & QPW_SPEECH) && !(speaks & QPW_SPEECH_WAITS);
}

/*
 * qpw_speaks_judge() and qpw_speech_of() on numbers and on w->head: global, so that the verifier checks each only once.
 */
__noinline __u32 qpw_judge_numbers(__u32 services, __u32 speaks, __u32 udp, __u32 outbound)
{
    struct qpw_spoken_both both = {.services = services, .own = (__u8)speaks, .other = (__u8)(speaks >> 8),
                                   .udp = (__u8)udp, .outbound = (__u8)outbound};

    return qpw_speaks_judge(&both);
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

/* w->conn has been judged again, perhaps by a rule that names others. */
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

/* c begins to count in a row, of a rule that names services, and what it says will not be looked at. */
static __always_inline void qpw_look_unseen(struct qpw_work *w, const struct qpw_conn *c)
{
    if (w->key.protocol == QPW_IPPROTO_TCP && c->evidence != QPW_EVIDENCE_HANDSHAKE)
        w->judged = QPW_JUDGED_MIDSTREAM;
}

/* Count the connection's new judgement in the row of that meter, and take its earlier one off. */
__noinline __u32 qpw_judged_count(__u32 meter)
{
    struct qpw_judged_counts *counts = bpf_map_lookup_elem(&judged, &meter);
    struct qpw_work *w = qpw_work();

    if (!w || !counts)
        return 0;
    __sync_fetch_and_add(&counts->n[w->judged & (QPW_JUDGED_VALUES - 1)], 1); /* mute is none */
    if (w->judged_before)
        __sync_fetch_and_add(&counts->n[w->judged_before & (QPW_JUDGED_VALUES - 1)], -1);
    return 0;
}

/* Which ways packets of c, whose outcome rises no more, may be answered for by the cache: QPW_CACHE_*. */
static __always_inline __u32 qpw_looked_at(const struct qpw_work *w, const struct qpw_conn *c)
{
    if (w->key.protocol != QPW_IPPROTO_TCP || c->evidence != QPW_EVIDENCE_HANDSHAKE)
        return QPW_CACHE_RX | QPW_CACHE_TX;
    return (qpw_is_told(c->speaks[0]) ? QPW_CACHE_RX : 0) | (qpw_is_told(c->speaks[1]) ? QPW_CACHE_TX : 0) |
           QPW_CACHE_NO_PAYLOAD;
}

/* What an end of c says is told from now on: its class, into c, and what follows from it. */
static __always_inline void qpw_look_tell(struct qpw_work *w, struct qpw_conn *c, __u32 local, __u8 speaks)
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
        if (!local && qpw_is_told(own))
            w->judged_before = (__u8)qpw_look_judge(w, c, own, was[0]);
        qpw_invalidate(w, 0); /* its packets are counted in its finding */
    } else if (local && qpw_is_told(speaks)) {
        w->judged = (__u8)now;
    }
}

/* The place of what is put together. */
static __always_inline struct qpw_head_part *qpw_head_part(const struct qpw_work *w)
{
    __u32 number = (__u32)(w->head_id * 0x9e3779b97f4a7c15ull >> 52) & (QPW_HEADS - 1);

    return bpf_map_lookup_elem(&heads, &number);
}

/* What there is of w->head_id, into w->head and w->head_next. 0: nothing. */
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

/* Keeps w->head of w->head_id, if more is to come; else wipes what was there. */
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
 * Where in the stream of its end, from its first byte on, the payload of this segment begins; negative for what stands
 * before it, as a keep-alive's does.
 */
static __always_inline __s32 qpw_look_place(const struct qpw_work *w, const struct qpw_conn *c, __u32 local)
{
    __u32 first = qpw_from_initiator(c, (int)local) ? c->isn : c->synack_seq;

    return (__s32)(w->pkt.seq + !!(w->pkt.tcp_flags & QPW_TCP_SYN) - first - 1);
}

/* Bytes of the payload from `skip` on that can be looked at, up to `most`; w->head_at is where they are. */
static __always_inline __u32 qpw_look_bytes(struct qpw_work *w, __u32 skip, __u32 most)
{
    __u32 start = w->pkt.l4_offset + w->pkt.l4_header + skip, n = w->pkt.payload - skip;

    w->head_at = start;
    if (w->in.frame.length <= start)
        return 0;
    if (n > w->in.frame.length - start)
        n = w->in.frame.length - start; /* a capture cut it */
    return n > most ? most : n;
}

/* Of a datagram: as qpw_look_begins(). */
static __always_inline __u32 qpw_look_datagram(struct qpw_work *w, struct qpw_conn *c, __u32 local)
{
    __u32 n;

    if (!w->begins || (c->speaks[local] & QPW_SPEECH) || c->evidence < QPW_EVIDENCE_FIRST)
        return 0;
    n = qpw_look_bytes(w, 0, QPW_HEAD_BYTES);
    if (!n)
        qpw_look_tell(w, c, local, QPW_SPEECH_SHORT);
    return n;
}

/*
 * Of a segment whose end's beginning is being put together: how many of its bytes continue that. Place: where in the
 * stream it begins.
 */
static __always_inline __u32 qpw_look_continues(struct qpw_work *w, struct qpw_conn *c, __u32 local, __s32 place)
{
    __u32 next, have;
    int again;

    if (!qpw_head_get()) {
        qpw_look_tell(w, c, local, qpw_is_all(c->speaks[local]));
        return 0;
    }
    next = w->head_next;
    have = w->head.n;
    again = !place && have && have == w->head_zeros; /* they were padding, or are sent again */
    if (again || place > (__s32)next || place + (__s32)w->pkt.payload <= (__s32)next) { /* or out of order */
        w->head_others++;
        if (w->head_others >= QPW_LOOK_PATIENCE)
            qpw_look_tell(w, c, local, c->speaks[local] & QPW_SPEECH ? QPW_SPEECH_SHORT : QPW_SPEECH_MIDSTREAM);
        else if (again)
            w->head.n = w->head_next = w->head_zeros = 0;
        qpw_head_put(w->head_others < QPW_LOOK_PATIENCE);
        if (!again || w->head_others >= QPW_LOOK_PATIENCE)
            return 0;
        next = have = 0;
    }
    return qpw_look_bytes(w, next - (__u32)place, QPW_HEAD_BYTES - (have & (QPW_HEAD_BYTES - 1)));
}

/*
 * Does this packet carry the beginning of what its end of w->conn says, or more of it? Returns how many bytes are to be
 * looked at, at w->head_at, behind those in w->head; 0: none, and what follows from that is done.
 */
__noinline __u32 qpw_look_begins(__u32 local)
{
    struct qpw_work *w = qpw_work();
    struct qpw_conn *c;
    __s32 place;
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
    if (w->key.protocol != QPW_IPPROTO_TCP || c->evidence != QPW_EVIDENCE_HANDSHAKE || qpw_is_told(speaks))
        return 0;
    place = qpw_look_place(w, c, local);
    w->head_id = c->first_ns ^ (__u64)(c->isn ^ w->key.remote_port) << 32 ^ (__u64)w->key.local_port << 1 ^ local;
    w->head_next = w->head_zeros = w->head_others = 0;
    if (!w->pkt.payload) { /* of what waits for more, the end may be all there is */
        if (speaks & QPW_SPEECH_WAITS && w->pkt.tcp_flags & (QPW_TCP_FIN | QPW_TCP_RST)) {
            qpw_look_tell(w, c, local, qpw_is_all(speaks));
            qpw_head_put(0);
        }
        return 0;
    }
    if (place < 0 || place >= (__s32)QPW_LOOK_REACH) {
        if (place > 0 || w->pkt.payload > 1) /* one byte: a keep-alive */
            qpw_look_tell(w, c, local, QPW_SPEECH_MIDSTREAM);
        return 0;
    }
    if (speaks & QPW_SPEECH_WAITS)
        return qpw_look_continues(w, c, local, place);
    if (place) { /* ahead of what is waited for */
        c->speaks[local] = speaks | QPW_SPEECH_WAITS;
        w->head_others = 1;
        qpw_head_put(1);
        return 0;
    }
    n = qpw_look_bytes(w, 0, QPW_HEAD_BYTES);
    if (!n)
        qpw_look_tell(w, c, local, QPW_SPEECH_SHORT);
    return n;
}

/* Appends the n bytes of w->payload, the rest of which is zero, to w->head, and wipes them. */
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

/* What w->head, which is `speech` with the zeros in front, looks like without them: that, if it can be told. */
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

/* The n bytes of w->payload are more of what that end of w->conn says: tell it. */
__noinline __u32 qpw_look_told(__u32 local, __u32 n)
{
    struct qpw_work *w = qpw_work();
    __u32 speech, waits, end;
    struct qpw_conn *c;
    __u8 speaks, other;

    if (!w)
        return 0;
    c = &w->conn;
    local = !!local;
    speaks = c->speaks[local];
    other = c->speaks[!local];
    end = w->head_at - w->pkt.l4_offset - w->pkt.l4_header + n; /* of the payload's bytes, up to here */
    qpw_head_append(w, n);
    w->head.udp = w->key.protocol == QPW_IPPROTO_UDP;
    w->head.initiator = (__u8)qpw_from_initiator(c, (int)local);
    w->head.length = w->pkt.fragment ? w->pkt.payload & ~3u : w->pkt.payload; /* a fragment's is not the datagram's */
    speech = qpw_opaque(w, qpw_head_speech(qpw_conn_services(c)));
    waits = qpw_speech_waits(&w->head, speech) && end == w->pkt.payload && !(w->pkt.tcp_flags & QPW_TCP_FIN);
    if (waits && !(w->head.first | w->head.last) && w->head.n <= QPW_LOOK_PADDING)
        w->head_zeros = w->head.n;
    else if (!waits && w->head_zeros && (speech == QPW_SPEECH_BIN || speech == QPW_SPEECH_SHORT))
        speech = qpw_opaque(w, qpw_head_behind_zeros(speech, qpw_conn_services(c)));
    if (!(speaks & QPW_SPEECH) && !(other & QPW_SPEECH))
        speaks |= QPW_SPEECH_FIRST;
    speaks = (__u8)(speech | (speaks & QPW_SPEECH_FIRST) | (waits ? QPW_SPEECH_WAITS : 0));
    if (waits || w->head_next || (c->speaks[local] & QPW_SPEECH_WAITS)) {
        w->head_next = (__u32)qpw_look_place(w, c, local) + end;
        qpw_head_put(waits);
    }
    w->head.first = w->head.last = 0;
    qpw_look_tell(w, c, local, speaks);
    return 0;
}

#define QPW_TCP_OPTION_MPTCP 30
#define QPW_MPTCP_JOIN 1

/*
 * Do the options of the SYN, its header's bytes behind the first 20 in w->quote, join it to a connection of Multipath
 * TCP (RFC 8684, 3.2)? Stacks put that option at a multiple of four bytes.
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
 * A path that joins a connection begins in the middle of its stream. Either end could claim it, to be left alone: both
 * have to, as far as both were seen. join: this SYN, or SYN+ACK, of that end of w->conn does.
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

/* The options of a SYN, where they are not those that nearly every SYN has. */
static __always_inline void qpw_look_syn(void *ctx, struct qpw_work *w, const int xdp)
{
    __u32 n = w->pkt.l4_header - 20u, join = 0;

    if (n >= 12 && n != 20 && n <= 40) {
        n = ((n - 1) & 63) + 1; /* verifier: as in qpw_reparse() */
        asm volatile("" : "+r"(n));
        if (w->in.frame.length >= w->pkt.l4_offset + 20u + n && !qpw_payload(ctx, w->pkt.l4_offset + 20u, w->quote, n, xdp))
            join = qpw_is_join(n);
    }
    if (join || ((w->conn.speaks[0] | w->conn.speaks[1]) & QPW_SPEECH))
        qpw_look_joined(!w->rx, join);
}

/* What this packet says of the end of w->conn that it comes from. */
static __always_inline void qpw_look_packet(void *ctx, struct qpw_work *w, const int xdp)
{
    __u32 n;

    if (qpw_is_syn(&w->pkt))
        qpw_look_syn(ctx, w, xdp);
    n = qpw_look_begins(!w->rx);
    if (!n)
        return;
    n = ((n - 1) & (QPW_HEAD_BYTES - 1)) + 1; /* verifier: as in qpw_reparse() */
    asm volatile("" : "+r"(n));
    if (!qpw_payload(ctx, w->head_at, w->payload, n, xdp))
        qpw_look_told(!w->rx, n);
}

/* Global, as the stages are. */
__noinline __u32 qpw_look_xdp(struct xdp_md *ctx)
{
    struct qpw_work *w = qpw_work();

    if (w)
        qpw_look_packet(ctx, w, 1);
    return 0;
}

__noinline __u32 qpw_look_tc(struct __sk_buff *ctx)
{
    struct qpw_work *w = qpw_work();

    if (w)
        qpw_look_packet(ctx, w, 0);
    return 0;
}

/* Is there something to look at? A SYN: where it has more options than usual, or its answer may contradict it. */
static __always_inline int qpw_is_looked_at(const struct qpw_work *w, const struct qpw_conn *c)
{
    __u8 speaks = w->rx ? c->speaks[0] : c->speaks[1];

    if (qpw_is_syn(&w->pkt) &&
        ((w->pkt.l4_header >= 32 && w->pkt.l4_header != 40) || ((c->speaks[0] | c->speaks[1]) & QPW_SPEECH)))
        return 1;
    return (w->pkt.payload && !qpw_is_told(speaks)) || (speaks & QPW_SPEECH_WAITS);
}

/*
 * By a copy of c: in which table it is matters to nothing here, and the verifier need not follow it. Written back is
 * the word of the end that sent the packet alone, for the other one's may be told on another CPU.
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
