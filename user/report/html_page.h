/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* html_page.h - what the sections of the HTML report share; internal to html.c, html_page.c and html_coverage.c. */
#ifndef QPW_REPORT_HTML_PAGE_H
#define QPW_REPORT_HTML_PAGE_H

#include "report/render.h"
#include "words/html.h"

struct qpw_html_page {
    const struct qpw_report *r;
    const struct qpw_render_options *o;
    struct qpw_html *h;
};

void qpw_page_heading(const struct qpw_html_page *p, const char *title);
void qpw_page_paragraph(const struct qpw_html_page *p, const char *class, const char *text);

/* A name with what is said of it, within a <dl>. */
void qpw_page_term(const struct qpw_html_page *p, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A table's opening with its titles, ended by NULL; those of numbers begin with '#'. */
void qpw_page_open_table(const struct qpw_html_page *p, const char *const *titles);
void qpw_page_close_table(const struct qpw_html_page *p);
void qpw_page_open_row(const struct qpw_html_page *p);
void qpw_page_close_row(const struct qpw_html_page *p);
void qpw_page_cell(const struct qpw_html_page *p, const char *class, const char *text);

/* Sections. */
void qpw_page_undecided(const struct qpw_html_page *p);
void qpw_page_coverage(const struct qpw_html_page *p);

#endif
