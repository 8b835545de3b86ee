/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * suppress.h - find the `suppress` line of the policy that applies to a finding's alerts.
 *
 * Suppressed findings are still counted and reported. A line without outcome= suppresses attempted and refused findings
 * only; answered ones require outcome=answered.
 */
#ifndef QPW_POLICY_SUPPRESS_H
#define QPW_POLICY_SUPPRESS_H

#include "policy/lang/policy.h"

/* The finding's attributes. Addresses: 16 bytes in network order; ports: host order. */
struct qpw_suppress_query {
    uint8_t direction; /* QPW_DIR_*; unknown matches only lines for any direction */
    uint8_t kind; /* QPW_KIND_*; EtherTypes match only lines for any protocol */
    uint8_t protocol;
    uint8_t outcome;
    uint16_t port; /* service port, ICMP type; 0: unknown, matches only lines for any port */
    const uint8_t *from; /* initiator; NULL: none */
    const uint8_t *to;     /* responder */
    const char *rule; /* name of the finding's rule, or NULL */
    int64_t now;           /* Unix seconds */
};

/* Return the first line that suppresses it, or NULL. The result belongs to the policy. */
const struct qpw_suppression *qpw_policy_suppressed(const struct qpw_policy *policy,
                                                    const struct qpw_suppress_query *query);

/* Return whether the line is in force at that time. */
bool qpw_suppression_in_force(const struct qpw_suppression *line, int64_t now);

#endif
