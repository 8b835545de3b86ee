/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* answer.h - the answer about a node as a sentence and as JSON, the same in every face. */
#ifndef QPW_WORDS_ANSWER_H
#define QPW_WORDS_ANSWER_H

#include <jansson.h>
#include <stddef.h>

#include "facts/answer.h"

/* Write the basis of the state: "20 unexpected attempts, none answered (worst: inbound tcp/22)". now: the snapshot's
 * time. Returns buf. */
const char *qpw_words_answer(const struct qpw_answer *answer, uint64_t now_unix_ns, char *buf, size_t size);

/* Write the state, its basis, and what else applies: "PROBED: 20 unexpected …; also BLIND". Returns buf. */
#define QPW_HEADLINE_BYTES 320u
const char *qpw_words_headline(const struct qpw_answer *answer, uint64_t now_unix_ns, char *buf, size_t size);

/*
 * The same within a number of columns: first with shorter words, then without acknowledged findings, the worst, what
 * else applies and finally the time; the basis is always included. Returns buf.
 */
const char *qpw_words_headline_within(const struct qpw_answer *answer, uint64_t now_unix_ns, int columns, char *buf,
                                      size_t size);

/*
 * Build {state, text, since, worst, also}; worst: null or {flow_id, severity, direction, protocol, port}. NULL: out of
 * memory.
 */
json_t *qpw_json_answer(const struct qpw_answer *answer, uint64_t now_unix_ns);

/* The same if nothing is attached: BLIND, for the reason `why`. */
json_t *qpw_json_answer_nothing(const char *why);

#endif
