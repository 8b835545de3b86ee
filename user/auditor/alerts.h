/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * alerts.h - the connection of the auditor with the alert engine: rows go in, lines go to the log.
 *
 * Without an alert log, all functions except qpw_alerts_process() do nothing.
 */
#ifndef QPW_AUDITOR_ALERTS_H
#define QPW_AUDITOR_ALERTS_H

#include "auditor/internal.h"

/*
 * Read back the log's tail. A log that cannot be opened is reported, and retried with each record. Return 0, or a
 * negative errno with err filled.
 */
int qpw_alerts_open(struct qpw_auditor *a, struct qpw_error *err);

/* Update names and policy; call after every change of them. */
void qpw_alerts_context(struct qpw_auditor *a);

/*
 * Report a finding that is new or whose outcome rose, with the next flush, so that events within milliseconds make one
 * record.
 */
void qpw_alerts_finding(struct qpw_auditor *a, const struct qpw_finding_key *key, const struct qpw_finding *value);

/* See qpw_engine_listener() and qpw_engine_other_owner(). -ENOENT: there is no alert log. */
int qpw_alerts_listener(struct qpw_auditor *a, const struct qpw_engine_socket *socket);
int qpw_alerts_other_owner(struct qpw_auditor *a, const struct qpw_engine_socket *socket);

/* Get the process at the node's end of a finding, as found with its event while the row waits for the next flush. */
void qpw_alerts_process(struct qpw_auditor *a, const struct qpw_finding_row *row, struct qpw_process *ret);

/* Report the findings collected since the last flush. */
void qpw_alerts_flush(struct qpw_auditor *a);

/*
 * Return the member "alerts" of the document of `status`, without owners_unsure, owned by the caller; null without an
 * alert log. NULL: out of memory.
 */
json_t *qpw_alerts_describe(const struct qpw_auditor *a);

/* Offer a whole snapshot; once an interval and at the end. */
void qpw_alerts_snapshot(struct qpw_auditor *a, const struct qpw_snapshot *snapshot);

/* Report a clock step of the system since the engine last received a time. */
void qpw_alerts_clock_stepped(struct qpw_auditor *a, int64_t by_ns);

/* Free the slots of findings that are reported and over, if a quota has few left. */
void qpw_alerts_settle(struct qpw_auditor *a);

/* Offer the instance's current findings, so that a life-cycle step is recorded at once. */
void qpw_alerts_offer(struct qpw_auditor *a);

/* Pass on a->programs_unknown, because it limits how sure "new program" is. */
void qpw_alerts_programs_unknown(struct qpw_auditor *a);

/*
 * Report what `serve` found, or if silent_ns is not 0, that it has written nothing for so long. Return 0, or -EAGAIN: some
 * of it waits for the next call.
 */
int qpw_alerts_cluster(struct qpw_auditor *a, const struct qpw_found_list *list, uint64_t silent_ns);

/* Call once a second. */
void qpw_alerts_tick(struct qpw_auditor *a);

/* Report a reload, or if `why` is set, one that failed and changed nothing. */
void qpw_alerts_reloaded(struct qpw_auditor *a, const char *old_digest, const char *changes, const char *why);

/* Reopen the log after a rotation. */
void qpw_alerts_reopen(struct qpw_auditor *a);

/*
 * Write everything pending; report as warnings, one line each, what the log does not accept. Return 0, or -EIO with err
 * filled in that case.
 */
int qpw_alerts_close(struct qpw_auditor *a, struct qpw_error *err);

#endif
