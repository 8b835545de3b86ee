/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * page.h - a page as what an importer needs of it: headings, tabs, paragraphs and tables, each with its line.
 *
 * A reader (html.c, asciidoc.c, rst.c, csv.c; markdown.c in front of html.c) turns one dialect into these parts and
 * knows nothing of ports. Spans are already expanded: a row has a cell for each column.
 */
#ifndef QPW_POLICY_PAGE_H
#define QPW_POLICY_PAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "util/error.h"

#define QPW_MAX_COLUMNS 32u
#define QPW_MAX_PAGE_CELLS 500000u /* spans and repeats must not make a small file large */

enum qpw_part_kind {
    QPW_PART_NONE = 0,
    QPW_PART_HEADING, /* one cell, and its level */
    QPW_PART_TABLE,   /* a table begins; one cell: its caption, where it has one */
    QPW_PART_ROW,
    QPW_PART_TEXT,    /* one cell: a paragraph outside tables */
    QPW_PART_LISTING, /* code, whose text is left out */
    QPW_PART_TAB,     /* one of several alternatives begins: one cell, its label */
    QPW_PART_TAB_END,
};

enum qpw_tab {
    QPW_TAB_ONE_OF = 0,
    QPW_TAB_FOLD,      /* is opened by a click; several may be */
    QPW_TAB_CONDITION, /* there for some editions or readers only, even where there is no other */
};

struct qpw_cell {
    char *text;    /* UTF-8; blocks and line breaks within a cell are '\n', white space is single, dashes are '-' */
    unsigned line; /* where it begins */
    bool title;
    bool joined;   /* stands in several columns */
};

struct qpw_part {
    enum qpw_part_kind kind;
    unsigned line;
    unsigned level; /* of a heading, from 1; of a tab: enum qpw_tab */
    struct qpw_cell *cells;
    size_t n_cells;
    bool titles;    /* all cells are titles */
    bool bold;      /* all of a paragraph's text is */
    bool spanning;  /* one cell over several columns is all there is */
    char *fault;    /* why this row cannot be read, NULL: it can */
};

struct qpw_page {
    struct qpw_part *parts;
    size_t n;
    size_t n_cells;
    bool no_memory; /* something was left out of it: no memory, or too many cells */
};

/* -ENOMEM or -EINVAL with err, where the page is not whole; otherwise 0. */
int qpw_page_check(const struct qpw_page *page, const char *name, struct qpw_error *err);

/* Appends a part; with text, a cell of it. The part is valid until the next one is added; NULL: no memory. */
struct qpw_part *qpw_page_add(struct qpw_page *page, enum qpw_part_kind kind, unsigned line);
struct qpw_part *qpw_page_add_text(struct qpw_page *page, enum qpw_part_kind kind, unsigned line, const char *text);

/* Appends a cell to the last part. Takes the text. */
struct qpw_cell *qpw_page_add_cell(struct qpw_page *page, char *text, unsigned line);

/* Says of the last part, a row, why it cannot be read; the first reason stays. */
void qpw_page_fault(struct qpw_page *page, const char *why);

void qpw_page_clear(struct qpw_page *page);

/* ---- Spans: cells that reach into further columns and rows ---- */

struct qpw_spans {
    struct qpw_cell cells[QPW_MAX_COLUMNS]; /* what reaches down, by column */
    unsigned rows[QPW_MAX_COLUMNS];         /* into how many more rows */
    size_t physical;                        /* cells of the row so far, without those from above */
    size_t inherited;
};

struct qpw_span {
    unsigned columns;
    unsigned rows;
    bool title;
};

/* A row of a table with spans: begin, its cells (the text is taken), end. Overlaps and too many cells are faults. */
void qpw_row_begin(struct qpw_page *page, struct qpw_spans *spans, unsigned line);
void qpw_row_cell(struct qpw_page *page, struct qpw_spans *spans, char *text, unsigned line,
                  const struct qpw_span *span);
void qpw_row_end(struct qpw_page *page, struct qpw_spans *spans);
/* No cell reaches further down: the end of a table or of a group of its rows. */
void qpw_spans_clear(struct qpw_spans *spans);

/*
 * What the text of a link, or of other raised or styled text, is behind the `length` bytes of `before`: "22 [1](#n)" has a
 * note's mark, and "80, [443](#n)" a port. An aside is neither for sure: it goes into brackets.
 */
enum qpw_link { QPW_LINK_TEXT, QPW_LINK_MARK, QPW_LINK_ASIDE };
enum qpw_link qpw_link_of(const char *before, size_t length, const char *text, size_t text_length, bool in_page);

/* Whether all of the text stands between two marks, as in **bold**, which are cut off; a colon may be behind. In place. */
bool qpw_cut_bold(char *text, const char *mark);

/* Behind what is no text of a paragraph, but marks of a list or of a box around others: "* ", "2. ", ":::{tab-item} ". */
const char *qpw_behind_marks(const char *text);

/* White space single, '\v' and what is around it '\n'; dashes '-'; what has no width is dropped. In place. */
char *qpw_tidy(char *text);

/* ---- Readers. 0, or negative errno with err "NAME:LINE: what"; the caller clears *ret, also after a failure. ---- */

int qpw_read_html(const char *name, const char *html, struct qpw_page *ret, struct qpw_error *err);
int qpw_read_markdown(const char *name, const char *text, struct qpw_page *ret, struct qpw_error *err);
int qpw_read_asciidoc(const char *name, const char *text, struct qpw_page *ret, struct qpw_error *err);
int qpw_read_rst(const char *name, const char *text, struct qpw_page *ret, struct qpw_error *err);
/* `separator` 0: the one that the first line has most of: comma, semicolon or tab. */
int qpw_read_csv(const char *name, const char *text, char separator, struct qpw_page *ret, struct qpw_error *err);

/* Rows of separated values that begin in `line` of a page, as rows of its last table. `n_titles` of them are titles. */
struct qpw_csv {
    const char *name;
    unsigned line;
    char separator;
    size_t n_titles;
};
int qpw_csv_rows(const struct qpw_csv *csv, const char *text, struct qpw_page *page, struct qpw_error *err);

#endif
