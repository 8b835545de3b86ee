/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * html.h - a page of HTML, written element by element with libxml2's xmlTextWriter, which escapes.
 *
 * Text is UTF-8 and cleaned as everything that people read is (util/text.h). What fails stays in the writer and is
 * returned when it is closed.
 */
#ifndef QPW_WORDS_HTML_H
#define QPW_WORDS_HTML_H

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

struct qpw_html;

/* Writes to `out`, which stays the caller's. NULL without memory. */
struct qpw_html *qpw_html_open(FILE *out);

/* Ends every open element. 0, or -EIO where something could not be written; NULL is -ENOMEM. */
int qpw_html_close(struct qpw_html *h);

/* Begins an element, of a class unless that is "". */
void qpw_html_start(struct qpw_html *h, const char *element, const char *class);
void qpw_html_attribute(struct qpw_html *h, const char *name, const char *value);
void qpw_html_text(struct qpw_html *h, const char *format, ...) __attribute__((format(printf, 2, 3)));
void qpw_html_vtext(struct qpw_html *h, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
void qpw_html_end(struct qpw_html *h);
void qpw_html_end_void(struct qpw_html *h); /* of an element that has neither content nor an end: input */

/* What a style or a script has to carry to be heeded; drawn for each page, so that no text in it can know it. */
#define QPW_HTML_NONCE 33
int qpw_html_nonce(char ret[QPW_HTML_NONCE]); /* 0 or a negative errno */

/* A whole element with text in it. */
void qpw_html_element(struct qpw_html *h, const char *element, const char *class, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Markup of our own, as it is: the document type, the style, line ends. */
void qpw_html_raw(struct qpw_html *h, const char *markup);
void qpw_html_raw_part(struct qpw_html *h, const char *markup, size_t length);

#endif
