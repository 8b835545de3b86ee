/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* live.h - what lasts between nodes (facts/live.h), as sentences. */
#ifndef QPW_WORDS_LIVE_H
#define QPW_WORDS_LIVE_H

#include "facts/live.h"
#include "words/difference.h"

/* Write the sentence about a finding, without a full stop, at this time. Returns buf. */
const char *qpw_words_live(const struct qpw_live_item *item, uint64_t now_unix_ns, char buf[QPW_DIFFERENCE_BYTES]);

/* Write the command that settles it; "" if there is none. Returns buf. */
const char *qpw_words_live_command(const struct qpw_live_item *item, char *buf, size_t size);

#endif
