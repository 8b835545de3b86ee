/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* eve.h - a record as one line of Suricata's EVE JSON format. */
#ifndef QPW_ALERT_EVE_H
#define QPW_ALERT_EVE_H

#include <jansson.h>
#include <stddef.h>

#include "alert/log/chain.h"
#include "alert/record.h"

/*
 * One JSON object ended by a newline, the next record of that chain, to be sealed (NULL: of none). Returns 0 with *ret_line
 * (the caller frees it) and its length, newline included, or -ENOMEM with both untouched.
 */
int qpw_eve_line(const struct qpw_record *record, const struct qpw_log_chain *chain, char **ret_line, size_t *ret_length);

/* "2026-01-02T03:04:05.000006+0000", as the format wants it. Returns buf (at least 36 bytes). */
const char *qpw_eve_time(uint64_t unix_ns, char *buf, size_t size);

/* First value of a fact in a line read back: of an alert's metadata, or of an engine record's variables. NULL: none. */
const char *qpw_eve_fact(const json_t *record, const char *key);

/* Reads such a time back; 0 where it is none. */
uint64_t qpw_eve_parse_time(const char *text);

/* Reads `proto` back: the number of an IP protocol by name or number, 0 where it is neither. */
unsigned qpw_eve_parse_protocol(const char *text);

#endif
