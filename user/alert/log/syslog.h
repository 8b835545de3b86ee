/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * syslog.h - the secondary way of an alert: RFC 5424 to a socket, or the journal.
 *
 * Best effort: never waits for a receiver, so what it does not take at once is counted and dropped. The
 * alert log has it all the same.
 */
#ifndef QPW_ALERT_SYSLOG_H
#define QPW_ALERT_SYSLOG_H

#include <stddef.h>
#include <stdint.h>

#include "alert/record.h"
#include "util/error.h"

struct qpw_syslog;

/*
 * "unix" or "unix:PATH" (default /dev/log), "udp:ADDRESS[:PORT]", "tcp:ADDRESS[:PORT]" (default 514, an IPv6
 * address in brackets; names are not looked up), "journald" or "journald:PATH". -EINVAL with err where the text
 * is none of these, -ENOMEM. Whether anybody listens shows with the first record.
 */
int qpw_syslog_open(const char *target, struct qpw_syslog **ret, struct qpw_error *err);
void qpw_syslog_close(struct qpw_syslog *s); /* NULL is fine */

/* Sends one record; heartbeats are left out. 0 or a negative errno, with the record counted as dropped. */
int qpw_syslog_write(struct qpw_syslog *s, const struct qpw_record *record);

/* How many were sent and how many dropped. */
void qpw_syslog_counts(const struct qpw_syslog *s, uint64_t *ret_sent, uint64_t *ret_dropped);

/* The record as an RFC 5424 message, without framing. Returns its length, at most size - 1. */
size_t qpw_syslog_message(const struct qpw_record *record, char *buf, size_t size);

/* The same in the journal's own format. */
size_t qpw_syslog_journal(const struct qpw_record *record, char *buf, size_t size);

#endif
