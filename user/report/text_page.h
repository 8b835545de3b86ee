/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* text_page.h - what the sections of the text report share; internal to text.c and text_coverage.c. */
#ifndef QPW_REPORT_TEXT_PAGE_H
#define QPW_REPORT_TEXT_PAGE_H

#include "facts/report.h"

struct qpw_page {
    const struct qpw_report *r;
    const struct qpw_text_options *o;
    unsigned width;
    FILE *out;
};

/* snprintf() that returns buf, to stand in an argument. */
const char *qpw_page_format(char *buf, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* A section's heading, with what there is to say at once behind it. */
void qpw_page_heading(const struct qpw_page *p, const char *title, const char *said);

/* The sections on what was not decided, and on what was watched and what was not. */
void qpw_page_undecided(const struct qpw_page *p);
void qpw_page_coverage(const struct qpw_page *p);

#endif
