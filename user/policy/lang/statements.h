/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * statements.h - split policy text into statements of words, with every include expanded in place.
 *
 * A statement is a line. Words are separated by white space; "..." keeps white space and may follow key=; # at the start
 * of a word begins a comment. parse.c interprets the words.
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
    bool quoted; /* began with a quote: neither a flag nor key=value */
};

struct qpw_policy_statement {
    struct qpw_where where; /* its file name belongs to the list's `files` */
    char *text; /* as written, without comment and surrounding white space */
    struct qpw_word *words;
    size_t n_words;
    unsigned depth; /* 0: in the outermost file */
};

struct qpw_statements {
    struct qpw_policy_statement *list;
    size_t n;
    char **files; /* every file read, in the order of reading */
    size_t n_files;
    struct sha256_ctx digest; /* of the bytes of all files */
    struct qpw_faults faults; /* faults of lines that are no statement, and of includes */
    bool left_out; /* such a fault left out a statement or a whole file */
};

#define QPW_MAX_POLICY_BYTES (16u << 20)
#define QPW_MAX_WORDS 65536u
#define QPW_MAX_INCLUDES 16u

/*
 * Read text (named `name`) and its includes into *ret, which the caller clears also after a failure, because errors point
 * into its `files`. Faulty lines are recorded in `faults`. Returns 0, or a negative errno with err filled: the file cannot
 * be read, out of memory, or too many faults (-E2BIG).
 */
int qpw_statements_read_text(struct qpw_statements *ret, const char *name, const char *text, size_t length,
                             struct qpw_error *err);
int qpw_statements_read_file(struct qpw_statements *ret, const char *path, struct qpw_error *err);
void qpw_statements_clear(struct qpw_statements *statements);

/* Record a fault at that position. Returns 0 or -ENOMEM; -E2BIG: no more are accepted. */
int qpw_statements_fault(struct qpw_statements *all, const struct qpw_where *where, const char *text);

/*
 * Read a file of addresses or peers that a statement names: append its lines as statements to *ret (no includes), and
 * faults to all->faults. relative_to: the file that names it, or NULL.
 */
int qpw_statements_read_list(struct qpw_statements *all, struct qpw_statements *ret, const char *path,
                             const char *relative_to, struct qpw_error *err);

/* Fill err with "FILE:LINE:COLUMN: what" (no column if 0). Returns -EINVAL. */
int qpw_fail_at(struct qpw_error *err, const struct qpw_where *where, unsigned column, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/*
 * Read a whole file, at most QPW_MAX_POLICY_BYTES, and terminate it with a zero byte. Regular files only, because the
 * auditor reads them again at a reload and must not wait for a FIFO. The caller frees the text. Returns 0, or a negative
 * errno with err filled.
 */
int qpw_read_whole(const char *path, char **ret_text, size_t *ret_length, struct qpw_error *err);

/* The same, also from a pipe, for commands that read their input once. */
int qpw_read_stream(const char *path, char **ret_text, size_t *ret_length, struct qpw_error *err);

#endif
