/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * first_seen.h - the programs seen at the node's end of answered findings, and the first finding of each.
 *
 * The instance's map `first_seen` stores them; programs named in the alert log are added at the start. A finding's
 * severity depends on it (facts/severity.h), in every face. Attempted and refused findings do not make a program known:
 * one that tries several addresses in turn is new at the one that answers.
 */
#ifndef QPW_AUDITOR_FIRST_SEEN_H
#define QPW_AUDITOR_FIRST_SEEN_H

#include "auditor/internal.h"

struct qpw_engine_past;

/* Mark the program named in a record of the alert log as known, if its exchange was answered. */
void qpw_first_seen_recall(struct qpw_auditor *a, const struct qpw_engine_past *past);

/*
 * Look up the program of each finding that has one, once per finding, executable and outcome, and set `program_seen`.
 * Record a program seen for the first time with its finding, if that was answered.
 */
void qpw_first_seen_look(struct qpw_auditor *a, struct qpw_finding_row *rows, size_t n);

#endif
