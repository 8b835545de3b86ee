/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * asciidoc_table.c - an AsciiDoc table's lines as rows.
 *
 * Cells are a stream: each begins with a bar, lines and blank lines mean nothing, and a row is as many cells as the table
 * has columns. Straight before a bar may stand a cell's specifier: 3* (repeated), 2+ or .3+ (spans), <^> (alignment), and
 * a letter (style; h is a title).
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/HTMLparser.h>
#include <libxml/parserInternals.h>

#include "policy/page/asciidoc.h"

/* ---- Attributes of a table ---- */

/* "1,2,3", "3*", "2*,4a", "25,25,50", "3": how many columns. */
static unsigned count_columns(const char *cols, size_t length)
{
    unsigned columns = 0;
    bool number = length > 0;

    for (size_t i = 0; i < length; i++)
        number &= isdigit((unsigned char)cols[i]) != 0;
    if (number)
        return (unsigned)strtoul(cols, NULL, 10);
    for (size_t at = 0; at <= length;) {
        size_t item = strcspn(cols + at, ",;"), digits;

        if (item > length - at)
            item = length - at;
        while (item && isspace((unsigned char)cols[at])) {
            at++;
            item--;
        }
        digits = strspn(cols + at, "0123456789");
        columns += digits && digits < item && cols[at + digits] == '*' ? (unsigned)strtoul(cols + at, NULL, 10) : 1;
        at += item + 1;
    }
    return columns;
}

/* The value behind key= in text, without its quotes; NULL: there is none. */
static const char *value_of(const char *text, const char *key, size_t *ret_length)
{
    size_t length = strlen(key);

    for (const char *p = text; (p = strstr(p, key)); p++) {
        const char *value = p + length;

        if ((p > text && (isalnum((unsigned char)p[-1]) || p[-1] == '-')) || *value != '=')
            continue;
        value++;
        if (*value == '"' || *value == '\'') {
            char quote[2] = {*value, '\0'};

            *ret_length = strcspn(value + 1, quote);
            return value + 1;
        }
        *ret_length = strcspn(value, ", \t");
        return value;
    }
    return NULL;
}

static bool has(const char *text, size_t length, const char *word)
{
    return text && memmem(text, length, word, strlen(word)) != NULL;
}

void qpw_adoc_attributes(const char *text, struct qpw_adoc_table *ret)
{
    size_t length = 0;
    const char *value = value_of(text, "cols", &length);

    if (value)
        ret->columns = count_columns(value, length);
    value = value_of(text, "options", &length);
    if (!value)
        value = value_of(text, "opts", &length);
    if (value || strchr(text, '%')) {
        ret->options = true;
        ret->header = has(value, length, "header") && !has(value, length, "noheader");
        ret->header |= strstr(text, "%header") != NULL;
    }
    value = value_of(text, "format", &length);
    if (has(value, length, "csv"))
        ret->separator = ',';
    else if (has(value, length, "tsv"))
        ret->separator = '\t';
    else if (has(value, length, "dsv"))
        ret->separator = ':';
    value = value_of(text, "separator", &length);
    if (value && length == 1)
        ret->separator = *value;
}

/* ---- Text of a cell ---- */

/* The character that "&#8211;", "&#x2013;" or "&nbsp;" at p stands for, into out (7 bytes); its length there, or 0. */
static size_t entity(const char *p, char *out)
{
    const htmlEntityDesc *known;
    char name[12];
    size_t length;
    unsigned long code = 0;
    char *end;

    if (p[1] == '#') {
        bool hex = p[2] == 'x' || p[2] == 'X';

        code = strtoul(p + (hex ? 3 : 2), &end, hex ? 16 : 10);
        length = *end == ';' ? (size_t)(end + 1 - p) : 0;
    } else {
        length = strspn(p + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
        if (!length || length >= sizeof(name) || p[1 + length] != ';')
            return 0;
        snprintf(name, sizeof(name), "%.*s", (int)length, p + 1);
        known = htmlEntityLookup(BAD_CAST name);
        code = known ? known->value : 0;
        length += 2;
    }
    if (!code || code > 0x10ffff || (code >= 0xd800 && code < 0xe000) || code < 0x20)
        return 0;
    out[xmlCopyCharMultiByte(BAD_CAST out, (int)code)] = '\0';
    return length;
}

/* A link, cross reference or footnote at p: where its text is and where it ends; NULL: there is none. */
static const char *macro(const char *p, const char **ret_text, size_t *ret_length)
{
    static const char *const names[] = {"link:", "xref:", "mailto:", "http://", "https://", "footnote:", "footnoteref:",
                                        "anchor:", "pass:", NULL};
    const char *open, *close;

    for (size_t i = 0; names[i]; i++) {
        if (strncmp(p, names[i], strlen(names[i])))
            continue;
        open = p + strcspn(p, "[ \t\n\v");
        close = *open == '[' ? strchr(open, ']') : NULL;
        if (!close)
            return NULL;
        *ret_text = open + 1;
        *ret_length = strcspn(open + 1, "^]");
        if (!strncmp(p, "footnote", 8) || !strncmp(p, "anchor", 6))
            *ret_length = 0;
        return close + 1;
    }
    return NULL;
}

/* <<id,text>> at p. */
static const char *reference(const char *p, const char **ret_text, size_t *ret_length)
{
    const char *close = strstr(p, ">>"), *comma;

    if (!close)
        return NULL;
    comma = memchr(p, ',', (size_t)(close - p));
    *ret_text = comma ? comma + 1 : p + 2;
    *ret_length = (size_t)(close - *ret_text);
    return close + 2;
}

/* ^raised^ text, a footnote's mark: where it ends, or NULL. */
static const char *raised(const char *p)
{
    size_t length = strcspn(p + 1, "^ \t\n\v");

    return length && p[1 + length] == '^' ? p + length + 2 : NULL;
}

bool qpw_adoc_clean(char *text)
{
    char *out = text;
    bool stands = true;

    for (const char *p = text; *p;) {
        bool word = p > text && isalnum((unsigned char)p[-1]);
        const char *inner = p, *next = NULL;
        size_t length = 0;

        if (*p == '`') {
            p++;
            continue;
        }
        if (*p == '&') {
            char character[8];
            size_t step = entity(p, character);

            if (step) {
                length = strlen(character);
                memmove(out, character, length);
                out += length;
                p += step;
                continue;
            }
        }
        if (*p == '[' && !strncmp(p, "[.line-through]", 15))
            stands = false;
        if (*p == '[' && !strncmp(p, "[line-through]", 14))
            stands = false;
        if (!word)
            next = macro(p, &inner, &length);
        if (!next && !strncmp(p, "<<", 2))
            next = reference(p, &inner, &length);
        if (!next && *p == '^' && (next = raised(p)))
            length = 0;
        if (next) {
            memmove(out, inner, length);
            out += length;
            p = next;
            continue;
        }
        *out++ = *p++;
    }
    *out = '\0';
    qpw_tidy(text);
    return stands;
}

/* ---- Cells ---- */

struct specifier {
    unsigned repeat;
    unsigned columns;
    unsigned rows;
    char style;
};

struct cell {
    char *text;
    size_t length;
    size_t room;
    unsigned line;
    struct specifier specifier;
};

struct cells {
    struct cell *list;
    size_t n;
    size_t first_line; /* columns of those that begin on the first line that has any */
    bool stray;        /* text before the first bar */
    unsigned stray_line;
};

static const char *alignment(const char *p)
{
    if (*p && strchr("<^>", *p))
        p++;
    if (*p == '.' && p[1] && strchr("<^>", p[1]))
        p += 2;
    return p;
}

/* Whether [p, end) is a specifier as a whole; none at all is not one. */
static bool parse_specifier(const char *p, const char *end, struct specifier *ret)
{
    struct specifier specifier = {.repeat = 1, .columns = 1, .rows = 1};
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
            specifier = (struct specifier){1, first ? (unsigned)first : 1, second ? (unsigned)second : 1, 0};
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

/* The text so far of a line's segment may end with the specifier of the next cell; it is cut off. */
static size_t take_specifier(const char *segment, size_t length, bool line_start, struct specifier *ret)
{
    size_t begin = length;

    *ret = (struct specifier){1, 1, 1, 0};
    while (begin && !isblank((unsigned char)segment[begin - 1]))
        begin--;
    if (!begin && !line_start)
        return length;
    return parse_specifier(segment + begin, segment + length, ret) ? begin : length;
}

static struct cell *add_cell(struct cells *cells, unsigned line, const struct specifier *specifier)
{
    struct cell *list = cells->n & (cells->n - 1) ? cells->list
                                                  : reallocarray(cells->list, cells->n ? cells->n * 2 : 1, sizeof(*list));

    if (!list)
        return NULL;
    cells->list = list;
    list[cells->n] = (struct cell){.line = line, .specifier = *specifier};
    return &list[cells->n++];
}

static void clear_cells(struct cells *cells)
{
    for (size_t i = 0; i < cells->n; i++)
        free(cells->list[i].text);
    free(cells->list);
}

/* Appends to the last cell's text. False: no memory. */
static bool append(struct cells *cells, const char *text, size_t length)
{
    struct cell *cell = cells->n ? &cells->list[cells->n - 1] : NULL;

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

/* The next bar of the line that is not escaped, from `at`. */
static size_t find_bar(const char *line, size_t at, size_t length)
{
    while (at < length && (line[at] != '|' || (at && line[at - 1] == '\\')))
        at++;
    return at;
}

static bool append_segment(struct cells *cells, const char *text, size_t length)
{
    for (size_t i = 0, from = 0; i <= length; i++)
        if (i == length || (text[i] == '\\' && i + 1 < length && text[i + 1] == '|')) {
            if (!append(cells, text + from, i - from))
                return false;
            from = i + 1;
        }
    return true;
}

/* One line of the body into the stream of cells. */
static bool take_line(const struct qpw_adoc_table *table, struct cells *cells, const char *line, size_t length,
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
        struct specifier specifier;
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

static bool is_directive(const char *line)
{
    static const char *const words[] = {"ifdef::", "ifndef::", "ifeval::", "endif::", "include::", NULL};

    for (size_t i = 0; words[i]; i++)
        if (!strncmp(line, words[i], strlen(words[i])))
            return true;
    return false;
}

/* What keeps the whole table from being read, or NULL. */
static const char *find_obstacle(const struct qpw_adoc_table *table, const char *text)
{
    if (table->conditional)
        return "this table stands under a condition (ifdef::, ifndef:: or ifeval::), which only its author can decide";
    for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line != '\0') {
        if (is_directive(line))
            return "rows of this table come from another file or stand under a condition (include::, ifdef::)";
        if (!strncmp(line, "!===", 4))
            return "a table within a table";
    }
    return NULL;
}

static bool take_cells(const struct qpw_adoc_table *table, const char *text, struct cells *cells)
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

/* ---- Rows ---- */

static bool is_full(const struct qpw_page *page, const struct qpw_spans *spans, size_t columns)
{
    size_t at = page->parts[page->n - 1].n_cells;

    while (at < QPW_MAX_COLUMNS && spans->rows[at])
        at++;
    return at >= columns;
}

/* A first line with all of its cells, straight behind the table's edge and with a blank one behind it, has titles. */
static bool has_titles(const struct qpw_adoc_table *table, const char *text, const struct cells *cells, size_t columns)
{
    size_t first = strcspn(text, "\n");

    if (table->header || table->options)
        return table->header;
    return strspn(text, " \t\r") < first && text[first] == '\n' &&
           strspn(text + first + 1, " \t\r") == strcspn(text + first + 1, "\n") && cells->first_line == columns;
}

static void write_rows(const struct qpw_adoc_table *table, const char *text, struct cells *cells, struct qpw_page *page)
{
    size_t columns = table->columns ? table->columns : cells->first_line;
    bool titles = has_titles(table, text, cells, columns), open = false, first = true;
    struct qpw_spans spans = {0};

    for (size_t i = 0; i < cells->n && !page->no_memory; i++) {
        struct cell *cell = &cells->list[i];

        for (unsigned j = 0; j < cell->specifier.repeat && !page->no_memory; j++) {
            struct qpw_span span = {.columns = cell->specifier.columns,
                                    .rows = cell->specifier.rows,
                                    .title = cell->specifier.style == 'h'};
            char *copy = strdup(cell->text);
            bool stands = !copy || qpw_adoc_clean(copy);

            while (open && is_full(page, &spans, columns)) {
                qpw_row_end(page, &spans);
                open = first = false;
            }
            if (!open)
                qpw_row_begin(page, &spans, cell->line);
            open = true;
            span.title |= titles && first;
            qpw_row_cell(page, &spans, copy, cell->line, &span);
            if (!stands)
                qpw_page_fault(page, "text that is struck out");
        }
    }
    if (open)
        qpw_row_end(page, &spans);
    qpw_spans_clear(&spans);
}

int qpw_adoc_rows(const struct qpw_adoc_table *table, const char *text, struct qpw_page *page, struct qpw_error *err)
{
    const char *obstacle = find_obstacle(table, text);
    struct cells cells = {0};
    bool memory = true;

    if (obstacle) {
        qpw_page_add(page, QPW_PART_ROW, table->line);
        qpw_page_fault(page, obstacle);
    }
    if (table->separator && table->separator != '|') {
        struct qpw_csv csv = {.name = table->name, .line = table->line, .separator = table->separator,
                              .n_titles = table->header};

        return qpw_csv_rows(&csv, text, page, err);
    }
    memory = take_cells(table, text, &cells);
    if (memory && cells.stray) {
        qpw_page_add(page, QPW_PART_ROW, cells.stray_line);
        qpw_page_fault(page, "text before the first cell of a table");
    }
    if (memory)
        write_rows(table, text, &cells, page);
    clear_cells(&cells);
    page->no_memory |= !memory;
    return qpw_page_check(page, table->name, err);
}
