/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* rst_table.c - cut grids and simple tables into cells by columns. A spanning cell makes a row unreadable. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/page/rst.h"

#define SPANNED "a cell that spans several columns or rows; write the table without spans, or as CSV"

/* ---- Cells cut out of lines, in characters ---- */

struct column {
    size_t from;
    size_t to; /* exclusive; of the last column of a simple table: the line's end */
};

struct shape {
    struct column columns[QPW_MAX_COLUMNS];
    size_t n;
};

/* Return the byte offset of character `column` of the line. */
static size_t byte_of(const char *line, size_t length, size_t column)
{
    size_t at = 0;

    for (; at < length && column; column--) {
        at++;
        while (at < length && (line[at] & 0xc0) == 0x80)
            at++;
    }
    return at;
}

/* The cells of one row, a stream each. */
struct row {
    FILE *out[QPW_MAX_COLUMNS];
    char *text[QPW_MAX_COLUMNS];
    size_t size[QPW_MAX_COLUMNS];
    unsigned line;
    bool open;
    bool titles;
    const char *fault;
};

static bool open_row(struct row *row, size_t n, unsigned line)
{
    *row = (struct row){.line = line, .open = true};
    for (size_t i = 0; i < n; i++)
        if (!(row->out[i] = open_memstream(&row->text[i], &row->size[i]))) {
            while (i-- > 0) {
                fclose(row->out[i]);
                free(row->text[i]);
            }
            row->open = false;
            return false;
        }
    return true;
}

static void end_row(struct row *row, size_t n, struct qpw_page *page)
{
    struct qpw_part *part;

    if (!row->open)
        return;
    part = qpw_page_add(page, QPW_PART_ROW, row->line);
    if (part)
        part->titles = row->titles;
    for (size_t i = 0; i < n; i++) {
        if (fclose(row->out[i]) != 0)
            page->no_memory = true;
        if (row->text[i] && !qpw_rst_clean(row->text[i]))
            row->fault = row->fault ? row->fault : "text that is struck out";
        qpw_page_add_cell(page, row->text[i], row->line);
    }
    if (row->fault)
        qpw_page_fault(page, row->fault);
    row->open = false;
}

/* Take the part of a line under a column: a blank one ends a paragraph, "| " and a list's mark begin a new line. */
static void take_text(struct row *row, size_t column, const char *text, size_t length)
{
    while (length && isspace((unsigned char)*text)) {
        text++;
        length--;
    }
    while (length && isspace((unsigned char)text[length - 1]))
        length--;
    if (!length) {
        fputc('\v', row->out[column]);
        return;
    }
    if (length > 1 && strchr("|-*", *text) && text[1] == ' ') {
        fputc('\v', row->out[column]);
        text += 2;
        length -= 2;
    }
    if (length > 3 && !strncmp(text, ".. ", 3))
        row->fault = "a directive within a cell";
    fwrite(text, 1, length, row->out[column]);
    fputc('\n', row->out[column]);
}

/* ---- Grid ---- */

bool qpw_rst_is_grid_edge(const char *line, size_t length)
{
    size_t blanks = strspn(line, " \t");

    if (blanks + 3 > length || line[blanks] != '+' || line[length - 1] != '+')
        return false;
    for (size_t i = blanks; i < length; i++)
        if (!strchr("+-=", line[i]))
            return false;
    return true;
}

static bool shape_of_grid(const char *line, size_t length, struct shape *ret)
{
    size_t start = strspn(line, " \t");

    *ret = (struct shape){0};
    for (size_t i = start + 1; i < length; i++) {
        if (line[i] != '+')
            continue;
        if (ret->n == QPW_MAX_COLUMNS)
            return false;
        ret->columns[ret->n++] = (struct column){start + 1, i};
        start = i;
    }
    return ret->n > 0;
}

/* Return whether the line has `mark` at all borders of the shape. */
static bool has_borders(const struct shape *shape, const char *line, size_t length, char mark)
{
    for (size_t i = 0; i <= shape->n; i++) {
        size_t column = i ? shape->columns[i - 1].to : shape->columns[0].from - 1, at = byte_of(line, length, column);

        if (at >= length || line[at] != mark)
            return false;
    }
    return true;
}

static bool same_shape(const struct shape *a, const struct shape *b)
{
    bool same = a->n == b->n;

    for (size_t i = 0; same && i < a->n; i++)
        same = a->columns[i].from == b->columns[i].from && a->columns[i].to == b->columns[i].to;
    return same;
}

static void take_grid_line(struct row *row, const struct shape *shape, const char *line, size_t length)
{
    if (!has_borders(shape, line, length, '|') || memmem(line, length, "+--", 3))
        row->fault = SPANNED;
    for (size_t i = 0; i < shape->n; i++) {
        size_t from = byte_of(line, length, shape->columns[i].from), to = byte_of(line, length, shape->columns[i].to);

        take_text(row, i, line + from, to > from ? to - from : 0);
    }
}

size_t qpw_rst_grid(const struct qpw_rst_lines *lines, size_t first, struct qpw_page *page)
{
    struct shape shape, edge;
    struct row row = {0};
    const char *fault = NULL;
    size_t i = first + 1, rows_from = page->n;

    if (!shape_of_grid(lines->at[first], lines->length[first], &shape)) {
        qpw_page_add(page, QPW_PART_ROW, (unsigned)first + 1);
        qpw_page_fault(page, "more columns than any table has here");
        shape.n = 0;
    }
    for (; i < lines->n && !page->no_memory; i++) {
        const char *line = lines->at[i];
        size_t length = lines->length[i], blanks = strspn(line, " \t");

        if (blanks >= length || (line[blanks] != '|' && line[blanks] != '+'))
            break;
        if (!shape.n)
            continue;
        if (qpw_rst_is_grid_edge(line, length)) {
            /* A border with other columns means a span above or below it. */
            fault = shape_of_grid(line, length, &edge) && same_shape(&shape, &edge) ? NULL : SPANNED;
            if (fault)
                row.fault = fault;
            end_row(&row, shape.n, page);
            if (memchr(line, '=', length))
                for (size_t j = rows_from; j < page->n; j++)
                    page->parts[j].titles = true;
            continue;
        }
        if (!row.open && !open_row(&row, shape.n, (unsigned)i + 1))
            page->no_memory = true;
        if (row.open && fault)
            row.fault = fault;
        if (row.open)
            take_grid_line(&row, &shape, line, length);
    }
    if (row.open) {
        row.fault = "this table is not closed";
        end_row(&row, shape.n, page);
    }
    return i;
}

/* ---- Simple tables ---- */

bool qpw_rst_is_simple_edge(const char *line, size_t length)
{
    bool gap = false;

    for (size_t i = strspn(line, " \t"); i < length; i++) {
        if (line[i] != '=' && line[i] != ' ')
            return false;
        gap |= line[i] == ' ';
    }
    return gap && length > 4;
}

static bool shape_of_simple(const char *line, size_t length, struct shape *ret)
{
    *ret = (struct shape){0};
    for (size_t i = strspn(line, " \t"); i < length;) {
        size_t bar = strspn(line + i, "=");

        if (ret->n == QPW_MAX_COLUMNS)
            return false;
        ret->columns[ret->n++] = (struct column){i, i + bar};
        i += bar;
        i += strspn(line + i, " ");
    }
    return ret->n > 1;
}

static bool is_span_line(const char *line, size_t length)
{
    size_t i = strspn(line, " \t");

    if (i >= length)
        return false;
    for (; i < length; i++)
        if (line[i] != '-' && line[i] != ' ')
            return false;
    return true;
}

static void take_simple_line(struct row *row, const struct shape *shape, const char *line, size_t length)
{
    for (size_t i = 0; i < shape->n; i++) {
        size_t from = byte_of(line, length, shape->columns[i].from);
        size_t to = i + 1 < shape->n ? byte_of(line, length, shape->columns[i + 1].from) : length;
        size_t margin = i + 1 < shape->n ? byte_of(line, length, shape->columns[i].to) : length;

        for (size_t j = margin; j < to; j++)
            if (!isspace((unsigned char)line[j]))
                row->fault = "text that stands between two columns";
        if (to > from && strspn(line + from, " ") < to - from)
            take_text(row, i, line + from, to - from);
    }
}

size_t qpw_rst_simple(const struct qpw_rst_lines *lines, size_t first, struct qpw_page *page)
{
    struct shape shape;
    struct row row = {0};
    size_t i = first + 1, edges = 1, last = first + 1, rows_from = page->n;
    bool shaped = shape_of_simple(lines->at[first], lines->length[first], &shape);

    /* Find the last border of the same indentation, before two blank lines or a less indented line. */
    for (size_t j = i; j < lines->n; j++) {
        if (lines->length[j] &&
            qpw_rst_indent(lines->at[j], lines->length[j]) < qpw_rst_indent(lines->at[first], lines->length[first]))
            break;
        if (qpw_rst_is_simple_edge(lines->at[j], lines->length[j])) {
            last = j;
            if (++edges == 3 || (j + 1 < lines->n && !lines->length[j + 1]))
                break;
        }
    }
    if (!shaped || edges < 2) {
        qpw_page_add(page, QPW_PART_ROW, (unsigned)first + 1);
        qpw_page_fault(page, shaped ? "this table is not closed" : "more columns than any table has here");
        return first + 1;
    }
    for (; i < last && !page->no_memory; i++) {
        const char *line = lines->at[i];
        size_t length = lines->length[i], from = byte_of(line, length, shape.columns[0].from);
        bool begins = length && strspn(line + from, " ") < shape.columns[0].to - shape.columns[0].from && from < length;

        if (qpw_rst_is_simple_edge(line, length) || !length) {
            end_row(&row, shape.n, page);
            if (length)
                for (size_t j = rows_from; j < page->n; j++)
                    page->parts[j].titles = true;
            continue;
        }
        if (is_span_line(line, length)) {
            if (row.open)
                row.fault = SPANNED; /* this border marks which columns the row above spans */
            end_row(&row, shape.n, page);
            continue;
        }
        if (begins)
            end_row(&row, shape.n, page);
        if (!row.open && !open_row(&row, shape.n, (unsigned)i + 1))
            page->no_memory = true;
        if (row.open)
            take_simple_line(&row, &shape, line, length);
    }
    end_row(&row, shape.n, page);
    return last + 1;
}
