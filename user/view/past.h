/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* past.h - show a span of the history instead of live data, as a separate model that does not change. */
#ifndef QPW_VIEW_PAST_H
#define QPW_VIEW_PAST_H

#include "view/model.h"

struct qpw_past {
    struct qpw_snapshot snapshot;
    struct qpw_model model; /* `past` has the span; to_unix_ns 0: none is shown */
};

enum qpw_past_step { QPW_PAST_BACK, QPW_PAST_FORWARD, QPW_PAST_HERE };

struct qpw_past_options {
    const char *path;                 /* of the history file */
    int64_t length;                   /* of a span, in seconds */
    uint64_t now_unix_ns;
    /* Whether an auditor is running now, which the file may not show yet; NULL: as the file has it. */
    const struct qpw_snapshot *live;
};

/*
 * Show the span before, after or around the current one (if none: before now), skipping those without counts. Returns
 * 1; 0 if there is none, with err filled and the current one kept; or a negative errno with err filled. The file is
 * opened for this step only, because its writer may replace it at any time.
 */
int qpw_past_step(struct qpw_past *past, const struct qpw_past_options *o, enum qpw_past_step step, struct qpw_error *err);

/* Free and zero; the view is live again. */
void qpw_past_clear(struct qpw_past *past);

/* The lengths that a span may have, in seconds, and their names; `at` below QPW_PAST_SPANS. */
#define QPW_PAST_SPANS 4
int64_t qpw_past_length(unsigned at);

#endif
