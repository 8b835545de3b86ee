/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* input.h - apply a key or a click to the state, without touching the terminal. */
#ifndef QPW_VIEW_INPUT_H
#define QPW_VIEW_INPUT_H

#include "view/keys.h"

/* What remains to be done after a key, or-ed. */
#define QPW_DO_BUILD 0x01  /* rebuild the rows and paint */
#define QPW_DO_PAINT 0x02
#define QPW_DO_QUIT 0x04
#define QPW_DO_COPY 0x08   /* copy the selected row's policy line */
#define QPW_DO_MOUSE 0x10  /* switch mouse support */
#define QPW_DO_REDRAW 0x20 /* redraw every cell */
#define QPW_DO_KEEP 0x40   /* with QUIT: keep counting */
#define QPW_DO_ACK 0x80    /* acknowledge the selected finding; state->edit has the reason */
#define QPW_DO_MUTE 0x100  /* mute it */
#define QPW_DO_PAST 0x200  /* show the previous span of the history */
#define QPW_DO_FUTURE 0x400 /* show the next one */
#define QPW_DO_SPAN 0x800  /* show the same time in a span of another length */
#define QPW_DO_LIVE 0x1000 /* leave the history */

/* Handle a key. page: rows on the screen. quit_question: asked before quitting, with the keys it accepts, such as "[y]
 * stop  [k] keep counting  [n] cancel"; k only if it lists that. NULL: no question. Returns QPW_DO_ flags. */
unsigned qpw_input_key(struct qpw_view_state *state, const struct qpw_model *m, int key, int page,
                       const char *quit_question);

/* The same for an action, which a click triggers. */
unsigned qpw_input_action(struct qpw_view_state *state, const struct qpw_model *m, enum qpw_action action, int argument,
                          int page, const char *quit_question);

#endif
