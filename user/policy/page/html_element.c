/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* html_element.c - the name and attributes of an HTML element. */
#include "policy/page/html.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

unsigned qpw_html_line_of(const xmlNode *node)
{
    unsigned line = (unsigned)(uintptr_t)node->_private; /* libxml2's own field has 16 bits only */

    return line ? line : 1;
}

bool qpw_html_is_element(const xmlNode *node, const char *name)
{
    return node->type == XML_ELEMENT_NODE && !xmlStrcasecmp(node->name, BAD_CAST name);
}

bool qpw_html_is_one_of(const xmlNode *node, const char *const *names)
{
    for (; *names; names++)
        if (qpw_html_is_element(node, *names))
            return true;
    return false;
}

bool qpw_html_attribute_has(const xmlNode *node, const char *attribute, const char *const *words)
{
    xmlChar *value = node->type == XML_ELEMENT_NODE ? xmlGetProp((xmlNode *)node, BAD_CAST attribute) : NULL;
    bool style = !strcmp(attribute, "style"), found = false;
    char text[1024];
    size_t used = 0;

    for (const xmlChar *p = value; p && *p && used + 2 < sizeof(text); p++)
        if (!style || !isspace(*p))
            text[used++] = (char)*p;
    if (value && style)
        text[used++] = ';';
    text[used] = '\0';
    for (; value && *words; words++)
        found |= strcasestr(text, *words) != NULL;
    xmlFree(value);
    return found;
}

bool qpw_html_has_class(const xmlNode *node, const char *const *words)
{
    xmlChar *value = node->type == XML_ELEMENT_NODE ? xmlGetProp((xmlNode *)node, BAD_CAST "class") : NULL;
    char *save = NULL;
    bool found = false;

    for (char *word = value ? strtok_r((char *)value, " \t\n\r\f", &save) : NULL; word && !found;
         word = strtok_r(NULL, " \t\n\r\f", &save))
        for (size_t i = 0; words[i]; i++)
            found |= !strcasecmp(word, words[i]);
    xmlFree(value);
    return found;
}
