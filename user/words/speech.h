/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* speech.h - what first bytes look like, and what was expected of them, in words and as JSON. */
#ifndef QPW_WORDS_SPEECH_H
#define QPW_WORDS_SPEECH_H

#include <jansson.h>

#include "snapshot/snapshot.h"

/* "TLS", "text", "nothing": what bytes of that class (enum qpw_speech) look like. Static. */
const char *qpw_words_speech(unsigned speech);

/* "SMB", "TLS or HTTP": services (QPW_SPEAKS()) as people call them. Writes into buf, returns buf. */
const char *qpw_words_services(uint32_t services, char *buf, size_t size);

/*
 * Of a finding of verdict mismatch, how its first bytes differ from what the rule names: "this node's end is not: its first
 * bytes look like text; those of the other end look like HTTP". Writes into buf, returns buf.
 */
const char *qpw_words_mismatch(const struct qpw_finding *f, char *buf, size_t size);

/* "own text, other HTTP", for a table or a detail; "" where neither end was looked at. Writes into buf, returns buf. */
const char *qpw_words_speaks(const uint8_t speaks[2], char *buf, size_t size);

/* {"own": "tls", "other": null}; null where neither end was looked at. speaks: [0] of the remote end, [1] of the node's. */
json_t *qpw_json_speaks(const uint8_t speaks[2]);

/*
 * Why connections of a listed port were not judged, "mute 12, short 3"; judged: struct qpw_speaks_row's. Writes into buf,
 * returns buf.
 */
#define QPW_WORDS_UNJUDGED 160
const char *qpw_words_unjudged(const uint64_t judged[QPW_JUDGED_COUNT], char *buf, size_t size);

/*
 * Of each listed port that was looked at: [{protocol, port, direction, rule, connections, match, mismatch, not_judged
 * {midstream, short, …}}]. NULL: no memory.
 */
json_t *qpw_json_speaks_ports(const struct qpw_snapshot *s);

#endif
