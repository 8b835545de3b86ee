/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/page/page.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/lang/parse.h"
#include "util/array.h"

void qpw_page_clear(struct qpw_page *page)
{
    for (size_t i = 0; i < page->n; i++) {
        for (size_t j = 0; j < page->parts[i].n_cells; j++)
            free(page->parts[i].cells[j].text);
        free(page->parts[i].cells);
        free(page->parts[i].fault);
    }
    free(page->parts);
    *page = (struct qpw_page){0};
}

int qpw_page_check(const struct qpw_page *page, const char *name, struct qpw_error *err)
{
    if (!page->no_memory)
        return 0;
    if (page->n_cells >= QPW_MAX_PAGE_CELLS)
        return qpw_fail(err, -EINVAL, "%s:%u: more than %u cells and paragraphs on one page", name,
                        page->parts[page->n - 1].line, QPW_MAX_PAGE_CELLS);
    return qpw_fail(err, -ENOMEM, "%s: out of memory", name);
}

struct qpw_part *qpw_page_add(struct qpw_page *page, enum qpw_part_kind kind, unsigned line)
{
    struct qpw_part *part = QPW_ADD(page->parts, page->n);

    if (!part) {
        page->no_memory = true;
        return NULL;
    }
    page->n++;
    part->kind = kind;
    part->line = line ? line : 1;
    return part;
}

struct qpw_page_cell *qpw_page_add_cell(struct qpw_page *page, char *text, unsigned line)
{
    struct qpw_part *part = page->n ? &page->parts[page->n - 1] : NULL;
    struct qpw_page_cell *cell = NULL;

    if (text && part && page->n_cells < QPW_MAX_PAGE_CELLS)
        cell = QPW_ADD(part->cells, part->n_cells);
    if (!cell) {
        page->no_memory = true;
        free(text);
        return NULL;
    }
    page->n_cells++;
    part->n_cells++;
    *cell = (struct qpw_page_cell){.text = text, .line = line ? line : 1};
    return cell;
}

struct qpw_part *qpw_page_add_text(struct qpw_page *page, enum qpw_part_kind kind, unsigned line, const char *text)
{
    struct qpw_part *part = qpw_page_add(page, kind, line);

    return part && qpw_page_add_cell(page, strdup(text), line) ? part : NULL;
}

void qpw_page_fault(struct qpw_page *page, const char *why)
{
    struct qpw_part *part = page->n ? &page->parts[page->n - 1] : NULL;

    if (!part || part->fault)
        return;
    part->fault = strdup(why);
    page->no_memory |= !part->fault;
}

/* ---- Spans ---- */

void qpw_spans_clear(struct qpw_spans *spans)
{
    for (size_t i = 0; i < QPW_MAX_COLUMNS; i++)
        free(spans->cells[i].text);
    *spans = (struct qpw_spans){0};
}

static size_t cells_of(const struct qpw_page *page)
{
    return page->n ? page->parts[page->n - 1].n_cells : 0;
}

/* Append copies of the cells that extend down into the row at its next columns. */
static void inherit(struct qpw_page *page, struct qpw_spans *spans)
{
    for (size_t at = cells_of(page); at < QPW_MAX_COLUMNS && spans->rows[at] && !page->no_memory; at++) {
        const struct qpw_page_cell *above = &spans->cells[at];
        struct qpw_page_cell *cell = qpw_page_add_cell(page, strdup(above->text), above->line);

        spans->rows[at]--;
        spans->inherited++;
        if (cell) {
            cell->title = above->title;
            cell->joined = above->joined;
        }
    }
}

void qpw_row_begin(struct qpw_page *page, struct qpw_spans *spans, unsigned line)
{
    spans->physical = spans->inherited = 0;
    qpw_page_add(page, QPW_PART_ROW, line);
}

/* Append a copy of the text for one of the cell's columns. */
static void put(struct qpw_page *page, struct qpw_spans *spans, const char *text, unsigned line,
                const struct qpw_span *span)
{
    size_t at = cells_of(page);
    struct qpw_page_cell *cell;

    if (at >= QPW_MAX_COLUMNS) {
        qpw_page_fault(page, "more cells than any table has here");
        return;
    }
    if (spans->rows[at])
        qpw_page_fault(page, "two cells overlap");
    cell = qpw_page_add_cell(page, strdup(text), line);
    if (!cell)
        return;
    cell->title = span->title;
    cell->joined = span->columns > 1;
    if (span->rows > 1) {
        free(spans->cells[at].text);
        spans->cells[at] = *cell;
        spans->cells[at].text = strdup(text);
        spans->rows[at] = spans->cells[at].text ? span->rows - 1 : 0;
        page->no_memory |= !spans->cells[at].text;
    }
}

void qpw_row_cell(struct qpw_page *page, struct qpw_spans *spans, char *text, unsigned line,
                  const struct qpw_span *span)
{
    inherit(page, spans);
    spans->physical++;
    if (!text)
        page->no_memory = true;
    for (unsigned i = 0; text && i < span->columns && i <= QPW_MAX_COLUMNS; i++)
        put(page, spans, text, line, span);
    free(text);
}

void qpw_row_end(struct qpw_page *page, struct qpw_spans *spans)
{
    struct qpw_part *part;
    bool titles;

    inherit(page, spans);
    if (!page->n)
        return;
    part = &page->parts[page->n - 1];
    titles = part->n_cells > 0;
    for (size_t i = 0; i < part->n_cells; i++)
        titles &= part->cells[i].title;
    part->titles = titles;
    part->spanning = spans->physical == 1 && !spans->inherited && part->n_cells > 1;
}

/* ---- Text ---- */

bool qpw_cut_bold(char *text, const char *mark)
{
    size_t n = strlen(mark), length = strlen(text);

    length -= length && text[length - 1] == ':';
    if (length <= 2 * n || strncmp(text, mark, n) || strncmp(text + length - n, mark, n))
        return false;
    if (memmem(text + n, length - 2 * n, mark, n))
        return false;
    memmove(text, text + n, length - 2 * n);
    text[length - 2 * n] = '\0';
    return true;
}

enum qpw_page_link qpw_link_of(const char *before, size_t length, const char *text, size_t text_length, bool in_page)
{
    size_t end = length, digits = 0, letters = 0;
    char last;

    while (end && (before[end - 1] == ' ' || before[end - 1] == '\t' || before[end - 1] == '\n'))
        end--;
    for (size_t i = 0; i < text_length; i++) {
        digits += isdigit((unsigned char)text[i]) != 0;
        letters += isalpha((unsigned char)text[i]) != 0;
        if ((unsigned char)text[i] >= 0x80)
            return QPW_LINK_TEXT;
    }
    last = end ? before[end - 1] : ' ';
    if ((!digits && letters != 1) || letters > 1 || digits > 5)
        return QPW_LINK_TEXT;
    /* After a number or a mark, even with white space between; after a word, only directly. */
    if (!isdigit((unsigned char)last) && last != '*' && !(isalpha((unsigned char)last) && end == length))
        return QPW_LINK_TEXT;
    return in_page && digits < 3 ? QPW_LINK_MARK : QPW_LINK_ASIDE;
}

/* Return the length of a directive's word at p ("details", "{tab-item}") with its blank; 0: none. */
static size_t directive_word(const char *p)
{
    size_t length = strspn(p, "{abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_}");

    return p[length] == ' ' ? length + 1 : 0;
}

const char *qpw_behind_marks(const char *text)
{
    for (const char *p = text; *p; text = p) {
        size_t digits = strspn(p, "0123456789"), colons = strspn(p, ":"), marks = strspn(p, "?!=");

        if (strchr("*+-", *p) && p[1] == ' ')
            p += 2;
        else if (digits && digits < 3 && (p[digits] == '.' || p[digits] == ')') && p[digits + 1] == ' ')
            p += digits + 2;
        else if (colons >= 3)
            p += colons + strspn(p + colons, " ") + (p[colons] && p[colons + strspn(p + colons, " ")] != ':'
                                                         ? directive_word(p + colons + strspn(p + colons, " "))
                                                         : 0);
        else if (!strncmp(p, "@tab ", 5))
            p += 5;
        else if (marks == 2 && *p == '=' && p[2] == ' ')
            p += 3;
        else if (marks >= 3 && p[marks] == ' ')
            p += marks + 1 + directive_word(p + marks + 1);
        else
            break;
    }
    return text;
}

char *qpw_tidy(char *text)
{
    static const struct {
        const char *from;
        char to; /* 0: removed */
    } characters[] = {{"\xe2\x80\x90", '-'}, {"\xe2\x80\x91", '-'}, {"\xe2\x80\x92", '-'}, {"\xe2\x80\x93", '-'},
                      {"\xe2\x80\x94", '-'}, {"\xe2\x88\x92", '-'}, {"\xc2\xa0", ' '}, {"\xe2\x80\xaf", ' '},
                      {"\xe2\x80\x8b", 0}, {"\xef\xbb\xbf", 0}, {"\xc2\xad", 0}};
    char *out = text;
    bool space = false, newline = false;

    for (const char *p = text; *p;) {
        char c = *p;
        size_t step = 1;

        for (size_t i = 0; (unsigned char)c >= 0x80 && i < sizeof(characters) / sizeof(*characters); i++)
            if (!strncmp(p, characters[i].from, strlen(characters[i].from))) {
                c = characters[i].to;
                step = strlen(characters[i].from);
                break;
            }
        /* Keep a zero-width character between two digits, so that the numbers are not joined. */
        if (!c && out > text && isdigit((unsigned char)out[-1]) && isdigit((unsigned char)p[step])) {
            memmove(out, p, step);
            out += step;
            p += step;
            continue;
        }
        p += step;
        if (!c)
            continue;
        if (isspace((unsigned char)c) || (unsigned char)c < 0x20 || c == 0x7f) {
            newline |= c == '\v'; /* '\v' is a line break of the markup; line ends of the source are spaces */
            space = true;
            continue;
        }
        if (space && out > text)
            *out++ = newline ? '\n' : ' ';
        space = newline = false;
        *out++ = c;
    }
    *out = '\0';
    return text;
}
