/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * text.h - text that others wrote: what of it is UTF-8, what may be put on a terminal, and how wide it is there.
 *
 * Interface names, process names, policies and alert logs are others' text. Whatever shows it to people passes it
 * through qpw_text_clean(), or through qpw_char_steers() character by character.
 */
#ifndef QPW_UTIL_TEXT_H
#define QPW_UTIL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <wchar.h>

/* Length of the UTF-8 sequence at p, 0 where it is none; control characters other than tab are none either. */
size_t qpw_utf8_length(const unsigned char *p, size_t left);

/* The character at *text, which is moved behind it; L'?' for one byte of what is not UTF-8. Not at the end. */
wchar_t qpw_utf8_next(const char **text);

/* Whether a character could steer a terminal or turn the line around it: C0, C1, escapes, direction, line ends, tags. */
bool qpw_char_steers(wchar_t ch);

/* Columns that a character or a text takes on a terminal: 0 combining, 2 wide. Needs a UTF-8 LC_CTYPE. */
int qpw_char_width(wchar_t ch);
int qpw_text_width(const char *text);

/* text into buf (size above 4); of one that is longer whole words that fit, and "…" behind them. Returns buf. */
char *qpw_text_cut(char *buf, size_t size, const char *text);

/* Puts one '?' for each character that steers and for each byte that is not UTF-8, in place. Returns text. */
char *qpw_text_clean(char *text);

#endif
