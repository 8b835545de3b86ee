/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * live.h - compare a node with its peers again and again: what lasts is a finding, what passes is not. Pure.
 *
 * Each node reports about itself against its peers. A difference counts once it was found in several comparisons running,
 * each with new statements of all nodes that it names, and is over once it was missing from as many: the same statement of
 * a late peer judged again says nothing new. Packets are balanced in ledgers (ledger.h).
 */
#ifndef QPW_FACTS_LIVE_H
#define QPW_FACTS_LIVE_H

#include "facts/compare.h"
#include "facts/ledger.h"

#define QPW_LIVE_FRESH_NS 45000000000ull   /* maximum age of a statement that counts as the present */
#define QPW_LIVE_STALE_NS 120000000000ull  /* age from which a peer counts as stale */
#define QPW_LIVE_MOST 256u

/* X(symbol, "name in documents"): found besides the differences of compare.h */
#define QPW_LIVE_KINDS(X) \
    X(DIFFERENCE, "") \
    X(STALE, "stale")        /* no statement of the peer for QPW_LIVE_STALE_NS */ \
    X(ALONE, "alone")        /* the same of all `of` peers, of which `count` are received from */ \
    X(KEY, "key")            /* the peer shows another key than the policy names */ \
    X(CLOCK, "clocks")       /* wall clocks differ by `count` microseconds */ \
    X(LOG_CUT, "log-cut")    /* the peer's chain is shorter than it was */ \
    X(LOG_OTHER, "log-other") /* the peer's chain has another record of the same number */
#define QPW_X_LIVE_KIND(s, n) QPW_LIVE_##s,
enum qpw_live_kind { QPW_LIVE_KINDS(QPW_X_LIVE_KIND) QPW_LIVE_KIND_COUNT };
const char *qpw_live_kind_name(unsigned kind);

/* What is known of a peer. */
struct qpw_live_peer {
    char name[QPW_NAME_LEN];
    const struct qpw_statement *statement; /* the last good one; NULL: none yet */
    uint64_t got_unix_ns;                  /* when; 0: never */
    uint64_t since_unix_ns;                /* polled since */
    bool wrong_key;                        /* the last poll met another key */
    const char *trouble;                   /* why the last poll failed, in words; NULL: it did not */
    bool has_offset;                       /* the clocks were compared by a poll */
    int64_t offset_us;                     /* the peer's CLOCK_BOOTTIME minus this node's */
    uint64_t offset_error_us;
};

/* A finding, by its latest comparison. Texts and nodes are its own. */
struct qpw_live_item {
    uint64_t id;                 /* the same on every node for a scan, else of this one */
    enum qpw_live_kind kind;
    struct qpw_difference difference; /* what, subject, value, figures; nodes NULL */
    char nodes[8][QPW_NAME_LEN + 16]; /* the first of them */
    size_t n_nodes;              /* all of them */
    char trouble[160];
    uint64_t since_unix_ns;      /* first found */
    uint64_t last_unix_ns;       /* last found */
    uint64_t judged_unix_ns;     /* when found or missing was counted last */
    unsigned found;              /* comparisons running in which it was found */
    unsigned missing;            /* the same in which it was not */
    bool reported;               /* it counts */
    bool elsewhere;              /* another node reports it */
};

struct qpw_live_head {
    char peer[QPW_NAME_LEN];
    char epoch[80];
    uint64_t seq;
    char sha256[72];
};

struct qpw_live_ledger {
    char peer[QPW_NAME_LEN + 16];
    char epochs[2][80]; /* of this node and of the peer */
    struct qpw_ledger to, from;
};

struct qpw_live {
    struct qpw_live_item *items;
    size_t n_items;
    struct qpw_live_ledger *ledgers;
    size_t n_ledgers;
    struct qpw_live_head *heads;
    size_t n_heads;
    uint64_t left_out; /* items that found no room */
};

/*
 * Compare this node's statement with its peers'. Call with every new statement of either, at least once in ten seconds;
 * now: by this node's clock. Return 0 or -ENOMEM. Afterwards live->items with `reported` are what counts.
 */
int qpw_live_compare(struct qpw_live *live, const struct qpw_statement *self, const struct qpw_live_peer *peers, size_t n,
                     uint64_t now_unix_ns);

void qpw_live_clear(struct qpw_live *live);

#endif
