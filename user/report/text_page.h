/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* text_page.h - shared by the sections of the text report; internal to the text_….c and text.c. */
#ifndef QPW_REPORT_TEXT_PAGE_H
#define QPW_REPORT_TEXT_PAGE_H

#include "report/render.h"
#include "words/printer.h"

/* Lines that fit on a screen, unless --all is given. */
#define QPW_SCREEN_LINES 12u

struct qpw_text_page {
    const struct qpw_report *r;
    const struct qpw_render_options *o;
    struct qpw_printer printer;
};

/* Return how many of something to show: `few`, or all (0). */
size_t qpw_text_limit(const struct qpw_text_page *p, size_t few);

/* Print "and 7 more lines", if any are left. */
void qpw_text_more(const struct qpw_text_page *p, size_t left, const char *noun);

/* Print a section. Returns 0 or -ENOMEM. */
int qpw_text_findings(const struct qpw_text_page *p);
int qpw_text_cluster(const struct qpw_text_page *p); /* nothing where no peer is asked */
int qpw_text_speaks(const struct qpw_text_page *p);
void qpw_text_undecided(const struct qpw_text_page *p);
void qpw_text_coverage(const struct qpw_text_page *p);

#endif
