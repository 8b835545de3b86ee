/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * alerts.h - between the auditor and the alert engine: rows go in, lines go to the log.
 *
 * All functions but qpw_alerts_process() are without effect where no alert log was asked for.
 */
#ifndef QPW_AUDITOR_ALERTS_H
#define QPW_AUDITOR_ALERTS_H

#include "auditor/internal.h"

/* Reads the log's tail back; a log that cannot be is told, and tried again with each record. 0 or a negative errno with
 * err filled. */
int qpw_alerts_open(struct qpw_auditor *a, struct qpw_error *err);

/* Names and policy as they are now; after every change of them. */
void qpw_alerts_context(struct qpw_auditor *a);

/* A finding that is new or rose. Told with the next flush, so that what follows within milliseconds is one record. */
void qpw_alerts_finding(struct qpw_auditor *a, const struct qpw_finding_key *key, const struct qpw_finding *value);

/* See qpw_engine_listener() and qpw_engine_other_owner(). -ENOENT: no alert log is kept. */
int qpw_alerts_listener(struct qpw_auditor *a, const struct qpw_engine_socket *socket);
int qpw_alerts_other_owner(struct qpw_auditor *a, const struct qpw_engine_socket *socket);

/* Who holds the node's end of a finding, as it was found with the event where the row waits for the next flush. */
void qpw_alerts_process(struct qpw_auditor *a, const struct qpw_finding_row *row, struct qpw_process *ret);

/* Tells the findings since the last flush. */
void qpw_alerts_flush(struct qpw_auditor *a);

/* The member "alerts" of the document of `status`, without owners_unsure; null without an alert log. The caller's. NULL:
 * out of memory. */
json_t *qpw_alerts_describe(const struct qpw_auditor *a);

/* Everything there is, once an interval and at the end. */
void qpw_alerts_snapshot(struct qpw_auditor *a, const struct qpw_snapshot *snapshot);

/* The system's clock was set by so much since the last call that told the engine a time. */
void qpw_alerts_clock_stepped(struct qpw_auditor *a, int64_t by_ns);

/* Frees places of findings that are written and over, where a quota has few left. */
void qpw_alerts_settle(struct qpw_auditor *a);

/* Offers what the kernel side holds now, so that a change of lives is recorded at once. */
void qpw_alerts_offer(struct qpw_auditor *a);

/* Which program is new is only as sure as a->programs_unknown says. */
void qpw_alerts_programs_unknown(struct qpw_auditor *a);

/* Once a second. */
void qpw_alerts_tick(struct qpw_auditor *a);

/* A reload, or (why set) one that changed nothing. */
void qpw_alerts_reloaded(struct qpw_auditor *a, const char *old_digest, const char *changes, const char *why);

/* The log was rotated. */
void qpw_alerts_reopen(struct qpw_auditor *a);

/*
 * Writes what is still to be written; what the log does not take is told as warnings, one line each.
 * 0, or -EIO with err filled where that was so.
 */
int qpw_alerts_close(struct qpw_auditor *a, struct qpw_error *err);

#endif
