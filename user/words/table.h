/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* table.h - aligned tables for people, no wider than the page, with libsmartcols. */
#ifndef QPW_WORDS_TABLE_H
#define QPW_WORDS_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "words/printer.h"

#define QPW_TABLE_COLUMNS 16

struct qpw_table_column {
    const char *title;
    bool right;      /* right-aligned: numbers */
    bool wrap;       /* wraps within its column if the page is narrow; otherwise it keeps its width */
    bool optional;   /* dropped before anything wraps if the page is narrow */
    unsigned least;  /* minimum width, even if its cells are narrower */
};

struct qpw_table {
    const struct qpw_table_column *columns;
    size_t n_columns; /* at most QPW_TABLE_COLUMNS */
    bool untitled;    /* omit the titles but keep their widths */
    /* ---- Internal ---- */
    struct libscols_table *scols;
    struct libscols_line *last; /* the last row added, borrowed from it */
    unsigned widths[QPW_TABLE_COLUMNS]; /* of the widest cell; kept after printing, so that later rows are aligned */
    size_t n_rows;
};

/* Add a row of n_columns cells, which are copied. Returns 0 or -ENOMEM. */
int qpw_table_add(struct qpw_table *t, enum qpw_text_style style, const char *const *cells);

/* Add a sentence (copied) below the last row; only in tables without wrapping columns. Returns 0 or -ENOMEM. */
int qpw_table_note(struct qpw_table *t, const char *text);

/*
 * Print titles and rows, indented, and forget the rows; prints nothing without rows. Completely empty columns are
 * omitted. Returns 0 or -ENOMEM.
 */
int qpw_table_print(struct qpw_table *t, const struct qpw_printer *p);

void qpw_table_clear(struct qpw_table *t);

#endif
