/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* near.h - "did you mean": find the known word closest to a mistyped one. */
#ifndef QPW_UTIL_NEAR_H
#define QPW_UTIL_NEAR_H

#include <stddef.h>

/* Start with the word and its length (it need not be NUL-terminated), offer known words, then get the hint. */
struct qpw_near {
    const char *word;
    size_t length;
    const char *best; /* borrowed from the offered words; NULL: none is close */
    unsigned distance;
};
struct qpw_near qpw_near_to(const char *word, size_t length);

/*
 * Offer a known word; NULL and the given word itself are ignored. Close means at most two letters added, omitted,
 * replaced or swapped with a neighbour, and fewer than half of the word's.
 */
void qpw_near_offer(struct qpw_near *near, const char *known);

/* Write "; did you mean 'inbound'?", or "" if nothing is close. Returns buf. */
const char *qpw_near_hint(const struct qpw_near *near, char *buf, size_t size);

/* Write the hint for a word and a NULL-terminated list. Returns buf. */
const char *qpw_near_among(const char *word, const char *const known[], char *buf, size_t size);

#endif
