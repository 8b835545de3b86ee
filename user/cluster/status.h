/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * status.h - what a node knows of its peers, "qportwatch.cluster-status/1": `serve` writes it, `cluster status` shows it.
 */
#ifndef QPW_CLUSTER_STATUS_H
#define QPW_CLUSTER_STATUS_H

#include <jansson.h>
#include <stdbool.h>

#include "facts/statement.h"
#include "util/error.h"
#include "words/printer.h"

#define QPW_CLUSTER_STATUS_SCHEMA "qportwatch.cluster-status/1"
#define QPW_CLUSTER_STATUS_FILE "status.json" /* in the state directory of serve */
#define QPW_CLUSTER_STATUS_BYTES (1u << 20)
#define QPW_CLUSTER_RESULTS 16u

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
    struct {
        char name[24];
        uint64_t n;
    } polls[QPW_CLUSTER_RESULTS];     /* by result */
    size_t n_polls;
};

struct qpw_cluster_status {
    char node[QPW_NAME_LEN + 16];     /* this one; empty: it has made no statement */
    uint64_t at_unix_ns;
    struct qpw_peer_status *peers;
    size_t n;
};

/* Return the document, owned by the caller; NULL: out of memory. */
json_t *qpw_cluster_status_json(const struct qpw_cluster_status *s);

/* Read a document that anybody may have written. The caller clears *ret, also after an error. 0, -EINVAL or -ENOMEM with err. */
int qpw_cluster_status_read(const char *bytes, size_t length, struct qpw_cluster_status *ret, struct qpw_error *err);

/* Print it for people, a line a peer. Return 0 or -ENOMEM. */
int qpw_cluster_status_text(const struct qpw_cluster_status *s, uint64_t now_unix_ns, const struct qpw_printer *p);

/* Return whether a peer has no good statement of the last two minutes. */
bool qpw_peer_status_is_stale(const struct qpw_peer_status *p, uint64_t now_unix_ns);

void qpw_cluster_status_clear(struct qpw_cluster_status *s);

#endif
