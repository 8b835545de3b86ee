/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* document.h - what every JSON document of the program begins with, and values as all of them write them. */
#ifndef QPW_UTIL_DOCUMENT_H
#define QPW_UTIL_DOCUMENT_H

#include <jansson.h>
#include <stdint.h>

/*
 * An object with schema, version, host, interfaces (none), from, to (both now) and policy (null). What is about a
 * period, interfaces or a policy says so with the functions below; keys keep this order. NULL: out of memory.
 */
json_t *qpw_document(const char *schema);

/* host may be empty: this one's. 0 is no time, and null. */
void qpw_document_set_period(json_t *document, const char *host, uint64_t from_unix_ns, uint64_t to_unix_ns);
void qpw_document_set_policy(json_t *document, const char *name, const char *digest, const char *source_digest);

/* The same three as an object of its own. */
json_t *qpw_json_policy(const char *name, const char *digest, const char *source_digest);

/*
 * A string, or null for an empty one or NULL. Text that is not UTF-8 (a comment in a policy) loses what is not ASCII.
 */
json_t *qpw_json_text(const char *value);

/* RFC 3339 UTC, or null for 0. */
json_t *qpw_json_time(uint64_t unix_ns);

#endif
