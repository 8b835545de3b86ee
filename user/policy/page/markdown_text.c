/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* markdown_text.c - text within a line of Markdown. */
#include <ctype.h>
#include <string.h>

#include "policy/page/markdown.h"

const char *qpw_md_line_end(const char *line)
{
    return line + strcspn(line, "\n");
}

/* True if there is only white space and U+FFFC, which stands for text that Liquid would insert. */
bool qpw_md_is_blank(const char *line, const char *end)
{
    while (line < end) {
        if (isspace((unsigned char)*line))
            line++;
        else if (end - line >= 3 && !memcmp(line, "\xef\xbf\xbc", 3))
            line += 3;
        else
            return false;
    }
    return true;
}

size_t qpw_md_indentation(const char *line)
{
    size_t columns = 0;

    for (; *line == ' ' || *line == '\t'; line++)
        columns = *line == '\t' ? (columns / 4 + 1) * 4 : columns + 1;
    return columns;
}

const char *qpw_md_behind_blanks(const char *line)
{
    return line + strspn(line, " \t");
}

void qpw_md_write_escaped(FILE *out, char c)
{
    if (c == '<')
        fputs("&lt;", out);
    else
        fputc(c, out);
}

/* Return the end of "](…)" or "][…]" at p. */
static const char *behind_target(const char *p, const char *end)
{
    bool target = p + 1 < end && (p[1] == '(' || p[1] == '[');
    const char *close = target ? memchr(p + 1, p[1] == '(' ? ')' : ']', (size_t)(end - p - 1)) : p;

    return close ? close + 1 : end;
}

/* "[1]" that is no link: a note's number, which must not be read as a port. */
static bool is_plain_note(const char *p, const char *end)
{
    size_t length = strspn(p + 1, "0123456789-, ");

    return length && p + 1 + length < end && p[1 + length] == ']' && (p + 2 + length == end || !strchr("([", p[2 + length]));
}

/* Return the ']' of the link whose '[' is at p and whose target follows; NULL: it is no link. */
static const char *link_end(const char *p, const char *end)
{
    int depth = 0;

    for (; p < end; p++) {
        depth += *p == '[';
        depth -= *p == ']';
        if (!depth)
            return p + 1 < end && (p[1] == '(' || p[1] == '[') ? p : NULL;
    }
    return NULL;
}

static void begin_link(FILE *out, const char *close, const char *end)
{
    fputs("<a href=\"", out);
    for (const char *p = close + 2; p < end && !strchr(")] \"<>", *p); p++)
        fputc(*p, out);
    fputs("\">", out);
}

/* Return whether a single ~ at p begins or ends struck text, as in "~23~"; not if it precedes a number or folder. */
static bool is_strike_mark(const char *p, const char *end, bool struck)
{
    if (struck)
        return !isspace((unsigned char)p[-1]);
    if (isspace((unsigned char)p[1]))
        return false;
    for (const char *close = p + 1; (close = memchr(close + 1, '~', (size_t)(end - close - 1))); )
        if (!isspace((unsigned char)close[-1]) && (close + 1 == end || !isalnum((unsigned char)close[1])))
            return true;
    return false;
}

void qpw_md_write_inline(FILE *out, const char *p, const char *end)
{
    bool code = false, struck = false, image = false;
    const char *link = NULL; /* end of the open one */

    while (p < end) {
        if (*p == '`') {
            code = !code;
            p++;
        } else if (code) {
            qpw_md_write_escaped(out, *p++);
        } else if (*p == '\\' && p + 1 < end && ispunct((unsigned char)p[1])) {
            qpw_md_write_escaped(out, p[1]);
            p += 2;
        } else if (*p == '~' && p + 1 < end && (p[1] == '~' || is_strike_mark(p, end, struck))) {
            fputs(struck ? "</del>" : "<del>", out);
            struck = !struck;
            p += p[1] == '~' ? 2 : 1;
        } else if (*p == '[' && p + 1 < end && p[1] == '^') {
            const char *close = memchr(p, ']', (size_t)(end - p));

            fputc('*', out); /* a footnote's mark */
            p = close ? close + 1 : end;
        } else if (*p == '!' && p + 1 < end && p[1] == '[') {
            image = true; /* write its text in brackets */
            fputs(" (", out);
            p += 2;
        } else if (*p == '[' && is_plain_note(p, end)) {
            const char *close = memchr(p, ']', (size_t)(end - p));

            fprintf(out, " (%.*s) ", (int)(close - p - 1), p + 1);
            p = close + 1;
        } else if (*p == ']' && image) {
            image = false;
            fputs(") ", out);
            p = behind_target(p, end);
        } else if (*p == '[' && !link && (link = link_end(p, end))) {
            begin_link(out, link, end);
            p++;
        } else if (*p == ']' && p + 1 < end && (p[1] == '(' || p[1] == '[')) {
            if (p == link)
                fputs("</a>", out);
            link = p == link ? NULL : link;
            p = behind_target(p, end);
        } else {
            if (!strchr("[]", *p) && !(*p == '*' && p + 1 < end && p[1] == '*') && !(*p == '*' && p[-1] == '*'))
                fputc(*p, out);
            p++;
        }
    }
    if (link)
        fputs("</a>", out);
    if (struck)
        fputs("</del>", out);
}

void qpw_md_write_raw(FILE *out, const char *p, const char *end)
{
    bool code = false, paired = false;

    for (; p < end; p++) {
        if (*p == '`') {
            paired = code || memchr(p + 1, '`', (size_t)(end - p - 1));
            code = paired && !code;
        }
        if (code)
            qpw_md_write_escaped(out, *p);
        else
            fputc(*p, out);
    }
}
