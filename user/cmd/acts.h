/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* acts.h - acknowledge or mute a finding, from the command line or the live view. */
#ifndef QPW_CMD_ACTS_H
#define QPW_CMD_ACTS_H

#include <jansson.h>
#include <stdbool.h>

#include "snapshot/snapshot.h"
#include "util/error.h"

#define QPW_REASON_BYTES 128u /* of a reason, including its NUL */

struct qpw_act {
    const char *const *words; /* as for qpw_selection_parse() */
    size_t n_words;
    int64_t until;            /* Unix seconds; 0: no expiry */
    const char *reason;       /* "": none */
    bool undo;                /* withdraw an acknowledgement */
};

/* How to send the auditor a request: qpw_audit_ask(), or directly within the same process. */
struct qpw_act_asker {
    int (*ask)(void *context, const json_t *request, json_t **ret_answer, struct qpw_error *err);
    void *context;
};

/* Check that a reason fits into a policy and a log: one line of UTF-8. Returns 0, or -EINVAL with err filled. */
int qpw_reason_check(const char *reason, struct qpw_error *err);

/* Acknowledge findings. Returns an exit status, with err filled unless it is 0; said: one line on what was done. */
int qpw_act_acknowledge(const struct qpw_act *act, const struct qpw_act_asker *asker, char *result, size_t size,
                        struct qpw_error *err);

/*
 * Mute findings: write a `suppress` line into the muting file beside the policy in force, include that file once,
 * reload, and acknowledge. If the reload is refused, both files are restored. s: the findings and the policy in force.
 * Returns as above.
 */
int qpw_act_mute(const struct qpw_act *act, const struct qpw_snapshot *s, const struct qpw_act_asker *asker,
                 char *result, size_t size, struct qpw_error *err);

#endif
