/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* draw.h - the terminal, through ncursesw: shows a canvas, gives keys and clicks. One at a time in a process. */
#ifndef QPW_VIEW_DRAW_H
#define QPW_VIEW_DRAW_H

#include "util/error.h"
#include "view/canvas.h"

struct qpw_draw;

struct qpw_input {
    int key;        /* a character, enum qpw_key, or QPW_KEY_NONE for a click */
    int row, col;   /* of a click */
};

/*
 * Takes the terminal over (standard input and output). ascii: only ASCII characters though the
 * locale has more. Colours unless NO_COLOR is set or the terminal has none. 0, -ENOTTY where
 * the terminal cannot show a screen, or another negative errno.
 */
int qpw_draw_open(bool ascii, struct qpw_draw **ret, struct qpw_error *err);
/* Whether only ASCII can be shown. */
bool qpw_draw_ascii(const struct qpw_draw *d);
/* The terminal's size now; a change makes the next show complete. */
void qpw_draw_size(struct qpw_draw *d, int *ret_rows, int *ret_cols);
/* Shows a canvas of the size that qpw_draw_size() gave. all: every cell, whatever the terminal may show. */
void qpw_draw_show(struct qpw_draw *d, const struct qpw_canvas *c, bool all);
/* The next key or click without waiting; false where there is none. */
bool qpw_draw_input(struct qpw_draw *d, struct qpw_input *ret);
/* Whether the terminal went away. */
bool qpw_draw_gone(const struct qpw_draw *d);
void qpw_draw_mouse(struct qpw_draw *d, bool on);
/* Hands text to the terminal's clipboard (OSC 52); terminals that know no such thing ignore it. */
void qpw_draw_copy(struct qpw_draw *d, const char *text);
/* Gives the terminal back. NULL is fine. */
void qpw_draw_close(struct qpw_draw *d);

#endif
