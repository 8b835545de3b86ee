/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* table.h - aligned tables for people, no wider than the page: libsmartcols, with what this program shows in it. */
#ifndef QPW_WORDS_TABLE_H
#define QPW_WORDS_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "words/printer.h"

#define QPW_TABLE_COLUMNS 16

struct qpw_table_column {
    const char *title;
    bool right;      /* aligned to the right: numbers */
    bool wrap;       /* goes on below, in its column, where the page is narrow; else it keeps its width */
    bool optional;   /* left out, before anything is wrapped, where the page is narrow */
    unsigned least;  /* columns it takes even where its cells are narrower */
};

struct qpw_table {
    const struct qpw_table_column *columns;
    size_t n_columns; /* at most QPW_TABLE_COLUMNS */
    bool untitled;    /* rows only, as wide as with titles */
    /* ---- The table's own ---- */
    struct libscols_table *scols;
    struct libscols_line *last; /* added, borrowed from it */
    unsigned widths[QPW_TABLE_COLUMNS]; /* of the widest cell; kept when printed, so that later rows stand below */
    size_t n_rows;
};

/* Adds a row of n_columns cells, copied. 0 or -ENOMEM. */
int qpw_table_add(struct qpw_table *t, enum qpw_text_style style, const char *const *cells);

/* A sentence below the row added last, copied; only in a table where no column wraps. 0 or -ENOMEM. */
int qpw_table_note(struct qpw_table *t, const char *text);

/*
 * Writes titles and rows behind the printer's indent and forgets the rows; of a table without rows nothing. Columns
 * that are empty throughout are left out. 0 or -ENOMEM.
 */
int qpw_table_print(struct qpw_table *t, const struct qpw_printer *p);

void qpw_table_clear(struct qpw_table *t);

#endif
