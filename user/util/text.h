/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * text.h - untrusted text: validate UTF-8, neutralise control characters, measure its width on a terminal.
 *
 * Interface names, process names, policies and alert logs contain text by others. Code that shows it to people passes
 * it through qpw_text_clean(), or character by character through qpw_char_steers().
 */
#ifndef QPW_UTIL_TEXT_H
#define QPW_UTIL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wchar.h>

/* Return the length of the UTF-8 sequence at p; 0 if it is invalid, or a control character other than tab. */
size_t qpw_utf8_length(const unsigned char *p, size_t left);

/* Return the character at *text and advance *text; L'?' for a byte that is not UTF-8. Do not call it at the end. */
wchar_t qpw_utf8_next(const char **text);

/*
 * Return whether a character could control a terminal or reorder the line: C0, C1, escapes, direction, line ends, tags.
 */
bool qpw_char_steers(wchar_t ch);

/* Return the columns that a character or text takes on a terminal: 0 combining, 2 wide. Needs a UTF-8 LC_CTYPE. */
int qpw_char_width(wchar_t ch);
int qpw_text_width(const char *text);

/* Copy text to buf (size above 4); if it is too long, only the whole words that fit, and "…". Returns buf. */
char *qpw_text_cut(char *buf, size_t size, const char *text);

/* Replace each control character, and each byte that is not UTF-8, by '?', in place. Returns text. */
char *qpw_text_clean(char *text);

/* Return whether the `length` characters of text are more than `end` and end with it. */
bool qpw_text_ends(const char *text, size_t length, const char *end);

/* Write n bytes as 2 n lower-case hexadecimal digits and a terminating zero. Returns buf. */
char *qpw_hex(const uint8_t *bytes, size_t n, char *buf);

#endif
