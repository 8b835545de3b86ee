/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * statements.h - policy text into statements of words, with every include put in its place.
 *
 * A statement is a line. Words are parted by white space; "..." keeps white space and may follow
 * key=; # at the start of a word begins a comment. What the words mean is parse.c's business.
 */
#ifndef QPW_POLICY_STATEMENTS_H
#define QPW_POLICY_STATEMENTS_H

#include <stdbool.h>
#include <stddef.h>

#include <nettle/sha2.h>

#include "policy/lang/faults.h"
#include "policy/lang/policy.h"
#include "util/error.h"

struct qpw_word {
    char *text;      /* without its quotes */
    unsigned column; /* from 1, in characters */
    bool quoted;     /* began with a quote: never a flag or key=value */
};

struct qpw_statement {
    struct qpw_where where; /* file is owned by the list's `files` */
    char *text;             /* as written, without comment and outer white space */
    struct qpw_word *words;
    size_t n_words;
    unsigned depth;         /* 0: of the outermost file */
};

struct qpw_statements {
    struct qpw_statement *list;
    size_t n;
    char **files; /* every file read, in the order of reading */
    size_t n_files;
    struct sha256_ctx digest; /* over the bytes of all of them */
    struct qpw_faults faults; /* of lines that are no statement, and of what `include` names */
    bool left_out;            /* by such a fault a statement, or a whole file of them, is missing */
};

#define QPW_MAX_POLICY_BYTES (16u << 20)
#define QPW_MAX_WORDS 65536u
#define QPW_MAX_INCLUDES 16u

/*
 * Reads text (named `name`) with its includes into *ret, to be cleared by the caller also after a
 * failure: errors point into its `files`. What is wrong with lines stands in its `faults`. 0, or a negative errno with
 * err filled: the file cannot be read, out of memory, or too many faults (-E2BIG).
 */
int qpw_statements_read_text(struct qpw_statements *ret, const char *name, const char *text, size_t length,
                             struct qpw_error *err);
int qpw_statements_read_file(struct qpw_statements *ret, const char *path, struct qpw_error *err);
void qpw_statements_clear(struct qpw_statements *statements);

/* Notes what is wrong at that place. 0 or -ENOMEM; -E2BIG: it is the last that is taken. */
int qpw_statements_fault(struct qpw_statements *all, const struct qpw_where *where, const char *text);

/*
 * A file of addresses or peers that a statement names: its lines as statements, appended to *ret
 * alone (no includes); faults go to all->faults. `relative_to` is the file that names it, or NULL.
 */
int qpw_statements_read_list(struct qpw_statements *all, struct qpw_statements *ret, const char *path,
                             const char *relative_to, struct qpw_error *err);

/* err becomes "FILE:LINE:COLUMN: what" (no column where it is 0). Returns -EINVAL. */
int qpw_fail_at(struct qpw_error *err, const struct qpw_where *where, unsigned column, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/*
 * Whole file into memory, terminated by a zero byte, at most QPW_MAX_POLICY_BYTES. Regular files only: the auditor reads
 * them again at a reload and must not wait for a FIFO. Caller frees. 0, or a negative errno with err filled.
 */
int qpw_read_whole(const char *path, char **ret_text, size_t *ret_length, struct qpw_error *err);

/* The same of what may be a pipe, for commands that read once what they are given. */
int qpw_read_stream(const char *path, char **ret_text, size_t *ret_length, struct qpw_error *err);

#endif
