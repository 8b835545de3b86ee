/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "words/printer.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "facts/answer.h"
#include "util/text.h"
#include "words/terminal.h"

struct qpw_printer qpw_printer_of(FILE *out)
{
    return (struct qpw_printer){out, qpw_terminal_columns(out), qpw_terminal_colour(out), 2, 12};
}

const char *qpw_format(char *buf, size_t size, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(buf, size, format, args);
    va_end(args);
    return buf;
}

enum qpw_text_style qpw_style_of_answer(unsigned state)
{
    static const enum qpw_text_style styles[QPW_ANSWER_COUNT] = {
        [QPW_ANSWER_CLEAN] = QPW_TEXT_GOOD,        [QPW_ANSWER_PROBED] = QPW_TEXT_DOUBT,
        [QPW_ANSWER_DETAIL_LOST] = QPW_TEXT_DOUBT, [QPW_ANSWER_BLIND] = QPW_TEXT_BAD,
        [QPW_ANSWER_ACTION_NEEDED] = QPW_TEXT_BAD};

    return state < QPW_ANSWER_COUNT ? styles[state] : QPW_TEXT_PLAIN;
}

enum qpw_text_style qpw_style_of_verdict(unsigned verdict)
{
    switch (verdict) {
    case QPW_VERDICT_UNEXPECTED: return QPW_TEXT_BAD;
    case QPW_VERDICT_MISMATCH:
    case QPW_VERDICT_WEAK:
    case QPW_VERDICT_UNDECIDED: return QPW_TEXT_DOUBT;
    case QPW_VERDICT_ALLOWED:
    case QPW_VERDICT_PEER: return QPW_TEXT_GOOD;
    default: return QPW_TEXT_PLAIN;
    }
}

const char *qpw_style_class(enum qpw_text_style style)
{
    static const char *const classes[] = {[QPW_TEXT_PLAIN] = "", [QPW_TEXT_BOLD] = "", [QPW_TEXT_BAD] = "bad",
                                          [QPW_TEXT_DOUBT] = "doubt", [QPW_TEXT_GOOD] = "good", [QPW_TEXT_DIM] = "dim"};

    return classes[style];
}

/* Format and clean a text. The caller frees it; NULL: out of memory, which then shows only as the stream's error. */
static char *clean_text(const char *format, va_list args)
{
    char *text;

    return vasprintf(&text, format, args) < 0 ? NULL : qpw_text_clean(text);
}

static const char *const codes[] = {[QPW_TEXT_BOLD] = "1", [QPW_TEXT_BAD] = "1;31", [QPW_TEXT_DOUBT] = "33",
                                    [QPW_TEXT_GOOD] = "32", [QPW_TEXT_DIM] = "2"};

static void open_style(const struct qpw_printer *p, enum qpw_text_style style)
{
    if (p->colour && style != QPW_TEXT_PLAIN)
        fprintf(p->out, "\033[%sm", codes[style]);
}

static void close_style(const struct qpw_printer *p, enum qpw_text_style style)
{
    if (p->colour && style != QPW_TEXT_PLAIN)
        fputs("\033[0m", p->out);
}

/* Write a clean text. Returns its width in columns. */
static unsigned put(const struct qpw_printer *p, const char *text)
{
    fputs(text, p->out);
    return (unsigned)qpw_text_width(text);
}

static void put_blanks(const struct qpw_printer *p, unsigned n)
{
    fprintf(p->out, "%*s", (int)n, "");
}

void qpw_print(const struct qpw_printer *p, enum qpw_text_style style, const char *format, ...)
{
    va_list args;
    char *text;

    va_start(args, format);
    text = clean_text(format, args);
    va_end(args);
    open_style(p, style);
    if (text)
        put(p, text);
    close_style(p, style);
    free(text);
}

void qpw_print_end(const struct qpw_printer *p)
{
    fputc('\n', p->out);
}

void qpw_print_line(const struct qpw_printer *p, const char *format, ...)
{
    va_list args;
    char *text;

    va_start(args, format);
    text = clean_text(format, args);
    va_end(args);
    if (text)
        put(p, text);
    free(text);
    qpw_print_end(p);
}

void qpw_print_lines(const struct qpw_printer *p, const char *format, ...)
{
    char *text, *rest;
    va_list args;
    int length;

    va_start(args, format);
    length = vasprintf(&text, format, args);
    va_end(args);
    if (length < 0)
        return;
    rest = text;
    for (char *line; (line = strsep(&rest, "\n"));)
        qpw_print_line(p, "%s", line);
    free(text);
}

void qpw_print_heading(const struct qpw_printer *p, const char *title, const char *note)
{
    qpw_print_end(p);
    qpw_print(p, QPW_TEXT_BOLD, "%s", title);
    qpw_print_line(p, "%s%s", *note ? "  " : "", note);
}

/* Write a clean text from `column` on, with lines broken at blanks and indented by `indent`. */
static void put_wrapped(const struct qpw_printer *p, enum qpw_text_style style, unsigned indent, unsigned column,
                        char *text)
{
    bool first = true;

    open_style(p, style);
    for (char *word; (word = strsep(&text, " "));) {
        unsigned width = (unsigned)qpw_text_width(word);

        if (!*word)
            continue;
        if (!first && column + 1 + width > p->width) {
            close_style(p, style);
            qpw_print_end(p);
            put_blanks(p, indent);
            open_style(p, style);
            column = indent;
            first = true;
        }
        if (!first)
            put_blanks(p, 1);
        column += !first + put(p, word);
        first = false;
    }
    close_style(p, style);
    qpw_print_end(p);
}

/* Write a label, padded. Returns the column after it. */
static unsigned put_label(const struct qpw_printer *p, const char *label)
{
    char clean[96];
    unsigned width;

    snprintf(clean, sizeof(clean), "%s", label);
    put_blanks(p, p->indent);
    width = put(p, qpw_text_clean(clean));
    put_blanks(p, width < p->label ? p->label - width : 1);
    return p->indent + (width < p->label ? p->label : width + 1);
}

void qpw_print_styled_item(const struct qpw_printer *p, const char *label, enum qpw_text_style style, const char *text)
{
    char *copy = strdup(text);
    unsigned column = put_label(p, label);

    if (copy)
        put_wrapped(p, style, p->indent + p->label, column, qpw_text_clean(copy));
    free(copy);
}

void qpw_print_item(const struct qpw_printer *p, const char *label, const char *format, ...)
{
    va_list args;
    char *text;

    va_start(args, format);
    text = clean_text(format, args);
    va_end(args);
    if (text)
        put_wrapped(p, QPW_TEXT_PLAIN, p->indent + p->label, put_label(p, label), text);
    free(text);
}

void qpw_print_wrapped(const struct qpw_printer *p, unsigned indent, const char *text)
{
    char *copy = strdup(text), *rest = copy;

    for (char *line; (line = strsep(&rest, "\n"));) {
        unsigned blanks = (unsigned)strspn(line, " ");

        put_blanks(p, indent + blanks);
        put_wrapped(p, QPW_TEXT_PLAIN, indent + blanks, indent + blanks, qpw_text_clean(line + blanks));
    }
    free(copy);
}

void qpw_list_begin(struct qpw_list *l, const struct qpw_printer *p, size_t limit, const char *label)
{
    *l = (struct qpw_list){.printer = p, .limit = limit, .column = put_label(p, label)};
}

static void put_list_item(struct qpw_list *l, const char *item)
{
    const struct qpw_printer *p = l->printer;
    unsigned indent = p->indent + p->label;

    if (l->items && l->column + 2 + (unsigned)qpw_text_width(item) + 1 > p->width) {
        fputs(",\n", p->out);
        put_blanks(p, indent);
        l->column = indent;
    } else if (l->items) {
        fputs(", ", p->out);
        l->column += 2;
    }
    l->column += put(p, item);
}

void qpw_list_add(struct qpw_list *l, const char *format, ...)
{
    va_list args;
    char *item;

    va_start(args, format);
    item = clean_text(format, args);
    va_end(args);
    if (item && (!l->limit || l->items < l->limit))
        put_list_item(l, item);
    free(item);
    l->items++;
}

void qpw_list_end(struct qpw_list *l)
{
    char more[32];

    if (l->limit && l->items > l->limit)
        put_list_item(l, qpw_format(more, sizeof(more), "%zu more", l->items - l->limit));
    fputs(l->items ? "\n" : "none\n", l->printer->out);
}
