/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* near.h - "did you mean": the known word that a mistyped one is nearest to. */
#ifndef QPW_UTIL_NEAR_H
#define QPW_UTIL_NEAR_H

#include <stddef.h>

/* Begin with the word and its length (it need not end there); offer what is known; then ask for the hint. */
struct qpw_near {
    const char *word;
    size_t length;
    const char *best; /* borrowed from what was offered; NULL: nothing is near */
    unsigned distance;
};
struct qpw_near qpw_near_to(const char *word, size_t length);

/*
 * A known word; NULL and a word like the one given count as none. Near is at most two letters added, left out, exchanged
 * or swapped with their neighbour, and fewer than half of the word.
 */
void qpw_near_offer(struct qpw_near *near, const char *known);

/* "; did you mean 'inbound'?", or "" where nothing is near. Returns buf. */
const char *qpw_near_hint(const struct qpw_near *near, char *buf, size_t size);

/* The hint for a word and a list ended by NULL. */
const char *qpw_near_among(const char *word, const char *const known[], char *buf, size_t size);

#endif
