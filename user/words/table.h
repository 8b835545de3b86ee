/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* table.h - aligned tables and lists that never get wider than the screen. */
#ifndef QPW_REPORT_TABLE_H
#define QPW_REPORT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define QPW_TABLE_COLUMNS 10

enum qpw_text_style { QPW_TEXT_PLAIN, QPW_TEXT_BOLD, QPW_TEXT_BAD, QPW_TEXT_DOUBT, QPW_TEXT_GOOD, QPW_TEXT_DIM };

struct qpw_table_column {
    const char *title;
    bool right;      /* aligned to the right: numbers */
    unsigned least;  /* may be cut down to this width when the screen is narrow; 0: never */
    bool optional;   /* left out, before anything is cut, when the screen is narrow */
};

struct qpw_table {
    const struct qpw_table_column *columns;
    size_t n_columns;
    char **cells; /* n_columns a row */
    enum qpw_text_style *styles;
    size_t n_rows, room;
};

/* Adds a row, copying its n_columns cells. 0 or -ENOMEM. */
int qpw_table_add(struct qpw_table *t, enum qpw_text_style style, const char *const *cells);

/* Writes titles and rows, indented by two; what is cut ends in '~'. Columns that are empty throughout are left out. */
void qpw_table_print(const struct qpw_table *t, unsigned width, bool colour, FILE *out);

void qpw_table_clear(struct qpw_table *t);

/* A text in a style; the same without escape sequences unless colour is set. */
void qpw_styled(FILE *out, bool colour, enum qpw_text_style style, const char *text);

/* Words separated by ", " after a label, broken between them, further lines indented as the first. */
struct qpw_list {
    FILE *out;
    unsigned width, indent, column;
    size_t limit; /* as many are written, of the others only their number; 0: all */
    size_t items;
};
void qpw_list_begin(struct qpw_list *l, FILE *out, unsigned width, size_t limit, const char *label);
void qpw_list_add(struct qpw_list *l, const char *item);
void qpw_list_end(struct qpw_list *l);

/* A sentence, broken at its spaces, all lines indented by `indent`. */
void qpw_wrap(FILE *out, unsigned width, unsigned indent, const char *text);

#endif
