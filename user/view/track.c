/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "view/track.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Mix with MurmurHash3's finaliser (public domain constants): fast, and every bit of the salt has an effect. */
static uint64_t mix(uint64_t h)
{
    h ^= h >> 33;
    h *= 0xff51afd7ed558ccdull;
    h ^= h >> 33;
    h *= 0xc4ceb9fe1a85ec53ull;
    return h ^ h >> 33;
}

uint64_t qpw_track_id(const struct qpw_tracks *t, enum qpw_track_kind kind, const void *key, size_t size)
{
    uint64_t h = mix(t->salt + (uint64_t)kind);

    for (size_t at = 0; at < size; at += 8) {
        uint64_t word = 0;

        memcpy(&word, (const char *)key + at, size - at < 8 ? size - at : 8);
        h = mix(h ^ word) + at;
    }
    return h ? h : 1;
}

static size_t slot_of(const struct qpw_tracks *t, uint64_t id)
{
    size_t at = id & (t->index_size - 1);

    while (t->index[at] && t->tracks[t->index[at] - 1].id != id)
        at = (at + 1) & (t->index_size - 1);
    return at;
}

/* Drop tracks that the last snapshot did not have, and make room for `more`. */
static int make_room(struct qpw_tracks *t, size_t more)
{
    size_t kept = 0, size = 1024;
    uint32_t *index;

    for (size_t i = 0; i < t->n; i++)
        if (t->tracks[i].round == t->round)
            t->tracks[kept++] = t->tracks[i];
    t->n = kept;
    while (size < 2 * (kept + more))
        size *= 2;
    if (kept + more > t->room) {
        size_t room = kept + more + more / 4;
        struct qpw_track *tracks = realloc(t->tracks, room * sizeof(*tracks));

        if (!tracks)
            return -ENOMEM;
        t->tracks = tracks;
        t->room = room;
    }
    index = calloc(size, sizeof(*index));
    if (!index)
        return -ENOMEM;
    free(t->index);
    t->index = index;
    t->index_size = size;
    for (size_t i = 0; i < t->n; i++)
        t->index[slot_of(t, t->tracks[i].id)] = (uint32_t)i + 1;
    return 0;
}

static float per_second(uint64_t now, uint64_t before, double seconds)
{
    return now > before ? (float)((double)(now - before) / seconds) : 0;
}

static struct qpw_rate rate_of(const struct qpw_counts *now, const struct qpw_counts *before, double seconds)
{
    return (struct qpw_rate){
        .connections = per_second(now->connections, before->connections, seconds),
        .rx_packets = per_second(now->rx_packets, before->rx_packets, seconds),
        .rx_bytes = per_second(now->rx_bytes, before->rx_bytes, seconds),
        .tx_packets = per_second(now->tx_packets, before->tx_packets, seconds),
        .tx_bytes = per_second(now->tx_bytes, before->tx_bytes, seconds),
    };
}

/*
 * Advance a row. A row that the previous snapshot lacked began at zero, so that its whole count belongs to this
 * interval; except in the very first snapshot, whose counts are older than the view.
 */
static void advance_row(struct qpw_tracks *t, uint64_t id, const struct qpw_counts *counts, double seconds,
                        uint64_t unix_ns)
{
    size_t at = slot_of(t, id);
    struct qpw_track *track;

    if (!t->index[at]) {
        track = &t->tracks[t->n++];
        *track = (struct qpw_track){.id = id, .started = t->round};
        t->index[at] = (uint32_t)t->n;
    }
    track = &t->tracks[t->index[at] - 1];
    if (seconds > 0) {
        track->rate = rate_of(counts, &track->last, seconds);
        if (memcmp(&track->last, counts, sizeof(*counts)))
            track->changed_unix_ns = unix_ns;
    }
    track->history[t->round % QPW_HISTORY] = track->rate.rx_bytes + track->rate.tx_bytes;
    track->last = *counts;
    track->round = t->round;
}

int qpw_tracks_advance(struct qpw_tracks *t, const struct qpw_snapshot *s)
{
    struct qpw_counts total = {0};
    size_t rows = s->n_meters + s->n_findings;
    double seconds;

    if (t->round && s->from_unix_ns != t->last_from_ns) {
        t->n = 0;
        t->round = 0;
        memset(t->index, 0, t->index_size * sizeof(*t->index));
    }
    if (t->round && s->mono_ns <= t->last_mono_ns)
        return 0;
    /* Every row could be new; drop stale ones before they require a larger table. */
    if (t->n + rows > t->room || 2 * (t->n + rows) > t->index_size) {
        int r = make_room(t, rows);

        if (r < 0)
            return r;
    }
    seconds = t->round ? (double)(s->mono_ns - t->last_mono_ns) / 1e9 : 0;
    t->round++;
    for (size_t i = 0; i < s->n_meters; i++) {
        const struct qpw_meter_row *m = &s->meters[i];

        advance_row(t, qpw_track_id(t, QPW_TRACK_METER, &m->key, sizeof(m->key)), &m->counts, seconds, s->unix_ns);
        total.connections += m->counts.connections;
        total.rx_packets += m->counts.rx_packets;
        total.rx_bytes += m->counts.rx_bytes;
        total.tx_packets += m->counts.tx_packets;
        total.tx_bytes += m->counts.tx_bytes;
    }
    for (size_t i = 0; i < s->n_findings; i++)
        advance_row(t, qpw_track_id(t, QPW_TRACK_FINDING, &s->findings[i].key, sizeof(s->findings[i].key)),
                    &s->findings[i].counts, seconds, s->unix_ns);
    t->total = seconds > 0 ? rate_of(&total, &t->last_total, seconds) : (struct qpw_rate){0};
    t->rx_history[t->round % QPW_HISTORY_TOTAL] = t->total.rx_bytes;
    t->tx_history[t->round % QPW_HISTORY_TOTAL] = t->total.tx_bytes;
    t->last_total = total;
    t->last_mono_ns = s->mono_ns;
    t->last_from_ns = s->from_unix_ns;
    return 0;
}

const struct qpw_track *qpw_track_find(const struct qpw_tracks *t, uint64_t id)
{
    size_t at;

    if (!t->index_size)
        return NULL;
    at = slot_of(t, id);
    return t->index[at] ? &t->tracks[t->index[at] - 1] : NULL;
}

/* Copy the samples written in rounds first..round from a ring of `size`, the newest last. */
static void unroll(const float *ring, size_t size, uint32_t round, uint32_t first, float *ret, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t back = (uint32_t)(n - 1 - i);
        bool there = back < size && round >= first + back && round > back;

        ret[i] = there ? ring[(round - back) % size] : 0;
    }
}

void qpw_track_history(const struct qpw_tracks *t, const struct qpw_track *track, float *ret, size_t n)
{
    unroll(track->history, QPW_HISTORY, t->round, track->started, ret, n);
}

void qpw_tracks_total_history(const struct qpw_tracks *t, const float *ring, float *ret, size_t n)
{
    unroll(ring, QPW_HISTORY_TOTAL, t->round, 1, ret, n);
}

void qpw_tracks_free(struct qpw_tracks *t)
{
    free(t->tracks);
    free(t->index);
    *t = (struct qpw_tracks){0};
}
