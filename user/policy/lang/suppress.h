/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * suppress.h - whether a finding's alerts are to be held back by a `suppress` line of the policy.
 *
 * Suppressed things are still counted and shown in reports. A line without outcome= hides what was
 * attempted and refused only: what answered is hidden only by a line that says outcome=answered.
 */
#ifndef QPW_POLICY_SUPPRESS_H
#define QPW_POLICY_SUPPRESS_H

#include "policy/lang/policy.h"

/* What is known of the finding. Addresses 16 bytes in network order, ports in host order. */
struct qpw_suppress_query {
    uint8_t direction;     /* QPW_DIR_*; unknown is met only by lines for any direction */
    uint8_t kind;          /* QPW_KIND_*; EtherTypes are met only by lines for any protocol */
    uint8_t protocol;
    uint8_t outcome;
    uint16_t port;         /* service port, ICMP type; 0: not known, met only by lines for any port */
    const uint8_t *from;   /* initiator; NULL where there is none */
    const uint8_t *to;     /* responder */
    const char *rule;      /* name of the rule that the finding names, or NULL */
    int64_t now;           /* Unix seconds */
};

/* The first line that hides it, or NULL. The result belongs to the policy. */
const struct qpw_suppression *qpw_policy_suppressed(const struct qpw_policy *policy,
                                                    const struct qpw_suppress_query *query);

/* Whether the line is in force at that time. */
bool qpw_suppression_in_force(const struct qpw_suppression *line, int64_t now);

#endif
