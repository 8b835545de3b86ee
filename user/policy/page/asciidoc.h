/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* asciidoc.h - internals shared by the AsciiDoc reader's files; others include page.h. */
#ifndef QPW_POLICY_ASCIIDOC_H
#define QPW_POLICY_ASCIIDOC_H

#include "policy/page/page.h"

/* A cell's specifier. */
struct qpw_adoc_specifier {
    unsigned repeat;
    unsigned columns;
    unsigned rows;
    char style;
};

struct qpw_adoc_cell {
    char *text;
    size_t length;
    size_t room;
    unsigned line;
    struct qpw_adoc_specifier specifier;
};

struct qpw_adoc_cells {
    struct qpw_adoc_cell *list;
    size_t n;
    size_t first_line; /* cells that begin on the first line that has any: the number of columns */
    bool stray;        /* text before the first bar */
    unsigned stray_line;
};

/* A table's attributes and surroundings. */
struct qpw_adoc_table {
    const char *name;
    unsigned line;    /* of the body's first line */
    unsigned columns; /* by cols=; 0: as many as the first line has cells */
    bool header;      /* the first row has titles */
    bool options;     /* options were given, so a blank second line does not turn the first row into titles */
    bool hardbreaks;  /* every line end is a line break */
    bool conditional; /* within an ifdef:: */
    char separator;   /* of values, as in CSV; 0: cells begin with a bar */
};

/* Parse the attributes between the brackets, "cols=…, options=…", into *ret. */
void qpw_adoc_attributes(const char *text, struct qpw_adoc_table *ret);

/* Append the lines between the table's delimiters as rows of the page. 0, or negative errno with err. */
int qpw_adoc_rows(const struct qpw_adoc_table *table, const char *text, struct qpw_page *page, struct qpw_error *err);

/*
 * Split the lines between the table's delimiters into cells (asciidoc_cells.c). False: no memory. The caller clears
 * *ret.
 */
bool qpw_adoc_take_cells(const struct qpw_adoc_table *table, const char *text, struct qpw_adoc_cells *ret);
void qpw_adoc_clear_cells(struct qpw_adoc_cells *cells);

/*
 * Replace links by their text and entities by characters, remove code marks, and tidy, in place. False: part of the
 * text is struck out.
 */
bool qpw_adoc_clean(char *text);

#endif
