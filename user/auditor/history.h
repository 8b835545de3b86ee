/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * history.h - keep counters beyond the life of the instance: once a minute, by a separate process (history/writer.h).
 */
#ifndef QPW_AUDITOR_HISTORY_H
#define QPW_AUDITOR_HISTORY_H

#include "auditor/internal.h"

/* Start the process if the options name a file. On failure, warn and continue without it. */
void qpw_audit_history_begin(struct qpw_auditor *a);

/*
 * Mark programs in the history as seen before. Call on a new attachment, after the alerts are open; without a history,
 * none is known.
 */
void qpw_audit_history_recall(struct qpw_auditor *a);

/* Store the text of a new policy for the history. */
void qpw_audit_history_policy(struct qpw_auditor *a);

/* Once a second: have a frame written when a minute is over, and report the result of the last. */
void qpw_audit_history_tick(struct qpw_auditor *a);

/*
 * Write the last frame, with all counters up to now; wait for it a few seconds at most. detached: counting has ended.
 */
void qpw_audit_history_end(struct qpw_auditor *a, bool detached);

#endif
