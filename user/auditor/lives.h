/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* lives.h - store life-cycle steps of findings: explained by a reload, acknowledged by a person. */
#ifndef QPW_AUDITOR_LIVES_H
#define QPW_AUDITOR_LIVES_H

#include "auditor/internal.h"

/* Load the stored steps; without them, findings appear open. Return 0 or a negative errno with err filled. */
int qpw_audit_lives_load(struct qpw_auditor *a, struct qpw_error *err);

/* Result of judging the stored findings by the policy in force. */
struct qpw_rejudged {
    size_t closed;   /* explained now */
    size_t reopened; /* explained by an earlier policy but not by this one: open again */
    size_t back;     /* the same, but still acknowledged */
};

/* Judge all stored findings by the policy in force. who: requested it. Return 0 or a negative errno with err filled. */
int qpw_audit_rejudge(struct qpw_auditor *a, const char *who, struct qpw_rejudged *ret, struct qpw_error *err);

/*
 * Acknowledge a finding for its class (request: "finding" [words], "until" Unix seconds, "reason"), or withdraw that
 * ("undo"). Return the answer, owned by the caller, with "findings": the number affected.
 */
json_t *qpw_audit_acknowledge(struct qpw_auditor *a, const json_t *request);

/* Delete steps of findings that are no longer stored, and acknowledgements a day after they expire. */
void qpw_audit_lives_sweep(struct qpw_auditor *a);

/* Assign the current steps to rows that are not part of a snapshot. */
void qpw_audit_lives_assign(struct qpw_auditor *a, struct qpw_finding_row *rows, size_t n);

#endif
