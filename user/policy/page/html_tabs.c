/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* html_tabs.c - tabs and boxes of HTML, and their labels. */
#include <stdlib.h>
#include <string.h>

#include "policy/page/html.h"

static const xmlNode *find_id(const xmlNode *node, const xmlChar *id)
{
    for (; node; node = node->next) {
        xmlChar *own = node->type == XML_ELEMENT_NODE ? xmlGetProp((xmlNode *)node, BAD_CAST "id") : NULL;
        bool found = own && xmlStrEqual(own, id);
        const xmlNode *inner;

        xmlFree(own);
        if (found)
            return node;
        inner = node->type == XML_ELEMENT_NODE ? find_id(node->children, id) : NULL;
        if (inner)
            return inner;
    }
    return NULL;
}

static const xmlNode *previous_element(const xmlNode *node)
{
    do
        node = node->prev;
    while (node && node->type != XML_ELEMENT_NODE);
    return node;
}

bool qpw_html_is_heading(const xmlNode *node)
{
    return node->type == XML_ELEMENT_NODE && (node->name[0] == 'h' || node->name[0] == 'H') && node->name[1] >= '1' &&
           node->name[1] <= '6' && !node->name[2];
}

bool qpw_html_is_tab(const xmlNode *node)
{
    static const char *const roles[] = {"tabpanel", NULL};
    static const char *const panes[] = {"tab-pane", "tabbed-block", "tab-panel", NULL};
    static const char *const content[] = {"tab-content", NULL};
    const xmlNode *before;

    if (qpw_html_is_element(node, "tabitem") || qpw_html_is_element(node, "tab") || qpw_html_attribute_has(node, "role", roles) || qpw_html_has_class(node, panes))
        return true;
    if (!qpw_html_has_class(node, content))
        return false;
    before = previous_element(node);
    return before && qpw_html_is_element(before, "label");
}

/* Return the text of a link to the element, from the bar of tabs. Caller frees; NULL: there is none. */
static char *link_text(const xmlNode *node, const xmlChar *id)
{
    for (; node; node = node->next) {
        xmlChar *target = qpw_html_is_element(node, "a") ? xmlGetProp((xmlNode *)node, BAD_CAST "href") : NULL;
        bool found = target && *target == '#' && xmlStrEqual(target + 1, id);
        char *text = NULL;

        xmlFree(target);
        if (found)
            text = qpw_html_text_of(node, NULL);
        else if (node->type == XML_ELEMENT_NODE)
            text = link_text(node->children, id);
        if (text && *text)
            return text;
        free(text);
    }
    return NULL;
}

/* Return the name from an element's attributes or from a link to it. Caller frees; NULL: it has none. */
static char *attribute_label(struct qpw_html_reader *r, const xmlNode *node)
{
    static const char *const attributes[] = {"label", "value", "title", "header", "name", "aria-label", "data-title",
                                             "data-tab", "data-label", "data-name", NULL};
    xmlChar *id = xmlGetProp((xmlNode *)node, BAD_CAST "id");
    char *text = NULL;

    for (size_t i = 0; attributes[i] && !text; i++) {
        xmlChar *value = xmlGetProp((xmlNode *)node, BAD_CAST attributes[i]);

        text = value && *value ? strdup((const char *)value) : NULL;
        xmlFree(value);
    }
    if (!text && id)
        text = link_text(r->root, id);
    if (!text && id && *id)
        text = strdup((const char *)id);
    xmlFree(id);
    return text ? qpw_tidy(text) : NULL;
}

char *qpw_html_tab_label(struct qpw_html_reader *r, const xmlNode *node)
{
    xmlChar *id = xmlGetProp((xmlNode *)node, BAD_CAST "aria-labelledby");
    const xmlNode *label = id ? find_id(r->root, id) : previous_element(node);
    char *text;

    xmlFree(id);
    if (label && (id || qpw_html_is_element(label, "label")))
        return qpw_html_text_of(label, NULL);
    text = attribute_label(r, node);
    return text ? text : strdup("tab");
}

/* ---- Boxes: neighbouring elements, each with a table and with a name in its attributes ---- */

static bool has_inside(const xmlNode *node, bool (*is)(const xmlNode *))
{
    for (const xmlNode *child = node->type == XML_ELEMENT_NODE ? node->children : NULL; child; child = child->next)
        if (is(child) || has_inside(child, is))
            return true;
    return false;
}

static bool is_table(const xmlNode *node)
{
    return qpw_html_is_element(node, "table");
}

bool qpw_html_has_table(const xmlNode *node)
{
    return is_table(node) || has_inside(node, is_table);
}

static const xmlNode *next_element(const xmlNode *node)
{
    do
        node = node->next;
    while (node && node->type != XML_ELEMENT_NODE);
    return node;
}

/* Find the nearest element of the same name that contains a table, with no heading in it or between the two. */
static const xmlNode *find_twin(const xmlNode *node, const xmlNode *(*next)(const xmlNode *))
{
    const xmlNode *other = next(node);

    for (unsigned i = 0; other && i < 64; i++, other = next(other)) {
        if (qpw_html_is_heading(other) || is_table(other) || has_inside(other, qpw_html_is_heading))
            return NULL;
        if (!xmlStrcasecmp(other->name, node->name) && has_inside(other, is_table))
            return other;
    }
    return NULL;
}

/* Return a copy of the class if it differs from the twin's. Caller frees. */
static char *class_label(const xmlNode *node, const xmlNode *twin)
{
    xmlChar *own = xmlGetProp((xmlNode *)node, BAD_CAST "class"), *other = xmlGetProp((xmlNode *)twin, BAD_CAST "class");
    char *label = own && *own && !xmlStrEqual(own, other) ? strdup((const char *)own) : NULL;

    xmlFree(own);
    xmlFree(other);
    return label;
}

char *qpw_html_box_label(struct qpw_html_reader *r, const xmlNode *node)
{
    static const char *const parts[] = {"table", "thead", "tbody", "tr", "td", "th", "body", "html", "p", NULL};
    const xmlNode *twin;
    char *label;

    if (qpw_html_is_one_of(node, parts) || !has_inside(node, is_table) || has_inside(node, qpw_html_is_heading))
        return NULL;
    twin = find_twin(node, next_element);
    if (!twin)
        twin = find_twin(node, previous_element);
    if (!twin)
        return NULL;
    label = attribute_label(r, node);
    return label ? label : class_label(node, twin);
}
