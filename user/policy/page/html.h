/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* html.h - what the parts of the reader of HTML share; everybody else includes page.h. */
#ifndef QPW_POLICY_HTML_H
#define QPW_POLICY_HTML_H

#include <stdio.h>

#include <libxml/HTMLparser.h>

#include "policy/page/page.h"

struct qpw_html_reader {
    const char *name;
    struct qpw_page *page;
    const xmlNode *root;
    FILE *text; /* paragraph that is being put together */
    char *buffer;
    size_t size;
    unsigned text_line;
    unsigned hidden; /* elements around that are not shown */
    unsigned struck; /* elements around that are struck out */
    bool bold;       /* all of the paragraph so far is */
    struct qpw_error *err;
    int error;
};

/* ---- Elements (html_element.c). Names are compared whatever their case; lists end with NULL. ---- */

unsigned qpw_html_line_of(const xmlNode *node);
bool qpw_html_is_element(const xmlNode *node, const char *name);
bool qpw_html_is_one_of(const xmlNode *node, const char *const *names);
/* Whether an attribute's value contains one of the words. */
bool qpw_html_attribute_has(const xmlNode *node, const char *attribute, const char *const *words);
/* A whole word of class=. */
bool qpw_html_has_class(const xmlNode *node, const char *const *words);

/* ---- What elements mean (html_node.c) ---- */

/* Elements that begin a new line. */
extern const char *const qpw_html_blocks[];

bool qpw_html_is_navigation(const xmlNode *node);
bool qpw_html_is_hidden(const xmlNode *node);
bool qpw_html_is_struck(const xmlNode *node);

/* The text in it, tidied; *ret_fault (may be NULL): why it cannot be trusted, where it cannot. Caller frees; NULL: no
 * memory. */
char *qpw_html_text_of(const xmlNode *node, const char **ret_fault);

/* ---- The page's own style (html_style.c) ---- */

struct qpw_html_style;

/* What the <style> elements hide or strike out; its place is document->_private. The caller frees it; NULL: no memory. */
struct qpw_html_style *qpw_html_style_of(const xmlNode *root);
/* Whether it hides the element; with `struck`, whether it strikes it out. */
bool qpw_html_style_has(const xmlNode *node, bool struck);

/* ---- Tabs and boxes (html_tabs.c) ---- */

bool qpw_html_is_heading(const xmlNode *node);
bool qpw_html_is_tab(const xmlNode *node);
/* What people see on the tab, or else what the markup calls it. Caller frees. */
char *qpw_html_tab_label(struct qpw_html_reader *r, const xmlNode *node);
/* What shows an element to some readers only: an element that HTML does not know, v-if, data-audience and their like; NULL:
 * nothing. Caller frees. */
char *qpw_html_condition(const xmlNode *node);
/* Whether it is a table, or has one in it. */
bool qpw_html_has_table(const xmlNode *node);
/* The name of an element with a table in it, beside others of its kind and no headings; NULL: it is none. Caller frees. */
char *qpw_html_box_label(struct qpw_html_reader *r, const xmlNode *node);

/* ---- Tables (html_table.c) ---- */

void qpw_html_add_table(struct qpw_html_reader *r, const xmlNode *table);

#endif
