/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* difference.h - what differs between nodes, as sentences: what was seen, what accounts for it, what to do. */
#ifndef QPW_WORDS_DIFFERENCE_H
#define QPW_WORDS_DIFFERENCE_H

#include "facts/compare.h"

#define QPW_DIFFERENCE_BYTES 768u

/* Write the sentence about a difference into buf and return buf. */
const char *qpw_words_difference(const struct qpw_difference *d, char buf[QPW_DIFFERENCE_BYTES]);

/* Write the command that settles it, to be run on the node that it names; "" if there is none. Returns buf. */
const char *qpw_words_difference_command(const struct qpw_difference *d, char *buf, size_t size);

/* Return why two ends were not compared, as a part of a sentence; static. */
const char *qpw_words_uncompared(enum qpw_pair_state state);

#endif
