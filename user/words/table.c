/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "words/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define INDENT 2
#define GAP 2

int qpw_table_add(struct qpw_table *t, enum qpw_text_style style, const char *const *cells)
{
    size_t room = t->room ? 2 * t->room : 32;
    enum qpw_text_style *styles;
    char **more;

    if (t->n_rows == t->room) {
        more = realloc(t->cells, room * t->n_columns * sizeof(*more));
        if (!more)
            return -ENOMEM;
        t->cells = more;
        styles = realloc(t->styles, room * sizeof(*styles));
        if (!styles)
            return -ENOMEM;
        t->styles = styles;
        t->room = room;
    }
    for (size_t i = 0; i < t->n_columns; i++) {
        t->cells[t->n_rows * t->n_columns + i] = strdup(cells[i]);
        if (!t->cells[t->n_rows * t->n_columns + i]) {
            while (i-- > 0)
                free(t->cells[t->n_rows * t->n_columns + i]);
            return -ENOMEM;
        }
    }
    t->styles[t->n_rows++] = style;
    return 0;
}

void qpw_table_clear(struct qpw_table *t)
{
    for (size_t i = 0; i < t->n_rows * t->n_columns; i++)
        free(t->cells[i]);
    free(t->cells);
    free(t->styles);
    t->cells = NULL;
    t->styles = NULL;
    t->n_rows = t->room = 0;
}

void qpw_styled(FILE *out, bool colour, enum qpw_text_style style, const char *text)
{
    static const char *const codes[] = {[QPW_TEXT_BOLD] = "1", [QPW_TEXT_BAD] = "1;31", [QPW_TEXT_DOUBT] = "33",
                                        [QPW_TEXT_GOOD] = "32", [QPW_TEXT_DIM] = "2"};

    if (colour && style != QPW_TEXT_PLAIN)
        fprintf(out, "\033[%sm%s\033[0m", codes[style], text);
    else
        fputs(text, out);
}

/* Width of each column: its widest cell, and then less for the widest that may be cut, until all fits. 0: left out. */
static void measure(const struct qpw_table *t, unsigned screen, unsigned *widths)
{
    unsigned total = INDENT;

    for (size_t i = 0; i < t->n_columns; i++) {
        widths[i] = 0;
        for (size_t row = 0; row < t->n_rows; row++)
            if (strlen(t->cells[row * t->n_columns + i]) > widths[i])
                widths[i] = strlen(t->cells[row * t->n_columns + i]);
        if (widths[i] && strlen(t->columns[i].title) > widths[i])
            widths[i] = strlen(t->columns[i].title);
        total += widths[i] ? widths[i] + GAP : 0;
    }
    total -= GAP;
    for (size_t i = 0; i < t->n_columns && total > screen; i++)
        if (t->columns[i].optional && widths[i]) {
            total -= widths[i] + GAP;
            widths[i] = 0;
        }
    while (total > screen) {
        size_t widest = t->n_columns;

        for (size_t i = 0; i < t->n_columns; i++)
            if (t->columns[i].least && widths[i] > t->columns[i].least &&
                (widest == t->n_columns || widths[i] > widths[widest]))
                widest = i;
        if (widest == t->n_columns)
            return;
        widths[widest]--;
        total--;
    }
}

static void print_cell(FILE *out, const char *cell, unsigned width, bool right, bool last)
{
    unsigned length = strlen(cell);

    if (length > width)
        fprintf(out, "%.*s~", (int)width - 1, cell);
    else
        fprintf(out, "%*s%s%*s", right ? (int)(width - length) : 0, "", cell,
                right || last ? 0 : (int)(width - length), "");
}

static void print_row(const struct qpw_table *t, const char *const *cells, const unsigned *widths, FILE *out)
{
    size_t last = t->n_columns;

    while (last > 0 && (!widths[last - 1] || !*cells[last - 1]))
        last--;
    for (size_t i = 0, printed = 0; i < last; i++) {
        if (!widths[i])
            continue;
        if (printed++)
            fprintf(out, "%*s", GAP, "");
        print_cell(out, cells[i], widths[i], t->columns[i].right, i + 1 == last);
    }
}

void qpw_table_print(const struct qpw_table *t, unsigned width, bool colour, FILE *out)
{
    static const char *const codes[] = {[QPW_TEXT_PLAIN] = "", [QPW_TEXT_BOLD] = "\033[1m",
                                        [QPW_TEXT_BAD] = "\033[1;31m", [QPW_TEXT_DOUBT] = "\033[33m",
                                        [QPW_TEXT_GOOD] = "\033[32m", [QPW_TEXT_DIM] = "\033[2m"};
    const char *titles[QPW_TABLE_COLUMNS];
    unsigned widths[QPW_TABLE_COLUMNS];

    measure(t, width, widths);
    for (size_t i = 0; i < t->n_columns; i++)
        titles[i] = t->columns[i].title;
    fprintf(out, "%*s%s", INDENT, "", colour ? codes[QPW_TEXT_DIM] : "");
    print_row(t, titles, widths, out);
    fprintf(out, "%s\n", colour ? "\033[0m" : "");
    for (size_t row = 0; row < t->n_rows; row++) {
        bool styled = colour && t->styles[row] != QPW_TEXT_PLAIN;

        fprintf(out, "%*s%s", INDENT, "", styled ? codes[t->styles[row]] : "");
        print_row(t, (const char *const *)&t->cells[row * t->n_columns], widths, out);
        fprintf(out, "%s\n", styled ? "\033[0m" : "");
    }
}

void qpw_list_begin(struct qpw_list *l, FILE *out, unsigned width, size_t limit, const char *label)
{
    *l = (struct qpw_list){.out = out, .width = width, .indent = INDENT + 11, .limit = limit};
    l->column = fprintf(out, "%*s%-10s ", INDENT, "", label);
}

static void write_item(struct qpw_list *l, const char *item)
{
    unsigned length = strlen(item);

    if (l->items && l->column + 2 + length + 1 > l->width)
        l->column = fprintf(l->out, ",\n%*s", (int)l->indent, "") - 2;
    else if (l->items)
        l->column += fprintf(l->out, ", ");
    l->column += fprintf(l->out, "%s", item);
}

void qpw_list_add(struct qpw_list *l, const char *item)
{
    if (!l->limit || l->items < l->limit)
        write_item(l, item);
    l->items++;
}

void qpw_list_end(struct qpw_list *l)
{
    char more[32];

    if (l->limit && l->items > l->limit) {
        snprintf(more, sizeof(more), "%zu more", l->items - l->limit);
        write_item(l, more);
    }
    fprintf(l->out, "%s\n", l->items ? "" : "none");
}

void qpw_wrap(FILE *out, unsigned width, unsigned indent, const char *text)
{
    unsigned column = 0;

    while (*text) {
        unsigned length = strcspn(text, " ");

        if (column && column + 1 + length > width) {
            fputc('\n', out);
            column = 0;
        }
        column += fprintf(out, "%*s%.*s", column ? 1 : (int)indent, "", (int)length, text);
        text += length;
        text += strspn(text, " ");
    }
    fputc('\n', out);
}
