/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* acts.h - what a person does about a finding, from the command line or from the live view: acknowledge it, or mute it. */
#ifndef QPW_CMD_ACTS_H
#define QPW_CMD_ACTS_H

#include <jansson.h>
#include <stdbool.h>

#include "snapshot/snapshot.h"
#include "util/error.h"

#define QPW_REASON_BYTES 128u /* of a reason, with the end */

struct qpw_act {
    const char *const *words; /* of qpw_selection_parse() */
    size_t n_words;
    int64_t until;            /* Unix seconds; 0: no end */
    const char *reason;       /* "": none */
    bool undo;                /* of an acknowledgement */
};

/* How the auditor is asked: qpw_audit_ask(), or directly where it is in the same process. */
struct qpw_asker {
    int (*ask)(void *context, const json_t *request, json_t **ret_answer, struct qpw_error *err);
    void *context;
};

/* A reason may stand in a policy and in a log: one line of UTF-8. 0, or -EINVAL with err filled. */
int qpw_reason_check(const char *reason, struct qpw_error *err);

/* The exit status, with err filled where it is not 0; said: what was done, in one line. */
int qpw_act_acknowledge(const struct qpw_act *act, const struct qpw_asker *asker, char *said, size_t size,
                        struct qpw_error *err);

/*
 * Writes a `suppress` line into the file beside the policy in force that is for such lines, includes that once, reloads,
 * and acknowledges. Where the reload is refused both files are as before. Returns as above. s: the findings, and the
 * policy in force.
 */
int qpw_act_mute(const struct qpw_act *act, const struct qpw_snapshot *s, const struct qpw_asker *asker, char *said,
                 size_t size, struct qpw_error *err);

#endif
