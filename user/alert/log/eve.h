/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* eve.h - a record as one line of Suricata's EVE JSON format. */
#ifndef QPW_ALERT_EVE_H
#define QPW_ALERT_EVE_H

#include <jansson.h>
#include <stddef.h>

#include "alert/log/chain.h"
#include "alert/record.h"

/*
 * Write a record as one JSON object and a newline, as the next record of that chain, still to be sealed (NULL: no
 * chain). Return 0 with *ret_line (freed by the caller) and its length including the newline, or -ENOMEM with both
 * untouched.
 */
int qpw_eve_line(const struct qpw_record *record, const struct qpw_log_chain *chain, char **ret_line, size_t *ret_length);

/* Write "2026-01-02T03:04:05.000006+0000", EVE's format. Returns buf (at least 36 bytes). */
const char *qpw_eve_time(uint64_t unix_ns, char *buf, size_t size);

/*
 * Return the first value of a fact in a parsed line: of an alert's metadata, or an engine record's variables. NULL:
 * none.
 */
const char *qpw_eve_fact(const json_t *record, const char *key);

/* Parse such a time; 0 if invalid. */
uint64_t qpw_eve_parse_time(const char *text);

/* Parse `proto`: return the number of an IP protocol by name or number, 0 if it is neither. */
unsigned qpw_eve_parse_protocol(const char *text);

#endif
