/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* rst_text.c - strip reStructuredText markup from text. */
#include <ctype.h>
#include <string.h>

#include "policy/page/rst.h"

size_t qpw_rst_indent(const char *line, size_t length)
{
    size_t columns = 0;

    for (size_t i = 0; i < length && (line[i] == ' ' || line[i] == '\t'); i++)
        columns = line[i] == '\t' ? (columns / 8 + 1) * 8 : columns + 1;
    return columns;
}

/* Return the length of the text in a role's or link's [p, p+n), without its " <target>". */
static size_t without_target(const char *p, size_t n)
{
    const char *open = memchr(p, '<', n);

    if (n && p[n - 1] == '>' && open && open > p && isspace((unsigned char)open[-1]))
        return (size_t)(open - p);
    return n;
}

/* Return the length of a footnote's mark "[1]_", "[#name]_", "[*]_", or 0. */
static size_t footnote(const char *p)
{
    size_t n = strcspn(p, "] \n\v");

    return *p == '[' && p[n] == ']' && p[n + 1] == '_' ? n + 2 : 0;
}

/* Return the length of a ":role:" before an opening `, or 0. */
static size_t role(const char *p)
{
    size_t n = *p == ':' ? strspn(p + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-+.:") : 0;

    return n && p[n] == ':' && p[n + 1] == '`' ? n + 1 : 0;
}

/* ":del:`23`" */
static bool is_struck_role(const char *p, size_t n)
{
    static const char *const names[] = {":del:", ":strike:", ":strikethrough:", ":deleted:", ":s:", ":removed:", NULL};

    for (size_t i = 0; names[i]; i++)
        if (n == strlen(names[i]) && !strncmp(p, names[i], n))
            return true;
    return false;
}

/* ":sup:`1`" */
static bool is_raised_role(const char *p, size_t n)
{
    return (n == 5 && !strncmp(p, ":sup:", 5)) || (n == 13 && !strncmp(p, ":superscript:", 13));
}

/* Write the text of the link or role at [p, p+n): as it is, as a note's mark, or in brackets. Returns the new end. */
static char *put_link(const char *begin, char *out, const char *p, size_t n, bool raised)
{
    size_t length = without_target(p, n);
    bool in_page = length < n ? memchr(p + length, '#', n - length) != NULL : p[n + 1] == '_';
    enum qpw_page_link kind;

    while (length && isspace((unsigned char)p[length - 1]))
        length--;
    kind = raised ? QPW_LINK_MARK : qpw_link_of(begin, (size_t)(out - begin), p, length, in_page);
    if (kind == QPW_LINK_MARK) {
        *out++ = '*';
        return out;
    }
    if (kind == QPW_LINK_ASIDE)
        *out++ = '(';
    memmove(out, p, length);
    out += length;
    if (kind == QPW_LINK_ASIDE)
        *out++ = ')';
    return out;
}

bool qpw_rst_clean(char *text)
{
    char *out = text;
    bool stands = true, raised = false;

    for (const char *p = text; *p;) {
        size_t n = footnote(p);
        const char *close;

        if (n) {
            *out++ = '*'; /* a footnote's mark */
            p += n;
        } else if ((n = role(p))) {
            stands &= !is_struck_role(p, n);
            raised = is_raised_role(p, n);
            p += n;
        } else if (*p == '`' && p[1] == '`') {
            close = strstr(p + 2, "``");
            n = close ? (size_t)(close - p - 2) : strlen(p + 2);
            memmove(out, p + 2, n);
            out += n;
            p += close ? n + 4 : n + 2;
        } else if (*p == '`' && (close = strchr(p + 1, '`'))) {
            out = put_link(text, out, p + 1, (size_t)(close - p - 1), raised);
            raised = false;
            p = close + 1 + strspn(close + 1, "_");
        } else if (*p == '\\' && p[1]) {
            p++;
            if (!isspace((unsigned char)*p))
                *out++ = *p;
            p++;
        } else if (*p == '*' && p[1] == '*') {
            p += 2;
        } else {
            *out++ = *p++;
        }
    }
    *out = '\0';
    qpw_tidy(text);
    return stands;
}
