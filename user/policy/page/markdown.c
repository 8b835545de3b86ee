/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/page/markdown.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct converter {
    const char *name;
    FILE *out;
    unsigned line;
    unsigned html_tables; /* open <table>s: no Markdown in there */
    bool in_table;        /* of Markdown */
};

static const char *line_end(const char *line)
{
    return line + strcspn(line, "\n");
}

static bool is_blank(const char *line, const char *end)
{
    while (line < end && isspace((unsigned char)*line))
        line++;
    return line == end;
}

/* "|---|:--:|" or "--- | ---" under a table's titles. */
static bool is_separator(const char *line, const char *end)
{
    bool dash = false, pipe = false;

    for (; line < end; line++) {
        dash |= *line == '-';
        pipe |= *line == '|';
        if (!strchr("-:| \t\r", *line))
            return false;
    }
    return dash && pipe;
}

static bool has_pipe(const char *line, const char *end)
{
    for (; line < end; line++)
        if (*line == '|' && line[-1] != '\\')
            return true;
    return false;
}

/* Text of a cell without [links](…), `code`, **bold**, [^notes] and escapes. */
static void write_inline(FILE *out, const char *p, const char *end)
{
    while (p < end) {
        if (*p == '\\' && p + 1 < end && ispunct((unsigned char)p[1])) {
            fputc(p[1], out);
            p += 2;
        } else if (*p == '[' && p + 1 < end && p[1] == '^') {
            const char *close = memchr(p, ']', (size_t)(end - p));

            p = close ? close + 1 : end;
        } else if (*p == ']' && p + 1 < end && (p[1] == '(' || p[1] == '[')) {
            const char *close = memchr(p + 1, p[1] == '(' ? ')' : ']', (size_t)(end - p - 1));

            p = close ? close + 1 : end;
        } else {
            if (!strchr("`[]", *p) && !(*p == '*' && p + 1 < end && p[1] == '*') && !(*p == '*' && p[-1] == '*'))
                fputc(*p, out);
            p++;
        }
    }
}

static void write_row(struct converter *c, const char *line, const char *end, const char *cell)
{
    const char *p = line;

    while (p < end && isspace((unsigned char)*p))
        p++;
    while (end > p && isspace((unsigned char)end[-1]))
        end--;
    if (p < end && *p == '|')
        p++;
    if (end > p && end[-1] == '|' && (end - p < 2 || end[-2] != '\\'))
        end--;
    fputs("<tr>", c->out);
    for (;;) {
        const char *stop = p;

        while (stop < end && (*stop != '|' || (stop > p && stop[-1] == '\\')))
            stop++;
        fprintf(c->out, "<%s>", cell);
        write_inline(c->out, p, stop);
        fprintf(c->out, "</%s>", cell);
        if (stop >= end)
            break;
        p = stop + 1;
    }
    fputs("</tr>", c->out);
}

static void write_heading(struct converter *c, const char *line, const char *end)
{
    size_t level = strspn(line, "#");

    line += level;
    while (end > line && (isspace((unsigned char)end[-1]) || end[-1] == '#'))
        end--;
    fprintf(c->out, "<h%zu>", level);
    write_inline(c->out, line, end);
    fprintf(c->out, "</h%zu>", level);
}

/* Counts <table and </table on a line; HTML comments do not matter: a table within one is balanced. */
static void count_tables(struct converter *c, const char *line, const char *end)
{
    for (; line < end; line++) {
        if (!strncasecmp(line, "<table", 6))
            c->html_tables++;
        else if (!strncasecmp(line, "</table", 7) && c->html_tables)
            c->html_tables--;
    }
}

static bool starts_with_pipe(const char *line)
{
    return line[strspn(line, " \t")] == '|';
}

/* A condition's tag leaves a blank line between the rows of a table: the rows behind it still belong to it. */
static bool goes_on(const char *line)
{
    while (*line && is_blank(line, line_end(line)))
        line = *line_end(line) ? line_end(line) + 1 : line_end(line);
    return starts_with_pipe(line) &&
           !(*line_end(line) && is_separator(line_end(line) + 1, line_end(line_end(line) + 1)));
}

static int convert_line(struct converter *c, const char *line, struct qpw_error *err)
{
    const char *end = line_end(line), *next = *end ? end + 1 : end;
    size_t level = strspn(line, "#");

    if (c->in_table && is_blank(line, end) && goes_on(line))
        return 0;
    if (c->in_table) {
        if (!is_blank(line, end) && has_pipe(line, end)) {
            if (is_separator(line, end))
                fputs("</thead><tbody>", c->out);
            else
                write_row(c, line, end, "td");
            return 0;
        }
        fputs("</tbody></table>", c->out);
        c->in_table = false;
    }
    if (!c->html_tables && level >= 1 && level <= 6 && isblank((unsigned char)line[level])) {
        write_heading(c, line, end);
    } else if (!c->html_tables && has_pipe(line, end) && is_separator(next, line_end(next))) {
        fputs("<table><thead>", c->out);
        write_row(c, line, end, "th");
        c->in_table = true;
    } else if (!c->html_tables && is_blank(line, end)) {
        fputs("<p>", c->out);
    } else if (!c->html_tables && starts_with_pipe(line)) {
        return qpw_fail(err, -EINVAL, "%s:%u: a row of a table without its titles and the line of dashes under them",
                        c->name, c->line);
    } else {
        count_tables(c, line, end);
        fwrite(line, 1, (size_t)(end - line), c->out);
    }
    return 0;
}

int qpw_markdown_to_html(const char *name, const char *text, char **ret, struct qpw_error *err)
{
    struct converter c = {.name = name, .line = 1};
    char *html = NULL, *padded = NULL;
    size_t size;
    int error = 0;

    /* One byte before the text, so that the character before any other can be looked at. */
    if (asprintf(&padded, "\n%s", text) < 0)
        return qpw_fail(err, -ENOMEM, "%s: out of memory", name);
    c.out = open_memstream(&html, &size);
    if (!c.out) {
        free(padded);
        return qpw_fail(err, -ENOMEM, "%s: out of memory", name);
    }
    for (const char *line = padded + 1; *line && error == 0; c.line++) {
        const char *end = line_end(line);

        error = convert_line(&c, line, err);
        if (*end)
            fputc('\n', c.out);
        line = *end ? end + 1 : end;
    }
    if (c.in_table)
        fputs("</tbody></table>", c.out);
    free(padded);
    if (fclose(c.out) != 0 || error < 0) {
        free(html);
        return error < 0 ? error : qpw_fail(err, -ENOMEM, "%s: out of memory", name);
    }
    *ret = html;
    return 0;
}
