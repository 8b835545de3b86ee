/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* numbers.h - numbers as people read them. As in words.h every function writes into buf and returns it. */
#ifndef QPW_WORDS_NUMBERS_H
#define QPW_WORDS_NUMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "999,999", then "1.23 M", "45.6 G" with three digits, cut and not rounded: never more than there was. */
const char *qpw_words_count(uint64_t count, char *buf, size_t size);

/* All its digits, ungrouped: for what is looked up and not read at a glance, as an offset or a flow_id. */
const char *qpw_words_exact(uint64_t number, char *buf, size_t size);

/* "1 packet", "12,345 packets": the noun takes an s, or es behind an s. */
const char *qpw_words_many(uint64_t count, const char *noun, char *buf, size_t size);

/* "89 packets, 10.8 kB". */
const char *qpw_words_traffic(uint64_t packets, uint64_t bytes, char *buf, size_t size);

/* "999 B", "1.23 kB", "45.6 MB". */
const char *qpw_words_bytes(uint64_t bytes, char *buf, size_t size);

/* "12.3 %", "<0.1 %", "0 %", ">99.9 %": "0 %" and "100 %" only for none and for all. */
const char *qpw_words_share(uint64_t part, uint64_t whole, char *buf, size_t size);

/* For a narrow place, in whole percents without a blank: "12%", "<1%", ">99%". */
const char *qpw_words_share_short(uint64_t part, uint64_t whole, char *buf, size_t size);

/* What was measured, rounded, with its unit unless that is "": "58.5 ns", "1.07". */
const char *qpw_words_figure(double value, int decimals, const char *unit, char *buf, size_t size);

/* For a narrow column, at most five characters: "0", "9999", "12.3k", "4.56M", "789G". */
const char *qpw_words_short(double value, char *buf, size_t size);

/* The same with the unit, from bytes a second: "12.3k B/s", or where `bits`, "98.4k bit/s". */
const char *qpw_words_rate(double bytes_per_second, bool bits, char *buf, size_t size);

/* A bar a value, scaled to the greatest, as UTF-8 of at most 3 bytes a value; oldest first, zero is a blank. */
const char *qpw_words_sparkline(const float *values, size_t n, char *buf, size_t size);

#endif
