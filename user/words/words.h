/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * words.h - values as people read them: one spelling of each thing in every face.
 *
 * No other code turns a number, a time, a service, a process or an address into text. Every function writes into buf,
 * at most `size` bytes including the NUL, and returns buf; units are decimal, times are UTC.
 */
#ifndef QPW_WORDS_WORDS_H
#define QPW_WORDS_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snapshot/snapshot.h"
#include "words/numbers.h"

/* ---- Times ---- */

/* "45 s", "12 min 3 s", "5 h 4 min", "7 d": two parts, the second omitted if it is zero. */
const char *qpw_words_duration(uint64_t ns, char *buf, size_t size);

/* A short duration in seconds, as it is typed: "0.5 s", "1 s", "60 s". */
const char *qpw_words_seconds(unsigned ms, char *buf, size_t size);

/* For narrow columns, at most five characters: "now", "42s", "12m", "5h07", "3d04", "412d". */
const char *qpw_words_age(uint64_t ns, char *buf, size_t size);

/* As qpw_words_time(), or in this machine's time zone ("…07+0100"); brief: "11-23 20:41Z". */
const char *qpw_words_time_of(uint64_t unix_ns, bool local, bool brief, char *buf, size_t size);

/* "2026-11-23 20:41:07Z". */
const char *qpw_words_time(uint64_t unix_ns, char *buf, size_t size);

/* "20:41:07" if on the same day as `now`, otherwise "11-22 20:41"; "-" for 0. */
const char *qpw_words_moment(uint64_t unix_ns, uint64_t now_unix_ns, char *buf, size_t size);

/* "2026-11-23 20:41:07 to 20:42:07 UTC (1 min)"; "none" if no packet had a time. */
const char *qpw_words_period(uint64_t from_unix_ns, uint64_t to_unix_ns, char *buf, size_t size);

/* ---- Services, ends, processes ---- */

/*
 * "tcp/4444", "tcp" if no port was read, "icmp/8" (the type), "ip/47", "ARP", "EtherType 0x88b5", "STP", "-" if neither
 * is known. kind: enum qpw_kind; port: host order.
 */
const char *qpw_words_service(unsigned kind, unsigned protocol, unsigned port, char *buf, size_t size);

/* The same followed by the port's name, "tcp/22 ssh": from the policy's purpose, a small table, or /etc/services. */
const char *qpw_words_service_named(unsigned kind, unsigned protocol, unsigned port, char *buf, size_t size);

/* "tcp/445, tcp/389 out, udp/111": at most QPW_PEER_PORTS of them; "" if there is none. */
struct qpw_port_sum;
const char *qpw_words_ports(const struct qpw_port_sum *ports, char *buf, size_t size);

/* An address, or a MAC address if the kind is QPW_KIND_ETHERTYPE. */
const char *qpw_words_end(unsigned kind, const uint8_t addr[16], char *buf, size_t size);

/* The same after a name, "node2 (10.1.0.12)": the given one or, if that is empty, the known one (known.h). */
const char *qpw_words_end_named(unsigned kind, const uint8_t addr[16], const char *name, char *buf, size_t size);

/* An address with a port in host order: "10.1.0.12:445", "[fd00::1]:445"; port 0: only the address. With a known name:
 * "node2 (10.1.0.12:445)". */
const char *qpw_words_endpoint(const uint8_t addr[16], unsigned port, char *buf, size_t size);

/* An address, or a prefix of `length` bits out of 128: "10.1.0.12", "10.9.0.0/24", "fd00::/64". */
const char *qpw_words_local(const uint8_t addr[16], unsigned length, char *buf, size_t size);

/* "site.pcap, 12,345 packets, 20:41:07 to 20:42:07 …, 3 left out, sha256:…": a capture in reports. */
const char *qpw_words_capture(const struct qpw_capture_row *capture, char *buf, size_t size);

/* The prefix of a row of details: "10.9.0.0/24", "2001:db8:7::/48". */
const char *qpw_words_prefix(const uint8_t prefix[16], char *buf, size_t size);

/* "ncat[11331]"; only the name if the pid is 0 (unknown), "" if the name is empty. */
const char *qpw_words_process(const char *name, int pid, char *buf, size_t size);

/*
 * A policy by its name and its file (struct qpw_meta): "qumulo/on-prem (built-in)", "on-prem (/etc/qportwatch/policy)",
 * "/etc/qportwatch/policy" if the file gives it no name, "none".
 */
const char *qpw_words_policy(const char *name, const char *path, char *buf, size_t size);

/* The same within a sentence, by the location of its text: "/etc/qportwatch/policy", "built-in qumulo/on-prem". */
const char *qpw_words_policy_source(const char *name, const char *path, char *buf, size_t size);

/* Shown instead of peers if none is defined. */
#define QPW_WORDS_NOT_RECORDED "not known: the history does not keep it"
#define QPW_WORDS_NO_PEERS \
    "No peers defined: traffic from other cluster nodes is reported like any other. Define them with --peer."

/* ---- Enums in words; static, never NULL ---- */

/* Explain a verdict in a few words. */
const char *qpw_words_verdict(unsigned verdict);

/* Name a coverage event: "auditor started", "monitoring lost" for the enum's "hook-lost". */
const char *qpw_words_coverage(unsigned kind);

/* Describe a coverage record: "attached eth0: XDP (…)."; iface "" if it concerns none. Returns buf. */
#define QPW_EVENT_TEXT 480u
const char *qpw_words_event(const struct qpw_coverage *record, const char *iface, char *buf, size_t size);

/* Only its sentences: what happened, and who did it: "Process 12. By ana (as root), pts/3: qportwatch attach eth0." */
const char *qpw_words_event_text(const struct qpw_coverage *record, char *buf, size_t size);

/* Name a direction for people: "non-IP" for the enum's "non_ip". */
const char *qpw_words_direction(unsigned direction);

/* For narrow columns: the prefixes that a filter accepts, "in", "out", "unk", "tra", "und"; "-" if not IP. */
const char *qpw_words_direction_short(unsigned direction);

/* Name the mode of a hook of received packets (enum qpw_hook): "XDP", "TC", "" for none. */
const char *qpw_words_mode(unsigned hook);

/* The same with the reason, if known: "TC (requested with --mode tc)". Returns buf. */
const char *qpw_words_mode_why(unsigned hook, const char *why, char *buf, size_t size);

/* Name the address families seen: "IPv4", "IPv6", "IPv4+6", "-". */
const char *qpw_words_family(bool v4, bool v6);

#endif
