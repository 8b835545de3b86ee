/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * markdown.c - convert Markdown to HTML, line by line, for html.c.
 *
 * Headings, pipe tables (GFM) and tabs (GitBook, Docusaurus, MkDocs, Hugo) become HTML on the same line; listings and
 * comments are removed; everything else, HTML above all, stays unchanged.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/page/markdown.h"

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

/* ---- Tables ---- */

static void write_row(struct qpw_md_converter *c, const char *line, const char *end, const char *cell)
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
        qpw_md_write_inline(c->out, p, stop);
        fprintf(c->out, "</%s>", cell);
        if (stop >= end)
            break;
        p = stop + 1;
    }
    fputs("</tr>", c->out);
}

static bool starts_with_pipe(const char *line)
{
    return *qpw_md_behind_blanks(line) == '|';
}

/* A condition's tag leaves a blank line within a table; the rows after it still belong to the table. */
static bool goes_on(const char *line)
{
    while (*line && qpw_md_is_blank(line, qpw_md_line_end(line)))
        line = *qpw_md_line_end(line) ? qpw_md_line_end(line) + 1 : qpw_md_line_end(line);
    return starts_with_pipe(line) &&
           !(*qpw_md_line_end(line) && is_separator(qpw_md_line_end(line) + 1, qpw_md_line_end(qpw_md_line_end(line) + 1)));
}

static bool table_line(struct qpw_md_converter *c, const char *line, const char *end)
{
    if (qpw_md_is_blank(line, end) && goes_on(line))
        return true;
    if (!qpw_md_is_blank(line, end) && has_pipe(line, end)) {
        if (is_separator(line, end))
            fputs(c->in_body ? "" : "</thead><tbody>", c->out); /* a second separator only divides the rows */
        else
            write_row(c, line, end, "td");
        c->in_body = true;
        return true;
    }
    fputs("</tbody></table>", c->out);
    c->in_table = false;
    return false;
}

/* Count <table and </table on a line, also within HTML comments: a table there is balanced. */
static void count_tables(struct qpw_md_converter *c, const char *line, const char *end)
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

static void write_heading(struct qpw_md_converter *c, size_t level, const char *line, const char *end)
{
    while (end > line && (isspace((unsigned char)end[-1]) || end[-1] == '#'))
        end--;
    fprintf(c->out, "<h%zu>", level);
    qpw_md_write_inline(c->out, line, end);
    fprintf(c->out, "</h%zu>", level);
}

/* Return the level of the heading that "=====" or "-----" under a line of text makes: 1 or 2, else 0. */
static size_t underline_level(const char *line)
{
    const char *p = qpw_md_behind_blanks(line);
    size_t length = (*p == '=' || *p == '-') ? strspn(p, *p == '=' ? "=" : "-") : 0;

    if (!length || qpw_md_indentation(line) > 3 || !qpw_md_is_blank(p + length, qpw_md_line_end(line)))
        return 0;
    return *p == '=' ? 1 : 2;
}

/* ---- Lines ---- */

/* Return whether the line is part of a listing, or begins or ends one. */
static bool listing_line(struct qpw_md_converter *c, const char *line)
{
    const char *p = qpw_md_behind_blanks(line);
    size_t length = *p == '`' || *p == '~' ? strspn(p, *p == '`' ? "`" : "~") : 0;

    if (c->fence) {
        if (*p == c->fence && length >= c->fence_length && qpw_md_is_blank(p + length, qpw_md_line_end(line)))
            c->fence = 0;
        return true;
    }
    if (length < 3 || (*p == '`' && memchr(p + length, '`', (size_t)(qpw_md_line_end(line) - p) - length)))
        return false;
    qpw_md_end_table(c);
    fputs("<pre></pre>", c->out);
    c->fence = *p;
    c->fence_line = c->line;
    c->fence_length = length;
    return true;
}

static bool is_list_item(const char *line)
{
    const char *p = qpw_md_behind_blanks(line);
    size_t digits = strspn(p, "0123456789");

    if ((*p == '-' || *p == '*' || *p == '+') && isblank((unsigned char)p[1]))
        return true;
    return (digits && (p[digits] == '.' || p[digits] == ')') && isblank((unsigned char)p[digits + 1])) ||
           !strncmp(p, "!!!", 3) || !strncmp(p, "???", 3);
}

/* Copy the lines of an HTML comment unchanged: tables and headings in it do not count. False: the line is in none. */
static bool comment_line(struct qpw_md_converter *c, const char *line, const char *end)
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
            qpw_md_end_table(c);
            c->comment = true;
            fwrite(line, 1, (size_t)(end - line), c->out);
            return true;
        }
    }
    return false;
}

/* Skip {/ * … * /} of MDX. */
static bool jsx_comment_line(struct qpw_md_converter *c, const char *line, const char *end)
{
    const char *open = c->jsx_comment ? line : memmem(line, (size_t)(end - line), "{/*", 3), *close;

    if (!open)
        return false;
    if (open > line)
        qpw_md_write_raw(c->out, line, open);
    close = memmem(open, (size_t)(end - open), "*/}", 3);
    c->jsx_comment = !close;
    if (close)
        qpw_md_write_raw(c->out, close + 3, end);
    return true;
}

/* Copy <pre> and the like up to the line with their end: their text is no Markdown, and has no tables. */
static bool raw_line(struct qpw_md_converter *c, const char *line, const char *end)
{
    static const char *const names[] = {"pre", "script", "style", "textarea"};
    const char *p = qpw_md_behind_blanks(line);
    char close[16];

    for (size_t i = 0; i < sizeof(names) / sizeof(*names) && !c->raw; i++) {
        size_t length = strlen(names[i]);

        if (*p == '<' && !strncasecmp(p + 1, names[i], length) && !isalnum((unsigned char)p[1 + length]) && p[1 + length] != '-')
            c->raw = names[i];
    }
    if (!c->raw)
        return false;
    qpw_md_end_table(c);
    snprintf(close, sizeof(close), "</%s", c->raw);
    for (; p + strlen(close) <= end && strncasecmp(p, close, strlen(close)); p++)
        ;
    if (p + strlen(close) <= end)
        c->raw = NULL;
    fwrite(line, 1, (size_t)(end - line), c->out);
    return true;
}

/* "{condition && (" of MDX: text for some readers only. */
static bool is_jsx_condition(const char *line, const char *end)
{
    const char *p = qpw_md_behind_blanks(line);

    while (end > p && isspace((unsigned char)end[-1]))
        end--;
    return end - p > 3 && *p == '{' && !strchr("{%/", p[1]) && (end[-1] == '(' || end[-1] == '<') &&
           (memmem(p, (size_t)(end - p), "&&", 2) || memchr(p, '?', (size_t)(end - p)));
}

static int markdown_line(struct qpw_md_converter *c, const char *line, struct qpw_error *err)
{
    const char *end = qpw_md_line_end(line), *next = *end ? end + 1 : end, *text = qpw_md_behind_blanks(line);
    size_t level = heading_level(line);

    if (level) {
        write_heading(c, level, text + level, end);
        c->list = false;
    } else if (has_pipe(line, end) && is_separator(next, qpw_md_line_end(next))) {
        fputs("<table><thead>", c->out);
        write_row(c, line, end, "th");
        c->in_table = true;
        c->in_body = false;
    } else if (qpw_md_is_blank(line, end)) {
        fputs("<p>", c->out);
        fwrite(line, 1, (size_t)(end - line), c->out);
    } else if (is_jsx_condition(line, end)) {
        return qpw_fail(err, -EINVAL, "%s:%u: a condition, which only the page's author can decide: %.*s", c->name, c->line,
                        (int)(end - text > 60 ? 60 : end - text), text);
    } else if (starts_with_pipe(line)) {
        return qpw_fail(err, -EINVAL, "%s:%u: a row of a table without titles and the line of dashes under them",
                        c->name, c->line);
    } else if (*next && underline_level(next) && !is_list_item(line) && *text != '<' && !underline_level(line)) {
        write_heading(c, underline_level(next), text, end);
        c->list = false;
        c->paragraph = next; /* the underline itself is no text */
    } else {
        count_tables(c, line, end);
        qpw_md_write_raw(c->out, line, end);
    }
    return 0;
}

static int convert_line(struct qpw_md_converter *c, const char *line, struct qpw_error *err)
{
    const char *end = qpw_md_line_end(line);
    bool blank = qpw_md_is_blank(line, end), before = c->blank;

    c->blank = blank;
    if (c->paragraph == line)
        return 0;
    if (c->html_tables) {
        count_tables(c, line, end);
        fwrite(line, 1, (size_t)(end - line), c->out);
        return 0;
    }
    if (!c->comment && !c->jsx_comment && !c->raw && listing_line(c, line))
        return 0;
    if (comment_line(c, line, end) || jsx_comment_line(c, line, end) || raw_line(c, line, end))
        return 0;
    if (qpw_md_indented_tab(c, line, end) || qpw_md_tab_line(c, line, end) || qpw_md_link_tab(c, line, end) ||
        qpw_md_colon_line(c, line, end))
        return 0;
    if (c->in_table && table_line(c, line, end))
        return 0;
    if (!blank && qpw_md_indentation(line) < 2)
        c->list = is_list_item(line);
    /* An indented line after a blank one is a listing, unless it belongs to a list or a tab. */
    if (!blank && before && qpw_md_indentation(line) >= 4 && !c->list && !c->tab) {
        c->blank = true;
        fputs("<pre></pre>", c->out);
        return 0;
    }
    return markdown_line(c, line, err);
}

/*
 * Blank out marks of quotations (>) and comments of one line, in place: quoted text is part of the page, a comment's
 * text is not. A line that continues a tag of the line before begins with no mark.
 */
static void blank_out(char *text)
{
    bool tag = false;

    for (char *line = text; *line; line += strcspn(line, "\n"), line += *line != '\0') {
        char *p = line + strspn(line, " "), *open = line;
        size_t length;

        while (!tag && p - line <= 3 && *p == '>') {
            *p++ = ' ';
            p += *p == ' ';
            line = *p == '>' ? p : line;
        }
        length = strcspn(line, "\n");
        for (char *close; (open = memmem(open, (size_t)(line + length - open), "<!--", 4)); open = close) {
            close = memmem(open, (size_t)(line + length - open), "-->", 3);
            if (!close)
                break;
            close += 3;
            memset(open, ' ', (size_t)(close - open));
        }
        for (size_t i = 0; i < length; i++) {
            if (line[i] == '<' && (isalpha((unsigned char)line[i + 1]) || line[i + 1] == '/'))
                tag = true;
            else if (line[i] == '>')
                tag = false;
        }
    }
}

/* Convert the text to HTML with the same line numbers. Caller frees *ret. */
static int to_html(const char *name, const char *text, char **ret, struct qpw_error *err)
{
    struct qpw_md_converter c = {.name = name, .line = 1, .blank = true};
    char *html = NULL, *padded = NULL;
    size_t size;
    int error = 0;

    /* Put one byte before the text, so that the parser can look back from any position. */
    if (asprintf(&padded, "\n%s", text) < 0)
        return qpw_fail(err, -ENOMEM, "%s: out of memory", name);
    c.out = open_memstream(&html, &size);
    if (!c.out) {
        free(padded);
        return qpw_fail(err, -ENOMEM, "%s: out of memory", name);
    }
    blank_out(padded);
    for (const char *line = padded + 1; *line && error == 0; c.line++) {
        const char *end = qpw_md_line_end(line);

        error = convert_line(&c, line, err);
        if (*end)
            fputc('\n', c.out);
        line = *end ? end + 1 : end;
    }
    if (error == 0 && c.fence)
        error = qpw_fail(err, -EINVAL, "%s:%u: this listing is not closed", name, c.fence_line);
    qpw_md_end_table(&c);
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
