/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* screen.h - paints model and state on a canvas: header, tabs, table, details, last line. */
#ifndef QPW_VIEW_SCREEN_H
#define QPW_VIEW_SCREEN_H

#include "view/canvas.h"
#include "view/keys.h"
#include "view/layout.h"

/* Paints the whole screen. Below 40x8 it only says that there is no room. */
void qpw_screen_paint(struct qpw_canvas *c, const struct qpw_model *m, const struct qpw_view_state *state);

/* Rows of the table (or lines of the details) that a canvas of that height has. */
int qpw_screen_page(int rows);

/* Keeps selection and scroll position within the rows and the page; follows the selected row where wanted. */
void qpw_screen_settle(const struct qpw_model *m, struct qpw_view_state *state, int page);
/* Lets the details, where they are open, scroll no further than to their last line. */
void qpw_screen_settle_details(struct qpw_canvas *c, const struct qpw_model *m, struct qpw_view_state *state);

/* ---- Parts ---- */

/* The header from row 0; returns the first row below it. */
int qpw_header_paint(struct qpw_canvas *c, const struct qpw_model *m, const struct qpw_view_state *state);
int qpw_header_rows(int rows);

/* All that is known of a row, scrolled by state->details_top, into `height` rows. Returns how many lines there are. */
int qpw_details_paint(struct qpw_canvas *c, const struct qpw_model *m, const struct qpw_view_state *state,
                      const struct qpw_row *row, int first_row, int height);

/* The policy line that would allow the row: 0; -ENOENT where none can (or none is needed), buf saying why. */
int qpw_allow_line(const struct qpw_model *m, const struct qpw_row *row, char *buf, size_t size);

/* One row of the table at canvas row `at`. */
void qpw_row_paint(struct qpw_canvas *c, int at, const struct qpw_layout *layout, const struct qpw_model *m,
                   const struct qpw_view_state *state, const struct qpw_row *row);
/* The column titles; the sorted one carries ▲ or ▼. */
void qpw_titles_paint(struct qpw_canvas *c, int at, const struct qpw_layout *layout,
                      const struct qpw_view_state *state);

#endif
