/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * cache.h - the per-CPU cache in front of the connection tables: tag to counter slot in a pair of cache lines.
 *
 * An entry stands for packets that change nothing: same policy generation, same incarnation of the
 * connection, refreshed lately, and a direction already seen. Everything else takes the slow path.
 * SYN+ACK, FIN and RST always do; a SYN is only taken for known when its sequence number is too.
 * What opens a connection leaves no entry, so that a flood of new ones pushes nothing out; nor does a SYN that is
 * repeated, of which a scan has as many as ports: it takes a place that is free.
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

static __always_inline void qpw_syn_outdate(struct qpw_incarnations *all, __u32 bucket)
{
    __sync_fetch_and_add(&all->open[bucket & (QPW_INCARNATIONS - 1)].syn, QPW_SYN_STEP);
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

    return all ? all->pair[qpw_pair_fragments(pair)] : 0;
}

/* Return 0 if w->key certainly has no entry beside the half-open ones. */
static __always_inline __u32 qpw_live(const struct qpw_work *w)
{
    struct qpw_incarnations *all = qpw_all_incarnations();

    if (!all)
        return 1;
    if (!*(volatile __u32 *)&all->pair_live[qpw_pair_live(w->pair)]) /* first: of a scan's packets it is the same one */
        return 0;
    return all->open[w->bucket & (QPW_INCARNATIONS - 1)].live >> qpw_live_shift(w->bucket) & 0xff;
}

/* Count one entry more in w->key's bucket and of its addresses, or one less. */
static __always_inline void qpw_live_add(const struct qpw_work *w, int more)
{
    struct qpw_incarnations *all = qpw_all_incarnations();
    __u32 *live, *of_pair;

    if (!all)
        return;
    live = &all->open[w->bucket & (QPW_INCARNATIONS - 1)].live;
    of_pair = &all->pair_live[qpw_pair_live(w->pair)];
    __sync_fetch_and_add(live, qpw_live_step(*(volatile __u32 *)live, w->bucket, more));
    __sync_fetch_and_add(of_pair, qpw_pair_live_step(*(volatile __u32 *)of_pair, more));
}

static __always_inline void qpw_invalidate_fragments(__u32 pair)
{
    struct qpw_incarnations *all = qpw_all_incarnations();

    if (all)
        __sync_fetch_and_add(&all->pair[qpw_pair_fragments(pair)], 1);
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
    __sync_fetch_and_add(&all->pair[qpw_pair_fragments(w->pair)], 1);
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

/* Return the way of its own line that an entry is put in if that is free: where to look first, and mostly last. */
static __always_inline __u32 qpw_cache_way(__u64 entry)
{
    return entry >> QPW_CACHE_WAY & (QPW_CACHE_WAYS - 1);
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
    entry = lines.own->way[qpw_cache_way(want)];
    if ((entry ^ want) & (QPW_CACHE_TAG | QPW_CACHE_EPOCH)) {
        entry = qpw_line_find(lines.own, want);
        if (!entry)
            entry = qpw_line_find(lines.other, want);
    }
    if (entry & (rx ? QPW_CACHE_RX : QPW_CACHE_TX))
        return entry & QPW_CACHE_SLOT;
    return entry & QPW_CACHE_NO_PAYLOAD && !payload ? entry & QPW_CACHE_SLOT : 0;
}

/* Return what makes the lowest bits of that incarnation those of the epoch. */
static __always_inline __u32 qpw_syn_delta(__u32 syn, __u32 epoch)
{
    return (epoch - syn) & (QPW_SYN_STEP - 1);
}

/*
 * Note that a copy of a SYN of w->bucket is made in this epoch, under the incarnation that the SYN had, moved on by
 * qpw_syn_delta(). If another one changes it meanwhile, the copy is not found.
 */
static __always_inline void qpw_syn_copied(const struct qpw_work *w, __u32 epoch)
{
    struct qpw_incarnations *all = qpw_all_incarnations();
    __u32 *syn, delta;

    if (!all)
        return;
    syn = &all->open[w->bucket & (QPW_INCARNATIONS - 1)].syn;
    delta = qpw_syn_delta(*(volatile __u32 *)syn, epoch);
    if (delta)
        __sync_fetch_and_add(syn, delta);
}

#define QPW_CACHE_NO_WAY (2 * QPW_CACHE_WAYS)

/* Return 0 if the entry is empty, or was not used since the last epoch. want: one of this epoch. */
static __always_inline int qpw_cache_in_use(__u64 entry, __u64 want)
{
    return entry && !((entry ^ want) & QPW_CACHE_EPOCH);
}

/*
 * Enter this packet's tag, made of what was read before the connection was looked up and judged, so that a change
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
    want = qpw_tag_value(&w->tag, w->incarnation + (qpw_is_syn(&w->pkt) ? qpw_syn_delta(w->incarnation, epoch) : 0),
                         w->generation, epoch);
    way = qpw_cache_way(want);
    if (qpw_cache_in_use(lines.own->way[way], want)) {
        way = qpw_is_syn(&w->pkt) ? QPW_CACHE_NO_WAY : w->victim++ % QPW_CACHE_WAYS;
        for (__u32 i = 0; i < 2 * QPW_CACHE_WAYS; i++) {
            entry = (i < QPW_CACHE_WAYS ? lines.own : lines.other)->way[i % QPW_CACHE_WAYS];
            if (!qpw_cache_in_use(entry, want)) {
                way = i;
                break;
            }
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
    if (way == QPW_CACHE_NO_WAY)
        return 0;
    if (qpw_is_syn(&w->pkt))
        qpw_syn_copied(w, epoch); /* before the copy can be seen */
    line = way < QPW_CACHE_WAYS ? lines.own : lines.other;
    line->way[way % QPW_CACHE_WAYS] = want | slot | directions;
    return 0;
}

#endif
