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

/* White space at a line's start, a tab reaching to the next multiple of eight. */
size_t qpw_rst_indent(const char *line, size_t length);

/* Links and roles as their text, without marks of code, emphasis and footnotes; tidied. In place. */
void qpw_rst_clean(char *text);

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
