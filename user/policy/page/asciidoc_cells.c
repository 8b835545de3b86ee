/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * asciidoc_cells.c - split a table's lines into a stream of cells.
 *
 * Each cell begins with a bar; line ends and blank lines have no meaning. A specifier may stand directly before a bar:
 * 3* (repeated), 2+ or .3+ (spans), <^> (alignment), and a letter (style; h is a title).
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "policy/page/asciidoc.h"
#include "util/array.h"

static const char *alignment(const char *p)
{
    if (*p && strchr("<^>", *p))
        p++;
    if (*p == '.' && p[1] && strchr("<^>", p[1]))
        p += 2;
    return p;
}

/* Return whether the whole of [p, end) is a specifier; an empty one is none. */
static bool parse_specifier(const char *p, const char *end, struct qpw_adoc_specifier *ret)
{
    struct qpw_adoc_specifier specifier = {.repeat = 1, .columns = 1, .rows = 1};
    unsigned long first = 0, second = 0;
    const char *start = p;
    char *after;

    if (p == end)
        return false;
    if (isdigit((unsigned char)*p)) {
        first = strtoul(p, &after, 10);
        p = after;
    }
    if (*p == '.' && isdigit((unsigned char)p[1])) {
        second = strtoul(p + 1, &after, 10);
        p = after;
    }
    if (p > start) {
        if ((*p != '*' && *p != '+') || first > 256 || second > 256)
            return false;
        if (*p == '*')
            specifier.repeat = first ? (unsigned)first : 1;
        else
            specifier = (struct qpw_adoc_specifier){1, first ? (unsigned)first : 1, second ? (unsigned)second : 1, 0};
        p++;
    }
    p = alignment(p);
    if (p < end && islower((unsigned char)*p))
        specifier.style = *p++;
    if (p != end)
        return false;
    *ret = specifier;
    return true;
}

/* Cut off the next cell's specifier, with which the text of a line's segment may end. Returns the remaining length. */
static size_t take_specifier(const char *segment, size_t length, bool line_start, struct qpw_adoc_specifier *ret)
{
    size_t begin = length;

    *ret = (struct qpw_adoc_specifier){1, 1, 1, 0};
    while (begin && !isblank((unsigned char)segment[begin - 1]))
        begin--;
    if (!begin && !line_start)
        return length;
    return parse_specifier(segment + begin, segment + length, ret) ? begin : length;
}

static struct qpw_adoc_cell *add_cell(struct qpw_adoc_cells *cells, unsigned line, const struct qpw_adoc_specifier *specifier)
{
    struct qpw_adoc_cell *cell = QPW_ADD(cells->list, cells->n);

    if (!cell)
        return NULL;
    cells->n++;
    *cell = (struct qpw_adoc_cell){.line = line, .specifier = *specifier};
    return cell;
}

void qpw_adoc_clear_cells(struct qpw_adoc_cells *cells)
{
    for (size_t i = 0; i < cells->n; i++)
        free(cells->list[i].text);
    free(cells->list);
}

/* Append bytes to the last cell's text, which has room for more than it holds. False: no memory. */
static bool append(struct qpw_adoc_cells *cells, const char *text, size_t length)
{
    struct qpw_adoc_cell *cell = cells->n ? &cells->list[cells->n - 1] : NULL;

    if (!cell)
        return true;
    if (cell->length + length + 1 > cell->room) {
        size_t room = (cell->length + length + 1) * 2;
        char *longer = realloc(cell->text, room);

        if (!longer)
            return false;
        cell->text = longer;
        cell->room = room;
    }
    memcpy(cell->text + cell->length, text, length);
    cell->length += length;
    cell->text[cell->length] = '\0';
    return true;
}

static bool is_list_item(const char *line)
{
    line += strspn(line, " \t");
    return (*line == '*' || *line == '-' || *line == '.') && line[strspn(line, "*-.")] == ' ';
}

/* Return the position of the line's next unescaped bar, from `at`. */
static size_t find_bar(const char *line, size_t at, size_t length)
{
    while (at < length && (line[at] != '|' || (at && line[at - 1] == '\\')))
        at++;
    return at;
}

static bool append_segment(struct qpw_adoc_cells *cells, const char *text, size_t length)
{
    for (size_t i = 0, from = 0; i <= length; i++)
        if (i == length || (text[i] == '\\' && i + 1 < length && text[i + 1] == '|')) {
            if (!append(cells, text + from, i - from))
                return false;
            from = i + 1;
        }
    return true;
}

/* Append one line of the body to the stream of cells. */
static bool take_line(const struct qpw_adoc_table *table, struct qpw_adoc_cells *cells, const char *line, size_t length,
                      unsigned number)
{
    bool breaks = length >= 2 && line[length - 1] == '+' && isblank((unsigned char)line[length - 2]);
    size_t at = 0, bar;
    bool start = true;

    if (breaks)
        length -= 2;
    if (cells->n && is_list_item(line) && !append(cells, "\v", 1))
        return false;
    while ((bar = find_bar(line, at, length)) < length) {
        struct qpw_adoc_specifier specifier;
        size_t text = take_specifier(line + at, bar - at, start, &specifier);

        if (!cells->n && text != strspn(line + at, " \t") && text) {
            cells->stray = true;
            cells->stray_line = number;
        }
        if (!append_segment(cells, line + at, text) || !add_cell(cells, number, &specifier) || !append(cells, "", 0))
            return false;
        at = bar + 1;
        start = false;
    }
    if (!cells->n && length > strspn(line, " \t")) {
        cells->stray = true;
        cells->stray_line = number;
    }
    return append_segment(cells, line + at, length - at) &&
           append(cells, breaks || table->hardbreaks || !length ? "\v" : "\n", 1);
}

static bool is_comment(const char *line)
{
    return !strncmp(line, "//", 2) && line[2] != '/';
}

bool qpw_adoc_take_cells(const struct qpw_adoc_table *table, const char *text, struct qpw_adoc_cells *cells)
{
    unsigned number = table->line;

    for (const char *line = text; *line; number++) {
        size_t length = strcspn(line, "\n"), end = length;
        bool had = cells->n > 0;

        while (end && isspace((unsigned char)line[end - 1]))
            end--;
        if (!is_comment(line) && !take_line(table, cells, line, end, number))
            return false;
        for (size_t i = 0; !had && i < cells->n; i++)
            cells->first_line += cells->list[i].specifier.columns * cells->list[i].specifier.repeat;
        line += length + (line[length] == '\n');
    }
    return true;
}
