/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* text.h - text that others wrote: what of it is UTF-8, and what may be put on a terminal. */
#ifndef QPW_UTIL_TEXT_H
#define QPW_UTIL_TEXT_H

#include <stddef.h>

/* Length of the UTF-8 sequence at p, 0 where it is none; control characters other than tab are none either. */
size_t qpw_utf8_length(const unsigned char *p, size_t left);

/*
 * Puts '?' for every byte of a control character or of what is no UTF-8, in place: what any process may
 * call itself is printed on the terminals of root. Returns text.
 */
char *qpw_text_clean(char *text);

#endif
