/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * conn.h - the shared tables of connections: find, store, move, end. One table a quota (see maps.h).
 *
 * STATES. What each packet makes of a connection; the transitions are in open.h (first packet), tcp.h (all others) and
 * track.h (what follows from them).
 *
 * Tables, which are the quotas:
 *   half  81,920 places in sets of 16, oldest of a sample makes room. Opened from outside and not yet proven; tails.
 *         Established ones, too, for their first ten seconds: held, so that they make no room, and counted as est.
 *   out   LRU, 32,768. Opened by the node: its half-open TCP and its datagrams. Nothing from outside enters it.
 *   est   hash, 65,536, never evicts. TCP whose handshake was completed, or whose socket was found. When it is full the
 *         connection stays in `out` (the node opened it) or `half`, and the loss is counted.
 *   dgram LRU, 16,384. Datagram exchanges opened from outside that the node has answered.
 *
 * Time-outs without a packet: SYN, SYN_ACK 75 s; ESTABLISHED, MIDSTREAM 7 days; CLOSED 120 s; DATAGRAM 180 s
 * (struct qpw_control). An entry that has timed out is replaced by the next packet of its tuple.
 *
 * Evidence of the direction, strongest first: handshake (its SYN or SYN+ACK was seen), socket (the node's socket says
 * who opened it), first (the sender of the first datagram); undecided: inferred (exactly one end has a listed port),
 * none.
 *
 * Legend: I the initiator, R the responder, L the node, N the other end ("network"); a>b: sent by a to b. A `-` leaves
 * all as it is. "new": the old connection ends, this packet opens another by the row of "no entry".
 *
 * TCP           | SYN                   | SYN+ACK                  | RST             | any other segment
 * --------------+-----------------------+--------------------------+-----------------+-------------------------------
 * no entry      | SYN; handshake        | SYN_ACK, handshake: from | CLOSED in half, | MIDSTREAM in half: a seed is
 *               | L>N: out, N>L: half   | L, in a replay, or where | reason tail     | socket (est); L listening on a
 *               |                       | a socket is in SYN_SENT; |                 | listed port is socket; one
 *               |                       | else MIDSTREAM in half,  |                 | listed port is inferred; else
 *               |                       | none: unsolicited        |                 | none. Asks for the socket
 * SYN           | I: -, or a new number | R, of that SYN: SYN_ACK, | CLOSED in half; | R: answered; with payload
 *               | R: tentative          | answered (from L: of any | from R: refused | ESTABLISHED. I with ACK: asks
 *               |                       | SYN); else -             |                 | the socket table what R did
 * SYN_ACK       | I: -, or a new number | the same                 | CLOSED in half  | I acknowledges it, or R sends
 *               | R: tentative          |                          |                 | payload: ESTABLISHED in est
 * ESTABLISHED   | I, the same number: - | of a tentative SYN: new, | CLOSED in half  | payload of both: data. FIN of
 *               | else tentative        | opened by that; else -   |                 | both: CLOSED in half
 * MIDSTREAM,    | as in ESTABLISHED     | as in ESTABLISHED        | CLOSED in half  | as in ESTABLISHED; L answers:
 * socket        |                       |                          |                 | answered
 * MIDSTREAM,    | from L: new. From N:  | from L, or in a replay:  | CLOSED in half  | a seed arrives: socket, est.
 * inferred,none | new until L has sent  | new, opened by R; from   |                 | payload and an answer: data
 *               | anything, then        | N: -                     |                 |
 *               | tentative             |                          |                 |
 * CLOSED        | new; but from N after | from L, or in a replay:  | -               | L goes on after a RST of N:
 *               | its own RST on what L | new, opened by R; from   |                 | ESTABLISHED or MIDSTREAM in
 *               | had answered:         | N: -                     |                 | est (the RST was forged).
 *               | tentative; L repeats  |                          |                 | Else - (a tail)
 *               | its own after a RST   |                          |                 |
 *               | of N: SYN             |                          |                 |
 *
 * "Tentative": a SYN on a live tuple changes nothing until the other end's SYN+ACK acknowledges it, for anybody can
 * forge one (RFC 9293, 3.10.7.4). So forged packets make entries in `half` alone, and what they close the node reopens.
 *
 * Everything else has one state, DATAGRAM, and one table by who sent first:
 *   L first        out, first, outbound; where questions remember that N asked: dgram, inbound, answered (question.h).
 *                  ICMP but echo requests: half, for the network makes the node send errors
 *   N first        half, first, inbound; a socket of L, or L's question to a group, makes it inferred and outbound
 *   the other one  outcome data; half -> dgram (not ICMP: a host answers anybody). SCTP: by its first chunk, tcp.h
 *   an ICMP error  that quotes the initiator's packet: refused
 *
 * Moves, each entered in the new table before it leaves the old one: half -> est and out -> est (ESTABLISHED), est ->
 * half and out -> half (CLOSED), half -> est again (the RST was forged), half -> dgram (answered). Between half and est
 * nothing moves while the connection is held in its set (half.h): most are over before.
 *
 * A change of state raises the tuple's incarnation (cache.h), so that no CPU counts by what it knew before.
 */
#ifndef QPW_BPF_CONN_H
#define QPW_BPF_CONN_H

#include "cache.h"
#include "event.h"
#include "half.h"
#include "maps.h"

/* Find w->key in the tables of connections that both ends have used, which a flood cannot fill. */
static __always_inline struct qpw_conn *qpw_conn_find_answered(struct qpw_work *w)
{
    if (w->key.protocol == QPW_IPPROTO_TCP)
        return bpf_map_lookup_elem(&conns_est, &w->key);
    return bpf_map_lookup_elem(&conns_dgram, &w->key);
}

/*
 * Find the entry of w->key. An entry that moves is entered in its new table before it leaves the old one, so who looks
 * in the old one last and finds it gone looks in the new one again: the packet would open a second connection.
 */
static __always_inline struct qpw_conn *qpw_conn_find(struct qpw_work *w)
{
    struct qpw_conn *c = 0;

    if (qpw_live(w)) {
        c = qpw_conn_find_answered(w);
        if (!c)
            c = bpf_map_lookup_elem(&conns_out, &w->key);
    }
    if (!c)
        c = qpw_half_at(w, qpw_half_find());
    if (!c && qpw_live(w))
        c = qpw_conn_find_answered(w);
    return c;
}

/* Store w->conn under w->key. Returns 0, or a negative errno: -EEXIST if it is there already. */
static __always_inline long qpw_conn_insert(struct qpw_work *w, __u8 conn_class)
{
    long rc;

    if (conn_class == QPW_CLASS_HALF)
        return qpw_half_put() ? 0 : -EEXIST;
    qpw_live_add(w, /* more= */ 1);
    if (conn_class == QPW_CLASS_EST)
        rc = bpf_map_update_elem(&conns_est, &w->key, &w->conn, BPF_NOEXIST);
    else if (conn_class == QPW_CLASS_OUT)
        rc = bpf_map_update_elem(&conns_out, &w->key, &w->conn, BPF_NOEXIST);
    else
        rc = bpf_map_update_elem(&conns_dgram, &w->key, &w->conn, BPF_NOEXIST);
    if (rc)
        qpw_live_add(w, /* more= */ 0);
    return rc;
}

/* Find the entry of w->key that was just stored in that table. */
static __always_inline struct qpw_conn *qpw_conn_in(struct qpw_work *w, __u8 conn_class)
{
    switch (conn_class) {
    case QPW_CLASS_EST: return bpf_map_lookup_elem(&conns_est, &w->key);
    case QPW_CLASS_OUT: return bpf_map_lookup_elem(&conns_out, &w->key);
    case QPW_CLASS_DGRAM: return bpf_map_lookup_elem(&conns_dgram, &w->key);
    default: return qpw_half_at(w, w->half_way);
    }
}

/* Remove w->key from that table. Returns whether it was there. */
__noinline __u32 qpw_conn_delete(__u32 conn_class)
{
    struct qpw_work *w = qpw_work();
    long rc;

    if (!w)
        return 0;
    switch (conn_class) {
    case QPW_CLASS_EST: rc = bpf_map_delete_elem(&conns_est, &w->key); break;
    case QPW_CLASS_OUT: rc = bpf_map_delete_elem(&conns_out, &w->key); break;
    case QPW_CLASS_DGRAM: rc = bpf_map_delete_elem(&conns_dgram, &w->key); break;
    default:
        conn_class = qpw_half_delete(/* moved= */ 0);
        if (conn_class)
            qpw_stat(QPW_STAT_CLOSED(conn_class));
        return !!conn_class;
    }
    if (rc)
        return 0;
    qpw_live_add(w, /* more= */ 0);
    qpw_stat(QPW_STAT_CLOSED(conn_class));
    return 1;
}

/*
 * Store w->conn under w->key in the table it names. The established table does not evict: when it is
 * full the connection lives among the half-open or outgoing ones (counted), still known, but may be evicted.
 * Returns the table it is in now, 0 where there was no place at all.
 */
__noinline __u32 qpw_conn_store_work(void)
{
    struct qpw_work *w = qpw_work();
    __u8 conn_class;
    long rc;

    if (!w)
        return 0;
    conn_class = w->conn.conn_class;
    rc = qpw_conn_insert(w, conn_class);
    if (rc && rc != -EEXIST /* another CPU was first, its entry is the truth */) {
        qpw_stat(conn_class == QPW_CLASS_EST     ? QPW_LOSS_CONN_EST_FULL
                 : conn_class == QPW_CLASS_OUT   ? QPW_LOSS_CONN_OUT_FULL
                 : conn_class == QPW_CLASS_DGRAM ? QPW_LOSS_CONN_DGRAM_FULL
                                                 : QPW_LOSS_CONN_HALF_FULL);
        if (conn_class == QPW_CLASS_HALF)
            return 0;
        /* Connections that the node opened keep the table that no flood can fill. */
        conn_class = conn_class == QPW_CLASS_EST && w->conn.direction == QPW_DIR_OUTBOUND ? QPW_CLASS_OUT
                                                                                          : QPW_CLASS_HALF;
        w->conn.conn_class = conn_class;
        rc = qpw_conn_insert(w, conn_class);
    }
    if (!rc) {
        qpw_stat(QPW_STAT_OPENED(conn_class));
        w->made = 1;
    }
    return conn_class;
}

/* The same, and the entry. */
static __always_inline struct qpw_conn *qpw_conn_store(struct qpw_work *w)
{
    __u32 conn_class = qpw_conn_store_work();

    return conn_class ? qpw_conn_in(w, (__u8)conn_class) : 0;
}

/*
 * w->conn, which is held in its set, is no short connection: it moves to the table of the established. Returns the
 * table it is in now: still its set, where that is full, or another CPU has met its end meanwhile.
 */
__noinline __u32 qpw_conn_grown(void)
{
    struct qpw_work *w = qpw_work();
    long rc;

    if (!w)
        return 0;
    w->conn.conn_class = QPW_CLASS_EST;
    rc = qpw_conn_insert(w, QPW_CLASS_EST);
    if (rc) {
        w->half_way = qpw_half_find();
        return rc == -EEXIST ? QPW_CLASS_EST : QPW_CLASS_HALF;
    }
    if (qpw_half_delete(/* moved= */ 1) != QPW_HALF_ENDED)
        return QPW_CLASS_EST;
    if (!bpf_map_delete_elem(&conns_est, &w->key)) /* uncounted, as it was entered */
        qpw_live_add(w, /* more= */ 0);
    return QPW_CLASS_HALF;
}

/*
 * Take w->key out of table `old`; w->conn stands in the other one, conn_class, by now. Where another CPU has met its end
 * meanwhile, that counts: a tail is entered before the connection is taken out elsewhere, so of two CPUs the one that
 * finds it taken out already takes it out of the established, too. Returns the table it is in now.
 */
__noinline __u32 qpw_conn_leave(__u32 old, __u32 conn_class)
{
    struct qpw_work *w = qpw_work();
    struct qpw_conn *tail;
    __u32 was;

    if (!w)
        return conn_class;
    if (old == QPW_CLASS_HALF) {
        was = qpw_half_delete(/* moved= */ 1);
        if (was != QPW_HALF_ENDED) {
            if (was)
                qpw_stat(QPW_STAT_CLOSED(was));
            return conn_class;
        }
    } else {
        if (qpw_conn_delete(old) || old != QPW_CLASS_OUT)
            return conn_class;
        if (conn_class == QPW_CLASS_HALF) {
            qpw_conn_delete(QPW_CLASS_EST);
            return conn_class;
        }
        w->half_way = qpw_half_find();
        tail = qpw_half_at(w, w->half_way);
        if (!tail || tail->state != QPW_STATE_CLOSED)
            return conn_class;
    }
    qpw_conn_delete(conn_class);
    return QPW_CLASS_HALF;
}

/* Move w->conn, which stands in table `old`, to the one it names. Returns the table it is in now; 0: there was no place. */
__noinline __u32 qpw_conn_moved(__u32 old)
{
    struct qpw_work *w = qpw_work();
    __u32 now;
    __u8 made;

    if (!w)
        return 0;
    if (old & QPW_CLASS_HELD)
        return qpw_conn_grown();
    made = w->made;
    now = qpw_conn_store_work();
    w->made = made; /* not by this */
    return now && now != old ? qpw_conn_leave(old, now) : now;
}

/* Move entry c of w->key to another table; returns its new place. */
static __always_inline struct qpw_conn *qpw_conn_move(struct qpw_work *w, struct qpw_conn *c, __u8 conn_class)
{
    __u8 old = c->conn_class;
    __u32 now;

    if (old == conn_class)
        return c;
    if (!config.replay) { /* there, user space takes entries out of the sets to make room */
        if (old == QPW_CLASS_HALF && conn_class == QPW_CLASS_EST && qpw_half_hold(/* hold= */ 1))
            return c;
        if (old & QPW_CLASS_HELD && conn_class == QPW_CLASS_HALF) {
            qpw_half_hold(/* hold= */ 0);
            return c;
        }
    }
    w->conn = *c;
    w->conn.conn_class = conn_class;
    now = qpw_conn_moved(old);
    if (!now)
        return 0;
    c = qpw_conn_in(w, (__u8)now);
    if (!c && now == QPW_CLASS_EST) { /* another CPU has met its end just now */
        w->half_way = qpw_half_find();
        c = qpw_half_at(w, w->half_way);
    }
    return c;
}

#endif
