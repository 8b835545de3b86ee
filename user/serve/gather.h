/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * gather.h - poll the peers every ten seconds, compare their statements with this node's own, and write what is found.
 *
 * In: the auditor's samples.json, and GET /v1/statement?samples=1 of each peer. Out, in the state directory: found.json for
 * the auditor's alerts, status.json for `cluster status`, the peers' statements, their events, the heads of their logs.
 */
#ifndef QPW_SERVE_GATHER_H
#define QPW_SERVE_GATHER_H

#include "serve/poll.h"

#define QPW_GATHER_EVERY_S 10u
#define QPW_GATHER_MANY 128u /* peers above which each is polled every 30 s, and no request for events waits */

struct qpw_cluster_status;
struct qpw_gather;

struct qpw_gather_options {
    struct qpw_poll_options poll;
    const struct qpw_poll_target *peers; /* copied */
    size_t n_peers;
    const char *own;    /* the file of this node's statement with samples */
    const char *state;  /* the state directory */
    void (*served)(const void *data, struct qpw_cluster_status *ret); /* adds what this node answered; NULL: nothing */
    const void *served_data;
    unsigned every_s;   /* seconds between polls of a peer, QPW_GATHER_EVERY_S */
};

/* The caller closes *ret. Return 0 or a negative errno with err filled. */
int qpw_gather_open(const struct qpw_gather_options *options, struct qpw_gather **ret, struct qpw_error *err);

/*
 * Continue where the gatherer that this one replaces stands: what it knows of peers of the same name, and what it found.
 * Only closing that one is left to the caller.
 */
void qpw_gather_take_over(struct qpw_gather *g, struct qpw_gather *old);

/* NULL is fine. The files stay, except found.json: a serve that has ended finds nothing. */
void qpw_gather_close(struct qpw_gather *g);

/* Return a descriptor that is readable when qpw_gather_step() has something to do. */
int qpw_gather_fd(const struct qpw_gather *g);

/* Go on with what is ready. Never blocks on a peer. */
void qpw_gather_step(struct qpw_gather *g);

#endif
