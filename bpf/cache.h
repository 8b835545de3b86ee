/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * cache.h - the per-CPU cache in front of the connection tables: tag to counter slot in a pair of cache lines.
 *
 * An entry stands for packets that change nothing: same policy generation, same incarnation of the
 * connection, refreshed lately, and a direction already seen. Everything else takes the slow path.
 * SYN+ACK, FIN and RST always do; a SYN is only taken for known when its sequence number is too.
 * What opens a connection leaves no entry, so that a flood of new ones pushes nothing out.
 */
#ifndef QPW_BPF_CACHE_H
#define QPW_BPF_CACHE_H

#include "maps.h"

/* Entries are found only in the epoch in which they were made: their connection's last-seen is refreshed in each. */
static __always_inline __u32 qpw_epoch(__u64 now)
{
    return (__u32)(now >> (control.refresh_shift & 63));
}

static __always_inline struct qpw_incarnations *qpw_all_incarnations(void)
{
    __u32 zero = 0;

    return bpf_map_lookup_elem(&incarnations, &zero);
}

/*
 * Return what to add to an incarnation of SYNs that a change makes out of date. It is odd from when a copy of one of the
 * bucket's SYNs is made until the next change, so that a SYN that finds it even need not be looked for.
 */
static __always_inline __u32 qpw_syn_step(__u32 syn)
{
    return 2 - (syn & 1);
}

static __always_inline void qpw_syn_outdate(struct qpw_incarnations *all, __u32 bucket)
{
    __u32 *syn = &all->open[bucket & (QPW_INCARNATIONS - 1)].syn;

    __sync_fetch_and_add(syn, qpw_syn_step(*(volatile __u32 *)syn));
}

/* Return the incarnation of a tuple's bucket. */
static __always_inline __u32 qpw_incarnation(__u32 bucket, int is_syn)
{
    struct qpw_incarnations *all = qpw_all_incarnations();

    if (!all)
        return 0;
    bucket &= QPW_INCARNATIONS - 1;
    if (!is_syn)
        return all->other[bucket];
    (void)*(volatile __u32 *)&all->other[bucket]; /* most SYNs open a connection and change it: both lines come at once */
    return all->open[bucket].syn;
}

static __always_inline __u32 qpw_pair_incarnation(__u32 pair)
{
    struct qpw_incarnations *all = qpw_all_incarnations();

    return all ? all->pair[pair & (QPW_PAIR_INCARNATIONS - 1)] : 0;
}

/* Return 0 if the bucket certainly has no entries beside the half-open ones. w->key's is w->bucket. */
static __always_inline __u32 qpw_live(__u32 bucket)
{
    struct qpw_incarnations *all = qpw_all_incarnations();

    return all ? all->open[bucket & (QPW_INCARNATIONS - 1)].live >> qpw_live_shift(bucket) & 0xff : 1;
}

/* Count one entry more in the bucket, or one less. */
static __always_inline void qpw_live_add(__u32 bucket, int more)
{
    struct qpw_incarnations *all = qpw_all_incarnations();
    __u32 *live;

    if (!all)
        return;
    live = &all->open[bucket & (QPW_INCARNATIONS - 1)].live;
    __sync_fetch_and_add(live, qpw_live_step(*(volatile __u32 *)live, bucket, more));
}

static __always_inline void qpw_invalidate_fragments(__u32 pair)
{
    struct qpw_incarnations *all = qpw_all_incarnations();

    if (all)
        __sync_fetch_and_add(&all->pair[pair & (QPW_PAIR_INCARNATIONS - 1)], 1);
}

/* Invalidate the cached copies of w->key on all CPUs; those of its SYNs only if `syn_too`. */
static __always_inline void qpw_invalidate(const struct qpw_work *w, int syn_too)
{
    struct qpw_incarnations *all = qpw_all_incarnations();
    __u32 bucket = w->bucket & (QPW_INCARNATIONS - 1);

    if (!all)
        return;
    __sync_fetch_and_add(&all->other[bucket], 1);
    if (syn_too)
        qpw_syn_outdate(all, bucket);
    __sync_fetch_and_add(&all->pair[w->pair & (QPW_PAIR_INCARNATIONS - 1)], 1);
}

/*
 * A tag has two lines, its own and its neighbour, which is in the same block and mostly fetched with it: eight ways
 * alone are too few for 5 % of as many connections as fill half the cache.
 */
struct qpw_cache_lines {
    struct qpw_cache_line *own, *other;
};

/* Find the two lines of a tag. Returns 0 if there are none. */
static __always_inline int qpw_cache_lines(const struct qpw_tag *t, struct qpw_cache_lines *ret)
{
    __u32 index = qpw_tag_line(t, config.secret, config.cache_mask), number = index / QPW_CACHE_BLOCK;
    struct qpw_cache_block *block = bpf_map_lookup_elem(&conn_cache, &number);

    if (!block)
        return 0;
    ret->own = &block->line[index % QPW_CACHE_BLOCK];
    ret->other = &block->line[(index ^ 1) % QPW_CACHE_BLOCK];
    return 1;
}

/* Return the entry that is exactly the wanted one; 0: it is not in this line. */
static __always_inline __u64 qpw_line_find(const struct qpw_cache_line *line, __u64 want)
{
#pragma unroll
    for (int i = 0; i < QPW_CACHE_WAYS; i++)
        if (((line->way[i] ^ want) & (QPW_CACHE_TAG | QPW_CACHE_EPOCH)) == 0)
            return line->way[i];
    return 0;
}

/* Return the slot to count a packet in; 0: take the slow path. payload: how many bytes of it. */
static __always_inline __u32 qpw_cache_find(const struct qpw_tag *t, __u32 incarnation, int rx, __u32 payload, __u64 now)
{
    __u64 want = qpw_tag_value(t, incarnation, control.generation, qpw_epoch(now)), entry;
    struct qpw_cache_lines lines;

    if (!qpw_cache_lines(t, &lines))
        return 0;
    entry = qpw_line_find(lines.own, want);
    if (!entry)
        entry = qpw_line_find(lines.other, want);
    if (entry & (rx ? QPW_CACHE_RX : QPW_CACHE_TX))
        return entry & QPW_CACHE_SLOT;
    return entry & QPW_CACHE_NO_PAYLOAD && !payload ? entry & QPW_CACHE_SLOT : 0;
}

/*
 * Return the incarnation under which to enter a copy of this SYN, which is odd: where the bucket's is even by now, make
 * it so. If another one changes it meanwhile, the copy is not found.
 */
static __always_inline __u32 qpw_syn_copied(const struct qpw_work *w)
{
    struct qpw_incarnations *all = qpw_all_incarnations();
    __u32 *syn;

    if (all) {
        syn = &all->open[w->bucket & (QPW_INCARNATIONS - 1)].syn;
        if (!(*(volatile __u32 *)syn & 1))
            __sync_fetch_and_add(syn, 1);
    }
    return w->incarnation | 1;
}

/*
 * Enter this packet's tag, made of an incarnation that was read before the connection was looked up, so that a change
 * in between is not missed. directions: QPW_CACHE_RX, QPW_CACHE_TX, QPW_CACHE_NO_PAYLOAD.
 */
__noinline __u32 qpw_cache_put(__u32 slot, __u32 directions)
{
    struct qpw_work *w = qpw_work();
    struct qpw_cache_lines lines;
    struct qpw_cache_line *line;
    __u32 way, epoch;
    __u64 want, entry;

    if (!w || !qpw_cache_lines(&w->tag, &lines))
        return 0;
    epoch = qpw_epoch(w->now);
    want = qpw_tag_value(&w->tag, qpw_is_syn(&w->pkt) ? qpw_syn_copied(w) : w->incarnation, control.generation, epoch);
    way = w->victim++ % QPW_CACHE_WAYS;
    for (__u32 i = 0; i < 2 * QPW_CACHE_WAYS; i++) {
        entry = (i < QPW_CACHE_WAYS ? lines.own : lines.other)->way[i % QPW_CACHE_WAYS];
        if (!entry || (entry ^ want) & QPW_CACHE_EPOCH) {
            way = i; /* empty, or not used since the last epoch */
            break;
        }
    }
    for (__u32 i = 0; i < 2 * QPW_CACHE_WAYS; i++) {
        entry = (i < QPW_CACHE_WAYS ? lines.own : lines.other)->way[i % QPW_CACHE_WAYS];
        if (((entry ^ want) & QPW_CACHE_PACKET) == 0) {
            way = i; /* its own, of now or out of date */
            break;
        }
    }
    way = qpw_opaque(w, way);
    line = way < QPW_CACHE_WAYS ? lines.own : lines.other;
    line->way[way % QPW_CACHE_WAYS] = want | slot | directions;
    return 0;
}

#endif
