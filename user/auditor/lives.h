/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* lives.h - keeps the stored steps of findings' lives: what a reload explains, what a person acknowledges. */
#ifndef QPW_AUDITOR_LIVES_H
#define QPW_AUDITOR_LIVES_H

#include "auditor/internal.h"

/* Reads them; what is not read shows findings as open. 0 or a negative errno with err filled. */
int qpw_audit_lives_load(struct qpw_auditor *a, struct qpw_error *err);

/* What came of judging the stored findings by the policy in force. */
struct qpw_rejudged {
    size_t closed;   /* explained now */
    size_t reopened; /* explained by an earlier policy, not by this one, and open again */
    size_t back;     /* the same, but acknowledged as before */
};

/* Judges all stored findings by the policy in force. who: asked for it. 0 or a negative errno with err filled. */
int qpw_audit_rejudge(struct qpw_auditor *a, const char *who, struct qpw_rejudged *ret, struct qpw_error *err);

/*
 * Acknowledges a finding for its class (request: "finding" [words], "until" Unix seconds, "reason"), or takes that back
 * ("undo"). Returns the answer, the caller's, with "findings": how many it is about.
 */
json_t *qpw_audit_acknowledge(struct qpw_auditor *a, const json_t *request);

/* Forgets the steps of findings that are no longer stored, and acknowledgements a day after their end. */
void qpw_audit_lives_sweep(struct qpw_auditor *a);

/* Rows that did not come with a snapshot: as they stand now. */
void qpw_audit_lives_assign(struct qpw_auditor *a, struct qpw_finding_row *rows, size_t n);

#endif
