/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* words.h - numbers, times and ends of exchanges as people read them. All write into buf and return it. */
#ifndef QPW_REPORT_WORDS_H
#define QPW_REPORT_WORDS_H

#include <stddef.h>
#include <stdint.h>

#include "qportwatch.h"

/* "999,999", then "1.23 M", "45.6 G" with three digits. */
const char *qpw_words_count(uint64_t count, char *buf, size_t size);

/* "999 B", "1.23 kB", "45.6 MB": powers of ten. */
const char *qpw_words_bytes(uint64_t bytes, char *buf, size_t size);

/* A part of a whole in percent: "12.3 %", "<0.1 %" for what is there but hardly, "0 %", ">99.9 %". */
const char *qpw_words_share(uint64_t part, uint64_t whole, char *buf, size_t size);

/* "45 s", "12 min 3 s", "5 h 4 min", "3 d 4 h". */
const char *qpw_words_duration(uint64_t ns, char *buf, size_t size);

/* "20:41:07" for a moment of the same UTC day as `now`, else "11-22 20:41"; "-" for 0. */
const char *qpw_words_moment(uint64_t unix_ns, uint64_t now_unix_ns, char *buf, size_t size);

/* "2026-11-23 20:41:07" in UTC. */
const char *qpw_words_day(uint64_t unix_ns, char *buf, size_t size);

/* "2026-11-23 20:41:07 to 2026-11-23 20:42:07 UTC (1 min 0 s)"; "none" where no packet had a time. */
const char *qpw_words_period(uint64_t from_unix_ns, uint64_t to_unix_ns, char *buf, size_t size);

/* An end of a finding: an address, or a MAC address where the kind is QPW_KIND_ETHERTYPE. buf of at least 46. */
const char *qpw_words_end(unsigned kind, const uint8_t addr[16], char *buf, size_t size);

/* The prefix of a row of detail: "10.9.0.0/24", "2001:db8:7::/48". buf of at least 50. */
const char *qpw_words_prefix(const uint8_t prefix[16], char *buf, size_t size);

/* "tcp 445", "icmp type 8", "0x88cc", "protocol 47", "any"; "tcp" where there is no port. */
const char *qpw_words_service(unsigned kind, unsigned protocol, unsigned port, char *buf, size_t size);

/* What a verdict means, in a few words. Static. */
const char *qpw_words_verdict(unsigned verdict);

#endif
