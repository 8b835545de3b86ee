/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* text.h - fills a signature's text from what is known, and writes the policy line that would allow a thing. */
#ifndef QPW_ALERT_TEXT_H
#define QPW_ALERT_TEXT_H

#include "alert/engine.h"
#include "host/sockets.h"

#define QPW_ALLOW_LINE 640u /* bytes, with the end */

/* What stands for the words in braces that are not in the row; NULL: nothing. */
struct qpw_text_words {
    const char *count;
    const char *detail;
    const char *ports;
    const char *prefixes;
    const char *peer;
    const char *iface;
    const char *rule;   /* overrides the row's rule */
    const char *remote;
    const char *wanted; /* owner= of the rule */
    const char *whom;   /* addresses and prefixes that the line for everyone is narrowed to */
    const char *first;  /* the remote end that was reported first */
};

struct qpw_text_about {
    const struct qpw_engine_context *context;
    const struct qpw_finding_row *row;   /* NULL: no traffic */
    const struct qpw_process *process;   /* NULL: not known */
    bool neighbour;                      /* on-link address, no peer given */
    struct qpw_text_words words;
};

/* Replaces every {word} of `text`; an unknown or empty one vanishes. Returns buf. */
const char *qpw_text_fill(const char *text, const struct qpw_text_about *about, char *buf, size_t size);

/* The text and the advice of the record's signature, into the record. */
void qpw_text_record(struct qpw_record *record, const struct qpw_text_about *about);

/* qpw_words_allow() of the row, for its remote address only or (`any`) for words.whom, else for everyone. False: buf says why there is no line. */
bool qpw_text_allow_line(const struct qpw_text_about *about, bool any, char *buf, size_t size);

/* "tcp/4444" and the like, see qpw_words_service(). Returns buf. */
const char *qpw_text_service(const struct qpw_finding_key *key, char *buf, size_t size);

/* What the texts need to know of a snapshot, which must outlive it. */
struct qpw_engine_context qpw_text_context(const struct qpw_snapshot *s);

/* Name of a rule or peer; "" where there is none. */
const char *qpw_text_rule(const struct qpw_engine_context *context, unsigned rule);
const char *qpw_text_peer(const struct qpw_engine_context *context, unsigned peer);

#endif
