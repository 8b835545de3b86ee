/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * answer.h - the one answer about a node, what it rests on, and what else applies.
 *
 * Every face shows this answer and these figures; words/ turns them into a sentence. Computed from what
 * even a brief snapshot holds, so that it is the same in each.
 */
#ifndef QPW_FACTS_ANSWER_H
#define QPW_FACTS_ANSWER_H

#include "facts/losses.h"
#include "facts/severity.h"
#include "facts/sight.h"
#include "snapshot/snapshot.h"

/* Ascending precedence: the last one that applies is the answer. X(symbol, "as shown everywhere") */
#define QPW_ANSWERS(X) \
    X(CLEAN, "CLEAN") \
    X(PROBED, "PROBED")                /* open unexpected attempts, none of them answered */ \
    X(DETAIL_LOST, "DETAIL LOST")      /* something was lost, not only delayed */ \
    X(BLIND, "BLIND")                  /* auditor, hook or interface missing */ \
    X(ACTION_NEEDED, "ACTION NEEDED")  /* an open answered finding of high or medium */
#define QPW_X_ANSWER(s, n) QPW_ANSWER_##s,
enum qpw_answer_state { QPW_ANSWERS(QPW_X_ANSWER) QPW_ANSWER_COUNT };
const char *qpw_answer_name(unsigned state);

struct qpw_answer {
    enum qpw_answer_state state;
    unsigned also;         /* 1u << state for each other state that applies; never CLEAN */
    uint64_t since_unix_ns; /* of the oldest cause; CLEAN: the last cause's end, else since when it counts; 0: not known */

    /* The worst open finding: by severity, then answered before not, then as in a report. NULL: none but info. */
    const struct qpw_finding_row *worst;

    /* Open findings. */
    size_t needing;        /* answered ones of high or medium: ACTION NEEDED */
    size_t services;       /* different (direction, protocol, service port) among these */
    size_t unlisted;       /* of these, on ports that no rule matches: verdict unexpected */
    size_t probes;         /* of high to low, not answered: PROBED */
    size_t unexpected;     /* of verdict unexpected, whatever their severity */
    size_t answered;       /* of these, answered or more */
    size_t by_severity[QPW_SEVERITY_INFO + 1];
    size_t acknowledged, closed; /* others, that would be more than info; superseded ones not counted */

    struct qpw_sight sight;   /* BLIND */
    struct qpw_losses losses; /* DETAIL LOST */
    bool unfound;          /* DETAIL LOST: unexpected packets, but no finding of any */

    uint64_t packets;      /* 0: nothing was seen at all, of which CLEAN says little */
    bool replay;
};

/* 0 or -ENOMEM, then *ret is untouched. ret->worst and ret->sight.first point into the snapshot. */
int qpw_answer_make(const struct qpw_snapshot *s, struct qpw_answer *ret);

/* Whether that state is the answer or applies besides. */
static inline bool qpw_answer_has(const struct qpw_answer *answer, enum qpw_answer_state state)
{
    return answer->state == state || answer->also & 1u << state;
}

#endif
