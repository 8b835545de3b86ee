/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "view/canvas.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What stands for the glyphs of the view where the terminal is not UTF-8. */
static const struct {
    wchar_t glyph;
    char ascii;
} fallbacks[] = {
    {0x00b7, '|'}, {0x2026, '~'}, {0x2192, '>'}, {0x25b2, '^'}, {0x25bc, 'v'}, {0x2500, '-'}, {0x2502, '|'},
    {0x2581, '_'}, {0x2582, '.'}, {0x2583, ':'}, {0x2584, '-'}, {0x2585, '='}, {0x2586, '+'}, {0x2587, '*'},
    {0x2588, '#'}, {0x2013, '-'}, {0x2014, '-'}, {0x25cf, '*'},
};

/* One character of UTF-8; what is malformed is taken as one byte and shown as '?'. Advances *text. */
static wchar_t decode(const char **text)
{
    const unsigned char *s = (const unsigned char *)*text;
    unsigned length = s[0] < 0x80             ? 1
                      : (s[0] & 0xe0) == 0xc0 ? 2
                      : (s[0] & 0xf0) == 0xe0 ? 3
                      : (s[0] & 0xf8) == 0xf0 ? 4
                                              : 0;
    wchar_t ch;

    if (length <= 1) {
        *text += 1;
        return length ? s[0] : L'?';
    }
    ch = s[0] & (0x7f >> length);
    for (unsigned i = 1; i < length; i++) {
        if ((s[i] & 0xc0) != 0x80) {
            *text += 1;
            return L'?';
        }
        ch = ch << 6 | (s[i] & 0x3f);
    }
    *text += length;
    return ch;
}

/* Scripts written left to right in one cell a character, and the symbols that the view uses itself. */
static bool one_cell(wchar_t ch)
{
    if (ch < 0x300)
        return ch >= 0x20 && ch != 0x7f && !(ch >= 0x80 && ch < 0xa0) && ch != 0xad;
    return (ch >= 0x370 && ch < 0x530 && !(ch >= 0x483 && ch <= 0x489)) || (ch >= 0x2010 && ch <= 0x2027) ||
           (ch >= 0x2030 && ch <= 0x205e) || (ch >= 0x20a0 && ch <= 0x20bf) || (ch >= 0x2190 && ch <= 0x21ff) ||
           (ch >= 0x2200 && ch <= 0x22ff) || (ch >= 0x2500 && ch <= 0x25ff);
}

static wchar_t shown(const struct qpw_canvas *c, wchar_t ch)
{
    if (!one_cell(ch))
        return L'?';
    if (!c->ascii || ch < 0x80)
        return ch;
    for (size_t i = 0; i < sizeof(fallbacks) / sizeof(*fallbacks); i++)
        if (fallbacks[i].glyph == ch)
            return fallbacks[i].ascii;
    return L'?';
}

int qpw_text_width(const char *text)
{
    int width = 0;

    while (*text) {
        decode(&text);
        width++;
    }
    return width;
}

size_t qpw_text_line(const char *text, int width)
{
    size_t byte = 0, blank = 0;

    for (int cell = 0; cell < width && text[byte]; cell++) {
        if (text[byte] == ' ' && cell > width / 2)
            blank = byte;
        do
            byte++;
        while ((text[byte] & 0xc0) == 0x80);
    }
    return text[byte] && text[byte] != ' ' && blank ? blank : byte;
}

int qpw_canvas_resize(struct qpw_canvas *c, int rows, int cols)
{
    struct qpw_cell *cells = calloc((size_t)rows * cols + 1, sizeof(*cells));

    if (!cells)
        return -ENOMEM;
    free(c->cells);
    c->cells = cells;
    c->rows = rows;
    c->cols = cols;
    qpw_canvas_clear(c);
    return 0;
}

void qpw_canvas_clear(struct qpw_canvas *c)
{
    for (size_t i = 0; i < (size_t)c->rows * c->cols; i++)
        c->cells[i] = (struct qpw_cell){.ch = L' ', .style = QPW_STYLE_NORMAL};
    c->n_zones = 0;
}

void qpw_canvas_free(struct qpw_canvas *c)
{
    free(c->cells);
    *c = (struct qpw_canvas){0};
}

int qpw_canvas_text(struct qpw_canvas *c, int row, int col, int width, uint8_t style, const char *text)
{
    for (int left = width; *text && left > 0; left--, col++) {
        wchar_t ch = decode(&text);

        if (row >= 0 && row < c->rows && col >= 0 && col < c->cols)
            c->cells[(size_t)row * c->cols + col] = (struct qpw_cell){.ch = shown(c, ch), .style = style};
    }
    return col;
}

int qpw_canvas_printf(struct qpw_canvas *c, int row, int col, int width, uint8_t style, const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return qpw_canvas_text(c, row, col, width, style, text);
}

void qpw_canvas_field(struct qpw_canvas *c, int row, int col, int width, bool right, uint8_t style, const char *text)
{
    int need = qpw_text_width(text);

    for (int i = 0; i < width; i++)
        qpw_canvas_text(c, row, col + i, 1, style, " ");
    if (need > width && width > 0) {
        qpw_canvas_text(c, row, col, width - 1, style, text);
        qpw_canvas_text(c, row, col + width - 1, 1, style, "…");
        return;
    }
    qpw_canvas_text(c, row, right ? col + width - need : col, width, style, text);
}

void qpw_canvas_style_row(struct qpw_canvas *c, int row, uint8_t style)
{
    if (row < 0 || row >= c->rows)
        return;
    for (int col = 0; col < c->cols; col++) {
        struct qpw_cell *cell = &c->cells[(size_t)row * c->cols + col];

        cell->style = style == QPW_STYLE_SELECTED ? cell->style | QPW_STYLE_SELECTED : style;
    }
}

void qpw_canvas_zone(struct qpw_canvas *c, int row, int left, int right, int action, int argument)
{
    if (c->n_zones < QPW_MAX_ZONES)
        c->zones[c->n_zones++] = (struct qpw_zone){row, left, right, action, argument};
}

const struct qpw_zone *qpw_canvas_hit(const struct qpw_canvas *c, int row, int col)
{
    for (size_t i = c->n_zones; i-- > 0;)
        if (c->zones[i].row == row && col >= c->zones[i].left && col < c->zones[i].right)
            return &c->zones[i];
    return NULL;
}

static size_t encode(wchar_t ch, char *out)
{
    if (ch < 0x80) {
        out[0] = (char)ch;
        return 1;
    }
    if (ch < 0x800) {
        out[0] = (char)(0xc0 | ch >> 6);
        out[1] = (char)(0x80 | (ch & 0x3f));
        return 2;
    }
    out[0] = (char)(0xe0 | ch >> 12); /* one_cell() lets nothing above 0xffff through */
    out[1] = (char)(0x80 | (ch >> 6 & 0x3f));
    out[2] = (char)(0x80 | (ch & 0x3f));
    return 3;
}

const char *qpw_canvas_row_text(const struct qpw_canvas *c, int row, char *buf, size_t size)
{
    size_t used = 0;
    int last = c->cols;

    while (last > 0 && c->cells[(size_t)row * c->cols + last - 1].ch == L' ')
        last--;
    for (int col = 0; col < last && used + 4 < size; col++)
        used += encode(c->cells[(size_t)row * c->cols + col].ch, buf + used);
    buf[used] = '\0';
    return buf;
}
