/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * json.h - the contents of a snapshot as JSON: one form for each thing, in every document.
 *
 * Functions that return an object or a list return NULL when out of memory, which jansson's setters pass on.
 */
#ifndef QPW_WORDS_JSON_H
#define QPW_WORDS_JSON_H

#include <jansson.h>

#include "facts/totals.h"

/* At most 2^53 - 1, because readers store numbers as doubles, which are exact up to there. */
json_t *qpw_json_number(uint64_t value);
json_t *qpw_json_or_null(uint64_t value); /* null for 0 */

/* "tcp"; the number of a protocol without a name here; "0x88b5" for an EtherType; null if unknown. */
json_t *qpw_json_protocol(unsigned kind, unsigned protocol, unsigned port);

/* Set protocol and port; an ICMP type goes to `icmp_type`, because it is no port. */
void qpw_json_set_service(json_t *o, unsigned kind, unsigned protocol, unsigned port);

/* Set connections, rx_packets, rx_bytes, tx_packets, tx_bytes. */
void qpw_json_set_counts(json_t *o, const struct qpw_counts *counts);

/* {packets, bytes, by_verdict, by_direction}; the values of either map add up to packets. */
json_t *qpw_json_totals(const struct qpw_totals *totals);

/* {name, mode, why, attached, up} */
json_t *qpw_json_interface(const struct qpw_iface_row *row);

/* [{time, event, interface, text}], from since_unix_ns on */
json_t *qpw_json_events(const struct qpw_snapshot *s, uint64_t since_unix_ns);

/* [{name, rx_packets, tx_packets}] */
json_t *qpw_json_unwatched(const struct qpw_snapshot *s);

/* [{name, kind, state, why}] of all interfaces of the host */
json_t *qpw_json_inventory(const struct qpw_snapshot *s);

/* [sentence] */
json_t *qpw_json_notes(const struct qpw_snapshot *s);

/* {loss: count} of all losses */
json_t *qpw_json_losses(const struct qpw_snapshot *s);

/* [{name, entries, capacity, opened, closed, expired, evicted}] of the connection tables */
json_t *qpw_json_tables(const struct qpw_snapshot *s);

#endif
