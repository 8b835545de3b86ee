/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * conservation.h - compare what one node sent to another with what that one received, by counters read with different
 * clocks. Pure.
 */
#ifndef QPW_FACTS_CONSERVATION_H
#define QPW_FACTS_CONSERVATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The readings of a counter; all borrowed. */
struct qpw_flow {
    const uint64_t *at_us;      /* time of each reading, ascending */
    const uint64_t *reading_us; /* duration of each reading; NULL: 0 */
    const uint64_t *count;
    size_t n;
};

/* The difference of the two clocks. */
struct qpw_clocks {
    int64_t offset_us;    /* receiver's clock minus sender's */
    uint64_t error_us;    /* maximum error of that */
};

#define QPW_CONSERVE_LEAST_US 6000000u /* minimum time for a result */
#define QPW_CONSERVE_SLACK_US 50000u

#define QPW_CONSERVED(X) \
    X(CONSERVED, "conserved") \
    X(MISSING, "missing")     /* fewer packets arrived than were sent */ \
    X(EXCESS, "excess")       /* more packets arrived than were sent */ \
    X(SHORT, "too short")     /* the readings overlap for too short a time */
#define QPW_X_CONSERVED(s, n) QPW_FLOW_##s,
enum qpw_conserved { QPW_CONSERVED(QPW_X_CONSERVED) QPW_CONSERVED_COUNT };
const char *qpw_conserved_name(unsigned value);

struct qpw_balance {
    enum qpw_conserved word;
    uint64_t sent, received;     /* within the common time */
    uint64_t tolerance;          /* difference explained by the times of the readings */
    uint64_t from_us, to_us;     /* the common time, by the sender's clock */
};

/*
 * Judge a balance by its figures alone: MISSING if more than 0.1 % of the packets sent, more than 1,000 packets, and more
 * than four times the tolerance; EXCESS if more than 100 packets and four times the tolerance; else CONSERVED.
 */
enum qpw_conserved qpw_balance_word(const struct qpw_balance *b);

/*
 * Balance the counters over the time covered by both: the receiver's is interpolated at the sender's times. MISSING
 * and EXCESS by qpw_balance_word(), and only if growing through all three parts of that time. inexact: an end does not
 * count as on the wire, so another 1 % is tolerated.
 */
void qpw_balance_of(const struct qpw_flow *sender, const struct qpw_flow *receiver, const struct qpw_clocks *clocks, bool inexact,
                    struct qpw_balance *ret);

/*
 * Return the counter at that time, interpolated; before the first reading the first, after the last the last. n must
 * not be 0.
 */
uint64_t qpw_flow_at(const struct qpw_flow *flow, uint64_t at_us);

/* Return its growth between the two times. */
uint64_t qpw_flow_between(const struct qpw_flow *flow, uint64_t from_us, uint64_t to_us);

#endif
