/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * canvas.h - a screen as an array of cells, without a terminal.
 *
 * Everything the view shows is painted here; draw.c copies it to ncurses, plain.c prints it, tests
 * compare it as text. A character takes one cell, a wide one two; accents join the cell before them. What could steer
 * the terminal becomes '?', so that neither a process name nor a policy text can disturb it.
 */
#ifndef QPW_VIEW_CANVAS_H
#define QPW_VIEW_CANVAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wchar.h>

#include "util/text.h"

enum qpw_style {
    QPW_STYLE_NORMAL = 0,
    QPW_STYLE_DIM,
    QPW_STYLE_BOLD,
    QPW_STYLE_TITLE,  /* column titles */
    QPW_STYLE_TAB,
    QPW_STYLE_TAB_ON,
    QPW_STYLE_GOOD,
    QPW_STYLE_NOTE,
    QPW_STYLE_WARN,
    QPW_STYLE_BAD,
    QPW_STYLE_GRAPH,
    QPW_STYLE_COUNT,
};
#define QPW_STYLE_SELECTED 0x80 /* or-ed: the cell lies on the selected row */

#define QPW_CELL_MARKS 2u
#define QPW_CELL_CONTINUED 0 /* ch: the second cell of the wide character before it */
#define QPW_CELL_BYTES 12u   /* of a cell as UTF-8, marks included */

struct qpw_cell {
    wchar_t ch;
    wchar_t marks[QPW_CELL_MARKS]; /* combining characters; 0: no more */
    uint8_t style;
    uint8_t pad[sizeof(wchar_t) - 1]; /* cells are compared whole */
};

/* A place that answers a mouse click. */
struct qpw_zone {
    int row, left, right; /* cells left..right-1 */
    int action;           /* enum qpw_action of keys.h */
    int argument;
};
#define QPW_MAX_ZONES 512

struct qpw_canvas {
    int rows, cols;
    bool ascii; /* only characters below 128 */
    struct qpw_cell *cells;
    struct qpw_zone zones[QPW_MAX_ZONES];
    size_t n_zones;
};

/* Makes the canvas rows × cols of blanks, forgetting zones; keeps `ascii`. 0 or -ENOMEM with the canvas untouched. */
int qpw_canvas_resize(struct qpw_canvas *c, int rows, int cols);
/* Blanks every cell and forgets the zones. */
void qpw_canvas_clear(struct qpw_canvas *c);
/* Frees and zeroes. */
void qpw_canvas_free(struct qpw_canvas *c);

/* Writes UTF-8 text at (row, col), at most `width` cells, clipped to the canvas. Returns the column after it. */
int qpw_canvas_text(struct qpw_canvas *c, int row, int col, int width, uint8_t style, const char *text);
/* The same, formatted. */
int qpw_canvas_printf(struct qpw_canvas *c, int row, int col, int width, uint8_t style, const char *format, ...)
    __attribute__((format(printf, 6, 7)));
/* Text in exactly `width` cells, at their left or right, blanks around; cut with an ellipsis where too long. */
struct qpw_box {
    int row, col, width;
    bool right;
};
void qpw_canvas_field(struct qpw_canvas *c, struct qpw_box at, uint8_t style, const char *text);
/* Gives a whole row one style, or or-s QPW_STYLE_SELECTED in. */
void qpw_canvas_style_row(struct qpw_canvas *c, int row, uint8_t style);

/* Registers a mouse zone; one beyond the limit is not clickable, nothing else. */
void qpw_canvas_zone(struct qpw_canvas *c, int row, int left, int right, int action, int argument);
/* The zone at that cell, the last registered first; NULL where none. */
const struct qpw_zone *qpw_canvas_hit(const struct qpw_canvas *c, int row, int col);

/* One row as UTF-8 without trailing blanks; buf of at least QPW_CELL_BYTES * (cols + 1) bytes. Returns buf. */
const char *qpw_canvas_row_text(const struct qpw_canvas *c, int row, char *buf, size_t size);

/* Bytes of the text's next line of at most `width` cells: up to a blank where there is one in its second half. */
size_t qpw_text_line(const char *text, int width);

#endif
