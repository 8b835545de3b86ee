/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* page.h - a web page as what an importer needs of it: headings, table rows, paragraphs, each with its line. */
#ifndef QPW_POLICY_PAGE_H
#define QPW_POLICY_PAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "util/error.h"

enum qpw_part_kind {
    QPW_PART_NONE = 0,
    QPW_PART_HEADING, /* one cell */
    QPW_PART_TABLE,   /* a table begins: no cells */
    QPW_PART_ROW,     /* cells; rowspan is spread over the rows it spans */
    QPW_PART_TEXT,    /* one cell: a paragraph outside tables */
};

struct qpw_part {
    enum qpw_part_kind kind;
    unsigned line;
    char **cells;  /* UTF-8; blocks and line breaks within a cell are '\n', white space is single, dashes are '-' */
    size_t n_cells;
    bool titles;   /* all cells are <th>, or the row is in <thead> */
    bool spanning; /* one cell over several columns */
};

struct qpw_page {
    struct qpw_part *parts;
    size_t n;
};

/*
 * Reads HTML (text, terminated). Notes, scripts and superscripts within cells are left out. 0, or
 * negative errno with err "NAME:LINE: what" (a table that is not closed, cells out of order).
 */
int qpw_page_read(const char *name, const char *html, struct qpw_page *ret, struct qpw_error *err);
void qpw_page_clear(struct qpw_page *page);

#endif
