/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * chain.h - each line of the alert log extends a chain of SHA-256 sums, so that what was cut out, changed, moved or added
 * afterwards shows.
 *
 * A line has the fact "chain", "NUMBER:SUM": the number of the record in its chain, from 1, and the SHA-256 in hex of the
 * line itself, without its newline, written with the sum of the line before it in this place (64 zeros in the first).
 * Anyone who can write the log can also write a new chain: it proves something only to those who know a later sum.
 */
#ifndef QPW_ALERT_CHAIN_H
#define QPW_ALERT_CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QPW_LOG_CHAIN_SUM 65   /* 64 hex digits and the end */
#define QPW_LOG_CHAIN_TEXT 88  /* "NUMBER:SUM" */

/* How far a chain has come. */
struct qpw_log_chain {
    uint64_t number;           /* of its last record, 0: none yet */
    char sum[QPW_LOG_CHAIN_SUM];   /* of that record, as text */
};

/* A chain without a record. */
void qpw_log_chain_init(struct qpw_log_chain *chain);

/* What the next line has to say before it is sealed. Returns buf. */
const char *qpw_log_chain_text(const struct qpw_log_chain *chain, char buf[QPW_LOG_CHAIN_TEXT]);

/*
 * Puts the sum into a line that says qpw_log_chain_text(), in place; *ret_next is the chain with it, to be taken once it is
 * written. False: it does not say so, and is left as it is.
 */
bool qpw_log_chain_seal(const struct qpw_log_chain *chain, char *line, size_t length, struct qpw_log_chain *ret_next);

/* The record of a chain that the line says it is. False: it says nothing. */
bool qpw_log_chain_read(const char *line, size_t length, struct qpw_log_chain *ret);

#define QPW_LOG_CHAIN_WORDS(X) \
    X(HOLDS, "holds") \
    X(BEGINS, "begins") /* the first record of a chain, or where what was before it is not at hand */ \
    X(ADDED, "added") /* of no chain */ \
    X(CHANGED, "changed") \
    X(CUT, "cut") /* records before it are missing */ \
    X(MOVED, "moved") /* it stands behind later ones, or twice */
#define QPW_X_CHAIN(s, n) QPW_LOG_CHAIN_##s,
enum qpw_log_chain_word { QPW_LOG_CHAIN_WORDS(QPW_X_CHAIN) QPW_LOG_CHAIN_WORD_COUNT };
const char *qpw_log_chain_word_name(unsigned value);

/*
 * What the line is to the chain that came to it (number 0: nothing has), which goes on from it: what comes after a break is
 * held against the line behind it. Of no chain and moved: the chain stays where it was.
 */
enum qpw_log_chain_word qpw_log_chain_follow(struct qpw_log_chain *chain, const char *line, size_t length);

#endif
