/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cluster_status.h - what a node hears of its peers (facts/cluster_status.h), as words, a table and a document. */
#ifndef QPW_WORDS_CLUSTER_STATUS_H
#define QPW_WORDS_CLUSTER_STATUS_H

#include <jansson.h>

#include "facts/cluster_status.h"
#include "words/printer.h"

#define QPW_CLUSTER_STATUS_SCHEMA "qportwatch.cluster-status/1"

/* For faces that show no peers. */
#define QPW_WORDS_NO_CLUSTER "nothing is known of the peers; 'qportwatch serve' asks them"
/* For those that list what was found between the nodes, where nothing was; compared: that they were compared at all. */
#define QPW_WORDS_NO_DIFFERENCE(compared) \
    ((compared) ? "The nodes differ in nothing." : "The nodes are not compared: 'qportwatch serve' has ended, or has not compared them yet.")

/* A peer in words, each a cell of a table. */
struct qpw_peer_words {
    char age[32];        /* of its last statement, "never" */
    char policy[16];     /* the first digits of its digest */
    char answer[48];     /* "unknown" before its first statement, "unknown, was CLEAN" where that is stale */
    const char *trouble; /* why it cannot be asked; empty: it can */
    char newest[256];    /* its newest finding, "12 s ago, high: TEXT"; empty: none */
    bool stale;
};
void qpw_peer_words(const struct qpw_peer_status *p, uint64_t now_unix_ns, struct qpw_peer_words *ret);

/* Write the sentence about all peers, "node1: 2 peers, 1 of them stale". Returns buf. */
const char *qpw_words_cluster(const struct qpw_cluster_status *s, uint64_t now_unix_ns, char *buf, size_t size);

/* Write a sentence if `serve` has ended or hangs, else "". Returns buf. */
const char *qpw_words_cluster_silent(const struct qpw_cluster_status *s, uint64_t now_unix_ns, char *buf, size_t size);

/* Print a line a peer; only `limit` of them, stale ones first (0: all, in their order). Returns 0 or -ENOMEM. */
int qpw_cluster_status_table(const struct qpw_cluster_status *s, uint64_t now_unix_ns, size_t limit, const struct qpw_printer *p);

/* Print the sentences and that table for people. Returns 0 or -ENOMEM. */
int qpw_cluster_status_text(const struct qpw_cluster_status *s, uint64_t now_unix_ns, const struct qpw_printer *p);

/* Return {node, at, peers, served}, owned by the caller; NULL: out of memory. */
json_t *qpw_cluster_status_json(const struct qpw_cluster_status *s);

/* Return the same as a document that begins as all do, and, for `serve`'s own file, with nothing but the schema. */
json_t *qpw_cluster_status_document(const struct qpw_cluster_status *s);
json_t *qpw_cluster_status_file(const struct qpw_cluster_status *s);

#endif
