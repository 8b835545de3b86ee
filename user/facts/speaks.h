/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* speaks.h - what speaks on the listed ports: how many connections of each could be judged, and why the others could not. */
#ifndef QPW_FACTS_SPEAKS_H
#define QPW_FACTS_SPEAKS_H

#include "snapshot/snapshot.h"

/* One service of the policy, of which first bytes were looked at. */
struct qpw_speaks_row {
    uint16_t port;
    uint8_t protocol;
    uint8_t direction;
    uint16_t rule;
    uint64_t connections;
    uint64_t judged[QPW_JUDGED_COUNT]; /* enum qpw_judged; the connections of which nothing is counted are mute */
};

/*
 * Add the meters up, by direction, protocol, port and rule: those with mismatches first, then those with the most
 * connections. A port on which nothing has been looked at is left out. Returns 0 or -ENOMEM; the caller frees *ret.
 */
int qpw_speaks_rows(const struct qpw_snapshot *s, struct qpw_speaks_row **ret, size_t *ret_n);

/* How many of its connections match or mismatch. */
uint64_t qpw_speaks_judged(const struct qpw_speaks_row *row);

#endif
