/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * half.h - the table of half-open connections: sets of 16 ways, selected by a keyed hash.
 *
 * A set's marks stand together, in one cache line, so a packet that opens a connection learns from
 * these that it is new, and what it enters is written without being read before. Entering and taking out hold the
 * set's lock. Finding does not where the CPU shows stores in the order in which another one made them (x86-64, s390x):
 * the mark is zero while an entry is written, and the whole key is compared. A packet that finds nothing enters its
 * connection under the lock, which searches for it again and chooses its way.
 *
 * A weakly ordered CPU (arm64, ppc64, riscv64) could see the new mark and key in front of an old connection: one tuple
 * would be counted by the direction and verdict of another. There, config.weakly_ordered is set and finding takes the
 * lock too: releasing it orders all that was written before. Frozen at load, it costs nothing where it is 0.
 *
 * A connection that is established is held in its set at first (struct qpw_half), one in each sample of four, so that
 * there is always something to make room. What is held longer than QPW_HELD_NS moves with the next packet that the
 * cache does not answer; what is silent until then stays.
 *
 * Who has found an entry uses it without the lock on any CPU. What that may cost stands in README.md, "Unlocked
 * writes".
 *
 * Nobody but the programs changes a set while they run (a map's value cannot be changed from user space without
 * writing all of it): an entry that has expired stays until its way is needed or its tuple is seen again.
 */
#ifndef QPW_BPF_HALF_H
#define QPW_BPF_HALF_H

#include "event.h"
#include "expiry.h"
#include "maps.h"

/* A sample is every fourth way, so that the first ways, which are taken first, are of different ones. */
#define QPW_HALF_STEP (QPW_HALF_WAYS / QPW_HALF_SAMPLE)
#define QPW_HALF_SAMPLE_WAYS 0x1111u

/* In a rank, see qpw_half_rank(). */
#define QPW_HALF_EXPIRED (1ull << 63)
#define QPW_HALF_WAS_HELD (1ull << 62)

static __always_inline int qpw_same_key(const struct qpw_conn_key *a, const struct qpw_conn_key *b)
{
    const __u64 *x = (const __u64 *)a, *y = (const __u64 *)b;

    return !((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3]) | (x[4] ^ y[4]));
}

/* Return the entry at that way of w->key's set, from 1; NULL for 0. */
static __always_inline struct qpw_conn *qpw_half_at(struct qpw_work *w, __u32 way)
{
    struct qpw_half *set;

    if (!way)
        return 0;
    set = bpf_map_lookup_elem(&conns_half, &w->half_set);
    if (!set)
        return 0;
    way = (way - 1) & (QPW_HALF_WAYS - 1);
    asm volatile("" : "+r"(set), "+r"(way)); /* verifier: compute the address only after set is known not to be NULL */
    return &set->entry[way].conn;
}

/*
 * Four marks at once: the highest bit of each that is zero in the word. Of those above one that is zero, one that is
 * not may be taken for such, too: the lowest is right.
 */
#define QPW_HALF_ONES 0x0001000100010001ull
static __always_inline __u64 qpw_half_zero(__u64 marks)
{
    return (marks - QPW_HALF_ONES) & ~marks & (QPW_HALF_ONES << 15);
}

static __always_inline __u64 qpw_half_marks(const struct qpw_half *set, const __u32 word)
{
    return ((const __u64 __attribute__((may_alias)) *)set->mark)[word];
}

/* Write to the set before it is searched: nothing waits for its line to come, as it would if it were read. */
static __always_inline void qpw_half_ahead(__u32 number)
{
    struct qpw_half *set = bpf_map_lookup_elem(&conns_half, &number);

    if (set)
        (void)*(volatile __u32 *)&set->touched;
}

/* Return the number of the lowest of four marks whose highest bit is set in zero. */
static __always_inline __u32 qpw_half_lowest(__u64 zero)
{
    return zero & 0x8000 ? 0 : zero & 0x80000000 ? 1 : zero & 0x800000000000ull ? 2 : 3;
}

/* Return the first way that is empty; QPW_HALF_WAYS: none is. */
static __always_inline __u32 qpw_half_empty(const struct qpw_half *set)
{
    __u32 way = 0;
    __u64 zero = 0;

#pragma unroll
    for (__u32 i = 0; i < QPW_HALF_WAYS / 4; i++)
        if (!zero) {
            zero = qpw_half_zero(qpw_half_marks(set, i));
            way = 4 * i;
        }
    if (!zero)
        return QPW_HALF_WAYS;
    return way + qpw_half_lowest(zero);
}

/* Return the way of w->key in its set, from 1; 0 if it is not there, which the marks alone mostly show. */
static __always_inline __u32 qpw_half_search(const struct qpw_half *set, struct qpw_work *w)
{
    __u64 same = w->half_mark * QPW_HALF_ONES, zero = 0;
    __u32 way = 0;

#pragma unroll
    for (__u32 i = 0; i < QPW_HALF_WAYS / 4; i++)
        if (!zero) {
            zero = qpw_half_zero(qpw_half_marks(set, i) ^ same);
            way = 4 * i;
        }
    if (!zero)
        return 0;
    way = qpw_opaque(w, way + qpw_half_lowest(zero)) & (QPW_HALF_WAYS - 1);
    if (qpw_same_key(&set->entry[way].key, &w->key)) /* the first with that mark, as nearly always */
        return way + 1;
#pragma unroll /* verifier (5.10): a loop may go back by a jump alone, and the compiler lets this one run on into its head */
    for (__u32 i = 0; i < QPW_HALF_WAYS; i++)
        if (set->mark[i] == w->half_mark && qpw_same_key(&set->entry[i].key, &w->key))
            return i + 1;
    return 0;
}

__noinline __u32 qpw_half_find(void)
{
    struct qpw_work *w = qpw_work();
    struct qpw_half *set = w ? bpf_map_lookup_elem(&conns_half, &w->half_set) : 0;
    __u32 found;

    if (!set)
        return 0;
    if (!config.weakly_ordered)
        return qpw_half_search(set, w);
    bpf_spin_lock(&set->lock);
    found = qpw_half_search(set, w);
    bpf_spin_unlock(&set->lock);
    return found;
}

/*
 * Rank an entry for eviction: expired ones first, then the one that was silent for longest. A live connection is never
 * evicted while the sample contains an expired one. 0: it is held, and makes no room.
 */
static __always_inline __u64 qpw_half_rank(const struct qpw_half_entry *e, __u32 held, __u64 now)
{
    __s64 idle = (__s64)(now - e->conn.last_ns);

    if (idle < 0)
        return !held; /* a capture's clock may step back */
    if (qpw_conn_expired(&control, &e->conn, e->key.protocol, now))
        return (__u64)idle | QPW_HALF_EXPIRED;
    return held ? 0 : (__u64)idle + 1;
}

/*
 * Choose the way whose entry makes room in a set that is full; w->half_rank is that entry's rank. Each round of the set
 * begins one way further within the sample: among entries of the same jiffy, the one that came first makes room.
 */
static __always_inline __u32 qpw_half_victim(struct qpw_work *w, struct qpw_half *set)
{
    __u32 hand = set->hand, first = hand / QPW_HALF_SAMPLE & (QPW_HALF_STEP - 1), victim = first, way;
    __u64 rank;

    w->half_rank = 0;
#pragma clang loop unroll(disable)
    for (__u32 i = 0; i < QPW_HALF_SAMPLE; i++) {
        way = qpw_opaque(w, first + QPW_HALF_STEP * ((hand / QPW_HALF_WAYS + i) & (QPW_HALF_SAMPLE - 1))) &
              (QPW_HALF_WAYS - 1);
        rank = qpw_half_rank(&set->entry[way], set->held >> way & 1, w->now);
        if (rank > w->half_rank) {
            victim = way;
            w->half_rank = rank;
        }
        victim = qpw_opaque(w, victim) & (QPW_HALF_WAYS - 1);
        barrier(); /* read time-outs where they are needed: the stack has no room for them */
    }
    if (set->held >> victim & 1)
        w->half_rank |= QPW_HALF_WAS_HELD;
    set->hand = hand + QPW_HALF_SAMPLE;
    return victim;
}

/*
 * Account for the evicted entry: as a late expiry if it had expired, otherwise as an eviction. A replay gets its state.
 */
static __always_inline void qpw_half_made_room(struct qpw_work *w)
{
    if (w->half_rank & QPW_HALF_EXPIRED) {
        qpw_stat(QPW_STAT_EXPIRED(QPW_CLASS_NONE));
        qpw_stat(QPW_STAT_CLOSED(w->half_rank & QPW_HALF_WAS_HELD ? QPW_CLASS_EST : QPW_CLASS_HALF));
    }
    if (config.count_conns) {
        w->key = w->saved;
        qpw_event_ended(w, &w->before);
        w->key = w->conn_key;
    }
}

/*
 * Store w->conn under w->key, at w->half_way. Returns 0 if another CPU was first: its entry counts, unless w->conn has
 * ended, which is the newer. 1, too, where that was held: it is counted as half-open again.
 */
__noinline __u32 qpw_half_put(void)
{
    struct qpw_work *w = qpw_work();
    struct qpw_half *set = w ? bpf_map_lookup_elem(&conns_half, &w->half_set) : 0;
    __u32 way = 0, found, full = 0, held = 0;

    if (!set)
        return 0;
    bpf_spin_lock(&set->lock); /* before the way is chosen: two CPUs would choose the same */
    found = qpw_opaque(w, qpw_half_search(set, w));
    if (!found) {
        way = qpw_opaque(w, qpw_half_empty(set));
        full = way == QPW_HALF_WAYS;
        if (full)
            way = qpw_half_victim(w, set);
        way = qpw_opaque(w, way) & (QPW_HALF_WAYS - 1);
        if (config.count_conns && full) {
            w->saved = set->entry[way].key;
            w->before = set->entry[way].conn;
            w->conn_key = w->key;
        }
        set->mark[way] = 0; /* a reader must not take the new key for the old state */
        set->held &= ~(1u << way);
        barrier();
        set->entry[way].conn = w->conn;
        set->entry[way].key = w->key;
        barrier();
        set->mark[way] = w->half_mark;
    } else {
        way = (found - 1) & (QPW_HALF_WAYS - 1);
        if (w->conn.state == QPW_STATE_CLOSED && set->entry[way].conn.first_ns == w->conn.first_ns) {
            held = set->held & 1u << way; /* another CPU is moving it: its end counts */
            set->held &= ~(1u << way);
            set->entry[way].conn = w->conn;
        }
    }
    bpf_spin_unlock(&set->lock);
    if (full)
        qpw_half_made_room(w);
    w->half_way = found ? found : way + 1;
    return !found | !!held;
}

/*
 * Remove w->key. Returns the class it was counted in, QPW_CLASS_NONE if it was not there. moved: w->conn has been
 * entered in another table; where another CPU has met its end meanwhile that stays, at w->half_way, and is QPW_HALF_ENDED.
 */
#define QPW_HALF_ENDED 0xffu
__noinline __u32 qpw_half_delete(__u32 moved)
{
    struct qpw_work *w = qpw_work();
    struct qpw_half *set = w ? bpf_map_lookup_elem(&conns_half, &w->half_set) : 0;
    __u32 found, way, held = 0, ended = 0;

    if (!set)
        return QPW_CLASS_NONE;
    bpf_spin_lock(&set->lock);
    found = qpw_opaque(w, qpw_half_search(set, w));
    if (found) {
        way = (found - 1) & (QPW_HALF_WAYS - 1);
        ended = moved && (set->entry[way].conn.state == QPW_STATE_CLOSED ||
                          set->entry[way].conn.first_ns != w->conn.first_ns);
        if (!ended) {
            set->mark[way] = 0;
            held = set->held & 1u << way;
            set->held &= ~(1u << way);
        }
    }
    bpf_spin_unlock(&set->lock);
    w->half_way = found;
    if (!found)
        return QPW_CLASS_NONE;
    if (ended)
        return QPW_HALF_ENDED;
    return held ? QPW_CLASS_EST : QPW_CLASS_HALF;
}

/*
 * The connection of w->key is established, or (hold 0) has ended, in its set, where it is held or let go of. Returns
 * whether that is so now: not where another one of its sample is held, or it was pushed out meanwhile.
 */
__noinline __u32 qpw_half_hold(__u32 hold)
{
    struct qpw_work *w = qpw_work();
    struct qpw_half *set = w ? bpf_map_lookup_elem(&conns_half, &w->half_set) : 0;
    __u32 found, way, held, sample, done = 0;

    if (!set)
        return 0;
    hold = !!hold;
    bpf_spin_lock(&set->lock);
    found = qpw_opaque(w, qpw_half_search(set, w));
    if (found) {
        way = (found - 1) & (QPW_HALF_WAYS - 1);
        held = set->held;
        sample = held >> (way & (QPW_HALF_STEP - 1)) & QPW_HALF_SAMPLE_WAYS;
        found = (held >> way & 1) == hold || /* another CPU was first, or has met its end */
                (hold && set->entry[way].conn.state == QPW_STATE_CLOSED);
        if (!found && !(hold && sample)) {
            set->held = (__u16)(held ^ 1u << way);
            set->entry[way].conn.conn_class = hold ? QPW_CLASS_EST | QPW_CLASS_HELD : QPW_CLASS_HALF;
            done = 1;
        }
    }
    bpf_spin_unlock(&set->lock);
    if (done) {
        qpw_stat(QPW_STAT_OPENED(hold ? QPW_CLASS_EST : QPW_CLASS_HALF));
        qpw_stat(QPW_STAT_CLOSED(hold ? QPW_CLASS_HALF : QPW_CLASS_EST));
    }
    return done | found;
}

#endif
