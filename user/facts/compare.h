/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * compare.h - compare the statements of several nodes: statements in, differences out. Pure.
 *
 * If two ends counted the same packets, neither was blind. Each node is trusted only about itself, so a difference
 * names what was seen where, and its cause as far as either end can know it.
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
    X(BLIND_DEVICE, PAIR, "blind-device")      /* nodes[1] does not see what arrived at its device `subject` */ \
    X(SENDER_LOSS, PAIR, "lost-by-sender")     /* dropped in queues or driver of nodes[0] */ \
    X(RECEIVER_LOSS, PAIR, "lost-by-receiver") /* missed or dropped by cards of nodes[1] */ \
    X(LOST_BETWEEN, PAIR, "lost-between")      /* explained by neither of these */ \
    X(FORGED, PAIR, "forged")                  /* `subject`, a MAC not of nodes[0], opens in its name */ \
    X(BYPASS_DEVICE, PAIR, "bypassed-device")  /* nodes[0] sends by its device `subject`, unseen */ \
    X(BYPASS, PAIR, "bypassed")                /* nodes[0] sent packets around its hooks; `subject`: the means */ \
    X(MORE_ARRIVED, PAIR, "more-arrived")      /* forged, or around the hooks of nodes[0]: unknown */ \
    X(DOWN, SILENCE, "down")                   /* no node receives from nodes[0] */ \
    X(NO_STATEMENT, SILENCE, "no-statement")   /* others receive from it, but it made no statement */ \
    X(PARTITION, SILENCE, "partition")         /* others receive from nodes[0], but nodes[1]… do not */ \
    X(HELD_TWICE, ADDRESS, "held-twice")       /* all of nodes hold the address `subject` */ \
    X(NOT_MONITORED, COVERAGE, "not-monitored") /* nodes[0] does not monitor `subject`, which most others do */ \
    X(OPEN_LINK, COVERAGE, "open-link")        /* others reach nodes through `subject`, unmonitored there */ \
    X(BLIND, COVERAGE, "blind")                /* the programs of nodes[0] are missing from `subject` now */ \
    X(MODE, COVERAGE, "mode")                  /* mode of `subject` on nodes is `value`, on most others `usual` */ \
    X(UNSEEN_OPENING, DIRECTION, "unseen-opening") /* nodes[0] saw `subject` opened, nodes[1] did not */ \
    X(FEWER_OPENINGS, DIRECTION, "fewer-openings") /* nodes[1] saw fewer openings between them than nodes[0] */ \
    X(ONLY_ONE, ODD, "only-one")               /* only nodes[0] answers `subject` */ \
    X(MISSING_ONE, ODD, "missing-one")         /* all except nodes[0] answer it */ \
    X(ONE_PAIR, ODD, "one-pair")               /* only these two nodes use `subject`; `value`: the listener */ \
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
    char devices[160];       /* for `attach` on the node: all devices it should monitor, separated by spaces */
    struct qpw_balance balance; /* PAIR */
    uint64_t count;          /* packets, connections or microseconds, depending on `what`; 0: not used */
    uint64_t of;             /* the total that `count` is part of */
};

/* Result of comparing the packets of two ends. X(symbol, "name in documents") */
#define QPW_UNCOMPARED(X) \
    X(COMPARED, "compared") \
    X(NO_SAMPLES, "no samples") \
    X(NOT_NAMED, "not named")   /* an end has no peer of that name */ \
    X(NOT_SAMPLED, "not sampled") /* an end has more peers than a sample has room for */ \
    X(OTHERS, "not of this node") /* see qpw_compare_hooks.self */ \
    X(BLIND, "blind")           /* an end was blind for a part of the time */ \
    X(SHORT, "too short")
#define QPW_X_UNCOMPARED(s, n) QPW_PAIR_##s,
enum qpw_pair_state { QPW_UNCOMPARED(QPW_X_UNCOMPARED) QPW_PAIR_STATE_COUNT };
const char *qpw_pair_state_name(unsigned state);

/* Result for the packets of one node to another. */
struct qpw_pair_result {
    const struct qpw_statement *from, *to;
    enum qpw_pair_state state;
    struct qpw_balance balance; /* if compared */
    bool silent;                /* `to` received nothing in the time that both state, although `from` sent packets */
    uint64_t opened, agreed;    /* connections that `from` opened to `to`, by the earlier statement and by both */
};

/* An address that may float, or has two holders. */
struct qpw_held_address {
    uint8_t addr[16];
    const char *holder;         /* by the latest statement */
    uint64_t since_unix_ns;     /* the earliest statement since which the holder is the same */
    uint64_t moves;             /* among the statements given */
};

struct qpw_comparison {
    const struct qpw_statement **nodes; /* the latest statement of each, by name */
    size_t n_nodes;
    size_t older;                       /* older statements of the same nodes, used for addresses only */
    struct qpw_difference *differences; /* by kind */
    size_t n_differences;
    struct qpw_pair_result *pairs;
    size_t n_pairs;
    size_t by_state[QPW_PAIR_STATE_COUNT];
    struct qpw_held_address *addresses;
    size_t n_addresses;
    const char **unused;                /* rules that no node used for a day or more; all nodes have the same policy */
    size_t n_unused;
};

/*
 * Find two nodes of one name: statements with different attachments that overlap in time. Return false if there are
 * none, leaving *ret_a and *ret_b untouched.
 */
bool qpw_namesakes(const struct qpw_statement *statements, size_t n, const struct qpw_statement **ret_a, const struct qpw_statement **ret_b);

/*
 * Compare n statements. now_unix_ns: by the clock of this host. The statements must outlive *ret, which the caller
 * clears, also after an error. Return 0 or -ENOMEM.
 */
int qpw_compare(const struct qpw_statement *statements, size_t n, uint64_t now_unix_ns, struct qpw_comparison *ret);

/* One direction of a pair, for hooks. */
struct qpw_compared_pair {
    const struct qpw_statement *from, *to;
    const struct qpw_flow *sender, *receiver;
    int64_t offset_us;
    bool blind; /* an end was blind for a part of the time */
};

/* What a node that compares again and again knows in addition: see live.h. */
struct qpw_compare_hooks {
    void *data;
    const char *self; /* compare the packets of this node only */
    /* Get the measured difference of the clocks; false: use the statements' own times. */
    bool (*clocks)(void *data, const struct qpw_statement *from, const struct qpw_statement *to, struct qpw_clocks *ret);
    /* Replace the balance of the two minutes that statements have, from which the cause is found, by a better one. */
    void (*judge)(void *data, const struct qpw_compared_pair *judged, struct qpw_balance *balance);
};

/* As qpw_compare(), with hooks. */
int qpw_compare_with(const struct qpw_statement *statements, size_t n, uint64_t now_unix_ns, const struct qpw_compare_hooks *hooks,
                     struct qpw_comparison *ret);
void qpw_comparison_clear(struct qpw_comparison *c);

/* Write the devices that a node monitors, and `more` (may be empty) last, separated by blanks. */
void qpw_stated_devices(const struct qpw_statement *s, const char *more, char *buf, size_t size);

#endif
