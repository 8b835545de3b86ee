/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * html_style.c - classes that the page's own <style> hides or strikes out.
 *
 * Only selectors of one class or id are understood ("td.old", "#later"), outside @ blocks; external style sheets are
 * not read.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "policy/page/html.h"

#define MAX_SELECTORS 256

struct selector {
    char mark; /* '.' or '#' */
    char name[64];
    bool struck;
};

struct qpw_html_style {
    size_t n;
    struct selector list[MAX_SELECTORS];
};

static bool declares(const char *text, size_t length, const char *what)
{
    return memmem(text, length, what, strlen(what)) != NULL;
}

/* Add a selector to the style: "td.old" becomes '.' and "old". */
static void add_selector(struct qpw_html_style *style, const char *text, size_t length, bool struck)
{
    struct selector *selector = &style->list[style->n];
    size_t at = 0, name;

    while (at < length && isspace((unsigned char)text[at]))
        at++;
    while (length > at && isspace((unsigned char)text[length - 1]))
        length--;
    while (at < length && isalnum((unsigned char)text[at]))
        at++;
    if (at == length || (text[at] != '.' && text[at] != '#') || style->n == MAX_SELECTORS)
        return;
    name = at + 1;
    for (size_t i = name; i < length; i++)
        if (!isalnum((unsigned char)text[i]) && text[i] != '-' && text[i] != '_')
            return;
    if (length - name == 0 || length - name >= sizeof(selector->name))
        return;
    *selector = (struct selector){.mark = text[at], .struck = struck};
    memcpy(selector->name, text + name, length - name);
    style->n++;
}

/* Parse one rule "a, b { … }". Returns its end. */
static const char *read_rule(struct qpw_html_style *style, const char *text)
{
    size_t selectors = strcspn(text, "{"), body = text[selectors] ? strcspn(text + selectors, "}") : 0;
    char declarations[512];
    size_t used = 0;
    bool hidden, struck;

    for (size_t i = 1; i < body && used + 1 < sizeof(declarations); i++)
        if (!isspace((unsigned char)text[selectors + i]))
            declarations[used++] = (char)tolower((unsigned char)text[selectors + i]);
    hidden = declares(declarations, used, "display:none") || declares(declarations, used, "visibility:hidden") ||
             declares(declarations, used, "visibility:collapse");
    struck = declares(declarations, used, "line-through");
    for (size_t at = 0; (hidden || struck) && at < selectors;) {
        size_t length = strcspn(text + at, ",{");

        add_selector(style, text + at, length, !hidden);
        at += length + 1;
    }
    return text + selectors + body + (text[selectors + body] != '\0');
}

/* Skip "@media … { … { … } … }" or "@import …;". Returns its end. */
static const char *behind_at(const char *text)
{
    size_t length = strcspn(text, "{;");
    unsigned depth = 0;

    text += length;
    if (*text != '{')
        return *text ? text + 1 : text;
    do {
        depth += *text == '{';
        depth -= *text == '}';
        text++;
    } while (*text && depth);
    return text;
}

static void read_sheet(struct qpw_html_style *style, char *text)
{
    const char *p = text;

    for (char *open; (open = strstr(text, "/*"));) {
        char *close = strstr(open + 2, "*/");

        memset(open, ' ', close ? (size_t)(close + 2 - open) : strlen(open));
    }
    while (*p) {
        p += strspn(p, " \t\r\n\f}");
        if (*p == '@')
            p = behind_at(p);
        else if (*p)
            p = read_rule(style, p);
    }
}

static void collect(struct qpw_html_style *style, const xmlNode *node)
{
    for (; node; node = node->next) {
        if (qpw_html_is_element(node, "style")) {
            xmlChar *text = xmlNodeGetContent((xmlNode *)node);

            if (text)
                read_sheet(style, (char *)text);
            xmlFree(text);
        } else if (node->type == XML_ELEMENT_NODE) {
            collect(style, node->children);
        }
    }
}

struct qpw_html_style *qpw_html_style_of(const xmlNode *root)
{
    struct qpw_html_style *style = calloc(1, sizeof(*style));

    if (style)
        collect(style, root);
    return style;
}

bool qpw_html_style_has(const xmlNode *node, bool struck)
{
    const struct qpw_html_style *style = node->doc ? node->doc->_private : NULL;

    for (size_t i = 0; style && i < style->n; i++) {
        const struct selector *selector = &style->list[i];
        const char *const names[] = {selector->name, NULL};
        xmlChar *id;
        bool same;

        if (selector->struck != struck)
            continue;
        if (selector->mark == '.') {
            if (qpw_html_has_class(node, names))
                return true;
            continue;
        }
        id = node->type == XML_ELEMENT_NODE ? xmlGetProp((xmlNode *)node, BAD_CAST "id") : NULL;
        same = id && !strcmp((const char *)id, selector->name);
        xmlFree(id);
        if (same)
            return true;
    }
    return false;
}
