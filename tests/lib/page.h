/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* page.h - the report's page: made of snapshots that strain it, read back as a browser would, asked by XPath. */
#ifndef QPW_TESTS_PAGE_H
#define QPW_TESTS_PAGE_H

#include <libxml/HTMLparser.h>
#include <stdbool.h>
#include <stddef.h>

#include "host/process.h"
#include "report/render.h"
#include "sample.h"

/* Names that would be markup, code, escape sequences, other lines or another direction, where they were taken as they are. */
extern const char *const page_hostile[];
extern const size_t page_n_hostile;

/* As sample_snapshot(), with `findings` answered ones more, each of a service of its own; their names hostile, where asked. */
void page_snapshot(struct qpw_snapshot *ret, size_t findings, bool hostile);

/* Owner of a finding of such a snapshot: struct qpw_render_options.owner, arg NULL. */
bool page_owner(void *arg, const struct qpw_finding_row *finding, struct qpw_process *ret);

/* The page; the caller frees it. */
char *page_of(const struct qpw_report *report, const struct qpw_render_options *options);

/* As a browser reads it; fails the test where something had to be mended. The caller frees it: xmlFreeDoc(). */
htmlDocPtr page_read(const char *page);

/* What an XPath expression finds: a number, or a text without blanks around it that the caller frees. */
double page_number(htmlDocPtr document, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *page_text(htmlDocPtr document, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
