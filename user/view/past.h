/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* past.h - a span of the history in place of what is live: a model of its own, which nothing moves. */
#ifndef QPW_VIEW_PAST_H
#define QPW_VIEW_PAST_H

#include "view/model.h"

struct qpw_past {
    struct qpw_snapshot snapshot;
    struct qpw_model model; /* its `past` says which span; to_unix_ns 0: none is shown */
};

enum qpw_past_step { QPW_PAST_BACK, QPW_PAST_FORWARD, QPW_PAST_HERE };

struct qpw_past_options {
    const char *path;                 /* of the history */
    int64_t length;                   /* of a span, seconds */
    uint64_t now_unix_ns;
    const struct qpw_snapshot *live;  /* whether somebody watches now, which the file may not have yet; NULL: as it has it */
};

/*
 * Shows the span before, after or around the one that is shown (none: before now), passing
 * over those in which nothing was counted. 1: done; 0: there is none, of which err says why; what was shown stays.
 * The file is opened for the step alone: its writer may replace it at any time.
 */
int qpw_past_step(struct qpw_past *past, const struct qpw_past_options *o, enum qpw_past_step step, struct qpw_error *err);

/* Frees all and zeroes: what is live is shown again. */
void qpw_past_clear(struct qpw_past *past);

/* Lengths that a span may have, in seconds, and what they are called; `at` below QPW_PAST_SPANS. */
#define QPW_PAST_SPANS 4
int64_t qpw_past_length(unsigned at);

#endif
