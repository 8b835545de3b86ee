/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* names.h - the names of all shared enums, of protocols and services. Static strings, never NULL. */
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
const char *qpw_judged_name(unsigned value); /* enum qpw_judged */

/* Return "tcp", "udp", "sctp", "icmp" or "icmp6"; NULL for other IP protocols. */
const char *qpw_protocol_name(unsigned protocol);

/* Write the protocol's name or number to buf; kind QPW_KIND_ETHERTYPE gives "0x0806" or "llc 0x42". Returns buf. */
const char *qpw_protocol_text(unsigned kind, unsigned protocol, unsigned port, char *buf, size_t size);

/* Return whether the key's port is an ICMP type; it is not read for transit and undecodable packets. */
bool qpw_meter_has_icmp_type(const struct qpw_meter_key *key);

/* Write an address as text, IPv4-mapped ones as dotted quad. buf of at least INET6_ADDRSTRLEN bytes. Returns buf. */
const char *qpw_address_text(const uint8_t addr[16], char *buf, size_t size);

/* Write a MAC address as "02:00:00:00:00:01". buf of at least 18 bytes. Returns buf. */
const char *qpw_mac_text(const uint8_t mac[6], char *buf, size_t size);

/* Return whether it is a link-local address of IPv6 (RFC 4291, 2.5.6). */
bool qpw_address_is_link_local(const uint8_t addr[16]);

/* Parse a 16-byte address (IPv4-mapped). Returns 0 or -EINVAL. */
int qpw_address_parse(const char *text, uint8_t ret_addr[16]);

/*
 * Parse "ADDR" or "ADDR/LEN" to address and prefix length in bits of 128 (IPv4 /24 gives 120). Returns 0, or -EINVAL,
 * also if host bits are set.
 */
int qpw_prefix_parse(const char *text, uint8_t ret_addr[16], unsigned *ret_prefix);

/* Write RFC 3339 UTC with microseconds, "2026-01-02T03:04:05.000006Z". buf of at least 32 bytes. Returns buf. */
const char *qpw_time_text(uint64_t unix_ns, char *buf, size_t size);

#endif
