/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* csv.c - read values separated by commas, semicolons or tabs (RFC 4180) as one table. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/page/page.h"

struct reader {
    const struct qpw_csv *csv;
    const char *at;
    unsigned line;
    bool rows_quoted; /* a quoted value contains lines that look like rows */
    struct qpw_error *err;
};

/* Write the quoted value at r->at to out and move r->at after it. A line end within it is a line break. */
static int quoted(struct reader *r, FILE *out, bool *ret_trailing)
{
    unsigned begun = r->line, separators = 0;

    for (r->at++; *r->at; r->at++) {
        if (*r->at == '"' && r->at[1] == '"') {
            fputc(*r->at++, out);
        } else if (*r->at == '"') {
            r->at++;
            *ret_trailing = false;
            while (*r->at && *r->at != r->csv->separator && *r->at != '\n') {
                *ret_trailing |= !isspace((unsigned char)*r->at);
                r->at++;
            }
            return 0;
        } else {
            separators = *r->at == '\n' ? 0 : separators + (*r->at == r->csv->separator && r->line > begun);
            r->rows_quoted |= separators > 1;
            r->line += *r->at == '\n';
            fputc(*r->at == '\n' ? '\v' : *r->at, out);
        }
    }
    return qpw_fail(r->err, -EINVAL, "%s:%u: missing closing quote", r->csv->name, begun);
}

/* Append the value at r->at as a cell of the last row. */
static int value(struct reader *r, struct qpw_page *page)
{
    const char *text = r->at + strspn(r->at, " ");
    unsigned line = r->line;
    bool trailing = false;
    char *cell = NULL;
    size_t size;
    FILE *out = open_memstream(&cell, &size);
    int error = 0;

    if (!out)
        return qpw_fail(r->err, -ENOMEM, "%s: out of memory", r->csv->name);
    if (*text == '"') {
        r->at = text;
        error = quoted(r, out, &trailing);
    } else {
        for (; *r->at && *r->at != r->csv->separator && *r->at != '\n'; r->at++)
            fputc(*r->at, out);
    }
    if (fclose(out) != 0 || error < 0) {
        free(cell);
        return error < 0 ? error : qpw_fail(r->err, -ENOMEM, "%s: out of memory", r->csv->name);
    }
    qpw_page_add_cell(page, qpw_tidy(cell), line);
    if (trailing)
        qpw_page_fault(page, "text after a closing quote");
    if (r->rows_quoted)
        qpw_page_fault(page, "rows within a quoted value: a quote is missing, or one too many");
    r->rows_quoted = false;
    return 0;
}

static bool is_blank_line(const char *line)
{
    return strspn(line, " \t\r") == strcspn(line, "\n");
}

int qpw_csv_rows(const struct qpw_csv *csv, const char *text, struct qpw_page *page, struct qpw_error *err)
{
    struct reader r = {.csv = csv, .at = text, .line = csv->line, .err = err};
    size_t rows = 0;

    while (*r.at && !page->no_memory) {
        struct qpw_part *row;

        if (is_blank_line(r.at)) {
            r.at += strcspn(r.at, "\n");
        } else {
            row = qpw_page_add(page, QPW_PART_ROW, r.line);
            if (row)
                row->titles = rows < csv->n_titles;
            for (rows++; row; r.at++) {
                int error = value(&r, page);

                if (error < 0)
                    return error;
                if (!*r.at || *r.at == '\n')
                    break;
            }
        }
        if (*r.at == '\n') {
            r.at++;
            r.line++;
        }
    }
    return qpw_page_check(page, csv->name, err);
}

/* Return the separator that occurs most often on any one of the first 20 lines. */
static char find_separator(const char *text)
{
    static const char candidates[] = ",;\t|";
    size_t most = 0;
    char found = ',';

    for (unsigned lines = 0; *text && lines < 20; lines++, text += strcspn(text, "\n"), text += *text != '\0')
        for (size_t i = 0; candidates[i]; i++) {
            size_t n = 0;

            for (const char *p = text; *p && *p != '\n'; p++)
                n += *p == candidates[i];
            if (n > most) {
                most = n;
                found = candidates[i];
            }
        }
    return found;
}

/* Return whether a line has one value only (a title of the table) or is empty. *ret_length: the value's length. */
static bool is_title(const char *line, char separator, size_t *ret_start, size_t *ret_length)
{
    size_t length = strcspn(line, "\n"), start = 0;

    while (start < length && (line[start] == separator || isspace((unsigned char)line[start])))
        start++;
    while (length > start && (line[length - 1] == separator || isspace((unsigned char)line[length - 1])))
        length--;
    *ret_start = start;
    *ret_length = length - start;
    return !memchr(line + start, separator, length - start) && !memchr(line + start, '"', length - start);
}

/* Turn titles above the table into paragraphs, if a line with several values follows. Returns that line. */
static const char *take_titles(const char *text, struct qpw_csv *csv, struct qpw_page *page)
{
    const char *table = text;
    size_t start, length;

    while (*table && is_title(table, csv->separator, &start, &length))
        table += strcspn(table, "\n") + (table[strcspn(table, "\n")] != '\0');
    if (!*table)
        return text;
    for (; text < table; csv->line++) {
        char *copy;

        is_title(text, csv->separator, &start, &length);
        copy = length ? strndup(text + start, length) : NULL;
        if (copy)
            qpw_page_add_text(page, QPW_PART_TEXT, csv->line, qpw_tidy(copy));
        page->no_memory |= length && !copy;
        free(copy);
        text += strcspn(text, "\n") + 1;
    }
    return table;
}

int qpw_read_csv(const char *name, const char *text, char separator, struct qpw_page *ret, struct qpw_error *err)
{
    struct qpw_csv csv = {.name = name, .line = 1, .separator = separator, .n_titles = 1};

    if (!strncmp(text, "\xef\xbb\xbf", 3))
        text += 3;
    if (!strncasecmp(text, "sep=", 4) && text[4] && text[5 + strspn(text + 5, "\r")] == '\n') { /* written by Excel */
        csv.separator = separator = text[4];
        text += 6 + strspn(text + 5, "\r");
        csv.line = 2;
    }
    if (!separator)
        csv.separator = find_separator(text);
    text = take_titles(text, &csv, ret);
    qpw_page_add(ret, QPW_PART_TABLE, csv.line);
    return qpw_csv_rows(&csv, text, ret, err);
}
