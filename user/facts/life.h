/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * life.h - whether a finding is open, acknowledged or closed. Every face takes the state from here.
 *
 *   open          it counts: headline, proposals, alerts
 *   acknowledged  a person accepted it or its service, until the expiry date and as long as it gets no worse, comes
 *   from no
 *                 other prefix and is of the same program; then it is open again
 *   closed        a rule of a reloaded policy explains it, it was superseded by a new judgement, or it has been silent
 *   for
 *                 its retention period
 *
 * A pure function of the finding, its stored steps and the time. A closed finding that happens again is open without
 * any further record.
 */
#ifndef QPW_FACTS_LIFE_H
#define QPW_FACTS_LIFE_H

#include <stdbool.h>

#include "policy/compile/judge.h"
#include "snapshot/snapshot.h"

/* X(symbol, "as shown everywhere") */
#define QPW_LIFE_STATES(X) X(OPEN, "open") X(ACKNOWLEDGED, "acknowledged") X(CLOSED, "closed")
#define QPW_X_LIFE(s, n) QPW_FINDING_##s,
enum qpw_life_state { QPW_LIFE_STATES(QPW_X_LIFE) QPW_LIFE_STATE_COUNT };
const char *qpw_life_state_name(unsigned state);

#define QPW_CLOSINGS(X) X(NOTHING, "") X(RULE, "rule") X(SUPERSEDED, "superseded") X(SILENCE, "silence")
#define QPW_X_CLOSING(s, n) QPW_CLOSED_BY_##s,
enum qpw_closing { QPW_CLOSINGS(QPW_X_CLOSING) QPW_CLOSING_COUNT };
const char *qpw_closing_name(unsigned closing);

struct qpw_finding_life {
    enum qpw_life_state state;
    enum qpw_closing by;         /* closed: the reason */
    uint64_t when_unix_ns;       /* time of the acknowledgement, closing or reopening; 0: never anything but open, or
                                    reopened by its traffic */
    const struct qpw_life *step; /* the stored step: acknowledged, closed by RULE, or reopened by a person; else NULL */
    bool ended;                  /* open again because `step`, the acknowledgement, expired */
};
struct qpw_finding_life qpw_finding_life(const struct qpw_finding_row *finding);

/* Return the latest time it deserved attention, in Unix nanoseconds: its last packet, or its reopening. */
uint64_t qpw_finding_news(const struct qpw_finding_row *finding);

/* Return the number that identifies a step in the alert log; 0: there is no step. */
uint64_t qpw_life_number(const struct qpw_finding_life *life);

/* Return a stored finding as an exchange for the policy to judge. ifindex: current one of its interface, 0: unknown. */
struct qpw_exchange qpw_finding_exchange(const struct qpw_finding_row *finding, uint32_t ifindex);

/*
 * Return whether the current policy explains a finding that was unexplained when found. *ret: the peer or the rule that
 * clearly allows it. Weak rules and live parent connections do not count as explanations.
 */
bool qpw_finding_explained(const struct qpw_judge *judge, const struct qpw_finding_row *finding, uint32_t ifindex,
                           struct qpw_judgement *ret);

#endif
