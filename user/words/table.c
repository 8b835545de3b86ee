/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "words/table.h"

#include <errno.h>
#include <libsmartcols.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "util/text.h"

#define GAP 2u
#define WRAPPED_LEAST 8u /* minimum width at which a wrapped cell is still easy to read */

static int open_table(struct qpw_table *t)
{
    t->scols = scols_new_table();
    if (!t->scols)
        return -ENOMEM;
    for (size_t i = 0; i < t->n_columns; i++) {
        const struct qpw_table_column *c = &t->columns[i];

        struct libscols_column *column = scols_table_new_column(
            t->scols, c->title, 0, (c->right ? SCOLS_FL_RIGHT : 0) | (c->wrap ? SCOLS_FL_WRAP : 0));

        if (!column || scols_column_set_wrapfunc(column, scols_wrapnl_chunksize, scols_wrapnl_nextchunk, NULL) < 0)
            return -ENOMEM;
    }
    return scols_table_set_column_separator(t->scols, "  ") < 0 ? -ENOMEM : 0;
}

static int set_cell(struct libscols_line *line, size_t column, const char *text, unsigned *width)
{
    char *copy = strdup(text);
    unsigned columns;

    if (!copy)
        return -ENOMEM;
    columns = (unsigned)qpw_text_width(qpw_text_clean(copy));
    *width = columns > *width ? columns : *width;
    if (scols_line_refer_data(line, column, copy) == 0)
        return 0;
    free(copy);
    return -ENOMEM;
}

int qpw_table_add(struct qpw_table *t, enum qpw_text_style style, const char *const *cells)
{
    static const char *const colours[] = {[QPW_TEXT_BOLD] = "\033[1m", [QPW_TEXT_BAD] = "\033[1;31m",
                                          [QPW_TEXT_DOUBT] = "\033[33m", [QPW_TEXT_GOOD] = "\033[32m",
                                          [QPW_TEXT_DIM] = "\033[2m"};
    struct libscols_line *line;
    int r = t->scols ? 0 : open_table(t);

    if (r < 0)
        return r;
    line = scols_table_new_line(t->scols, NULL);
    if (!line)
        return -ENOMEM;
    for (size_t i = 0; r == 0 && i < t->n_columns; i++)
        r = set_cell(line, i, cells[i], &t->widths[i]);
    if (r == 0 && style != QPW_TEXT_PLAIN && scols_line_set_color(line, colours[style]) < 0)
        r = -ENOMEM;
    t->n_rows += r == 0;
    t->last = line;
    return r;
}

int qpw_table_note(struct qpw_table *t, const char *text)
{
    char *copy = strdup(text);

    if (!copy)
        return -ENOMEM;
    free(scols_line_get_userdata(t->last));
    return scols_line_set_userdata(t->last, copy);
}

/* Return the width that a column wants; 0: it is empty. */
static unsigned wanted(const struct qpw_table *t, size_t i)
{
    unsigned title = (unsigned)strlen(t->columns[i].title), width = t->widths[i];

    if (!width)
        return 0;
    width = width > title ? width : title;
    return width > t->columns[i].least ? width : t->columns[i].least;
}

/*
 * Choose the widths: 0 for empty columns and, while the page is too narrow, for optional ones; then narrow the wrapping
 * ones, widest first. Returns the total width.
 */
static unsigned fit(const struct qpw_table *t, unsigned page, unsigned *widths)
{
    unsigned total = 0;

    for (size_t i = 0; i < t->n_columns; i++) {
        widths[i] = wanted(t, i);
        total += widths[i] ? widths[i] + GAP : 0;
    }
    for (size_t i = 0; i < t->n_columns && total > page + GAP; i++)
        if (t->columns[i].optional && widths[i]) {
            total -= widths[i] + GAP;
            widths[i] = 0;
        }
    while (total > page + GAP) {
        size_t widest = t->n_columns;

        for (size_t i = 0; i < t->n_columns; i++)
            if (t->columns[i].wrap && widths[i] > WRAPPED_LEAST && (widest == t->n_columns || widths[i] > widths[widest]))
                widest = i;
        if (widest == t->n_columns)
            break;
        widths[widest]--;
        total--;
    }
    return total - GAP;
}

/*
 * Return the bytes of a cell's first line of `width` columns: up to a blank if there is one, otherwise all that fits.
 */
static size_t line_length(const char *text, unsigned width)
{
    const char *at = text, *blank = NULL;
    unsigned columns = 0;

    while (*at) {
        const char *next = at;

        columns += (unsigned)qpw_char_width(qpw_utf8_next(&next));
        if (columns > width)
            return (size_t)((blank ? blank : at > text ? at : next) - text);
        blank = *at == ' ' ? at : blank;
        at = next;
    }
    return (size_t)(at - text);
}

/* Return the text with a line end wherever the column ends; the caller frees it. NULL: out of memory. */
static char *broken_text(const char *text, unsigned width)
{
    char *lines = malloc(2 * strlen(text) + 1), *to = lines;

    while (lines && *text) {
        size_t length = line_length(text, width);

        memcpy(to, text, length);
        to += length;
        text += length;
        text += *text == ' ';
        if (*text)
            *to++ = '\n';
    }
    if (lines)
        *to = '\0';
    return lines;
}

/* Insert line ends into a column's cells, because libsmartcols wraps only there. Returns 0 or -ENOMEM. */
static int break_cells(const struct qpw_table *t, size_t column, unsigned width)
{
    struct libscols_column *c = scols_table_get_column(t->scols, column);
    struct libscols_iter *rows;
    struct libscols_line *line;
    int r = 0;

    if (!t->columns[column].wrap || t->widths[column] <= width)
        return 0;
    rows = scols_new_iter(SCOLS_ITER_FORWARD);
    if (!rows)
        return -ENOMEM;
    while (r == 0 && scols_table_next_line(t->scols, rows, &line) == 0) {
        char *text = broken_text(scols_line_get_column_data(line, c), width);

        r = text ? scols_line_refer_data(line, column, text) : -ENOMEM;
    }
    scols_free_iter(rows);
    return r == 0 ? scols_column_set_safechars(c, "\n") : r;
}

/*
 * Write each line, indented and without trailing blanks, followed by its row's note. Iterates over the rows once,
 * because access by number is linear. Returns 0 or -ENOMEM.
 */
static int write_lines(const struct qpw_table *t, char *text, const struct qpw_printer *p)
{
    struct libscols_iter *rows = scols_new_iter(SCOLS_ITER_FORWARD);
    bool is_row = t->untitled;

    if (!rows)
        return -ENOMEM;
    for (char *line; (line = strsep(&text, "\n")); is_row = true) {
        struct libscols_line *of = NULL;
        const char *note = is_row && scols_table_next_line(t->scols, rows, &of) == 0 ? scols_line_get_userdata(of) : NULL;
        size_t length = strlen(line);

        while (length && line[length - 1] == ' ')
            length--;
        if (length)
            fprintf(p->out, "%*s%.*s\n", (int)p->indent, "", (int)length, line);
        if (note)
            qpw_print_wrapped(p, p->indent + 4, note);
    }
    scols_free_iter(rows);
    return 0;
}

static void free_rows(struct qpw_table *t)
{
    struct libscols_iter *rows = t->scols ? scols_new_iter(SCOLS_ITER_FORWARD) : NULL;
    struct libscols_line *line;

    while (rows && scols_table_next_line(t->scols, rows, &line) == 0)
        free(scols_line_get_userdata(line));
    scols_free_iter(rows);
    scols_unref_table(t->scols);
    t->scols = NULL;
    t->last = NULL;
    t->n_rows = 0;
}

int qpw_table_print(struct qpw_table *t, const struct qpw_printer *p)
{
    unsigned widths[QPW_TABLE_COLUMNS], total;
    char *text = NULL;
    int r;

    if (!t->n_rows)
        return 0;
    total = fit(t, p->width - p->indent, widths);
    for (size_t i = 0; i < t->n_columns; i++) {
        struct libscols_column *column = scols_table_get_column(t->scols, i);

        scols_column_set_whint(column, widths[i]);
        scols_column_set_flags(column, scols_column_get_flags(column) | (widths[i] ? 0 : SCOLS_FL_HIDDEN));
        if (scols_cell_set_color(scols_column_get_header(column), "\033[2m") < 0 || break_cells(t, i, widths[i]) < 0)
            return -ENOMEM;
    }
    scols_table_enable_noheadings(t->scols, t->untitled);
    scols_table_enable_colors(t->scols, p->colour);
    scols_table_set_termforce(t->scols, SCOLS_TERMFORCE_ALWAYS);
    scols_table_set_termwidth(t->scols, total > p->width - p->indent ? total : p->width - p->indent);
    r = scols_print_table_to_string(t->scols, &text);
    if (r == 0)
        r = write_lines(t, text, p);
    free(text);
    free_rows(t);
    return r < 0 ? -ENOMEM : 0;
}

void qpw_table_clear(struct qpw_table *t)
{
    free_rows(t);
}
