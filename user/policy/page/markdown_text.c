/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* markdown_text.c - text within a line of Markdown. */
#include <ctype.h>
#include <string.h>

#include "policy/page/markdown.h"

const char *qpw_md_line_end(const char *line)
{
    return line + strcspn(line, "\n");
}

/* Nothing but white space and what stands for text that Liquid would have put there. */
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

/* Text of a cell or heading without [links](…), `code` marks, **bold**, [^notes] and escapes. */
void qpw_md_write_inline(FILE *out, const char *p, const char *end)
{
    bool code = false, struck = false;

    while (p < end) {
        if (*p == '`') {
            code = !code;
            p++;
        } else if (code) {
            qpw_md_write_escaped(out, *p++);
        } else if (*p == '\\' && p + 1 < end && ispunct((unsigned char)p[1])) {
            qpw_md_write_escaped(out, p[1]);
            p += 2;
        } else if (*p == '~' && p + 1 < end && p[1] == '~') {
            fputs(struck ? "</del>" : "<del>", out);
            struck = !struck;
            p += 2;
        } else if (*p == '[' && p + 1 < end && p[1] == '^') {
            const char *close = memchr(p, ']', (size_t)(end - p));

            p = close ? close + 1 : end;
        } else if (*p == ']' && p + 1 < end && (p[1] == '(' || p[1] == '[')) {
            const char *close = memchr(p + 1, p[1] == '(' ? ')' : ']', (size_t)(end - p - 1));

            p = close ? close + 1 : end;
        } else {
            if (!strchr("[]", *p) && !(*p == '*' && p + 1 < end && p[1] == '*') && !(*p == '*' && p[-1] == '*'))
                fputc(*p, out);
            p++;
        }
    }
    if (struck)
        fputs("</del>", out);
}

/* A line of prose or HTML; what is `code` there is no markup. */
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
