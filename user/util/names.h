/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* names.h - the words of every shared enum, protocol and service names. Static strings, never NULL. */
#ifndef QPW_UTIL_NAMES_H
#define QPW_UTIL_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "qportwatch.h"

const char *qpw_direction_name(unsigned value);
const char *qpw_verdict_name(unsigned value);
const char *qpw_evidence_name(unsigned value);
const char *qpw_outcome_name(unsigned value);
const char *qpw_scope_name(unsigned value);
const char *qpw_reason_name(unsigned value);
const char *qpw_loss_name(unsigned value);
const char *qpw_class_name(unsigned value);
const char *qpw_coverage_name(unsigned value);
const char *qpw_speech_name(unsigned value);  /* enum qpw_speech */
const char *qpw_spoken_name(unsigned value); /* enum qpw_spoken: the words of speaks= */

/* "tcp", "udp", "sctp", "icmp", "icmp6" or NULL for every other IP protocol number. */
const char *qpw_protocol_name(unsigned protocol);

/*
 * Writes the protocol's name or its number into buf; kind QPW_KIND_ETHERTYPE gives "0x0806" or "llc 0x42". Returns buf.
 */
const char *qpw_protocol_text(unsigned kind, unsigned protocol, unsigned port, char *buf, size_t size);

/* Whether the key's port is the type of an ICMP packet: of transit and of the undecodable none was read. */
bool qpw_meter_has_icmp_type(const struct qpw_meter_key *key);

/* Address as text, IPv4-mapped as dotted quad. buf of at least INET6_ADDRSTRLEN. Returns buf. */
const char *qpw_address_text(const uint8_t addr[16], char *buf, size_t size);

/* Text to a 16-byte address (IPv4 mapped). 0, or -EINVAL. */
int qpw_address_parse(const char *text, uint8_t ret_addr[16]);

/*
 * "ADDR" or "ADDR/LEN" to address and prefix length out of 128 (IPv4 /24 gives 120). 0, or -EINVAL (also for set host
 * bits).
 */
int qpw_prefix_parse(const char *text, uint8_t ret_addr[16], unsigned *ret_prefix);

/* RFC 3339 UTC with microseconds, "2026-01-02T03:04:05.000006Z". Returns buf (at least 32 bytes). */
const char *qpw_time_text(uint64_t unix_ns, char *buf, size_t size);

#endif
