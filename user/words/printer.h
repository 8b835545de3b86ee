/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * printer.h - text for people on a terminal or in a pipe.
 *
 * The one place where text meets a terminal outside the live view: every function but qpw_print_end() cleans what it is
 * given (qpw_text_clean()), so that only the styles asked for reach it as escape sequences. Errors of writing stay in
 * the stream, for ferror().
 */
#ifndef QPW_WORDS_PRINTER_H
#define QPW_WORDS_PRINTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum qpw_text_style { QPW_TEXT_PLAIN, QPW_TEXT_BOLD, QPW_TEXT_BAD, QPW_TEXT_DOUBT, QPW_TEXT_GOOD, QPW_TEXT_DIM };

/* Of the answer (enum qpw_answer_state) and of a verdict; as a class of the page: "bad", "doubt", "good", "dim", "". */
enum qpw_text_style qpw_style_of_answer(unsigned state);
enum qpw_text_style qpw_style_of_verdict(unsigned verdict);
const char *qpw_style_class(enum qpw_text_style style);

struct qpw_printer {
    FILE *out;
    unsigned width;  /* columns */
    bool colour;
    unsigned indent; /* blanks before a label */
    unsigned label;  /* columns of a label, its gap included; what belongs to it begins behind */
};

/* Width and colour of what `out` writes to; labels of 12 columns behind 2 blanks. */
struct qpw_printer qpw_printer_of(FILE *out);

/* Text within a line, in a style where there is colour. */
void qpw_print(const struct qpw_printer *p, enum qpw_text_style style, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Ends the line. */
void qpw_print_end(const struct qpw_printer *p);

/* A whole line. */
void qpw_print_line(const struct qpw_printer *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Whole lines: line ends in the text stay, all else in it is cleaned. */
void qpw_print_lines(const struct qpw_printer *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same to a stream, for commands that print nothing else. */
#define qpw_put_lines(stream, ...) qpw_print_lines(&(struct qpw_printer){.out = (stream)}, __VA_ARGS__)

/* A section's title, an empty line before it, with what there is to say at once behind it ("" for nothing). */
void qpw_print_heading(const struct qpw_printer *p, const char *title, const char *said);

/* A label ("" to go on below the last) with its text, broken at blanks where the line is full. */
void qpw_print_item(const struct qpw_printer *p, const char *label, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void qpw_print_styled_item(const struct qpw_printer *p, const char *label, enum qpw_text_style style, const char *text);

/* A sentence, broken at its blanks, all lines indented by `indent`. */
void qpw_print_wrapped(const struct qpw_printer *p, unsigned indent, const char *text);

/* Items separated by ", " after a label, broken between them; "none" where there is no item. */
struct qpw_list {
    const struct qpw_printer *printer;
    unsigned column;
    size_t limit; /* as many are written, of the others only their number; 0: all */
    size_t items;
};
void qpw_list_begin(struct qpw_list *l, const struct qpw_printer *p, size_t limit, const char *label);
void qpw_list_add(struct qpw_list *l, const char *format, ...) __attribute__((format(printf, 2, 3)));
void qpw_list_end(struct qpw_list *l);

/* snprintf() that returns buf, to stand in an argument. */
const char *qpw_format(char *buf, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
