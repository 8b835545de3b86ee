/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * page.h - a page as the importer needs it: headings, tabs, paragraphs and tables, each with its line.
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
#define QPW_MAX_PAGE_CELLS 500000u /* bound for spans and repeats in a small file */

enum qpw_part_kind {
    QPW_PART_NONE = 0,
    QPW_PART_HEADING, /* one cell, and its level */
    QPW_PART_TABLE,   /* a table begins; one cell: its caption, if it has one */
    QPW_PART_ROW,
    QPW_PART_TEXT,    /* one cell: a paragraph outside tables */
    QPW_PART_LISTING, /* code; its text is left out */
    QPW_PART_TAB,     /* one of several alternatives begins: one cell, its label */
    QPW_PART_TAB_END,
};

enum qpw_page_tab {
    QPW_TAB_ONE_OF = 0,
    QPW_TAB_FOLD, /* opened by a click; several can be open */
    QPW_TAB_CONDITION, /* for some editions or readers only, even if it is the only one */
};

struct qpw_page_cell {
    char *text;    /* UTF-8; blocks and line breaks within a cell are '\n', white space is single, dashes are '-' */
    unsigned line; /* where it begins */
    bool title;
    bool joined;   /* spans several columns */
};

struct qpw_part {
    enum qpw_part_kind kind;
    unsigned line;
    unsigned level; /* of a heading, from 1; of a tab: enum qpw_page_tab */
    struct qpw_page_cell *cells;
    size_t n_cells;
    bool titles;    /* all cells are titles */
    bool bold;      /* the whole paragraph is bold */
    bool spanning;  /* the row is a single cell across several columns */
    char *fault;    /* why this row cannot be read; NULL: it can */
};

struct qpw_page {
    struct qpw_part *parts;
    size_t n;
    size_t n_cells;
    bool no_memory; /* incomplete: no memory, or too many cells */
};

/* Return 0, or -ENOMEM or -EINVAL with err if the page is incomplete. */
int qpw_page_check(const struct qpw_page *page, const char *name, struct qpw_error *err);

/* Append a part; the second one with one cell. The part is valid until the next one is added; NULL: no memory. */
struct qpw_part *qpw_page_add(struct qpw_page *page, enum qpw_part_kind kind, unsigned line);
struct qpw_part *qpw_page_add_text(struct qpw_page *page, enum qpw_part_kind kind, unsigned line, const char *text);

/* Append a cell to the last part. Takes ownership of the text. NULL: no memory. */
struct qpw_page_cell *qpw_page_add_cell(struct qpw_page *page, char *text, unsigned line);

/* Record why the last part, a row, cannot be read; the first reason is kept. */
void qpw_page_fault(struct qpw_page *page, const char *why);

void qpw_page_clear(struct qpw_page *page);

/* ---- Spans: cells that extend into further columns and rows ---- */

struct qpw_spans {
    struct qpw_page_cell cells[QPW_MAX_COLUMNS]; /* the cell that extends down, by column */
    unsigned rows[QPW_MAX_COLUMNS];         /* number of further rows it covers */
    size_t physical;                        /* cells of the row so far, without those from above */
    size_t inherited;
};

struct qpw_span {
    unsigned columns;
    unsigned rows;
    bool title;
};

/*
 * Build a row of a table with spans: begin, its cells (takes ownership of the text), end. Overlaps and too many cells
 * are faults.
 */
void qpw_row_begin(struct qpw_page *page, struct qpw_spans *spans, unsigned line);
void qpw_row_cell(struct qpw_page *page, struct qpw_spans *spans, char *text, unsigned line,
                  const struct qpw_span *span);
void qpw_row_end(struct qpw_page *page, struct qpw_spans *spans);
/* Forget all cells that extend down, at the end of a table or row group. */
void qpw_spans_clear(struct qpw_spans *spans);

/*
 * Classify the text of a link, or of other raised or styled text, that follows the `length` bytes of `before`: in "22
 * [1](#n)" it is a note's mark, in "80, [443](#n)" a port. An aside may be either, so it is put in brackets.
 */
enum qpw_page_link { QPW_LINK_TEXT, QPW_LINK_MARK, QPW_LINK_ASIDE };
enum qpw_page_link qpw_link_of(const char *before, size_t length, const char *text, size_t text_length, bool in_page);

/* Remove the marks around a text that is bold as a whole, as in **bold** or **bold**:, in place. False: it is not. */
bool qpw_cut_bold(char *text, const char *mark);

/* Return the text after marks of a list or a box, such as "* ", "2. ", ":::{tab-item} ". */
const char *qpw_behind_marks(const char *text);

/*
 * Normalize in place: single white space, '\n' for '\v' and white space around it, '-' for dashes, no zero-width
 * characters.
 */
char *qpw_tidy(char *text);

/* ---- Readers. 0, or negative errno with err "NAME:LINE: what"; the caller clears *ret, also after a failure. ---- */

int qpw_read_html(const char *name, const char *html, struct qpw_page *ret, struct qpw_error *err);
int qpw_read_markdown(const char *name, const char *text, struct qpw_page *ret, struct qpw_error *err);
int qpw_read_asciidoc(const char *name, const char *text, struct qpw_page *ret, struct qpw_error *err);
int qpw_read_rst(const char *name, const char *text, struct qpw_page *ret, struct qpw_error *err);
/* `separator` 0: comma, semicolon, tab or bar, whichever occurs most often on one of the first lines. */
int qpw_read_csv(const char *name, const char *text, char separator, struct qpw_page *ret, struct qpw_error *err);

/*
 * Rows of separated values that begin at `line` of a page, as rows of its last table. The first `n_titles` are titles.
 */
struct qpw_csv {
    const char *name;
    unsigned line;
    char separator;
    size_t n_titles;
};
int qpw_csv_rows(const struct qpw_csv *csv, const char *text, struct qpw_page *page, struct qpw_error *err);

#endif
