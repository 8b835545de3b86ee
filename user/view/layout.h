/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* layout.h - which columns fit a width, and where. */
#ifndef QPW_VIEW_LAYOUT_H
#define QPW_VIEW_LAYOUT_H

#include "view/columns.h"

#define QPW_MAX_COLUMNS 32

struct qpw_column_place {
    const struct qpw_column *column;
    int left, width;
};

struct qpw_layout {
    struct qpw_column_place places[QPW_MAX_COLUMNS];
    int n;
};

/*
 * Columns of priority 0 are always there (the last of them may be cut by the screen's edge); the others
 * join in order of priority as far as they fit, the less important ones only where those before them
 * keep a comfortable width. What is left widens columns up to what they want, then the stretching
 * ones. One blank between columns. totals: see state.h.
 */
void qpw_layout_make(const struct qpw_tab_columns *tab, bool totals, int width, struct qpw_layout *ret);

#endif
