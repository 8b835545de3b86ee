/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* rst.h - internals shared by the reStructuredText reader's files; others include page.h. */
#ifndef QPW_POLICY_RST_H
#define QPW_POLICY_RST_H

#include "policy/page/page.h"

/* The text as lines, without their '\n'. */
struct qpw_rst_lines {
    const char **at;
    size_t *length; /* without white space at the end */
    size_t n;
};

#define QPW_RST_LEVELS 16

struct qpw_rst_reader {
    const char *name;
    struct qpw_rst_lines lines;
    size_t i; /* current line, from 0 */
    struct qpw_page *page;
    struct qpw_error *err;
    char levels[QPW_RST_LEVELS][2]; /* the underline's character, and whether there is an overline, too */
    unsigned n_levels;
    size_t tab_indent[8];
    unsigned n_tabs;
    size_t only_indent;         /* indentation of an `only::`, + 1 */
    char caption[256];
};

/* Return line i, its length, its indentation, its text after that. After the last line: empty. */
const char *qpw_rst_line_at(const struct qpw_rst_reader *r, size_t i);
size_t qpw_rst_length_at(const struct qpw_rst_reader *r, size_t i);
size_t qpw_rst_indent_at(const struct qpw_rst_reader *r, size_t i);
const char *qpw_rst_text_at(const struct qpw_rst_reader *r, size_t i);
size_t qpw_rst_text_length(const struct qpw_rst_reader *r, size_t i);
/* Return the first line from i on that is neither blank nor indented more than `indent`. */
size_t qpw_rst_behind_body(const struct qpw_rst_reader *r, size_t i, size_t indent);

/* Begin a table with its caption (rst_directive.c). */
void qpw_rst_begin_table(struct qpw_rst_reader *r, const char *caption, size_t length);
/*
 * Read the directive in line r->i, which is moved after it or into its body. *ret_taken: false if there is none. 0, or
 * negative errno with r->err.
 */
int qpw_rst_read_directive(struct qpw_rst_reader *r, bool *ret_taken);

/* Return the width of the white space at a line's start; a tab extends to the next multiple of eight. */
size_t qpw_rst_indent(const char *line, size_t length);

/*
 * Replace links and roles by their text, remove marks of code and emphasis, and tidy, in place. False: part of the text
 * is struck out.
 */
bool qpw_rst_clean(char *text);

/*
 * Append the rows of the table that begins in line `first` (from 0) to the page. Returns the first line after it. Grid:
 * "+---+"; simple: "===  ==="; list-table: the directive's body, lines [first, end).
 */
size_t qpw_rst_grid(const struct qpw_rst_lines *lines, size_t first, struct qpw_page *page);
size_t qpw_rst_simple(const struct qpw_rst_lines *lines, size_t first, struct qpw_page *page);
void qpw_rst_list(const struct qpw_rst_lines *lines, size_t first, size_t end, size_t n_titles, struct qpw_page *page);

bool qpw_rst_is_grid_edge(const char *line, size_t length);
bool qpw_rst_is_simple_edge(const char *line, size_t length);

#endif
