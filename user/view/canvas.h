/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * canvas.h - a screen as an array of cells, without a terminal.
 *
 * Everything that the view shows is painted here; draw.c copies it to ncurses, plain.c prints it, tests compare it as
 * text. A character takes one cell, a wide one two; combining marks join the cell before them. Control characters
 * become '?', so that neither a process name nor a policy text can disturb the terminal.
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
#define QPW_STYLE_SELECTED 0x80 /* or-ed in: the cell is in the selected row */

#define QPW_CELL_MARKS 2u
#define QPW_CELL_CONTINUED 0 /* ch of a wide character's second cell */
#define QPW_CELL_BYTES 12u   /* of a cell as UTF-8, including marks */

struct qpw_cell {
    wchar_t ch;
    wchar_t marks[QPW_CELL_MARKS]; /* combining characters; 0: no more */
    uint8_t style;
    uint8_t pad[sizeof(wchar_t) - 1]; /* explicit, because cells are compared as bytes */
};

/* An area that reacts to mouse clicks. */
struct qpw_zone {
    int row, left, right; /* covers cells left..right-1 */
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

/*
 * Make the canvas rows × cols of blanks, without zones; keeps `ascii`. Returns 0, or -ENOMEM with the canvas unchanged.
 */
int qpw_canvas_resize(struct qpw_canvas *c, int rows, int cols);
/* Blank every cell and remove the zones. */
void qpw_canvas_clear(struct qpw_canvas *c);
/* Free and zero the canvas. */
void qpw_canvas_free(struct qpw_canvas *c);

/* Write UTF-8 text at (row, col), at most `width` cells, clipped to the canvas. Returns the column after it. */
int qpw_canvas_text(struct qpw_canvas *c, int row, int col, int width, uint8_t style, const char *text);

/* Where text goes, and how many cells it may take. */
struct qpw_box {
    int row, col, width;
    bool right; /* right-aligned, by qpw_canvas_field() */
};

/* The same, formatted, at the left edge of the box. */
int qpw_canvas_printf(struct qpw_canvas *c, struct qpw_box at, uint8_t style, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Write text into exactly `width` cells; truncated with an ellipsis if too long. */
void qpw_canvas_field(struct qpw_canvas *c, struct qpw_box at, uint8_t style, const char *text);
/* Set the style of a whole row, or add QPW_STYLE_SELECTED. */
void qpw_canvas_style_row(struct qpw_canvas *c, int row, uint8_t style);

/* Add a mouse zone; beyond the limit it is silently dropped. */
void qpw_canvas_zone(struct qpw_canvas *c, int row, int left, int right, int action, int argument);
/* Return the last-added zone at that cell; NULL: none. */
const struct qpw_zone *qpw_canvas_hit(const struct qpw_canvas *c, int row, int col);

/* Write a row as UTF-8 without trailing blanks; buf has at least QPW_CELL_BYTES * (cols + 1) bytes. Returns buf. */
const char *qpw_canvas_row_text(const struct qpw_canvas *c, int row, char *buf, size_t size);

/*
 * Return the length in bytes of the text's next line of at most `width` cells; broken at a blank if there is one in the
 * second half.
 */
size_t qpw_text_line(const char *text, int width);

#endif
