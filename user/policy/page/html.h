/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* html.h - internals shared by the HTML reader's files; others include page.h. */
#ifndef QPW_POLICY_HTML_H
#define QPW_POLICY_HTML_H

#include <stdio.h>

#include <libxml/HTMLparser.h>

#include "policy/page/page.h"

struct qpw_html_reader {
    const char *name;
    struct qpw_page *page;
    const xmlNode *root;
    FILE *text; /* the paragraph being assembled */
    char *buffer;
    size_t size;
    unsigned text_line;
    unsigned hidden; /* number of enclosing elements that are not shown */
    unsigned struck; /* number of enclosing elements that are struck out */
    bool bold;       /* the whole paragraph so far is bold */
    struct qpw_error *err;
    int error;
};

/* ---- Elements (html_element.c). Names are compared without regard to case; lists end with NULL. ---- */

unsigned qpw_html_line_of(const xmlNode *node);
bool qpw_html_is_element(const xmlNode *node, const char *name);
bool qpw_html_is_one_of(const xmlNode *node, const char *const *names);
/*
 * Return whether an attribute's value contains one of the words. style= is compared without blanks and with a final
 * ';'.
 */
bool qpw_html_attribute_has(const xmlNode *node, const char *attribute, const char *const *words);
/* Return whether class= has one of the words as a whole word. */
bool qpw_html_has_class(const xmlNode *node, const char *const *words);

/* ---- What elements mean (html_node.c) ---- */

/* Elements that begin a new line. */
extern const char *const qpw_html_blocks[];

bool qpw_html_is_navigation(const xmlNode *node);
bool qpw_html_is_hidden(const xmlNode *node);
bool qpw_html_is_struck(const xmlNode *node);

/*
 * Return the element's text, tidied. *ret_fault (ret_fault may be NULL) is set to the reason if it cannot be trusted.
 * Caller frees; NULL: no memory.
 */
char *qpw_html_text_of(const xmlNode *node, const char **ret_fault);

/* ---- The page's own style (html_style.c) ---- */

struct qpw_html_style;

/*
 * Return what the <style> elements hide or strike out, to be stored in document->_private. The caller frees it; NULL:
 * no memory.
 */
struct qpw_html_style *qpw_html_style_of(const xmlNode *root);
/* Return whether the style hides the element or, with `struck`, strikes it out. */
bool qpw_html_style_has(const xmlNode *node, bool struck);

/* ---- Tabs and boxes (html_tabs.c) ---- */

bool qpw_html_is_heading(const xmlNode *node);
bool qpw_html_is_tab(const xmlNode *node);
/* Return the visible label of the tab, or else its name in the markup. Caller frees. */
char *qpw_html_tab_label(struct qpw_html_reader *r, const xmlNode *node);
/*
 * Return the condition that shows an element to some readers only: an element unknown to HTML, v-if, data-audience and
 * the like; NULL: none. Caller frees.
 */
char *qpw_html_condition(const xmlNode *node);
/* Return whether the element is a table or contains one. */
bool qpw_html_has_table(const xmlNode *node);
/*
 * Return the name of an element that contains a table and stands beside others of its kind without headings; NULL: it
 * is none. Caller frees.
 */
char *qpw_html_box_label(struct qpw_html_reader *r, const xmlNode *node);

/* ---- Tables (html_table.c) ---- */

void qpw_html_add_table(struct qpw_html_reader *r, const xmlNode *table);

#endif
