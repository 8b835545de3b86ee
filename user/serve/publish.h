/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* publish.h - give the listener the documents that were made of this node, in each form in which they are served. */
#ifndef QPW_SERVE_PUBLISH_H
#define QPW_SERVE_PUBLISH_H

#include "serve/listen.h"

#define QPW_PUBLISH_LOADED 40u /* bytes of a time, with terminator */

/*
 * Publish the statement of a file with and without its samples. Its ETag is its place in the sequence of statements.
 * ret_loaded: since when its policy is in force, as text; empty: unknown.
 */
void qpw_publish_statement(struct qpw_listen *l, const char *path, char ret_loaded[QPW_PUBLISH_LOADED]);

/* Publish that there is no statement. */
void qpw_publish_nothing(struct qpw_listen *l);

/* Publish the metrics of a file, which may be missing, with the listener's counters. */
void qpw_publish_metrics(struct qpw_listen *l, const char *path);

#endif
