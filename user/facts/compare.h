/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * compare.h - what the statements of several nodes say of each other: statements in, differences out. Pure.
 *
 * What two ends saw of the same packets is the proof that neither was blind. Each node is trusted about itself alone, so a
 * difference says what was seen where, and what accounts for it as far as either end can know.
 */
#ifndef QPW_FACTS_COMPARE_H
#define QPW_FACTS_COMPARE_H

#include "facts/conservation.h"
#include "facts/statement.h"

/* X(symbol, "name in documents") */
#define QPW_DIFFERENCE_KINDS(X) \
    X(PAIR, "pair") \
    X(SILENCE, "silence") \
    X(ADDRESS, "address") \
    X(COVERAGE, "coverage") \
    X(DIRECTION, "direction") \
    X(ODD, "odd") \
    X(SCAN, "scan") \
    X(POLICY, "policy") \
    X(VERSION, "version") \
    X(CLOCK, "clock")
#define QPW_X_DIFFERENCE_KIND(s, n) QPW_DIFFERENCE_##s,
enum qpw_difference_kind { QPW_DIFFERENCE_KINDS(QPW_X_DIFFERENCE_KIND) QPW_DIFFERENCE_KIND_COUNT };
const char *qpw_difference_kind_name(unsigned kind);

/* X(symbol, kind, "name in documents") */
#define QPW_DIFFERENCES(X) \
    X(BLIND_DEVICE, PAIR, "blind-device")      /* nodes[1] does not see what came by its device `subject` */ \
    X(SENDER_LOSS, PAIR, "lost-by-sender")     /* dropped in queues or driver of nodes[0] */ \
    X(RECEIVER_LOSS, PAIR, "lost-by-receiver") /* missed or dropped by cards of nodes[1] */ \
    X(LOST_BETWEEN, PAIR, "lost-between")      /* neither of these accounts for it */ \
    X(FORGED, PAIR, "forged")                  /* `subject`, a MAC, opens in the name of nodes[0] and is none of its */ \
    X(BYPASS_DEVICE, PAIR, "bypassed-device")  /* nodes[0] sends by its device `subject`, which it does not see */ \
    X(BYPASS, PAIR, "bypassed")                /* nodes[0] has sent around its hooks: `subject` says by what */ \
    X(MORE_ARRIVED, PAIR, "more-arrived")      /* forged, or around the hooks of nodes[0]: not known */ \
    X(DOWN, SILENCE, "down")                   /* nobody hears nodes[0] */ \
    X(NO_STATEMENT, SILENCE, "no-statement")   /* heard by others, but has stated nothing */ \
    X(PARTITION, SILENCE, "partition")         /* nodes[0] is heard by others, and not by nodes[1]… */ \
    X(HELD_TWICE, ADDRESS, "held-twice")       /* `subject` is an address of all of nodes */ \
    X(NOT_MONITORED, COVERAGE, "not-monitored") /* nodes[0] does not monitor `subject`, which most others do */ \
    X(OPEN_LINK, COVERAGE, "open-link")        /* nodes are reached by others through `subject`, not monitored there */ \
    X(BLIND, COVERAGE, "blind")                /* the programs of nodes[0] are missing from `subject` now */ \
    X(MODE, COVERAGE, "mode")                  /* `subject` of nodes is monitored as `value`, of most others as `usual` */ \
    X(UNSEEN_OPENING, DIRECTION, "unseen-opening") /* nodes[0] opened `subject` to nodes[1], which has seen no such thing */ \
    X(FEWER_OPENINGS, DIRECTION, "fewer-openings") /* nodes[1] saw fewer of its connections opened than nodes[0] opened */ \
    X(ONLY_ONE, ODD, "only-one")               /* `subject` is answered on nodes[0] alone */ \
    X(MISSING_ONE, ODD, "missing-one")         /* and on all but nodes[0] */ \
    X(ONE_PAIR, ODD, "one-pair")               /* only nodes[0] and nodes[1] use `subject` between them; `value`: who listens */ \
    X(SCANNED, SCAN, "scanned")                /* `subject` probed all of nodes; `value`: its id */ \
    X(OTHER_POLICY, POLICY, "other-policy")    /* nodes have `value` in force, most others `usual` */ \
    X(OTHER_VERSION, VERSION, "other-version") \
    X(AHEAD, CLOCK, "ahead")                   /* the statement of nodes[0] is from the future */
#define QPW_X_DIFFERENCE(s, kind, n) QPW_DIFFERS_##s,
enum qpw_difference_what { QPW_DIFFERENCES(QPW_X_DIFFERENCE) QPW_DIFFERS_COUNT };
const char *qpw_difference_name(unsigned what);
enum qpw_difference_kind qpw_difference_kind(unsigned what);

struct qpw_difference {
    enum qpw_difference_what what;
    const char **nodes;      /* names; they point into the statements */
    size_t n_nodes;
    char subject[96];
    char value[288];
    char usual[96];
    char devices[160];       /* of the node to be attached to: all that it should monitor, separated by blanks */
    struct qpw_balance balance; /* PAIR */
    uint64_t count;          /* packets, connections or microseconds that `what` is about; 0: none are meant */
    uint64_t of;             /* of so many */
};

/* Why two ends' packets were not compared. X(symbol, "name in documents") */
#define QPW_UNCOMPARED(X) \
    X(COMPARED, "compared") \
    X(NO_SAMPLES, "no samples") \
    X(NOT_NAMED, "not named")   /* an end does not know the other by that name */ \
    X(NOT_SAMPLED, "not sampled") /* an end has more peers than its samples */ \
    X(BLIND, "blind")           /* an end saw nothing, or not all, for a part of the time */ \
    X(SHORT, "too short")
#define QPW_X_UNCOMPARED(s, n) QPW_PAIR_##s,
enum qpw_pair_state { QPW_UNCOMPARED(QPW_X_UNCOMPARED) QPW_PAIR_STATE_COUNT };
const char *qpw_pair_state_name(unsigned state);

/* What one node sent to another. */
struct qpw_pair_result {
    const struct qpw_statement *from, *to;
    enum qpw_pair_state state;
    struct qpw_balance balance; /* where it was compared */
    uint64_t opened, agreed;    /* connections that `from` opened to `to`, and those of them that both say so of */
};

/* An address that may float, or is held by two. */
struct qpw_held_address {
    uint8_t addr[16];
    const char *holder;         /* the one whose statement is the latest */
    uint64_t since_unix_ns;     /* the first statement of those that it is held by the same since */
    uint64_t moves;             /* among the statements given */
};

struct qpw_comparison {
    const struct qpw_statement **nodes; /* the latest statement of each, by name */
    size_t n_nodes;
    size_t older;                       /* statements of the same nodes that are only asked about addresses */
    struct qpw_difference *differences; /* by kind */
    size_t n_differences;
    struct qpw_pair_result *pairs;
    size_t n_pairs;
    size_t by_state[QPW_PAIR_STATE_COUNT];
    struct qpw_held_address *addresses;
    size_t n_addresses;
};

/*
 * Find two nodes of one name: statements that count from different attachments at one time. False: there are none, and *ret_a
 * and *ret_b stay as they are.
 */
bool qpw_namesakes(const struct qpw_statement *statements, size_t n, const struct qpw_statement **ret_a, const struct qpw_statement **ret_b);

/*
 * now_unix_ns: by the clock of who compares. The statements have to outlive *ret, which the caller clears, also after an error.
 * 0 or -ENOMEM.
 */
int qpw_compare(const struct qpw_statement *statements, size_t n, uint64_t now_unix_ns, struct qpw_comparison *ret);
void qpw_comparison_clear(struct qpw_comparison *c);

/* Write the devices that a node monitors, and `more` (may be empty) last, separated by blanks. */
void qpw_stated_devices(const struct qpw_statement *s, const char *more, char *buf, size_t size);

#endif
