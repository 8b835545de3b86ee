/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* show.h - write the report of a replay, or only its findings. */
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
    unsigned columns; /* page width */
    const struct qpw_anonymous *anonymous; /* replaces names and addresses; NULL: keep them */
};

/*
 * Write the instance's counts, with the finished replay's data on its captures, to `out`. Returns 0, or a negative
 * errno with err filled.
 */
int qpw_replay_show(const struct qpw_replay_setup *setup, struct qpw_replay *replay,
                    const struct qpw_replay_options *replayed, const struct qpw_show_options *options, FILE *out,
                    struct qpw_error *err);

#endif
