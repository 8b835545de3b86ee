/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * remember.h - remember the last choices: filter, tab, order, units, interval.
 *
 * In $XDG_STATE_HOME/qportwatch/top, otherwise ~/.local/state/qportwatch/top; lines "key value". A file that cannot be
 * read or written is no error: the view starts with its defaults.
 */
#ifndef QPW_VIEW_REMEMBER_H
#define QPW_VIEW_REMEMBER_H

#include "view/state.h"

/* Write the file's path to buf. False: neither XDG_STATE_HOME nor HOME is set, or the path is too long. */
bool qpw_remember_path(char *buf, size_t size);
/* Read the file into an initialised state; invalid lines are ignored. */
void qpw_remember_load(const char *path, struct qpw_view_state *state);
/* Replace the file (mode 0600, folders 0700) through a temporary one beside it. Returns 0 or a negative errno. */
int qpw_remember_save(const char *path, const struct qpw_view_state *state);

#endif
