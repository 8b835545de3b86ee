/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cluster_status.h - what a node hears of its peers: `serve` notes it, every face shows it. Pure. */
#ifndef QPW_FACTS_CLUSTER_STATUS_H
#define QPW_FACTS_CLUSTER_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "qportwatch_user.h"

#define QPW_CLUSTER_RESULTS 16u

struct qpw_cluster_count {
    char name[24];
    uint64_t n;
};

/* What a peer's alert log says, as far as it was heard. */
struct qpw_peer_events {
    char result[24];     /* of the last request; empty: none has ended yet */
    char trouble[160];   /* why it brought nothing; else empty */
    uint64_t number;     /* of the last record heard; 0: none */
    uint64_t missed;     /* records that never came */
    uint64_t at_unix_ns; /* the newest finding: when, as the peer's clock says; 0: none */
    uint64_t severity;   /* enum qpw_severity; 0: none */
    char text[200];
};

struct qpw_peer_status {
    char name[QPW_NAME_LEN];
    char result[24];                  /* of the last poll; empty: none has ended yet */
    char trouble[160];                /* why it failed; else empty */
    uint64_t polled_unix_ns, got_unix_ns; /* the last poll, the last good one; 0: none */
    char epoch[80];
    uint64_t seq;
    char version[32], policy[72], answer[24];
    char monitored[160];              /* devices, separated by blanks */
    bool has_offset;
    int64_t offset_us;                /* the peer's CLOCK_BOOTTIME minus this node's */
    uint64_t offset_error_us;
    struct qpw_cluster_count polls[QPW_CLUSTER_RESULTS]; /* by result */
    size_t n_polls;
    struct qpw_peer_events events;
};

struct qpw_cluster_status {
    char node[QPW_NAME_LEN + 16];     /* this one; empty: it has made no statement */
    uint64_t at_unix_ns;
    struct qpw_peer_status *peers;
    size_t n;
    struct qpw_cluster_count served[QPW_CLUSTER_RESULTS]; /* requests of peers and readers, by how they ended */
    size_t n_served;
};

/* Return whether a peer has no good statement of the last two minutes. */
bool qpw_peer_status_is_stale(const struct qpw_peer_status *p, uint64_t now_unix_ns);

/* Return the number of such peers. */
size_t qpw_cluster_status_stale(const struct qpw_cluster_status *s, uint64_t now_unix_ns);

/* Return whether `serve` has written nothing for two minutes: it has ended or hangs. */
bool qpw_cluster_status_is_silent(const struct qpw_cluster_status *s, uint64_t now_unix_ns);

/* Return how old a time is in whole seconds, as nanoseconds; 0 if it lies ahead. */
uint64_t qpw_cluster_age_ns(uint64_t unix_ns, uint64_t now_unix_ns);

void qpw_cluster_status_clear(struct qpw_cluster_status *s);

#endif
