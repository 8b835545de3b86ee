/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * conservation.h - what one node has sent to another against what that one has received from it, by counters that each read by
 * its own clock. Pure.
 */
#ifndef QPW_FACTS_CONSERVATION_H
#define QPW_FACTS_CONSERVATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A counter as it was read; all borrowed. */
struct qpw_flow {
    const uint64_t *at_us;      /* when, ascending */
    const uint64_t *reading_us; /* how long each reading took; NULL: no time */
    const uint64_t *count;
    size_t n;
};

/* How much the two clocks differ. */
struct qpw_clocks {
    int64_t offset_us;    /* the receiver's clock is so far ahead of the sender's, */
    uint64_t error_us;    /* give or take that */
};

#define QPW_CONSERVE_LEAST_US 6000000u /* a shorter time says nothing */
#define QPW_CONSERVE_SLACK_US 50000u

#define QPW_CONSERVED(X) \
    X(CONSERVED, "conserved") \
    X(MISSING, "missing")     /* less has arrived than left */ \
    X(EXCESS, "excess")       /* more has arrived than left */ \
    X(SHORT, "too short")     /* the readings have too little time in common */
#define QPW_X_CONSERVED(s, n) QPW_FLOW_##s,
enum qpw_conserved { QPW_CONSERVED(QPW_X_CONSERVED) QPW_CONSERVED_COUNT };
const char *qpw_conserved_name(unsigned value);

struct qpw_balance {
    enum qpw_conserved word;
    uint64_t sent, received;     /* in the time that both have read */
    uint64_t tolerance;          /* that readings at different moments account for */
    uint64_t from_us, to_us;     /* that time, by the sender's clock */
};

/*
 * The balance over the time that both have read: the receiver's counter is interpolated at the sender's moments. MISSING: more
 * than 0.1 % of what was sent, more than 1,000 packets and more than four times the tolerance; EXCESS: more than 100 packets
 * and four times the tolerance; and growing through all three parts of that time. inexact: an end does not count as on
 * the wire, and 1 % more is tolerated.
 */
void qpw_balance_of(const struct qpw_flow *sender, const struct qpw_flow *receiver, const struct qpw_clocks *clocks, bool inexact,
                    struct qpw_balance *ret);

/* The counter at that moment, interpolated; before the first reading that, after the last the last. n must not be 0. */
uint64_t qpw_flow_at(const struct qpw_flow *flow, uint64_t at_us);

/* By how much it grew from one moment to the other. */
uint64_t qpw_flow_between(const struct qpw_flow *flow, uint64_t from_us, uint64_t to_us);

#endif
