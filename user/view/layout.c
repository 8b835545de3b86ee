/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "view/layout.h"

/*
 * Columns up to this priority may reduce the others to their minimum width; later ones join only if all stay
 * comfortable.
 */
#define NEEDED 4

static int priority(const struct qpw_column *column, bool totals)
{
    if (!column->priority || !totals)
        return column->priority;
    if (column->flags & QPW_COLUMN_RATE)
        return column->priority + 6;
    return column->flags & QPW_COLUMN_TOTAL ? 1 : column->priority;
}

/* Return the width, between minimum and wanted, below which a further column is not worth its place. */
static int comfortable(const struct qpw_column *column)
{
    return column->min + (column->want - column->min) * 2 / 3;
}

/* Choose the columns; sets taken[i]. */
static void choose(const struct qpw_tab_columns *tab, bool totals, int width, bool *taken)
{
    int least = -1, comfort = -1; /* no separator before the first column */
    int highest = 0;

    for (size_t i = 0; i < tab->n; i++)
        highest = priority(&tab->columns[i], totals) > highest ? priority(&tab->columns[i], totals) : highest;
    for (int p = 0; p <= highest; p++) {
        for (size_t i = 0; i < tab->n; i++) {
            const struct qpw_column *column = &tab->columns[i];

            if (priority(column, totals) != p)
                continue;
            if (p && (p <= NEEDED ? least : comfort) + 1 + column->min > width)
                continue;
            least += 1 + column->min;
            comfort += 1 + comfortable(column);
            taken[i] = true;
        }
    }
}

/* Distribute `left` cells, one at a time to each column that still wants one. */
static int widen(struct qpw_layout *l, int left, bool stretch)
{
    bool given = true;

    while (left > 0 && given) {
        given = false;
        for (int i = 0; i < l->n && left > 0; i++) {
            const struct qpw_column *column = l->spans[i].column;

            if (stretch ? !(column->flags & QPW_COLUMN_STRETCH) : l->spans[i].width >= column->want)
                continue;
            l->spans[i].width++;
            left--;
            given = true;
        }
    }
    return left;
}

void qpw_layout_make(const struct qpw_tab_columns *tab, bool totals, int width, struct qpw_layout *ret)
{
    bool taken[QPW_MAX_COLUMNS] = {false};
    int used = -1;

    ret->n = 0;
    choose(tab, totals, width, taken);
    for (size_t i = 0; i < tab->n; i++) {
        if (!taken[i])
            continue;
        ret->spans[ret->n++] = (struct qpw_column_span){&tab->columns[i], 0, tab->columns[i].min};
        used += 1 + tab->columns[i].min;
    }
    widen(ret, widen(ret, width - used, /* stretch= */ false), /* stretch= */ true);
    used = 0;
    for (int i = 0; i < ret->n; i++) {
        ret->spans[i].left = used;
        used += ret->spans[i].width + 1;
    }
}
