/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* show.h - the report of a replay, or its findings alone. */
#ifndef QPW_REPLAY_SHOW_H
#define QPW_REPLAY_SHOW_H

#include <stdbool.h>
#include <stdio.h>

#include "anonymous/anonymous.h"
#include "replay/replay.h"
#include "replay/setup.h"
#include "util/error.h"

enum qpw_show_format { QPW_SHOW_TEXT = 0, QPW_SHOW_JSON, QPW_SHOW_HTML };

struct qpw_show_options {
    bool findings_only; /* as text or JSON */
    enum qpw_show_format format;
    bool colour;
    unsigned columns; /* of the page */
    const struct qpw_anonymous *anonymous; /* puts other names and addresses in their place; NULL: they stay */
};

/*
 * Writes what the kernel side has counted, with what the replay (finished) knows of its captures, to `out`.
 * 0, or a negative errno with err.
 */
int qpw_replay_show(const struct qpw_replay_setup *setup, struct qpw_replay *replay,
                    const struct qpw_replay_options *replayed, const struct qpw_show_options *options, FILE *out,
                    struct qpw_error *err);

#endif
