/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* terminal.h - the terminal's abilities: characters, columns, colour. */
#ifndef QPW_WORDS_TERMINAL_H
#define QPW_WORDS_TERMINAL_H

#include <stdbool.h>
#include <stdio.h>

/* Page width if neither a terminal nor COLUMNS gives one: for a pipe, a file, a mail. */
#define QPW_PAGE_COLUMNS 120u
#define QPW_LEAST_COLUMNS 80u

/*
 * Call once before any text is written: sets the locale for characters, or UTF-8 instead if it has another encoding, so
 * that names have the same length and width in every locale.
 */
void qpw_terminal_start(void);

/* Return whether the user's locale is UTF-8; otherwise a terminal gets ASCII. */
bool qpw_terminal_utf8(void);

/*
 * Return the columns of the terminal behind `out`, otherwise COLUMNS, otherwise QPW_PAGE_COLUMNS; at least
 * QPW_LEAST_COLUMNS.
 */
unsigned qpw_terminal_columns(FILE *out);

/* Return whether to use colour: on a capable terminal, unless NO_COLOR is set (no-color.org). */
bool qpw_terminal_colour(FILE *out);

/*
 * Return whether the descriptor leads to the journal, which accepts a priority ("<4>") at the beginning of each line.
 */
bool qpw_is_journal(int fd);

#endif
