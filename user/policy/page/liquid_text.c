/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* liquid_text.c - the text around Liquid tags: rows of tables, and end tags. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "policy/page/liquid.h"

#define PAIR_WINDOW 262144u /* bytes in which an end tag is searched */

/* "|---|:--|" */
static bool is_separator(const char *line, const char *end)
{
    return line < end && strcspn(line, "-") < strcspn(line, "\n") && strspn(line, "-:| \t\r") == strcspn(line, "\n");
}

bool qpw_liquid_is_row(const char *text, const char *at, const char *end)
{
    const char *line_end = memchr(at, '\n', (size_t)(end - at));

    if (*at == '|' && (at == text || at[-1] == '\n'))
        return !is_separator(at, end) && !(line_end && is_separator(line_end + 1, end));
    if (strncasecmp(at, "<tr", 3) || isalnum((unsigned char)at[3]))
        return false;
    for (const char *p = at + 3; p + 2 < end && p < at + 4096; p++) /* find its first cell: <td> or <th> */
        if (*p == '<' && (p[1] == 't' || p[1] == 'T') && p[2] && strchr("dDhH", p[2]))
            return p[2] == 'd' || p[2] == 'D';
    return false;
}

bool qpw_liquid_is_paired(const char *at, const char *end, const char *mark, const char *word, size_t length)
{
    size_t n = strlen(mark), left = (size_t)(end - at);
    const char *stop = at + (left < PAIR_WINDOW ? left : PAIR_WINDOW);

    for (const char *p = at; length && (p = memmem(p, (size_t)(stop - p), word, length)); p += length)
        if ((size_t)(p - at) > n && (!strncmp(p - n, mark, n) || (*mark == '/' && p[-1] == ' ' && p[-2] == '/')) &&
            !isalnum((unsigned char)p[length]))
            return true;
    return false;
}

bool qpw_liquid_chooses(const char *word, size_t length)
{
    static const char *const parts[] = {"version", "hidden", "hide", "condition", "only", "deprecat", "comment", "exclude",
                                        "unlisted", "private", "internal", NULL};

    for (size_t i = 0; parts[i]; i++)
        if (memmem(word, length, parts[i], strlen(parts[i])))
            return true;
    return length > 1 && word[0] == 'i' && word[1] == 'f';
}
