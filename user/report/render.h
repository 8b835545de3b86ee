/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* render.h - write the report as text, JSON or HTML to `out`. Each returns 0 or a negative errno. */
#ifndef QPW_REPORT_RENDER_H
#define QPW_REPORT_RENDER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "facts/report.h"

struct qpw_cluster_status;
struct qpw_found_list;
struct qpw_listening;
struct qpw_listening_about;
struct qpw_policy;
struct qpw_process;

struct qpw_render_options {
    unsigned columns; /* page width, text only; at least QPW_LEAST_COLUMNS is used */
    bool colour;      /* text only */
    bool all;         /* every line of every section instead of one screen; text only */
    /* Find the owner of the node's end of a finding: true with *ret filled, or false. NULL: skip. */
    bool (*owner)(void *arg, const struct qpw_finding_row *finding, struct qpw_process *ret);
    void *arg;
    /* Listening sockets and what they are compared with; NULL: not read, listening_why has the reason. */
    const struct qpw_listening *listening;
    const struct qpw_listening_about *listening_about;
    const char *listening_why;
    /* What `serve` hears of the peers, and what it found between the nodes; NULL: nothing, cluster_why has the reason if there is one. */
    const struct qpw_cluster_status *cluster;
    const struct qpw_found_list *cluster_found;
    const char *cluster_why;
    /* Text of the policy in force, which has the reason of each rule; NULL: unavailable. */
    const struct qpw_policy *policy;
};

/* Write one screen of text for people. */
int qpw_report_text(const struct qpw_report *r, const struct qpw_render_options *options, FILE *out);

/* Return the document, schema "qportwatch.report/1", which the caller releases. NULL: out of memory. */
json_t *qpw_report_document(const struct qpw_report *r, const struct qpw_render_options *options);

/* Write that document, followed by a newline. */
int qpw_report_json(const struct qpw_report *r, const struct qpw_render_options *options, FILE *out);

/*
 * Write one self-contained page that loads nothing and follows the reader's light or dark setting; its script only
 * sorts and filters.
 */
int qpw_report_html(const struct qpw_report *r, const struct qpw_render_options *options, FILE *out);

#endif
