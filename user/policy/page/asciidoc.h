/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* asciidoc.h - what the parts of the AsciiDoc reader share; everybody else includes page.h. */
#ifndef QPW_POLICY_ASCIIDOC_H
#define QPW_POLICY_ASCIIDOC_H

#include "policy/page/page.h"

/* A cell of the stream, and what its specifier says. */
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
    size_t first_line; /* columns of those that begin on the first line that has any */
    bool stray;        /* text before the first bar */
    unsigned stray_line;
};

/* What stands around a table. */
struct qpw_adoc_table {
    const char *name;
    unsigned line;    /* of the body's first line */
    unsigned columns; /* by cols=; 0: as many as the first line has cells */
    bool header;      /* the first row has titles */
    bool options;     /* options were given, so a blank second line does not make titles of the first */
    bool hardbreaks;  /* every line end is a break */
    bool conditional; /* an ifdef:: is around it */
    char separator;   /* of values, as in CSV; 0: cells begin with a bar */
};

/* Takes over what "cols=…, options=…" between the brackets says. */
void qpw_adoc_attributes(const char *text, struct qpw_adoc_table *ret);

/* The lines between the table's edges as rows of the page. 0, or negative errno with err. */
int qpw_adoc_rows(const struct qpw_adoc_table *table, const char *text, struct qpw_page *page, struct qpw_error *err);

/* The lines between the table's edges as cells (asciidoc_cells.c). False: no memory. The caller clears *ret. */
bool qpw_adoc_take_cells(const struct qpw_adoc_table *table, const char *text, struct qpw_adoc_cells *ret);
void qpw_adoc_clear_cells(struct qpw_adoc_cells *cells);

/* Links as their text, no marks of code, entities as characters; tidied. In place. True: all of it
 * stands; false: something in it is struck out. */
bool qpw_adoc_clean(char *text);

#endif
