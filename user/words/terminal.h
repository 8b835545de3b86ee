/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* terminal.h - what the terminal can show: characters, columns, colour. */
#ifndef QPW_WORDS_TERMINAL_H
#define QPW_WORDS_TERMINAL_H

#include <stdbool.h>
#include <stdio.h>

/* Columns of a page where neither a terminal nor COLUMNS says how many: of a pipe, a file, a mail. */
#define QPW_PAGE_COLUMNS 120u
#define QPW_LEAST_COLUMNS 80u

/*
 * To be called once, before any text is written: takes the locale for characters, and UTF-8 in its place where that
 * is another, so that names keep their length and width whatever the locale.
 */
void qpw_terminal_start(void);

/* Whether the user's locale is UTF-8; where it is not, a terminal gets ASCII. */
bool qpw_terminal_utf8(void);

/* Columns of the terminal behind `out`, else COLUMNS, else QPW_PAGE_COLUMNS; at least QPW_LEAST_COLUMNS. */
unsigned qpw_terminal_columns(FILE *out);

/* Only on a terminal that can, and not where NO_COLOR has a value (no-color.org). */
bool qpw_terminal_colour(FILE *out);

/* Whether what is written there goes to the journal, which takes a priority ("<4>") at the beginning of each line. */
bool qpw_is_journal(int fd);

#endif
