/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* text_page.h - what the sections of the text report share; internal to text.c, text_findings.c and text_coverage.c. */
#ifndef QPW_REPORT_TEXT_PAGE_H
#define QPW_REPORT_TEXT_PAGE_H

#include "report/render.h"
#include "words/printer.h"

/* What fits on a screen, unless all is asked for. */
#define QPW_SCREEN_LINES 12u

struct qpw_text_page {
    const struct qpw_report *r;
    const struct qpw_render_options *o;
    struct qpw_printer printer;
};

/* How many of something the page shows: `few`, or all (0). */
size_t qpw_text_limit(const struct qpw_text_page *p, size_t few);

/* "and 7 more lines", where something is left. */
void qpw_text_more(const struct qpw_text_page *p, size_t left, const char *noun);

/* Sections, in their order. 0 or -ENOMEM. */
int qpw_text_findings(const struct qpw_text_page *p);
void qpw_text_undecided(const struct qpw_text_page *p);
void qpw_text_coverage(const struct qpw_text_page *p);

#endif
