/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * chain.h - a chain of SHA-256 sums through the lines of the alert log, which reveals lines deleted, changed, moved or
 * added later.
 *
 * Each line has the fact "chain", "NUMBER:SUM": the record's number in its chain, from 1, and the SHA-256 in hex of the line
 * itself, without its newline, computed with the previous line's sum in this position (64 zeros in the first line).
 * Anyone who can write the log can also write a new chain, so the chain proves something only to those who know a later sum.
 */
#ifndef QPW_ALERT_CHAIN_H
#define QPW_ALERT_CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QPW_LOG_CHAIN_SUM 65 /* 64 hex digits and a zero byte */
#define QPW_LOG_CHAIN_TEXT 88  /* "NUMBER:SUM" */

/* The end of a chain. */
struct qpw_log_chain {
    uint64_t number; /* of its last record; 0: none yet */
    char sum[QPW_LOG_CHAIN_SUM];   /* of that record, as text */
};

/* Initialize an empty chain. */
void qpw_log_chain_init(struct qpw_log_chain *chain);

/* Write the value of the next line's fact before it is sealed. Returns buf. */
const char *qpw_log_chain_text(const struct qpw_log_chain *chain, char buf[QPW_LOG_CHAIN_TEXT]);

/*
 * Replace qpw_log_chain_text() in the line by the line's sum. *ret_next is the chain including the line, valid once it is
 * written. Returns false, and leaves the line as it is, if it does not contain that text.
 */
bool qpw_log_chain_seal(const struct qpw_log_chain *chain, char *line, size_t length, struct qpw_log_chain *ret_next);

/* Read the line's number and sum. Returns false if it has none. */
bool qpw_log_chain_read(const char *line, size_t length, struct qpw_log_chain *ret);

#define QPW_LOG_CHAIN_WORDS(X) \
    X(HOLDS, "holds") \
    X(BEGINS, "begins") /* the first record of a chain, or its predecessor is not available */ \
    X(ADDED, "added") /* of no chain */ \
    X(CHANGED, "changed") \
    X(CUT, "cut") /* records before it are missing */ \
    X(MOVED, "moved") /* follows later ones, or is repeated */
#define QPW_X_CHAIN(s, n) QPW_LOG_CHAIN_##s,
enum qpw_log_chain_word { QPW_LOG_CHAIN_WORDS(QPW_X_CHAIN) QPW_LOG_CHAIN_WORD_COUNT };
const char *qpw_log_chain_word_name(unsigned value);

/*
 * Compare the line with the chain before it (number 0: none), and continue the chain from the line, so that after a break
 * each line is compared with its predecessor. The chain stays as it was after a line that is added or moved.
 */
enum qpw_log_chain_word qpw_log_chain_follow(struct qpw_log_chain *chain, const char *line, size_t length);

#endif
