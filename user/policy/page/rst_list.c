/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* rst_list.c - list-tables: "* - cell" begins a row, "- cell" goes on with it. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/page/rst.h"

static void end_cell(struct qpw_page *page, FILE **out, char **text, unsigned line)
{
    if (!*out)
        return;
    if (fclose(*out) != 0)
        page->no_memory = true;
    *out = NULL;
    if (*text)
        qpw_rst_clean(*text);
    qpw_page_add_cell(page, *text, line);
    *text = NULL;
}

void qpw_rst_list(const struct qpw_rst_lines *lines, size_t first, size_t end, size_t n_titles, struct qpw_page *page)
{
    size_t mark = 0, rows = 0, size, skip = 0; /* skip: indentation of a directive within a cell, whose body is none */
    unsigned cell_line = 0;
    FILE *out = NULL;
    char *text = NULL;

    for (size_t i = first; i < end && !page->no_memory; i++) {
        size_t length = lines->length[i], indent = qpw_rst_indent(lines->at[i], length);
        const char *p = lines->at[i] + (length ? strspn(lines->at[i], " \t") : 0);
        size_t left = length - (size_t)(p - lines->at[i]);
        bool row = length && left >= 3 && *p == '*' && p[1] == ' ' && (!rows || indent == mark);
        const char *dash = row ? p + 1 + strspn(p + 1, " ") : p;
        bool cell = row || (rows && length && indent > mark && indent <= mark + 4 && *p == '-' && (left == 1 || p[1] == ' '));

        if (skip && (!length || indent > skip))
            continue;
        skip = 0;
        if (cell) {
            end_cell(page, &out, &text, cell_line);
            if (row) {
                struct qpw_part *part = qpw_page_add(page, QPW_PART_ROW, (unsigned)i + 1);

                if (part)
                    part->titles = rows < n_titles;
                mark = indent;
                rows++;
            }
            if (*dash != '-')
                qpw_page_fault(page, "a row that does not begin with \"* -\"");
            out = open_memstream(&text, &size);
            cell_line = (unsigned)i + 1;
            page->no_memory |= !out;
            left -= (size_t)(dash + 1 - p) < left ? (size_t)(dash + 1 - p) : left;
            p = dash + 1;
        }
        while (left && isspace((unsigned char)*p)) {
            p++;
            left--;
        }
        if (!out)
            continue;
        if (left >= 3 && !strncmp(p, ".. ", 3)) {
            if (!strncmp(p, ".. include::", 12))
                qpw_page_fault(page, "a cell whose text comes from another file (include)");
            skip = cell ? indent + 1 : indent;
        } else if (!left) {
            fputc(cell ? '\n' : '\v', out);
        } else {
            if (left > 2 && strchr("|-*", *p) && p[1] == ' ') {
                fputc('\v', out);
                p += 2;
                left -= 2;
            }
            fwrite(p, 1, left, out);
            fputc('\n', out);
        }
    }
    end_cell(page, &out, &text, cell_line);
}
