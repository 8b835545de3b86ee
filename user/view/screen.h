/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* screen.h - paint model and state on a canvas: header, tabs, table, details, last line. */
#ifndef QPW_VIEW_SCREEN_H
#define QPW_VIEW_SCREEN_H

#include "view/canvas.h"
#include "view/keys.h"
#include "view/layout.h"

/* Paint the whole screen. Below 40x8, only a message that there is no room. */
void qpw_screen_paint(struct qpw_canvas *c, const struct qpw_model *m, const struct qpw_view_state *state);

/* Return how many rows of the table (or lines of the details) fit a canvas of that height. */
int qpw_screen_page(int rows);

/* Keep selection and scroll position within rows and page; follow the selected row if requested. */
void qpw_screen_settle(const struct qpw_model *m, struct qpw_view_state *state, int page);
/* If the details are open, limit scrolling to their last line. */
void qpw_screen_settle_details(struct qpw_canvas *c, const struct qpw_model *m, struct qpw_view_state *state);

/* ---- Parts ---- */

/* Paint the header from row 0. Returns the first row below it. */
int qpw_header_paint(struct qpw_canvas *c, const struct qpw_model *m, const struct qpw_view_state *state);
int qpw_header_rows(int rows);

/* Paint all that is known of a row into `height` rows, scrolled by state->details_top. Returns the number of lines. */
int qpw_details_paint(struct qpw_canvas *c, const struct qpw_model *m, const struct qpw_view_state *state,
                      const struct qpw_row *row, int first_row, int height);

/*
 * Write the policy line that would allow the row. Returns 0, or -ENOENT if none can or none is needed; then buf has the
 * reason.
 */
int qpw_allow_line(const struct qpw_model *m, const struct qpw_row *row, char *buf, size_t size);

/* Paint one row of the table at canvas row `at`. */
void qpw_row_paint(struct qpw_canvas *c, int at, const struct qpw_layout *layout, const struct qpw_model *m,
                   const struct qpw_view_state *state, const struct qpw_row *row);
/* Return why the tab has no rows. */
const char *qpw_empty_text(const struct qpw_model *m, const struct qpw_view_state *state);
/* Paint the column titles; the sorted one has ▲ or ▼. */
void qpw_titles_paint(struct qpw_canvas *c, int at, const struct qpw_layout *layout,
                      const struct qpw_view_state *state);

#endif
