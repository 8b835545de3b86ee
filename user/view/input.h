/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* input.h - what a key or a click does to the state. No terminal is touched here. */
#ifndef QPW_VIEW_INPUT_H
#define QPW_VIEW_INPUT_H

#include "view/keys.h"

/* What is left to do after a key, or-ed. */
#define QPW_DO_BUILD 0x01  /* make the rows again and paint */
#define QPW_DO_PAINT 0x02
#define QPW_DO_QUIT 0x04
#define QPW_DO_COPY 0x08   /* copy the selected row's policy line */
#define QPW_DO_MOUSE 0x10  /* mouse on or off */
#define QPW_DO_REDRAW 0x20 /* every cell again */
#define QPW_DO_KEEP 0x40   /* with QUIT: and keep counting */
#define QPW_DO_ACK 0x80    /* acknowledge the selected finding: state->edit says why */
#define QPW_DO_MUTE 0x100  /* mute it */
#define QPW_DO_PAST 0x200  /* show the span of the history before the one shown */
#define QPW_DO_FUTURE 0x400 /* the one after it */
#define QPW_DO_SPAN 0x800  /* the same time in a span of another length */
#define QPW_DO_LIVE 0x1000 /* leave the history */

/* page: rows on the screen. quit_question: asked before quitting, with the keys it takes, as
 * "[y] stop  [k] keep counting  [n] cancel"; k only where it names it. NULL: none. */
unsigned qpw_input_key(struct qpw_view_state *state, const struct qpw_model *m, int key, int page,
                       const char *quit_question);

/* The same of an action, as a click gives it. */
unsigned qpw_input_action(struct qpw_view_state *state, const struct qpw_model *m, enum qpw_action action, int argument,
                          int page, const char *quit_question);

#endif
