/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * markdown.c - Markdown as HTML, line by line, for html.c.
 *
 * Headings, pipe tables (GFM) and tabs (GitBook, Docusaurus, MkDocs, Hugo) become HTML on the same line; listings and
 * comments become nothing; everything else, HTML above all, stays as it stands.
 */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/page/page.h"

struct converter {
    const char *name;
    FILE *out;
    unsigned line;
    unsigned html_tables; /* open <table>s: no Markdown in there */
    bool in_table;        /* of Markdown */
    char fence;           /* the character of an open listing, or 0 */
    size_t fence_length;
    bool comment;         /* within an HTML comment */
    bool jsx_comment;
    bool list;            /* what is indented may belong to a list */
    bool blank;           /* the line before was */
    const char *paragraph; /* the line before, where it may become a heading by the one under it */
    bool tab;             /* of MkDocs: its lines are indented */
};

static const char *line_end(const char *line)
{
    return line + strcspn(line, "\n");
}

/* Nothing but white space and what stands for text that Liquid would have put there. */
static bool is_blank(const char *line, const char *end)
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

static size_t indentation(const char *line)
{
    size_t columns = 0;

    for (; *line == ' ' || *line == '\t'; line++)
        columns = *line == '\t' ? (columns / 4 + 1) * 4 : columns + 1;
    return columns;
}

static const char *behind_blanks(const char *line)
{
    return line + strspn(line, " \t");
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

/* ---- Text within a line ---- */

static void write_escaped(FILE *out, char c)
{
    if (c == '<')
        fputs("&lt;", out);
    else
        fputc(c, out);
}

/* Text of a cell or heading without [links](…), `code` marks, **bold**, [^notes] and escapes. */
static void write_inline(FILE *out, const char *p, const char *end)
{
    bool code = false, struck = false;

    while (p < end) {
        if (*p == '`') {
            code = !code;
            p++;
        } else if (code) {
            write_escaped(out, *p++);
        } else if (*p == '\\' && p + 1 < end && ispunct((unsigned char)p[1])) {
            write_escaped(out, p[1]);
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
static void write_raw(FILE *out, const char *p, const char *end)
{
    bool code = false, paired = false;

    for (; p < end; p++) {
        if (*p == '`') {
            paired = code || memchr(p + 1, '`', (size_t)(end - p - 1));
            code = paired && !code;
        }
        if (code)
            write_escaped(out, *p);
        else
            fputc(*p, out);
    }
}

/* ---- Tables ---- */

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

static bool starts_with_pipe(const char *line)
{
    return *behind_blanks(line) == '|';
}

/* A condition's tag leaves a blank line between the rows of a table: the rows behind it still belong to it. */
static bool goes_on(const char *line)
{
    while (*line && is_blank(line, line_end(line)))
        line = *line_end(line) ? line_end(line) + 1 : line_end(line);
    return starts_with_pipe(line) &&
           !(*line_end(line) && is_separator(line_end(line) + 1, line_end(line_end(line) + 1)));
}

static bool table_line(struct converter *c, const char *line, const char *end)
{
    if (is_blank(line, end) && goes_on(line))
        return true;
    if (!is_blank(line, end) && has_pipe(line, end)) {
        if (is_separator(line, end))
            fputs("</thead><tbody>", c->out);
        else
            write_row(c, line, end, "td");
        return true;
    }
    fputs("</tbody></table>", c->out);
    c->in_table = false;
    return false;
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

/* ---- Headings ---- */

static size_t heading_level(const char *line)
{
    size_t blanks = strspn(line, " "), level = strspn(line + blanks, "#");

    return blanks <= 3 && level >= 1 && level <= 6 && isspace((unsigned char)line[blanks + level]) ? level : 0;
}

static void write_heading(struct converter *c, size_t level, const char *line, const char *end)
{
    while (end > line && (isspace((unsigned char)end[-1]) || end[-1] == '#'))
        end--;
    fprintf(c->out, "<h%zu>", level);
    write_inline(c->out, line, end);
    fprintf(c->out, "</h%zu>", level);
}

/* "=====" or "-----" under a line of text makes a heading of it: 1 or 2, else 0. */
static size_t underline_level(const char *line)
{
    const char *p = behind_blanks(line);
    size_t length = (*p == '=' || *p == '-') ? strspn(p, *p == '=' ? "=" : "-") : 0;

    if (!length || indentation(line) > 3 || !is_blank(p + length, line_end(line)))
        return 0;
    return *p == '=' ? 1 : 2;
}

/* ---- Tabs ---- */

static void end_table(struct converter *c)
{
    if (c->in_table)
        fputs("</tbody></table>", c->out);
    c->in_table = false;
}

/* The first quoted text in [p, end), or the value of title=, name= or label=. */
static void write_tab(struct converter *c, const char *p, const char *end)
{
    static const char *const keys[] = {"title=", "label=", "name=", "header=", NULL};
    const char *open = NULL, *close;
    char quote;

    for (size_t i = 0; keys[i] && !open; i++) {
        open = memmem(p, (size_t)(end - p), keys[i], strlen(keys[i]));
        if (open)
            open += strlen(keys[i]);
    }
    if (!open)
        for (open = p; open < end && *open != '"' && *open != '\''; open++)
            ;
    quote = open < end ? *open : 0;
    close = quote == '"' || quote == '\'' ? memchr(open + 1, quote, (size_t)(end - open - 1)) : NULL;
    fputs("<tabitem value=\"", c->out);
    for (const char *q = close ? open + 1 : end; q < (close ? close : end); q++)
        if (*q != '"')
            write_escaped(c->out, *q);
    fputs("\">", c->out);
}

/* {% tab title="…" %}, {{< tab "…" >}}, {% endtab %} and their like become elements. False: the line has none. */
static bool tab_line(struct converter *c, const char *line, const char *end)
{
    const char *p = behind_blanks(line), *close;

    if (strncmp(p, "{%", 2) && strncmp(p, "{{<", 3) && strncmp(p, "{{%", 3))
        return false;
    close = memmem(p + 2, (size_t)(end - p - 2), "}", 1);
    if (!close)
        return false;
    end_table(c);
    p += p[1] == '%' ? 2 : 3;
    p += strspn(p, " -");
    if (!strncmp(p, "tab ", 4))
        write_tab(c, p + 4, close);
    else if (!strncmp(p, "endtab ", 7) || !strncmp(p, "/tab ", 5) || !strncmp(p, "/ tab", 5))
        fputs("</tabitem>", c->out);
    close += strspn(close, "}");
    write_raw(c->out, close, end);
    return true;
}

/* === "Label" of MkDocs begins a tab; it ends with the first line that is not indented. */
static bool indented_tab(struct converter *c, const char *line, const char *end)
{
    const char *p = behind_blanks(line);

    if (c->tab && !is_blank(line, end) && indentation(line) < 4) {
        end_table(c);
        fputs("</tabitem>", c->out);
        c->tab = false;
    }
    if (strncmp(p, "===", 3) || (p[3] != ' ' && p[3] != '!' && p[3] != '+') || !memchr(p, '"', (size_t)(end - p)))
        return false;
    end_table(c);
    write_tab(c, p + 3, end);
    c->tab = true;
    return true;
}

/* ---- Lines ---- */

/* Whether the line is part of a listing, or begins or ends one. */
static bool listing_line(struct converter *c, const char *line)
{
    const char *p = behind_blanks(line);
    size_t length = *p == '`' || *p == '~' ? strspn(p, *p == '`' ? "`" : "~") : 0;

    if (c->fence) {
        if (*p == c->fence && length >= c->fence_length && is_blank(p + length, line_end(line)))
            c->fence = 0;
        return true;
    }
    if (length < 3 || (*p == '`' && memchr(p + length, '`', (size_t)(line_end(line) - p) - length)))
        return false;
    end_table(c);
    c->fence = *p;
    c->fence_length = length;
    return true;
}

static bool is_list_item(const char *line)
{
    const char *p = behind_blanks(line);
    size_t digits = strspn(p, "0123456789");

    if ((*p == '-' || *p == '*' || *p == '+') && isblank((unsigned char)p[1]))
        return true;
    return (digits && (p[digits] == '.' || p[digits] == ')') && isblank((unsigned char)p[digits + 1])) ||
           !strncmp(p, "!!!", 3) || !strncmp(p, "???", 3);
}

/* A comment of HTML goes on over lines; tables and headings in it are none. The rest of the line is written as it is. */
static bool comment_line(struct converter *c, const char *line, const char *end)
{
    const char *close = c->comment ? memmem(line, (size_t)(end - line), "-->", 3) : NULL;

    if (c->comment) {
        fwrite(line, 1, (size_t)(end - line), c->out);
        c->comment = !close;
        return true;
    }
    for (const char *open = line; (open = memmem(open, (size_t)(end - open), "<!--", 4)); open = close + 3) {
        close = memmem(open + 4, (size_t)(end - open - 4), "-->", 3);
        if (!close) {
            end_table(c);
            c->comment = true;
            fwrite(line, 1, (size_t)(end - line), c->out);
            return true;
        }
    }
    return false;
}

/* {/ * … * /} of MDX. */
static bool jsx_comment_line(struct converter *c, const char *line, const char *end)
{
    const char *open = c->jsx_comment ? line : memmem(line, (size_t)(end - line), "{/*", 3), *close;

    if (!open)
        return false;
    if (open > line)
        write_raw(c->out, line, open);
    close = memmem(open, (size_t)(end - open), "*/}", 3);
    c->jsx_comment = !close;
    if (close)
        write_raw(c->out, close + 3, end);
    return true;
}

static int markdown_line(struct converter *c, const char *line, struct qpw_error *err)
{
    const char *end = line_end(line), *next = *end ? end + 1 : end, *text = behind_blanks(line);
    size_t level = heading_level(line);

    if (level) {
        write_heading(c, level, text + level, end);
        c->list = false;
    } else if (has_pipe(line, end) && is_separator(next, line_end(next))) {
        fputs("<table><thead>", c->out);
        write_row(c, line, end, "th");
        c->in_table = true;
    } else if (is_blank(line, end)) {
        fputs("<p>", c->out);
        fwrite(line, 1, (size_t)(end - line), c->out);
    } else if (starts_with_pipe(line)) {
        return qpw_fail(err, -EINVAL, "%s:%u: a row of a table without titles and the line of dashes under them",
                        c->name, c->line);
    } else if (*next && underline_level(next) && !is_list_item(line) && *text != '<' && !underline_level(line)) {
        write_heading(c, underline_level(next), text, end);
        c->list = false;
        c->paragraph = next; /* the underline: nothing of it is text */
    } else {
        count_tables(c, line, end);
        write_raw(c->out, line, end);
    }
    return 0;
}

static int convert_line(struct converter *c, const char *line, struct qpw_error *err)
{
    const char *end = line_end(line);
    bool blank = is_blank(line, end), before = c->blank;

    c->blank = blank;
    if (c->paragraph == line)
        return 0;
    if (c->html_tables) {
        count_tables(c, line, end);
        fwrite(line, 1, (size_t)(end - line), c->out);
        return 0;
    }
    if (!c->comment && !c->jsx_comment && listing_line(c, line))
        return 0;
    if (comment_line(c, line, end) || jsx_comment_line(c, line, end))
        return 0;
    if (indented_tab(c, line, end) || tab_line(c, line, end))
        return 0;
    if (c->in_table && table_line(c, line, end))
        return 0;
    if (!blank && indentation(line) < 2)
        c->list = is_list_item(line);
    /* An indented line after a blank one is a listing, unless it belongs to a list or a tab. */
    if (!blank && before && indentation(line) >= 4 && !c->list && !c->tab) {
        c->blank = true;
        return 0;
    }
    return markdown_line(c, line, err);
}

/* The lines as HTML, with the same numbers. Caller frees *ret. */
static int to_html(const char *name, const char *text, char **ret, struct qpw_error *err)
{
    struct converter c = {.name = name, .line = 1, .blank = true};
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
    end_table(&c);
    free(padded);
    if (fclose(c.out) != 0 || error < 0) {
        free(html);
        return error < 0 ? error : qpw_fail(err, -ENOMEM, "%s: out of memory", name);
    }
    *ret = html;
    return 0;
}

int qpw_read_markdown(const char *name, const char *text, struct qpw_page *ret, struct qpw_error *err)
{
    char *html = NULL;
    int error = to_html(name, text, &html, err);

    if (error < 0)
        return error;
    error = qpw_read_html(name, html, ret, err);
    free(html);
    return error;
}
