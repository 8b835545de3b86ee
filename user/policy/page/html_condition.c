/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* html_condition.c - elements and attributes that show their content to some readers only. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "policy/page/html.h"

/* HTML 5 elements that the parser does not know, and components that always show their content. */
static const char *const transparent[] = {
    "article", "aside", "section", "main", "header", "footer", "nav", "figure", "figcaption", "details", "summary", "mark", "time",
    "hgroup", "dialog", "picture", "template", "tabs", "tab", "tabitem", "tabset", "tablist", "tabpanel", "codegroup", "accordion",
    "accordiongroup", "accordions", "card", "cardgroup", "cards", "columns", "column", "steps", "step", "admonition", "note", "tip",
    "info", "warning", "caution", "danger", "important", "callout", "frame", "expandable", "collapse", "collapsible", "panel",
    "box", "layout", "wrapper", "tablewrapper", "tablecontainer", "responsivetable", "details", "include", NULL};

static const char *const attributes[] = {
    "v-if", "v-else", "v-else-if", "v-show", "*ngif", "ng-if", "ng-show", "ng-hide", "x-if", "x-show", "data-if", "data-show",
    "data-hide", "data-condition", "data-only", "data-audience", "data-platform", "data-version", "data-edition", "data-product",
    "audience", "platform", "product", "edition", "props", "otherprops", "deliverytarget", "only", "cond", "condition", NULL};

/* "cloud-only", "only-v6", but not classes for screens and screen readers. */
static bool is_only_class(const char *class)
{
    static const char *const media[] = {"sr-only", "print-only", "screen-only", "mobile-only", "desktop-only", NULL};

    for (const char *p = class; (p = strcasestr(p, "only")); p++) {
        const char *begin = p;

        while (begin > class && begin[-1] != ' ')
            begin--;
        for (size_t i = 0; media[i]; i++)
            if (!strncasecmp(begin, media[i], strlen(media[i])))
                return false;
        if ((p > class && p[-1] == '-') || p[4] == '-')
            return true;
    }
    return false;
}

/* Components of MDX and others. Names with a hyphen are custom elements, which are mostly wrappers. */
static bool is_unknown(const xmlNode *node)
{
    const char *name = (const char *)node->name;

    return !htmlTagLookup(node->name) && !strpbrk(name, "-:") && !qpw_html_is_one_of(node, transparent);
}

/* name attribute="value" */
static char *describe(const xmlNode *node, const char *attribute)
{
    xmlChar *value = attribute ? xmlGetProp((xmlNode *)node, BAD_CAST attribute) : NULL;
    char *text = NULL;

    if (asprintf(&text, "%s%s%s%s%s%s", (const char *)node->name, attribute ? " " : "", attribute ? attribute : "",
                 value && *value ? "=\"" : "", value ? (const char *)value : "", value && *value ? "\"" : "") < 0)
        text = NULL;
    xmlFree(value);
    return text;
}

char *qpw_html_condition(const xmlNode *node)
{
    static const char *const around_all[] = {"html", "body", "main", "article", "tabitem", NULL};
    xmlChar *class;
    bool only;

    if (node->type != XML_ELEMENT_NODE || qpw_html_is_one_of(node, around_all))
        return NULL;
    for (size_t i = 0; attributes[i]; i++)
        if (xmlHasProp((xmlNode *)node, BAD_CAST attributes[i]))
            return describe(node, attributes[i]);
    class = xmlGetProp((xmlNode *)node, BAD_CAST "class");
    only = class && is_only_class((const char *)class);
    xmlFree(class);
    if (only)
        return describe(node, "class");
    if (is_unknown(node))
        return describe(node, node->properties ? (const char *)node->properties->name : NULL);
    return NULL;
}
