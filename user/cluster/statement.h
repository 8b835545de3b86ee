/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* statement.h - a statement as a document, "qportwatch.statement/1": written here, and read from what other nodes wrote. */
#ifndef QPW_CLUSTER_STATEMENT_H
#define QPW_CLUSTER_STATEMENT_H

#include <jansson.h>
#include <stddef.h>

#include "facts/statement.h"
#include "util/error.h"

#define QPW_STATEMENT_SCHEMA "qportwatch.statement/1"
#define QPW_STATEMENT_BYTES (256u << 10) /* without its samples, and these for themselves */
#define QPW_STATEMENT_DEPTH 8u           /* of objects and lists in each other */
#define QPW_STATEMENT_STRING 256u        /* bytes */

/*
 * The document, within these limits: what finds no room is left out, services of pairs first, and counted in s->left_out.
 * r: the report that the statement is of. The caller drops *ret. 0 or -ENOMEM.
 */
int qpw_statement_json(struct qpw_statement *s, const struct qpw_report *r, json_t **ret);

/*
 * Read a statement that anybody may have written. source: what it is called in errors. What is not known here is ignored;
 * another major version, what is beyond the limits, what is damaged (its digest is another) and what has other types than it
 * should is an error. The caller clears *ret, also after an error. 0; -EINVAL or -ENOMEM with err.
 */
int qpw_statement_read(const char *bytes, size_t length, const char *source, struct qpw_statement *ret, struct qpw_error *err);

/* The same of a file. -errno of what cannot be read. */
int qpw_statement_load(const char *path, struct qpw_statement *ret, struct qpw_error *err);

/* "sha256:" and 64 digits of a document without its member "digest". Returns buf; NULL: no memory. */
#define QPW_STATEMENT_DIGEST 72
const char *qpw_statement_digest(const json_t *document, char buf[QPW_STATEMENT_DIGEST]);

#endif
