/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * remember.h - what was chosen last time: filter, tab, order, units, interval.
 *
 * In $XDG_STATE_HOME/qportwatch/top, else ~/.local/state/qportwatch/top; lines "key value". What
 * cannot be read or written is no error: the view starts as at the first time.
 */
#ifndef QPW_VIEW_REMEMBER_H
#define QPW_VIEW_REMEMBER_H

#include "view/state.h"

/* Path of the file into buf; false where there is neither XDG_STATE_HOME nor HOME, or it is too long. */
bool qpw_remember_path(char *buf, size_t size);
/* Reads the file into state, which was initialised; wrong lines are passed over. */
void qpw_remember_load(const char *path, struct qpw_view_state *state);
/* Writes the file again (mode 0600, folders 0700) by way of a new one beside it. 0 or negative errno. */
int qpw_remember_save(const char *path, const struct qpw_view_state *state);

#endif
