/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* live_internal.h - one comparison of a node with its peers; internal to live*.c. */
#ifndef QPW_FACTS_LIVE_INTERNAL_H
#define QPW_FACTS_LIVE_INTERNAL_H

#include <string.h>

#include "facts/live.h"
#include "util/hash.h"

struct qpw_live_comparing {
    struct qpw_live *live;
    const struct qpw_statement *self;
    const struct qpw_live_peer *peers;
    size_t n_peers;
    uint64_t now_unix_ns;
    int r; /* a negative errno: the comparison has failed */
};

static inline bool qpw_live_is_fresh(const struct qpw_live_comparing *c, const struct qpw_live_peer *p)
{
    return p->statement && p->got_unix_ns + QPW_LIVE_FRESH_NS >= c->now_unix_ns;
}

static inline uint64_t qpw_live_hash(uint64_t hash, const char *text)
{
    return qpw_hash(hash, text, strlen(text) + 1);
}

/* Return the item of that id; NULL: there is none. */
struct qpw_live_item *qpw_live_item_of(struct qpw_live *live, uint64_t id);

/* Return the id of an item about one peer. */
uint64_t qpw_live_id_of_peer(enum qpw_live_kind kind, const struct qpw_live_peer *p);

/* Find or begin an item, which was found now. NULL: no room, or out of memory. */
struct qpw_live_item *qpw_live_found(struct qpw_live_comparing *c, uint64_t id, enum qpw_live_kind kind);

/* Count a comparison in which an item was found. */
void qpw_live_count_found(struct qpw_live_comparing *c, struct qpw_live_item *item);

/* Find, fill and count an item about one peer. NULL: no room, or out of memory. */
struct qpw_live_item *qpw_live_found_of(struct qpw_live_comparing *c, enum qpw_live_kind kind, const struct qpw_live_peer *p);

/* Return how many microseconds the peer's wall clock is ahead; 0: unknown, or within the error. */
int64_t qpw_live_clock_ahead(const struct qpw_live_comparing *c, const struct qpw_live_peer *p);

/* Add what the polls tell of each peer (live_peers.c). all: the comparison of the fresh statements. */
void qpw_live_judge_peers(struct qpw_live_comparing *c, const struct qpw_comparison *all);

#endif
