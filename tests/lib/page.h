/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* page.h - the report's HTML page: made from demanding snapshots, parsed as by a browser, queried by XPath. */
#ifndef QPW_TESTS_PAGE_H
#define QPW_TESTS_PAGE_H

#include <libxml/HTMLparser.h>
#include <stdbool.h>
#include <stddef.h>

#include "host/process.h"
#include "report/render.h"
#include "sample.h"

/* Names that would act as markup, code, escape sequences, line ends or direction marks if they were not escaped. */
extern const char *const page_hostile[];
extern const size_t page_n_hostile;

/*
 * Make a sample_snapshot() with `findings` more answered findings, each of a different service; their names hostile, if
 * requested.
 */
void page_snapshot(struct qpw_snapshot *s, size_t findings, bool hostile);

/* Return the owner of a finding of such a snapshot: for struct qpw_render_options.owner, arg NULL. */
bool page_owner(void *arg, const struct qpw_finding_row *finding, struct qpw_process *ret);

/* Return the page; the caller frees it. */
char *page_of(const struct qpw_report *report, const struct qpw_render_options *options);

/*
 * Parse the page as a browser does; fail the test if the parser had to repair anything. The caller frees it:
 * xmlFreeDoc().
 */
htmlDocPtr page_read(const char *page);

/* Return the result of an XPath expression: a number, or text without surrounding blanks that the caller frees. */
double page_number(htmlDocPtr document, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *page_text(htmlDocPtr document, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
