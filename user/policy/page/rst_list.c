/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* rst_list.c - list-tables: "* - cell" begins a row, "- cell" continues it. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/page/rst.h"

/* State while a list-table is read. */
struct list {
    struct qpw_page *page;
    size_t n_titles;
    size_t rows;
    size_t mark;        /* indentation of "*" */
    size_t skip;        /* indentation of a directive within a cell, whose body is skipped; 0: none */
    unsigned cell_line;
    FILE *out;          /* the cell's text, NULL: none is open */
    char *text;
    size_t size;
};

static void end_cell(struct list *list)
{
    if (!list->out)
        return;
    if (fclose(list->out) != 0)
        list->page->no_memory = true;
    list->out = NULL;
    if (list->text && !qpw_rst_clean(list->text))
        qpw_page_fault(list->page, "text that is struck out");
    qpw_page_add_cell(list->page, list->text, list->cell_line);
    list->text = NULL;
}

static void begin_row(struct list *list, unsigned line, size_t indent)
{
    struct qpw_part *part = qpw_page_add(list->page, QPW_PART_ROW, line);

    if (part)
        part->titles = list->rows < list->n_titles;
    list->mark = indent;
    list->rows++;
}

/* Take the text of a cell from one line; `begins`: the line has its dash. */
static void take_text(struct list *list, const char *p, size_t left, bool begins, size_t indent)
{
    while (left && isspace((unsigned char)*p)) {
        p++;
        left--;
    }
    if (left >= 3 && !strncmp(p, ".. ", 3)) {
        if (!strncmp(p, ".. include::", 12))
            qpw_page_fault(list->page, "a cell whose text comes from another file (include)");
        fputc('*', list->out); /* a mark in place of the note */
        list->skip = begins ? indent + 1 : indent;
        return;
    }
    if (!left) {
        fputc(begins ? '\n' : '\v', list->out);
        return;
    }
    if (left > 2 && strchr("|-*", *p) && p[1] == ' ') {
        fputc('\v', list->out);
        p += 2;
        left -= 2;
    }
    fwrite(p, 1, left, list->out);
    fputc('\n', list->out);
}

static void take_line(struct list *list, const char *line, size_t length, unsigned number)
{
    size_t indent = qpw_rst_indent(line, length);
    const char *p = line + (length ? strspn(line, " \t") : 0);
    size_t left = length - (size_t)(p - line);
    bool row = length && left >= 3 && *p == '*' && p[1] == ' ' && (!list->rows || indent == list->mark);
    const char *dash = row ? p + 1 + strspn(p + 1, " ") : p;
    bool cell = row || (list->rows && length && indent > list->mark && indent <= list->mark + 4 && *p == '-' &&
                        (left == 1 || p[1] == ' '));

    if (list->skip && (!length || indent > list->skip))
        return;
    list->skip = 0;
    if (cell) {
        end_cell(list);
        if (row)
            begin_row(list, number, indent);
        if (*dash != '-')
            qpw_page_fault(list->page, "a row that does not begin with \"* -\"");
        list->out = open_memstream(&list->text, &list->size);
        list->cell_line = number;
        list->page->no_memory |= !list->out;
        left -= (size_t)(dash + 1 - p) < left ? (size_t)(dash + 1 - p) : left;
        p = dash + 1;
    }
    if (list->out)
        take_text(list, p, left, cell, indent);
}

void qpw_rst_list(const struct qpw_rst_lines *lines, size_t first, size_t end, size_t n_titles, struct qpw_page *page)
{
    struct list list = {.page = page, .n_titles = n_titles};

    for (size_t i = first; i < end && !page->no_memory; i++)
        take_line(&list, lines->at[i], lines->length[i], (unsigned)i + 1);
    end_cell(&list);
}
