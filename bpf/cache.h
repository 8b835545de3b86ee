/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * cache.h - the per-CPU cache in front of the connection tables: tag to counter slot in one cache line.
 *
 * An entry stands for packets that change nothing: same policy generation, same incarnation of the
 * connection, refreshed lately, and a direction already seen. Everything else takes the slow path.
 * SYN+ACK, FIN and RST always do; a SYN is only taken for known when its sequence number is too.
 */
#ifndef QPW_BPF_CACHE_H
#define QPW_BPF_CACHE_H

#include "maps.h"

static __always_inline __u16 qpw_stamp(__u64 now)
{
    return (__u16)(now >> config.refresh_shift);
}

static __always_inline __u16 qpw_incarnation(__u32 index)
{
    __u32 *value = bpf_map_lookup_elem(&incarnations, &index);

    return value ? (__u16)*value : 0;
}

/* Cached copies of the tuple on all CPUs are out of date from now on. */
static __always_inline void qpw_invalidate(__u32 index)
{
    __u32 *value = bpf_map_lookup_elem(&incarnations, &index);

    if (value)
        __sync_fetch_and_add(value, 1);
}

static __always_inline struct qpw_cache_line *qpw_cache_line(__u64 tag)
{
    __u32 index = (__u32)(tag >> 20) & config.cache_mask;

    return bpf_map_lookup_elem(&conn_cache, &index);
}

/* The slot to count a packet in, 0: take the slow path. */
static __always_inline __u32 qpw_cache_find(__u64 tag, __u32 incarnation_index, int rx, __u64 now)
{
    struct qpw_cache_line *line = qpw_cache_line(tag);
    struct qpw_cache_entry *e;

    if (!line)
        return 0;
    if (line->way[0].tag == tag)
        e = &line->way[0];
    else if (line->way[1].tag == tag)
        e = &line->way[1];
    else if (line->way[2].tag == tag)
        e = &line->way[2];
    else if (line->way[3].tag == tag)
        e = &line->way[3];
    else
        return 0;
    if (!(e->directions & (rx ? QPW_CACHE_RX : QPW_CACHE_TX)) || e->generation != (__u8)control.generation ||
        (__u16)(qpw_stamp(now) - e->stamp) > (__u16)(control.refresh_ns >> config.refresh_shift) ||
        e->incarnation != qpw_incarnation(incarnation_index))
        return 0;
    return e->slot;
}

/* incarnation: as read before the connection was looked up, so that a change in between is not missed. */
static __always_inline void qpw_cache_put(__u64 tag, __u16 incarnation, __u32 slot, __u8 directions, __u64 now)
{
    struct qpw_cache_line *line = qpw_cache_line(tag);
    __u32 place = (__u32)now >> 22 & (QPW_CACHE_WAYS - 1);
    struct qpw_cache_entry *e;

    if (!line)
        return;
    for (int i = 0; i < QPW_CACHE_WAYS; i++)
        if (!line->way[i].tag)
            place = i;
    for (int i = 0; i < QPW_CACHE_WAYS; i++)
        if (line->way[i].tag == tag)
            place = i;
    e = &line->way[place & (QPW_CACHE_WAYS - 1)];
    e->tag = tag;
    e->slot = (__u16)slot;
    e->incarnation = incarnation;
    e->stamp = qpw_stamp(now);
    e->generation = (__u8)control.generation;
    e->directions = directions;
}

#endif
