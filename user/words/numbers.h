/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* numbers.h - numbers as people read them. As in words.h every function writes into buf and returns it. */
#ifndef QPW_WORDS_NUMBERS_H
#define QPW_WORDS_NUMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "999,999", then "1.23 M", "45.6 G": three digits, truncated rather than rounded, and so never more than the count. */
const char *qpw_words_count(uint64_t count, char *buf, size_t size);

/* All digits, ungrouped: for numbers that are looked up, such as an offset or a flow_id. */
const char *qpw_words_exact(uint64_t number, char *buf, size_t size);

/* "1 packet", "12,345 packets": the noun gets an s, or es after an s. */
const char *qpw_words_many(uint64_t count, const char *noun, char *buf, size_t size);

/* "89 packets, 10.8 kB". */
const char *qpw_words_traffic(uint64_t packets, uint64_t bytes, char *buf, size_t size);

/* "999 B", "1.23 kB", "45.6 MB". */
const char *qpw_words_bytes(uint64_t bytes, char *buf, size_t size);

/* "12.3 %", "<0.1 %", "0 %", ">99.9 %": "0 %" and "100 %" only for exactly none and all. */
const char *qpw_words_share(uint64_t part, uint64_t whole, char *buf, size_t size);

/* For narrow columns, in whole percents without a blank: "12%", "<1%", ">99%". */
const char *qpw_words_share_short(uint64_t part, uint64_t whole, char *buf, size_t size);

/* A measured value, rounded, with its unit unless that is "": "58.5 ns", "1.07". */
const char *qpw_words_figure(double value, int decimals, const char *unit, char *buf, size_t size);

/* For a narrow column, at most five characters: "0", "9999", "12.3k", "4.56M", "789G". */
const char *qpw_words_short(double value, char *buf, size_t size);

/* The same with a unit, from bytes per second: "12.3k B/s" or, with `bits`, "98.4k bit/s". */
const char *qpw_words_rate(double bytes_per_second, bool bits, char *buf, size_t size);

/* Draw a bar per value, scaled to the greatest, as UTF-8 of at most 3 bytes each; oldest first, zero is a blank. */
const char *qpw_words_sparkline(const float *values, size_t n, char *buf, size_t size);

#endif
