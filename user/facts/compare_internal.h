/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* compare_internal.h - a comparison under construction; internal to compare*.c. */
#ifndef QPW_FACTS_COMPARE_INTERNAL_H
#define QPW_FACTS_COMPARE_INTERNAL_H

#include "facts/compare.h"

struct qpw_comparing {
    const struct qpw_statement *all; /* as given */
    size_t n_all;
    uint64_t now_unix_ns;
    const struct qpw_compare_hooks *hooks; /* NULL: none */
    struct qpw_comparison *to;       /* its nodes are filled in */
    const struct qpw_stated_pair **pair; /* [from * n_nodes + of]: the statement of node `from` about node `of`;
                                            NULL: none */
};

/*
 * Add a difference whose first node is `node`; NULL: out of memory. Add further nodes with qpw_difference_add_node().
 */
struct qpw_difference *qpw_difference_add(struct qpw_comparing *c, enum qpw_difference_what what, const char *node);
/* Add a node to a difference. Return 0 or -ENOMEM. */
int qpw_difference_add_node(struct qpw_difference *d, const char *node);

/* Return the statement of node `from` about node `of`, by their indices in c->to->nodes. NULL: it does not name it. */
static inline const struct qpw_stated_pair *qpw_comparing_pair(const struct qpw_comparing *c, size_t from, size_t of)
{
    return c->pair[from * c->to->n_nodes + of];
}

/* Return the result for packets from node `from` to node `to`, which differ; only after qpw_compare_pairs(). */
static inline struct qpw_pair_result *qpw_comparing_result(const struct qpw_comparing *c, size_t from, size_t to)
{
    return &c->to->pairs[from * (c->to->n_nodes - 1) + (to < from ? to : to - 1)];
}

/* Return the index of a node in c->to->nodes by its name; n_nodes: it has no statement. */
size_t qpw_comparing_node(const struct qpw_comparing *c, const char *name);

/* Return a node's samples of packets with another, by name. NULL: none. */
const struct qpw_stated_series *qpw_stated_series_of(const struct qpw_stated_series *series, size_t n, const char *name);

/* Write "tcp/445 inbound", "icmp/8 inbound" or "47 outbound". Returns buf. */
const char *qpw_stated_service_text(const struct qpw_stated_service *s, bool direction, char *buf, size_t size);

/* Return whether a node has counted for a day, so that a service missing from its statement means something. */
static inline bool qpw_stated_for_a_day(const struct qpw_statement *s)
{
    return s->at_unix_ns >= s->since_unix_ns + 86400000000000ull;
}

/* Each adds the differences of its part. Return 0 or -ENOMEM. */
int qpw_compare_pairs(struct qpw_comparing *c);      /* compare_pairs.c: packets */
int qpw_compare_directions(struct qpw_comparing *c); /* compare_directions.c: who opened what */
int qpw_compare_services(struct qpw_comparing *c);   /* compare_services.c: odd nodes, scans */
int qpw_compare_scans(struct qpw_comparing *c);
int qpw_compare_silence(struct qpw_comparing *c);    /* compare_network.c: silence, addresses */
int qpw_compare_addresses(struct qpw_comparing *c);
int qpw_compare_drift(struct qpw_comparing *c);      /* compare_drift.c: policy, version, mode, coverage, clocks */
int qpw_compare_unused(struct qpw_comparing *c);     /* unused rules */

#endif
