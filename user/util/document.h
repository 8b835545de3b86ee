/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* document.h - the common beginning of every JSON document, and the common form of values. */
#ifndef QPW_UTIL_DOCUMENT_H
#define QPW_UTIL_DOCUMENT_H

#include <jansson.h>
#include <stdint.h>

/*
 * Create an object with schema, version, host, interfaces (none), from, to (both now) and policy (null). Documents
 * about a period, interfaces or a policy set these with the functions below; the order of keys stays. NULL: out of
 * memory.
 */
json_t *qpw_document(const char *schema);

/* host may be empty: this one. A time of 0 becomes null. */
void qpw_document_set_period(json_t *document, const char *host, uint64_t from_unix_ns, uint64_t to_unix_ns);
void qpw_document_set_policy(json_t *document, const char *name, const char *digest, const char *source_digest);

/* The same three values as a separate object. */
json_t *qpw_json_policy(const char *name, const char *digest, const char *source_digest);

/*
 * A string, or null for "" or NULL. If the text is not UTF-8 (a comment in a policy), non-ASCII characters are dropped.
 */
json_t *qpw_json_text(const char *value);

enum qpw_json_bounds { QPW_JSON_FITS, QPW_JSON_TEXT, QPW_JSON_DEPTH };

/*
 * Look, before anything is made of a foreign JSON text, whether its objects and lists are nested deeper than `depth`, or a
 * text in it is longer than `text` bytes even if each is written as \u0000. What is no JSON is the parser's to refuse.
 */
enum qpw_json_bounds qpw_json_bounds(const char *bytes, size_t length, size_t depth, size_t text);

/* RFC 3339 UTC, or null for 0. */
json_t *qpw_json_time(uint64_t unix_ns);

#endif
