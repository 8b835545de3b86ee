/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * printer.h - text for people on a terminal or in a pipe.
 *
 * The only place outside the live view where text meets a terminal: every function except qpw_print_end() cleans its
 * text (qpw_text_clean()), so that only the requested styles reach the terminal as escape sequences. Write errors are
 * left in the stream, for ferror().
 */
#ifndef QPW_WORDS_PRINTER_H
#define QPW_WORDS_PRINTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum qpw_text_style { QPW_TEXT_PLAIN, QPW_TEXT_BOLD, QPW_TEXT_BAD, QPW_TEXT_DOUBT, QPW_TEXT_GOOD, QPW_TEXT_DIM };

/*
 * Styles of the answer (enum qpw_answer_state) and of a verdict; and as a class of the HTML page: "bad", "doubt",
 * "good", "dim", "".
 */
enum qpw_text_style qpw_style_of_answer(unsigned state);
enum qpw_text_style qpw_style_of_verdict(unsigned verdict);
const char *qpw_style_class(enum qpw_text_style style);

struct qpw_printer {
    FILE *out;
    unsigned width;  /* columns */
    bool colour;
    unsigned indent; /* blanks before a label */
    unsigned label;  /* columns of a label including the gap; the text starts after it */
};

/* Return a printer with the width and colour of `out`; labels of 12 columns, indented by 2. */
struct qpw_printer qpw_printer_of(FILE *out);

/* Print text within a line, styled if there is colour. */
void qpw_print(const struct qpw_printer *p, enum qpw_text_style style, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* End the line. */
void qpw_print_end(const struct qpw_printer *p);

/* Print a whole line. */
void qpw_print_line(const struct qpw_printer *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Print lines: keeps line ends in the text, cleans the rest. */
void qpw_print_lines(const struct qpw_printer *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same to a stream, for commands that print nothing else. */
#define qpw_put_lines(stream, ...) qpw_print_lines(&(struct qpw_printer){.out = (stream)}, __VA_ARGS__)

/* Print a section's title after an empty line, followed by `said` ("" for nothing). */
void qpw_print_heading(const struct qpw_printer *p, const char *title, const char *note);

/* Print a label ("" to continue the previous one) and its text, broken at blanks. */
void qpw_print_item(const struct qpw_printer *p, const char *label, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void qpw_print_styled_item(const struct qpw_printer *p, const char *label, enum qpw_text_style style, const char *text);

/* Print a sentence, broken at blanks, with all lines indented by `indent`. */
void qpw_print_wrapped(const struct qpw_printer *p, unsigned indent, const char *text);

/* Items after a label, separated by ", " and broken between items; "none" if there is none. */
struct qpw_list {
    const struct qpw_printer *printer;
    unsigned column;
    size_t limit; /* write only this many and the number of the others; 0: all */
    size_t items;
};
void qpw_list_begin(struct qpw_list *l, const struct qpw_printer *p, size_t limit, const char *label);
void qpw_list_add(struct qpw_list *l, const char *format, ...) __attribute__((format(printf, 2, 3)));
void qpw_list_end(struct qpw_list *l);

/* As snprintf(), but returns buf, for use as an argument. */
const char *qpw_format(char *buf, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
