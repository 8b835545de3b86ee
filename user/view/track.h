/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * track.h - rates and short histories of everything that is counted.
 *
 * Folds snapshots one after another: what one counter did between this snapshot and the one before.
 * Costs one hash look-up a meter and finding; nothing is allocated while the set of rows is stable.
 */
#ifndef QPW_VIEW_TRACK_H
#define QPW_VIEW_TRACK_H

#include "snapshot/snapshot.h"

#define QPW_HISTORY 24       /* samples a row */
#define QPW_HISTORY_TOTAL 128 /* samples of the whole interface */

/* Per second. */
struct qpw_rate {
    float connections, rx_packets, rx_bytes, tx_packets, tx_bytes;
};

struct qpw_track {
    uint64_t id;
    struct qpw_counts last;
    struct qpw_rate rate;
    uint64_t changed_unix_ns; /* the snapshot in which its counters last moved, 0: not while watched */
    uint32_t round;           /* the last snapshot it was in */
    uint32_t started;         /* the first one */
    float history[QPW_HISTORY]; /* bytes a second both ways; ring, this round's at round % QPW_HISTORY */
};

struct qpw_tracks {
    struct qpw_track *tracks;
    size_t n, room;
    uint32_t *index; /* open addressing: 1 + place in tracks, 0 free */
    size_t index_size; /* power of two, at most half full */
    uint64_t salt;   /* keys come from the network: their hash must not be foreseeable */
    uint32_t round;
    uint64_t last_mono_ns;
    uint64_t last_from_ns; /* from_unix_ns of the last snapshot: another one means another instance */
    struct qpw_rate total;
    struct qpw_counts last_total;
    float rx_history[QPW_HISTORY_TOTAL]; /* bytes a second; rings as above */
    float tx_history[QPW_HISTORY_TOTAL];
};

enum qpw_track_kind { QPW_TRACK_METER = 1, QPW_TRACK_FINDING, QPW_TRACK_DETAIL, QPW_TRACK_CONNECTION, QPW_TRACK_GROUP };

/* Number of a key, the same in every snapshot of this process; used as a row's identity as well. */
uint64_t qpw_track_id(const struct qpw_tracks *t, enum qpw_track_kind kind, const void *key, size_t size);

/* Takes the next snapshot in. A snapshot not later than the last changes nothing. 0 or -ENOMEM (rates missing then). */
int qpw_tracks_advance(struct qpw_tracks *t, const struct qpw_snapshot *s);

/* The track of an id, NULL where none. Valid until the next advance. */
const struct qpw_track *qpw_track_find(const struct qpw_tracks *t, uint64_t id);

/* The newest `n` samples, oldest first, zero before the row's first; n at most QPW_HISTORY. */
void qpw_track_history(const struct qpw_tracks *t, const struct qpw_track *track, float *ret, size_t n);
/* The same of one of the total rings, n at most QPW_HISTORY_TOTAL. */
void qpw_tracks_total_history(const struct qpw_tracks *t, const float *ring, float *ret, size_t n);

void qpw_tracks_free(struct qpw_tracks *t);

#endif
