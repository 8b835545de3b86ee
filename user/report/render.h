/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* render.h - the report as text, JSON and HTML. Each writes to `out` and returns 0, or a negative errno. */
#ifndef QPW_REPORT_RENDER_H
#define QPW_REPORT_RENDER_H

#include <stdbool.h>
#include <stdio.h>

#include "facts/report.h"

struct qpw_listening;
struct qpw_listening_about;
struct qpw_policy;
struct qpw_process;

struct qpw_render_options {
    unsigned columns; /* of the page, text only; at least QPW_LEAST_COLUMNS is used */
    bool colour;      /* text only */
    bool all;         /* every line of every section, not only what fits on a screen; text only */
    /* Who holds the node's end of a finding: true and *ret filled, or false. NULL: not asked. */
    bool (*owner)(void *arg, const struct qpw_finding_row *finding, struct qpw_process *ret);
    void *arg;
    /* The sockets that listen, and what they are held against; NULL: not read, *_why says why not. */
    const struct qpw_listening *listening;
    const struct qpw_listening_about *listening_about;
    const char *listening_why;
    const struct qpw_policy *policy; /* the text of the policy in force, which says why each rule is there; NULL: not to be had */
};

/* One screen for people. */
int qpw_report_text(const struct qpw_report *r, const struct qpw_render_options *options, FILE *out);

/* One JSON document, schema "qportwatch.report/1", ending in a newline. */
int qpw_report_json(const struct qpw_report *r, const struct qpw_render_options *options, FILE *out);

/* One page by itself, light or dark as the reader has it, without anything to load; its script only sorts and filters. */
int qpw_report_html(const struct qpw_report *r, const struct qpw_render_options *options, FILE *out);

#endif
