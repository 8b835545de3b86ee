/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* text.h - fill in a signature's text, and write the policy line that would allow the traffic. */
#ifndef QPW_ALERT_TEXT_H
#define QPW_ALERT_TEXT_H

#include "alert/engine.h"
#include "host/sockets.h"

#define QPW_ALLOW_LINE 640u /* bytes, with terminator */

/* Replacements for the words in braces that are not in the row; NULL: empty. */
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
    const char *whom;   /* addresses and prefixes that the line is limited to */
    const char *first;  /* the remote end that was reported first */
};

struct qpw_text_about {
    const struct qpw_engine_context *context;
    const struct qpw_finding_row *row;   /* NULL: no traffic */
    const struct qpw_process *process;   /* NULL: unknown */
    bool neighbour;                      /* on-link address, no peers defined */
    struct qpw_text_words words;
};

/* Replace every {word} of `text`; an unknown or empty one is removed. Returns buf. */
const char *qpw_text_fill(const char *text, const struct qpw_text_about *about, char *buf, size_t size);

/* Put the text and the advice of the record's signature into the record. */
void qpw_text_record(struct qpw_record *record, const struct qpw_text_about *about);

/*
 * Write qpw_words_allow() of the row: for its remote address only, or if `any` for words.whom, else for everyone.
 * False: buf explains why there is no line.
 */
bool qpw_text_allow_line(const struct qpw_text_about *about, bool any, char *buf, size_t size);

/* Write "tcp/4444" and the like, see qpw_words_service(). Returns buf. */
const char *qpw_text_service(const struct qpw_finding_key *key, char *buf, size_t size);

/* Return the context that texts need, from a snapshot that must outlive it. */
struct qpw_engine_context qpw_text_context(const struct qpw_snapshot *s);

/* Return the name of a rule or peer; "" if there is none. */
const char *qpw_text_rule(const struct qpw_engine_context *context, unsigned rule);
const char *qpw_text_peer(const struct qpw_engine_context *context, unsigned peer);

#endif
