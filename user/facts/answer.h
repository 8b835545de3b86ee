/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * answer.h - the one answer about a node, the figures it rests on, and the other states that apply.
 *
 * Every face shows this answer and these figures; words/ turns them into a sentence. Computed from the part of a
 * snapshot that even a brief one holds, so that every face gets the same answer.
 */
#ifndef QPW_FACTS_ANSWER_H
#define QPW_FACTS_ANSWER_H

#include "facts/losses.h"
#include "facts/severity.h"
#include "facts/sight.h"
#include "snapshot/snapshot.h"

/* In ascending precedence: the last state that applies is the answer. X(symbol, "as shown everywhere") */
#define QPW_ANSWERS(X) \
    X(CLEAN, "CLEAN") \
    X(PROBED, "PROBED")                /* open unexpected attempts, none of them answered */ \
    X(DETAIL_LOST, "DETAIL LOST")      /* something was lost, not only delayed */ \
    X(BLIND, "BLIND")                  /* auditor, hook or interface missing */ \
    X(ACTION_NEEDED, "ACTION NEEDED")  /* an open answered finding of severity high or medium */
#define QPW_X_ANSWER(s, n) QPW_ANSWER_##s,
enum qpw_answer_state { QPW_ANSWERS(QPW_X_ANSWER) QPW_ANSWER_COUNT };
const char *qpw_answer_name(unsigned state);

struct qpw_answer {
    enum qpw_answer_state state;
    unsigned also;         /* 1u << state for each other state that applies; never CLEAN */
    uint64_t since_unix_ns; /* start of the oldest cause; CLEAN: end of the last cause, else start of counting; 0:
                               unknown */

    /*
     * The worst open finding: by severity, then answered before unanswered, then in report order. NULL: none above
     * info.
     */
    const struct qpw_finding_row *worst;

    /* Counts of open findings. */
    size_t needing;        /* answered, severity high or medium: ACTION NEEDED */
    size_t services;       /* distinct (direction, protocol, service port) among these */
    size_t unlisted;       /* of these, on ports that no rule matches: verdict unexpected */
    size_t probes;         /* unanswered, severity low or higher: PROBED */
    size_t unexpected;     /* verdict unexpected, of any severity */
    size_t answered;       /* of these, outcome answered or higher */
    size_t by_severity[QPW_SEVERITY_INFO + 1];
    size_t acknowledged, closed; /* not open, but above info while they were; superseded ones excluded */

    struct qpw_sight sight;   /* causes of BLIND */
    struct qpw_losses losses; /* causes of DETAIL LOST */
    bool unfound;          /* DETAIL LOST: there were unexpected packets, but no finding records any of them */

    uint64_t packets;      /* 0: no traffic was seen, so CLEAN means little */
    bool replay;
};

/* Return 0, or -ENOMEM and leave *ret untouched. ret->worst and ret->sight.first point into the snapshot. */
int qpw_answer_make(const struct qpw_snapshot *s, struct qpw_answer *ret);

/* Return whether the state is the answer or applies in addition. */
static inline bool qpw_answer_has(const struct qpw_answer *answer, enum qpw_answer_state state)
{
    return answer->state == state || answer->also & 1u << state;
}

#endif
