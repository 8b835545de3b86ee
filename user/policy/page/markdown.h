/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* markdown.h - internals shared by the Markdown reader's files; others include page.h. */
#ifndef QPW_POLICY_MARKDOWN_H
#define QPW_POLICY_MARKDOWN_H

#include <stdio.h>

#include "policy/page/page.h"

/*
 * State of the conversion to HTML. A line ends at its '\n' or at the text's end; the byte before it must be readable.
 */
struct qpw_md_converter {
    const char *name;
    FILE *out;
    unsigned line;
    unsigned html_tables; /* number of open <table>s, which contain no Markdown */
    bool in_table;        /* of Markdown */
    bool in_body;         /* after the line under its titles */
    unsigned fence_line;  /* where the listing began */
    char fence;           /* the character of an open listing, or 0 */
    size_t fence_length;
    bool comment;         /* within an HTML comment */
    bool jsx_comment;
    bool list;            /* an indented line may belong to a list */
    bool blank;           /* the line before was blank */
    const char *paragraph; /* the line before, if the one under it may turn it into a heading */
    bool tab;             /* of MkDocs: its lines are indented */
    bool link_tab;        /* of Microsoft: a heading that links to #tab/… */
    const char *raw;      /* the open element, such as "pre", whose lines are no Markdown */
};

/* ---- Text within a line (markdown_text.c) ---- */

const char *qpw_md_line_end(const char *line);
bool qpw_md_is_blank(const char *line, const char *end);
size_t qpw_md_indentation(const char *line);
const char *qpw_md_behind_blanks(const char *line);
void qpw_md_write_escaped(FILE *out, char c);
/* Write the text of a cell or heading without [links](…), `code` marks, **bold**, [^notes] and escapes. */
void qpw_md_write_inline(FILE *out, const char *p, const char *end);
/* Write a line of prose or HTML; escape `code`, which is no markup. */
void qpw_md_write_raw(FILE *out, const char *p, const char *end);

/* ---- Tabs (markdown_tabs.c). Return whether the line begins or ends a tab, and was written. ---- */

void qpw_md_end_table(struct qpw_md_converter *c);
bool qpw_md_tab_line(struct qpw_md_converter *c, const char *line, const char *end);
/* "# [Label](#tab/id)" up to "---", "::: moniker …", "::: zone …". */
bool qpw_md_link_tab(struct qpw_md_converter *c, const char *line, const char *end);
bool qpw_md_colon_line(struct qpw_md_converter *c, const char *line, const char *end);
bool qpw_md_indented_tab(struct qpw_md_converter *c, const char *line, const char *end);

#endif
