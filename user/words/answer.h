/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* answer.h - the answer about a node as a sentence and as JSON, the same in every face. */
#ifndef QPW_WORDS_ANSWER_H
#define QPW_WORDS_ANSWER_H

#include <jansson.h>
#include <stddef.h>

#include "facts/answer.h"

/* What the state rests on: "20 unexpected attempts, none answered (worst: inbound tcp/22)". now: the snapshot's time.
 * Returns buf. */
const char *qpw_words_answer(const struct qpw_answer *answer, uint64_t now_unix_ns, char *buf, size_t size);

/* State, that, and what else applies: "PROBED: 20 unexpected …; also BLIND". Returns buf. */
#define QPW_HEADLINE_BYTES 320u
const char *qpw_words_headline(const struct qpw_answer *answer, uint64_t now_unix_ns, char *buf, size_t size);

/*
 * The same in so many columns: shorter words first, then without what is acknowledged, the worst, what else applies, and
 * last since when; what the state rests on is always said. Returns buf.
 */
const char *qpw_words_headline_within(const struct qpw_answer *answer, uint64_t now_unix_ns, int columns, char *buf,
                                      size_t size);

/* {state, text, since, worst, also}; worst: null or {flow_id, severity, direction, protocol, port}. NULL: no memory. */
json_t *qpw_json_answer(const struct qpw_answer *answer, uint64_t now_unix_ns);

/* The same where nothing is attached: BLIND, and why. */
json_t *qpw_json_answer_nothing(const char *why);

#endif
