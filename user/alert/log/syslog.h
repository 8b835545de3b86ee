/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * syslog.h - the secondary output of alerts: RFC 5424 to a socket, or the journal.
 *
 * Best effort: never blocks; records that a receiver does not accept at once are counted and dropped. They are still in
 * the alert log.
 */
#ifndef QPW_ALERT_SYSLOG_H
#define QPW_ALERT_SYSLOG_H

#include <stddef.h>
#include <stdint.h>

#include "alert/record.h"
#include "util/error.h"

struct qpw_syslog;

/*
 * Open a target: "unix" or "unix:PATH" (default /dev/log), "udp:ADDRESS[:PORT]", "tcp:ADDRESS[:PORT]" (default 514, an
 * IPv6 address in brackets; no host names), "journald" or "journald:PATH". Return 0, -EINVAL with err for any other
 * text, or -ENOMEM. A missing receiver is noticed with the first record.
 */
int qpw_syslog_open(const char *target, struct qpw_syslog **ret, struct qpw_error *err);
void qpw_syslog_close(struct qpw_syslog *s); /* NULL is fine */

/* Send one record; heartbeats are omitted. Return 0, or a negative errno with the record counted as dropped. */
int qpw_syslog_write(struct qpw_syslog *s, const struct qpw_record *record);

/* Get the number of records sent and dropped. */
void qpw_syslog_counts(const struct qpw_syslog *s, uint64_t *ret_sent, uint64_t *ret_dropped);

/* Format the record as an RFC 5424 message, without framing. Return its length, at most size - 1. */
size_t qpw_syslog_message(const struct qpw_record *record, char *buf, size_t size);

/* The same in the journal's own format. */
size_t qpw_syslog_journal(const struct qpw_record *record, char *buf, size_t size);

#endif
