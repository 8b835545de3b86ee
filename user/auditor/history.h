/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* history.h - has what is counted kept beyond its life, once a minute, by a process of its own (history/writer.h). */
#ifndef QPW_AUDITOR_HISTORY_H
#define QPW_AUDITOR_HISTORY_H

#include "auditor/internal.h"

/* Starts the process where the options name a file. Without it the auditor goes on, and says so. */
void qpw_audit_history_begin(struct qpw_auditor *a);

/*
 * Programs that the history has seen are none that are seen for the first time. After the alerts are open, on what was attached
 * anew; without a history none is known.
 */
void qpw_audit_history_recall(struct qpw_auditor *a);

/* The policy in force is another: takes down its text for the history. */
void qpw_audit_history_policy(struct qpw_auditor *a);

/* Once a second: has a frame written when a minute is over; says what came of the last. */
void qpw_audit_history_tick(struct qpw_auditor *a);

/* The last frame, with everything counted up to now; waits for it a few seconds, no longer. detached: counting is over. */
void qpw_audit_history_end(struct qpw_auditor *a, bool detached);

#endif
