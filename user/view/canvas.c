/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "view/canvas.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Replacements of the view's glyphs on terminals without UTF-8. */
static const struct {
    wchar_t glyph;
    char ascii;
} fallbacks[] = {
    {0x00b7, '|'}, {0x2026, '~'}, {0x2192, '>'}, {0x25b2, '^'}, {0x25bc, 'v'}, {0x2500, '-'}, {0x2502, '|'},
    {0x2581, '_'}, {0x2582, '.'}, {0x2583, ':'}, {0x2584, '-'}, {0x2585, '='}, {0x2586, '+'}, {0x2587, '*'},
    {0x2588, '#'}, {0x2013, '-'}, {0x2014, '-'}, {0x25cf, '*'},
};

/* Return the character as this canvas can show it. */
static wchar_t shown(const struct qpw_canvas *c, wchar_t ch)
{
    if (qpw_char_steers(ch) || qpw_char_width(ch) > 2)
        return L'?';
    if (!c->ascii || ch < 0x80)
        return ch;
    for (size_t i = 0; i < sizeof(fallbacks) / sizeof(*fallbacks); i++)
        if (fallbacks[i].glyph == ch)
            return fallbacks[i].ascii;
    return L'?';
}

size_t qpw_text_line(const char *text, int width)
{
    size_t byte = 0, blank = 0;

    for (int cell = 0; text[byte];) {
        const char *next = text + byte;

        if (text[byte] == ' ' && cell > width / 2)
            blank = byte;
        cell += qpw_char_width(qpw_utf8_next(&next));
        if (cell > width)
            break;
        byte = (size_t)(next - text);
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

static struct qpw_cell *cell_at(const struct qpw_canvas *c, int row, int col)
{
    return row >= 0 && row < c->rows && col >= 0 && col < c->cols ? &c->cells[(size_t)row * c->cols + col] : NULL;
}

/* Replace a cell; if it was half of a wide character, blank the other half. */
static void put_cell(struct qpw_canvas *c, int row, int col, struct qpw_cell new)
{
    struct qpw_cell *cell = cell_at(c, row, col), *other;

    if (!cell)
        return;
    other = cell_at(c, row, cell->ch == QPW_CELL_CONTINUED ? col - 1 : col + 1);
    if (other && (cell->ch == QPW_CELL_CONTINUED || other->ch == QPW_CELL_CONTINUED))
        *other = (struct qpw_cell){.ch = L' ', .style = other->style};
    *cell = new;
}

/* Add a combining mark to the character left of `col`, if there is room. */
static void put_mark(struct qpw_canvas *c, int row, int col, wchar_t ch)
{
    struct qpw_cell *cell = cell_at(c, row, col - 1);

    if (cell && cell->ch == QPW_CELL_CONTINUED)
        cell = cell_at(c, row, col - 2);
    for (size_t i = 0; cell && i < QPW_CELL_MARKS; i++)
        if (!cell->marks[i]) {
            cell->marks[i] = ch;
            return;
        }
}

int qpw_canvas_text(struct qpw_canvas *c, int row, int col, int width, uint8_t style, const char *text)
{
    int end = col + width;

    while (*text && col < end) {
        wchar_t ch = qpw_utf8_next(&text);
        int cells = qpw_char_width(ch);

        if (!cells && !qpw_char_steers(ch)) {
            if (!c->ascii)
                put_mark(c, row, col, ch);
            continue;
        }
        ch = shown(c, ch);
        if (cells == 2 && col + 1 == end)
            ch = L' '; /* a wide character does not fit into the last cell */
        put_cell(c, row, col++, (struct qpw_cell){.ch = ch, .style = style});
        if (cells == 2 && col < end)
            put_cell(c, row, col++,
                     (struct qpw_cell){.ch = qpw_char_width(ch) == 2 ? QPW_CELL_CONTINUED : ch, .style = style});
    }
    return col;
}

int qpw_canvas_printf(struct qpw_canvas *c, struct qpw_box at, uint8_t style, const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return qpw_canvas_text(c, at.row, at.col, at.width, style, text);
}

void qpw_canvas_field(struct qpw_canvas *c, struct qpw_box at, uint8_t style, const char *text)
{
    int need = qpw_text_width(text);

    for (int i = 0; i < at.width; i++)
        qpw_canvas_text(c, at.row, at.col + i, 1, style, " ");
    if (need > at.width && at.width > 0) {
        qpw_canvas_text(c, at.row, at.col, at.width - 1, style, text);
        qpw_canvas_text(c, at.row, at.col + at.width - 1, 1, style, "…");
        return;
    }
    qpw_canvas_text(c, at.row, at.right ? at.col + at.width - need : at.col, at.width, style, text);
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
    size_t length = ch < 0x80 ? 1 : ch < 0x800 ? 2 : ch < 0x10000 ? 3 : 4;

    if (length == 1) {
        out[0] = (char)ch;
        return 1;
    }
    for (size_t i = length; i-- > 1; ch >>= 6)
        out[i] = (char)(0x80 | (ch & 0x3f));
    out[0] = (char)((0xf00 >> length & 0xff) | ch);
    return length;
}

const char *qpw_canvas_row_text(const struct qpw_canvas *c, int row, char *buf, size_t size)
{
    size_t used = 0;
    int last = c->cols;

    while (last > 0 && c->cells[(size_t)row * c->cols + last - 1].ch == L' ')
        last--;
    for (int col = 0; col < last && used + QPW_CELL_BYTES < size; col++) {
        const struct qpw_cell *cell = &c->cells[(size_t)row * c->cols + col];

        if (cell->ch == QPW_CELL_CONTINUED)
            continue;
        used += encode(cell->ch, buf + used);
        for (size_t i = 0; i < QPW_CELL_MARKS && cell->marks[i]; i++)
            used += encode(cell->marks[i], buf + used);
    }
    buf[used] = '\0';
    return buf;
}
