/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "view/track.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "facts/totals.h"
#include "util/array.h"

#define STALE_LEAST 1024u /* tracks; fewer are all kept */

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


/* Drop tracks that the last snapshot did not have. */
static int drop_stale(struct qpw_tracks *t)
{
    size_t kept = 0;
    int r = 0;

    qpw_idmap_clear(&t->index);
    for (size_t i = 0; i < t->n; i++)
        if (t->tracks[i].round == t->round) {
            t->tracks[kept] = t->tracks[i];
            if (qpw_idmap_set(&t->index, t->tracks[kept].id, (uint32_t)kept) < 0) {
                r = -ENOMEM;
                break;
            }
            kept++;
        }
    t->n = kept;
    return r;
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
static int advance_row(struct qpw_tracks *t, uint64_t id, const struct qpw_counts *counts, double seconds, uint64_t unix_ns)
{
    struct qpw_track *track;
    uint32_t at;

    if (qpw_idmap_get(&t->index, id, &at)) {
        track = &t->tracks[at];
    } else {
        track = QPW_ADD(t->tracks, t->n);
        if (!track || qpw_idmap_set(&t->index, id, (uint32_t)t->n) < 0)
            return -ENOMEM;
        track->id = id;
        track->started = t->round;
        t->n++;
    }
    if (seconds > 0) {
        track->rate = rate_of(counts, &track->last, seconds);
        if (memcmp(&track->last, counts, sizeof(*counts)))
            track->changed_unix_ns = unix_ns;
    }
    track->history[t->round % QPW_HISTORY] = track->rate.rx_bytes + track->rate.tx_bytes;
    track->last = *counts;
    track->round = t->round;
    return 0;
}

/* Advance all rows of the snapshot and add up the meters. */
static int advance_rows(struct qpw_tracks *t, const struct qpw_snapshot *s, double seconds, struct qpw_counts *ret_total)
{
    for (size_t i = 0; i < s->n_meters; i++) {
        const struct qpw_meter_row *m = &s->meters[i];

        if (advance_row(t, qpw_track_id(t, QPW_TRACK_METER, &m->key, sizeof(m->key)), &m->counts, seconds, s->unix_ns) < 0)
            return -ENOMEM;
        qpw_counts_add(ret_total, &m->counts);
    }
    for (size_t i = 0; i < s->n_findings; i++) {
        const struct qpw_finding_row *f = &s->findings[i];

        if (advance_row(t, qpw_track_id(t, QPW_TRACK_FINDING, &f->key, sizeof(f->key)), &f->counts, seconds, s->unix_ns) < 0)
            return -ENOMEM;
    }
    return 0;
}

int qpw_tracks_advance(struct qpw_tracks *t, const struct qpw_snapshot *s)
{
    struct qpw_counts total = {0};
    double seconds;
    int r;

    if (t->round && s->from_unix_ns != t->last_from_ns) {
        qpw_idmap_clear(&t->index);
        t->n = 0;
        t->round = 0;
    }
    if (t->round && s->mono_ns <= t->last_mono_ns)
        return 0;
    if (t->n > STALE_LEAST && t->n / 2 > s->n_meters + s->n_findings) {
        r = drop_stale(t);
        if (r < 0)
            return r;
    }
    seconds = t->round ? (double)(s->mono_ns - t->last_mono_ns) / 1e9 : 0;
    t->round++;
    r = advance_rows(t, s, seconds, &total);
    if (r < 0)
        return r;
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
    uint32_t at;

    return qpw_idmap_get(&t->index, id, &at) ? &t->tracks[at] : NULL;
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
    qpw_idmap_clear(&t->index);
    *t = (struct qpw_tracks){0};
}
