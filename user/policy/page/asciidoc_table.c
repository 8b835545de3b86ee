/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* asciidoc_table.c - build a table's rows: each takes as many cells of the stream as the table has columns. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/page/asciidoc.h"

/* ---- Attributes of a table ---- */

/* Count the columns: "1,2,3", "3*", "2*,4a", "25,25,50", "3". */
static unsigned count_columns(const char *cols, size_t length)
{
    unsigned columns = 0;
    bool number = length > 0;

    for (size_t i = 0; i < length; i++)
        number &= isdigit((unsigned char)cols[i]) != 0;
    if (number)
        return (unsigned)strtoul(cols, NULL, 10);
    for (size_t at = 0; at <= length;) {
        size_t item = strcspn(cols + at, ",;"), digits;

        if (item > length - at)
            item = length - at;
        while (item && isspace((unsigned char)cols[at])) {
            at++;
            item--;
        }
        digits = strspn(cols + at, "0123456789");
        columns += digits && digits < item && cols[at + digits] == '*' ? (unsigned)strtoul(cols + at, NULL, 10) : 1;
        at += item + 1;
    }
    return columns;
}

/* Return the value of key= in text, without quotes; NULL if there is none. */
static const char *value_of(const char *text, const char *key, size_t *ret_length)
{
    size_t length = strlen(key);

    for (const char *p = text; (p = strstr(p, key)); p++) {
        const char *value = p + length;

        if ((p > text && (isalnum((unsigned char)p[-1]) || p[-1] == '-')) || *value != '=')
            continue;
        value++;
        if (*value == '"' || *value == '\'') {
            char quote[2] = {*value, '\0'};

            *ret_length = strcspn(value + 1, quote);
            return value + 1;
        }
        *ret_length = strcspn(value, ", \t");
        return value;
    }
    return NULL;
}

static bool has(const char *text, size_t length, const char *word)
{
    return text && memmem(text, length, word, strlen(word)) != NULL;
}

void qpw_adoc_attributes(const char *text, struct qpw_adoc_table *ret)
{
    size_t length = 0;
    const char *value = value_of(text, "cols", &length);

    if (value)
        ret->columns = count_columns(value, length);
    value = value_of(text, "options", &length);
    if (!value)
        value = value_of(text, "opts", &length);
    if (value || strchr(text, '%')) {
        ret->options = true;
        ret->header = has(value, length, "header") && !has(value, length, "noheader");
        ret->header |= strstr(text, "%header") != NULL;
    }
    value = value_of(text, "format", &length);
    if (has(value, length, "csv"))
        ret->separator = ',';
    else if (has(value, length, "tsv"))
        ret->separator = '\t';
    else if (has(value, length, "dsv"))
        ret->separator = ':';
    value = value_of(text, "separator", &length);
    if (value && length == 1)
        ret->separator = *value;
}

/* ---- Rows ---- */

static bool is_directive(const char *line)
{
    static const char *const words[] = {"ifdef::", "ifndef::", "ifeval::", "endif::", "include::", NULL};

    for (size_t i = 0; words[i]; i++)
        if (!strncmp(line, words[i], strlen(words[i])))
            return true;
    return false;
}

/* Return why the whole table cannot be read, or NULL. */
static const char *find_obstacle(const struct qpw_adoc_table *table, const char *text)
{
    if (table->conditional)
        return "this table stands under a condition (ifdef::, ifndef:: or ifeval::), which only its author can decide";
    for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line != '\0') {
        if (is_directive(line))
            return "rows of this table come from another file or stand under a condition (include::, ifdef::)";
        if (!strncmp(line, "!===", 4))
            return "a table within a table";
        if (!strncmp(line, "////", 4))
            return "a comment block within a table, which is none there";
    }
    return NULL;
}

static bool is_full(const struct qpw_page *page, const struct qpw_spans *spans, size_t columns)
{
    size_t at = page->parts[page->n - 1].n_cells;

    while (at < QPW_MAX_COLUMNS && spans->rows[at])
        at++;
    return at >= columns;
}

/*
 * The first line has titles if it holds all cells of a row, directly follows the delimiter, and precedes a blank line.
 */
static bool has_titles(const struct qpw_adoc_table *table, const char *text, const struct qpw_adoc_cells *cells, size_t columns)
{
    size_t first = strcspn(text, "\n");

    if (table->header || table->options)
        return table->header;
    return strspn(text, " \t\r") < first && text[first] == '\n' &&
           strspn(text + first + 1, " \t\r") == strcspn(text + first + 1, "\n") && cells->first_line == columns;
}

static void write_rows(const struct qpw_adoc_table *table, const char *text, struct qpw_adoc_cells *cells, struct qpw_page *page)
{
    size_t columns = table->columns ? table->columns : cells->first_line;
    bool titles = has_titles(table, text, cells, columns), open = false, first = true;
    struct qpw_spans spans = {0};

    for (size_t i = 0; i < cells->n && !page->no_memory; i++) {
        struct qpw_adoc_cell *cell = &cells->list[i];

        for (unsigned j = 0; j < cell->specifier.repeat && !page->no_memory; j++) {
            struct qpw_span span = {.columns = cell->specifier.columns,
                                    .rows = cell->specifier.rows,
                                    .title = cell->specifier.style == 'h'};
            char *copy = strdup(cell->text);
            bool stands = !copy || qpw_adoc_clean(copy);

            while (open && is_full(page, &spans, columns)) {
                qpw_row_end(page, &spans);
                open = first = false;
            }
            if (!open)
                qpw_row_begin(page, &spans, cell->line);
            open = true;
            span.title |= titles && first;
            qpw_row_cell(page, &spans, copy, cell->line, &span);
            if (!stands)
                qpw_page_fault(page, "text that is struck out");
        }
    }
    if (open)
        qpw_row_end(page, &spans);
    qpw_spans_clear(&spans);
}

int qpw_adoc_rows(const struct qpw_adoc_table *table, const char *text, struct qpw_page *page, struct qpw_error *err)
{
    const char *obstacle = find_obstacle(table, text);
    struct qpw_adoc_cells cells = {0};
    bool memory = true;

    if (obstacle) {
        qpw_page_add(page, QPW_PART_ROW, table->line);
        qpw_page_fault(page, obstacle);
    }
    if (table->separator && table->separator != '|') {
        struct qpw_csv csv = {.name = table->name, .line = table->line, .separator = table->separator,
                              .n_titles = table->header};

        return qpw_csv_rows(&csv, text, page, err);
    }
    memory = qpw_adoc_take_cells(table, text, &cells);
    if (memory && cells.stray) {
        qpw_page_add(page, QPW_PART_ROW, cells.stray_line);
        qpw_page_fault(page, "text before the first cell of a table");
    }
    if (memory)
        write_rows(table, text, &cells, page);
    qpw_adoc_clear_cells(&cells);
    page->no_memory |= !memory;
    return qpw_page_check(page, table->name, err);
}
