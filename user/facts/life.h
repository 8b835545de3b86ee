/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * life.h - whether a finding is open, acknowledged or closed: the one place that says so, for all faces.
 *
 *   open          it counts: headline, proposals, alerts
 *   acknowledged  a person has seen it, or its service; until then, and for as long as it gets no worse, comes from no other
 *                 prefix and is of the same program. Afterwards it is open again
 *   closed        a reload's rule explains it, it was judged again (superseded), or it has been silent for its retention
 *
 * A pure function of the finding, of the steps stored of it and of the time. What happens again after it was closed is
 * open, without anybody having to write so.
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
    enum qpw_closing by;         /* closed */
    uint64_t when_unix_ns;       /* closed, acknowledged or open again: when; 0: open all the time, or by its traffic */
    const struct qpw_life *step; /* what is stored of it: acknowledged, closed by RULE, or open again by a person; else NULL */
    bool ended;                  /* open again because the acknowledgement, `step`, ended */
};
struct qpw_finding_life qpw_finding_life(const struct qpw_finding_row *finding);

/* When it last gave cause to look at it, in Unix nanoseconds: its traffic, or that it was opened again. */
uint64_t qpw_finding_news(const struct qpw_finding_row *finding);

/* What the alert log knows a step by; 0: there is none. */
uint64_t qpw_life_number(const struct qpw_finding_life *life);

/* The policy's word on a stored finding. ifindex: of its interface now, 0: not known. */
struct qpw_exchange qpw_finding_exchange(const struct qpw_finding_row *finding, uint32_t ifindex);

/*
 * Whether the policy explains a finding that it did not when it was found, and by what: a peer or a rule that clearly
 * allows it. A weak rule explains nothing, nor does what only a live parent would vouch for.
 */
bool qpw_finding_explained(const struct qpw_judge *judge, const struct qpw_finding_row *finding, uint32_t ifindex,
                           struct qpw_judgement *ret);

#endif
