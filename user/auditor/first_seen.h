/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * first_seen.h - which programs were seen at the node's end of an answered finding, and with which one first.
 *
 * The kernel side's map `first_seen` is the memory; what the alert log names is added at the start. Every face reads
 * from there what a finding's severity depends on (facts/severity.h). What was only attempted or refused makes no program
 * known: one that tries several addresses in turn is new at the one that answers.
 */
#ifndef QPW_AUDITOR_FIRST_SEEN_H
#define QPW_AUDITOR_FIRST_SEEN_H

#include "auditor/internal.h"

struct qpw_engine_past;

/* A record of the alert log: the program that it names was seen before, if its exchange was answered. */
void qpw_first_seen_recall(struct qpw_auditor *a, const struct qpw_engine_past *past);

/*
 * Looks for the program of each finding that has one, once for each finding, executable and outcome, and writes
 * `program_seen`. A program that is met for the first time is noted with its finding, if that was answered.
 */
void qpw_first_seen_look(struct qpw_auditor *a, struct qpw_finding_row *rows, size_t n);

#endif
