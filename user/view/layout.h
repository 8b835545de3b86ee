/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* layout.h - choose the columns that fit a width, and place them. */
#ifndef QPW_VIEW_LAYOUT_H
#define QPW_VIEW_LAYOUT_H

#include "view/columns.h"

#define QPW_MAX_COLUMNS 32

struct qpw_column_span {
    const struct qpw_column *column;
    int left, width;
};

struct qpw_layout {
    struct qpw_column_span spans[QPW_MAX_COLUMNS];
    int n;
};

/*
 * Lay out a tab's columns. Those of priority 0 are always shown (the last may be cut off at the screen's edge); the
 * others join in order of priority as far as they fit, the less important ones only if those before them keep a
 * comfortable width. Remaining width goes to columns up to their wanted width, then to the stretching ones. Columns are
 * separated by one blank. totals: see state.h.
 */
void qpw_layout_make(const struct qpw_tab_columns *tab, bool totals, int width, struct qpw_layout *ret);

#endif
