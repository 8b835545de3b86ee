/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* rst.h - what the parts of the reader of reStructuredText share; everybody else includes page.h. */
#ifndef QPW_POLICY_RST_H
#define QPW_POLICY_RST_H

#include "policy/page/page.h"

/* The text as lines; each ends at its '\n' or the text's end, which are not part of it. */
struct qpw_rst_lines {
    const char **at;
    size_t *length; /* without white space at the end */
    size_t n;
};

#define QPW_RST_LEVELS 16

struct qpw_rst_reader {
    const char *name;
    struct qpw_rst_lines lines;
    size_t i; /* line that is read, from 0 */
    struct qpw_page *page;
    struct qpw_error *err;
    char levels[QPW_RST_LEVELS][2]; /* underline's character, and whether there is a line above, too */
    unsigned n_levels;
    size_t tab_indent[8];
    unsigned n_tabs;
    size_t only_indent;         /* of an `only::`, + 1 */
    char caption[256];
};

/* Line i, its length, its indentation; its text behind that. Beyond the last line: empty. */
const char *qpw_rst_line_at(const struct qpw_rst_reader *r, size_t i);
size_t qpw_rst_length_at(const struct qpw_rst_reader *r, size_t i);
size_t qpw_rst_indent_at(const struct qpw_rst_reader *r, size_t i);
const char *qpw_rst_text_at(const struct qpw_rst_reader *r, size_t i);
size_t qpw_rst_text_length(const struct qpw_rst_reader *r, size_t i);
/* The first line behind those that are blank or indented more than `indent`. */
size_t qpw_rst_behind_body(const struct qpw_rst_reader *r, size_t i, size_t indent);

/* A table begins, with its caption (rst_directive.c). */
void qpw_rst_begin_table(struct qpw_rst_reader *r, const char *caption, size_t length);
/* The directive in line r->i, which is moved behind it or into its body. *ret_taken: false where there is none. 0, or
 * negative errno with r->err. */
int qpw_rst_read_directive(struct qpw_rst_reader *r, bool *ret_taken);

/* White space at a line's start, a tab reaching to the next multiple of eight. */
size_t qpw_rst_indent(const char *line, size_t length);

/* Links and roles as their text, without marks of code and emphasis; tidied. In place. True: all of it stands; false:
 * something in it is struck out. */
bool qpw_rst_clean(char *text);

/*
 * A table that begins in line `first` (from 0): its rows are appended to the page. Returns the first line behind it.
 * Grid: "+---+"; simple: "===  ==="; list-table: the directive's body, lines [first, end).
 */
size_t qpw_rst_grid(const struct qpw_rst_lines *lines, size_t first, struct qpw_page *page);
size_t qpw_rst_simple(const struct qpw_rst_lines *lines, size_t first, struct qpw_page *page);
void qpw_rst_list(const struct qpw_rst_lines *lines, size_t first, size_t end, size_t n_titles, struct qpw_page *page);

bool qpw_rst_is_grid_edge(const char *line, size_t length);
bool qpw_rst_is_simple_edge(const char *line, size_t length);

#endif
