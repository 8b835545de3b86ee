/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* draw.h - the terminal, through ncursesw: show a canvas, read keys and clicks. Only one at a time per process. */
#ifndef QPW_VIEW_DRAW_H
#define QPW_VIEW_DRAW_H

#include "util/error.h"
#include "view/canvas.h"

struct qpw_draw;

struct qpw_draw_event {
    int key;        /* a character, enum qpw_key, or QPW_KEY_NONE for a click */
    int row, col;   /* position of a click */
};

/*
 * Take over the terminal (standard input and output). ascii: use only ASCII characters even if the locale has more.
 * Colours unless NO_COLOR is set or the terminal has none. Returns 0, -ENOTTY if the terminal cannot show a screen, or
 * another negative errno; err is filled.
 */
int qpw_draw_open(bool ascii, struct qpw_draw **ret, struct qpw_error *err);
/* Return whether only ASCII can be shown. */
bool qpw_draw_ascii(const struct qpw_draw *d);
/* Read the terminal's current size; after a change, the next show is complete. */
void qpw_draw_size(struct qpw_draw *d, int *ret_rows, int *ret_cols);
/* Show a canvas of the size from qpw_draw_size(). all: redraw every cell, whatever the terminal shows now. */
void qpw_draw_show(struct qpw_draw *d, const struct qpw_canvas *c, bool all);
/* Read the next key or click without waiting. False: none. */
bool qpw_draw_input(struct qpw_draw *d, struct qpw_draw_event *ret);
/* Return whether the terminal has gone. */
bool qpw_draw_gone(const struct qpw_draw *d);
void qpw_draw_mouse(struct qpw_draw *d, bool on);
/* Copy text to the terminal's clipboard (OSC 52); terminals without support ignore it. */
void qpw_draw_copy(struct qpw_draw *d, const char *text);
/* Restore the terminal. d may be NULL. */
void qpw_draw_close(struct qpw_draw *d);

#endif
