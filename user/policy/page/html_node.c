/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* html_node.c - classify HTML elements, and extract a cell's text without its notes. */
#include "policy/page/html.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Elements ---- */

static const char *const skipped[] = {"script", "style", "template", "head",   "nav",    "footer", "noscript",
                                      "svg",    "math",  "textarea", "select", "iframe", "object", NULL};

const char *const qpw_html_blocks[] = {"p",    "div",  "br",      "li",      "ul",         "ol",  "dl",
                                     "dt",   "dd",   "section", "article", "blockquote", "pre", "hr",
                                     "form", "main", "aside",   "details", "tr",         NULL};

/* Return whether the element is a note within a cell, which is prose. */
static bool is_note(const xmlNode *node)
{
    static const char *const words[] = {"alert", "note", "callout", "tooltip", "admonition", "warning", NULL};

    return qpw_html_is_element(node, "aside") || qpw_html_attribute_has(node, "class", words);
}

bool qpw_html_is_navigation(const xmlNode *node)
{
    static const char *const roles[] = {"navigation", "search", "banner", "contentinfo", NULL};

    return qpw_html_is_one_of(node, skipped) || qpw_html_attribute_has(node, "role", roles);
}

bool qpw_html_is_hidden(const xmlNode *node)
{
    static const char *const styles[] = {"display:none", "visibility:hidden", "visibility:collapse", "opacity:0;", "opacity:0.0;",
                                         "font-size:0", NULL};
        static const char *const classes[] = {"hidden", "d-none", "visually-hidden", "sr-only", "is-hidden", NULL};
    xmlChar *hidden = node->type == XML_ELEMENT_NODE ? xmlGetProp((xmlNode *)node, BAD_CAST "hidden") : NULL;
    bool found = hidden || (node->type == XML_ELEMENT_NODE && xmlHasProp((xmlNode *)node, BAD_CAST "hidden"));

    xmlFree(hidden);
    return found || qpw_html_attribute_has(node, "style", styles) || qpw_html_has_class(node, classes) ||
           qpw_html_style_has(node, /* struck= */ false);
}

bool qpw_html_is_struck(const xmlNode *node)
{
    static const char *const elements[] = {"del", "s", "strike", NULL};
    static const char *const words[] = {"line-through", NULL};
    static const char *const classes[] = {"line-through", "strikethrough", "strike", "deprecated", "obsolete", "removed", NULL};

    return qpw_html_is_one_of(node, elements) || qpw_html_attribute_has(node, "style", words) ||
           qpw_html_attribute_has(node, "class", classes) || qpw_html_style_has(node, /* struck= */ true);
}

/* ---- Text of a cell ---- */

struct cell_text {
    FILE *out;
    char *buffer;
    size_t size;
    const char *fault;
};

static bool has_text(const xmlNode *node)
{
    if (node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE)
        return !xmlIsBlankNode((xmlNode *)node);
    for (const xmlNode *child = node->type == XML_ELEMENT_NODE ? node->children : NULL; child; child = child->next)
        if (has_text(child))
            return true;
    return false;
}

/* Write a note as its mark, a picture as its alternative text in brackets. True: the element is done. */
static bool write_aside(const xmlNode *node, struct cell_text *text)
{
    static const char *const endings[] = {"tm", "(tm)", "r", "(r)", "\xc2\xae", "\xe2\x84\xa2", "st", "nd", "rd", "th", NULL};
    bool sup = qpw_html_is_element(node, "sup"), sub = qpw_html_is_element(node, "sub");
    xmlChar *inner = NULL;

    if (is_note(node)) {
        if (has_text(node))
            fputc('*', text->out);
        return true;
    }
    if (sup || sub)
        inner = xmlNodeGetContent((xmlNode *)node);
    else if (qpw_html_is_element(node, "img"))
        inner = xmlGetProp((xmlNode *)node, BAD_CAST "alt");
    if (sup) {
        bool ending = false;

        for (size_t i = 0; inner && endings[i]; i++)
            ending |= !strcasecmp((const char *)inner, endings[i]);
        if (inner && *inner && !ending)
            fputc('*', text->out);
    } else if (inner && *inner) {
        fprintf(text->out, " (%s) ", (const char *)inner);
    }
    xmlFree(inner);
    return sup || sub;
}

/* Return whether an element may look different from the text around it, such as raised. */
static bool is_styled(const xmlNode *node)
{
    return xmlHasProp((xmlNode *)node, BAD_CAST "class") || xmlHasProp((xmlNode *)node, BAD_CAST "style") ||
           xmlHasProp((xmlNode *)node, BAD_CAST "role");
}

/* Write a link or styled element that is, or may be, a note's mark: as that mark, or as its text in brackets. */
static bool write_link(const xmlNode *node, struct cell_text *text)
{
    static const char *const raised[] = {"vertical-align:super", "vertical-align:text-top", NULL};
    static const char *const local[] = {"#", NULL};
    static const char *const classes[] = {"superscript", "sup", "super", "fn", "fnref", NULL};
    static const char *const noteref[] = {"doc-noteref", NULL};
    bool link = qpw_html_is_element(node, "a");
    enum qpw_page_link kind;
    char *inner;

    if (node->type != XML_ELEMENT_NODE || qpw_html_is_one_of(node, qpw_html_blocks) || !has_text(node) ||
        (!link && !is_styled(node)))
        return false;
    inner = (char *)xmlNodeGetContent((xmlNode *)node);
    if (!inner)
        return false;
    qpw_tidy(inner);
    fflush(text->out);
    if (qpw_html_attribute_has(node, "style", raised) || qpw_html_has_class(node, classes) ||
        qpw_html_attribute_has(node, "role", noteref))
        kind = QPW_LINK_MARK;
    else
        kind = qpw_link_of(text->buffer, text->size, inner, strlen(inner), link && qpw_html_attribute_has(node, "href", local));
    if (kind == QPW_LINK_MARK)
        fputc('*', text->out);
    else if (kind == QPW_LINK_ASIDE)
        fprintf(text->out, " (%s) ", inner);
    xmlFree(inner);
    return kind != QPW_LINK_TEXT;
}

static void write_text(const xmlNode *node, struct cell_text *text)
{
    for (const xmlNode *child = node->children; child; child = child->next) {
        bool block = qpw_html_is_one_of(child, qpw_html_blocks);

        if (qpw_html_is_one_of(child, skipped))
            continue;
        if (write_aside(child, text))
            continue;
        if (qpw_html_is_hidden(child) && has_text(child))
            text->fault = "text that a browser does not show";
        if (qpw_html_is_struck(child) && has_text(child))
            text->fault = "text that is struck out";
        if (write_link(child, text))
            continue;
        if (block)
            fputc('\v', text->out);
        if (child->type == XML_TEXT_NODE || child->type == XML_CDATA_SECTION_NODE)
            fputs((const char *)child->content, text->out);
        else if (child->type == XML_ELEMENT_NODE)
            write_text(child, text);
        if (block)
            fputc('\v', text->out);
    }
}

char *qpw_html_text_of(const xmlNode *node, const char **ret_fault)
{
    struct cell_text cell = {.fault = NULL};

    cell.out = open_memstream(&cell.buffer, &cell.size);
    if (!cell.out)
        return NULL;
    write_text(node, &cell);
    if (fclose(cell.out) != 0) {
        free(cell.buffer);
        return NULL;
    }
    if (ret_fault)
        *ret_fault = cell.fault;
    return qpw_tidy(cell.buffer);
}
