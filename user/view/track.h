/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * track.h - rates and short histories of everything that is counted.
 *
 * Compare each snapshot with the previous one. Costs one hash look-up per meter and finding; allocates nothing while
 * the set of rows is stable.
 */
#ifndef QPW_VIEW_TRACK_H
#define QPW_VIEW_TRACK_H

#include "snapshot/snapshot.h"
#include "util/idmap.h"

#define QPW_HISTORY 24       /* samples per row */
#define QPW_HISTORY_TOTAL 128 /* samples of the totals */

/* Per second. */
struct qpw_rate {
    float connections, rx_packets, rx_bytes, tx_packets, tx_bytes;
};

struct qpw_track {
    uint64_t id;
    struct qpw_counts last;
    struct qpw_rate rate;
    uint64_t changed_unix_ns; /* the snapshot in which its counters last moved; 0: not since the view started */
    uint32_t round;           /* the last snapshot that had it */
    uint32_t started;         /* the first one */
    float history[QPW_HISTORY]; /* bytes per second, both directions; ring, this round's at round % QPW_HISTORY */
};

struct qpw_tracks {
    struct qpw_track *tracks;
    size_t n;
    struct qpw_idmap index; /* of tracks, by id */
    uint64_t salt;   /* keys come from the network, so their hash must be unpredictable */
    uint32_t round;
    uint64_t last_mono_ns;
    uint64_t last_from_ns; /* from_unix_ns of the last snapshot; a different one means another instance */
    struct qpw_rate total;
    struct qpw_counts last_total;
    float rx_history[QPW_HISTORY_TOTAL]; /* bytes per second; rings as above */
    float tx_history[QPW_HISTORY_TOTAL];
};

enum qpw_track_kind { QPW_TRACK_METER = 1, QPW_TRACK_FINDING, QPW_TRACK_DETAIL, QPW_TRACK_CONNECTION, QPW_TRACK_GROUP, QPW_TRACK_NODE };

/* Return a key's id, the same in every snapshot of this process; also a row's id. */
uint64_t qpw_track_id(const struct qpw_tracks *t, enum qpw_track_kind kind, const void *key, size_t size);

/*
 * Take the next snapshot; one that is not later than the last changes nothing. Returns 0, or -ENOMEM; then rates are
 * missing.
 */
int qpw_tracks_advance(struct qpw_tracks *t, const struct qpw_snapshot *s);

/* Find the track of an id; NULL: none. Valid until the next advance. */
const struct qpw_track *qpw_track_find(const struct qpw_tracks *t, uint64_t id);

/* Copy the newest `n` samples, oldest first, zero before the row's first; n at most QPW_HISTORY. */
void qpw_track_history(const struct qpw_tracks *t, const struct qpw_track *track, float *ret, size_t n);
/* The same for one of the rings of totals, n at most QPW_HISTORY_TOTAL. */
void qpw_tracks_total_history(const struct qpw_tracks *t, const float *ring, float *ret, size_t n);

void qpw_tracks_free(struct qpw_tracks *t);

#endif
