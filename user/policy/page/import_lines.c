/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* import_lines.c - rows whose cells are parallel lists: directions or ends beside ports. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/page/import_reading.h"

static size_t count(const char *cell)
{
    size_t lines = *cell != '\0';

    for (; cell && (cell = strchr(cell, '\n')); cell++)
        lines++;
    return lines;
}

static bool names_initiator(enum qpw_page_column column)
{
    return column == QPW_COLUMN_SOURCE || column == QPW_COLUMN_DESTINATION || column == QPW_COLUMN_REMOTE ||
           column == QPW_COLUMN_DIRECTION || column == QPW_COLUMN_HOSTS;
}

static bool is_listed(enum qpw_page_column column)
{
    return names_initiator(column) || column == QPW_COLUMN_PORT || column == QPW_COLUMN_PROTOCOL;
}

int qpw_reading_count_lines(struct qpw_reading *r, size_t *ret)
{
    size_t lists = 0, ports = 0, first = 0;
    bool uneven = false;

    *ret = 1;
    for (size_t i = 0; i < r->part->n_cells; i++) {
        enum qpw_page_column column = r->table->titles[i].column;
        size_t lines = is_listed(column) ? count(r->part->cells[i].text) : 0;

        if (lines < 2)
            continue;
        lists += names_initiator(column);
        ports += column == QPW_COLUMN_PORT || column == QPW_COLUMN_PROTOCOL;
        first = first ? first : lines;
        uneven |= lines != first;
    }
    /* A column of hosts beside one of directions follows rules of its own. */
    if (!lists || (lists == 1 && !ports) || (!ports && qpw_reading_cell_of(r, QPW_COLUMN_HOSTS)))
        return 0;
    if (uneven)
        return qpw_reading_fail(r, NULL, "lists of different lengths side by side: which of their lines belong together?");
    *ret = first;
    return 0;
}

bool qpw_reading_line_of(const struct qpw_reading *r, const struct qpw_part *whole, size_t i, struct qpw_part *ret)
{
    *ret = *whole;
    ret->cells = calloc(whole->n_cells, sizeof(*ret->cells));
    for (size_t j = 0; ret->cells && j < whole->n_cells; j++) {
        const char *text = whole->cells[j].text;
        bool listed = is_listed(r->table->titles[j].column) && count(text) > 1;

        for (size_t k = 0; listed && k < i; k++)
            text = strchr(text, '\n') + 1;
        ret->cells[j] = whole->cells[j];
        ret->cells[j].text = listed ? strndup(text, strcspn(text, "\n")) : strdup(text);
        r->im->no_memory |= !ret->cells[j].text;
    }
    r->im->no_memory |= !ret->cells;
    return !r->im->no_memory;
}

void qpw_reading_clear_line(struct qpw_part *part)
{
    for (size_t i = 0; part->cells && i < part->n_cells; i++)
        free(part->cells[i].text);
    free(part->cells);
}
