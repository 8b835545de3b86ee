/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * html.h - write a page of HTML element by element with libxml2's xmlTextWriter, which escapes text.
 *
 * Text is UTF-8 and cleaned like all text for people (util/text.h). Errors are kept in the writer and returned on
 * close.
 */
#ifndef QPW_WORDS_HTML_H
#define QPW_WORDS_HTML_H

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

struct qpw_html;

/* Start a page on `out`, which remains the caller's. NULL: out of memory. */
struct qpw_html *qpw_html_open(FILE *out);

/* Close every open element. Returns 0, or -EIO if anything could not be written; -ENOMEM if h is NULL. */
int qpw_html_close(struct qpw_html *h);

/* Open an element, with a class unless that is "". */
void qpw_html_start(struct qpw_html *h, const char *element, const char *class);
void qpw_html_attribute(struct qpw_html *h, const char *name, const char *value);
void qpw_html_text(struct qpw_html *h, const char *format, ...) __attribute__((format(printf, 2, 3)));
void qpw_html_vtext(struct qpw_html *h, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
void qpw_html_end(struct qpw_html *h);
void qpw_html_end_void(struct qpw_html *h); /* for elements without content and end tag: input */

/*
 * Draw a nonce, which a style or script must carry to take effect; new for each page, so that no text in it can know
 * it.
 */
#define QPW_HTML_NONCE 33
int qpw_html_nonce(char ret[QPW_HTML_NONCE]); /* returns 0 or a negative errno */

/* Write a whole element with text. */
void qpw_html_element(struct qpw_html *h, const char *element, const char *class, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Write trusted markup as it is: the document type, the style, line ends. */
void qpw_html_raw(struct qpw_html *h, const char *markup);
void qpw_html_raw_part(struct qpw_html *h, const char *markup, size_t length);

#endif
