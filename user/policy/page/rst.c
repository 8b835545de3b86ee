/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * rst.c - read reStructuredText into the parts of a page: section titles, paragraphs, tabs; rst_table.c reads tables.
 * Comments, literal blocks and listings are skipped; a directive that surrounds others (note, container) only indents
 * them.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/page/rst.h"

/* ---- Titles ---- */

static size_t characters(const char *text, size_t length)
{
    size_t n = 0;

    for (size_t i = 0; i < length; i++)
        n += (text[i] & 0xc0) != 0x80;
    return n;
}

/* Return whether the line is one punctuation character, repeated at least `least` times. */
static bool is_bar(const struct qpw_rst_reader *r, size_t i, size_t least)
{
    const char *line = qpw_rst_line_at(r, i);
    size_t length = qpw_rst_length_at(r, i);

    if (length < 2 || length < least || !ispunct((unsigned char)*line))
        return false;
    for (size_t j = 1; j < length; j++)
        if (line[j] != *line)
            return false;
    return true;
}

static unsigned level_of(struct qpw_rst_reader *r, char character, bool overlined)
{
    char key[2] = {character, overlined};

    for (unsigned i = 0; i < r->n_levels; i++)
        if (!memcmp(r->levels[i], key, 2))
            return i + 1;
    if (r->n_levels < QPW_RST_LEVELS)
        memcpy(r->levels[r->n_levels++], key, 2);
    return r->n_levels;
}

static bool title(struct qpw_rst_reader *r)
{
    bool overlined = is_bar(r, r->i, 2) && qpw_rst_length_at(r, r->i + 1) && is_bar(r, r->i + 2, 2) &&
                     *qpw_rst_line_at(r, r->i) == *qpw_rst_line_at(r, r->i + 2);
    size_t text = r->i + overlined, width = characters(qpw_rst_text_at(r, text), qpw_rst_text_length(r, text));
    struct qpw_part *part;
    char *copy;

    if (!width || (!overlined && (qpw_rst_indent_at(r, text) || is_bar(r, text, 4))) ||
        !is_bar(r, text + 1, width < 4 ? width : 4))
        return false;
    copy = strndup(qpw_rst_text_at(r, text), qpw_rst_text_length(r, text));
    if (copy)
        qpw_rst_clean(copy);
    part = copy ? qpw_page_add_text(r->page, QPW_PART_HEADING, (unsigned)text + 1, copy) : NULL;
    if (part)
        part->level = level_of(r, *qpw_rst_line_at(r, text + 1), overlined);
    else
        r->page->no_memory = true;
    free(copy);
    r->i = text + 2;
    return true;
}

/* ---- Lines ---- */

/* "**all of it**", with or without a colon at the end. */
static bool is_bold(const char *text)
{
    size_t length = strcspn(text, "\n");

    length -= length && text[length - 1] == ':';
    return length > 4 && !strncmp(text, "**", 2) && !strncmp(text + length - 2, "**", 2) &&
           !memmem(text + 2, length - 4, "**", 2) && !text[strcspn(text, "\n") + 1];
}

/* Read lines up to a blank one as one paragraph; "::" at its end turns the indented text after it into a listing. */
static void paragraph(struct qpw_rst_reader *r)
{
    size_t first = r->i, indent = qpw_rst_indent_at(r, r->i), size, last;
    bool bold;
    char *text = NULL;
    FILE *out = open_memstream(&text, &size);

    while (out && qpw_rst_length_at(r, r->i) && (r->i == first || !(is_bar(r, r->i + 1, 4) && !qpw_rst_indent_at(r, r->i)))) {
        fwrite(qpw_rst_text_at(r, r->i), 1, qpw_rst_text_length(r, r->i), out);
        fputc('\n', out);
        r->i++;
    }
    last = r->i - (r->i > first);
    if (!out || fclose(out) != 0) {
        r->page->no_memory = true;
        r->i++;
        free(text);
        return;
    }
    bold = is_bold(text);
    if (qpw_rst_clean(text) && *text) {
        struct qpw_part *part = qpw_page_add_text(r->page, QPW_PART_TEXT, (unsigned)first + 1, text);

        if (part)
            part->bold = bold;
    }
    free(text);
    if (qpw_rst_length_at(r, last) >= 2 && !strncmp(qpw_rst_line_at(r, last) + qpw_rst_length_at(r, last) - 2, "::", 2)) {
        qpw_page_add(r->page, QPW_PART_LISTING, (unsigned)r->i + 1);
        r->i = qpw_rst_behind_body(r, r->i, indent);
    }
}

static void end_blocks(struct qpw_rst_reader *r)
{
    size_t indent = qpw_rst_indent_at(r, r->i);

    while (r->n_tabs && indent <= r->tab_indent[r->n_tabs - 1]) {
        qpw_page_add(r->page, QPW_PART_TAB_END, (unsigned)r->i + 1);
        r->n_tabs--;
    }
    if (r->only_indent && indent + 1 <= r->only_indent)
        r->only_indent = 0;
}

static int read_line(struct qpw_rst_reader *r)
{
    const char *line = qpw_rst_line_at(r, r->i);
    size_t length = qpw_rst_length_at(r, r->i);
    bool taken = false;
    int error;

    if (!length) {
        r->i++;
        return 0;
    }
    end_blocks(r);
    error = qpw_rst_read_directive(r, &taken);
    if (taken || error < 0)
        return error;
    if (qpw_rst_is_grid_edge(line, length)) {
        qpw_rst_begin_table(r, NULL, 0);
        r->i = qpw_rst_grid(&r->lines, r->i, r->page);
    } else if (qpw_rst_is_simple_edge(line, length)) {
        qpw_rst_begin_table(r, NULL, 0);
        r->i = qpw_rst_simple(&r->lines, r->i, r->page);
    } else if (!title(r)) {
        paragraph(r);
    }
    return 0;
}

static bool split(const char *text, struct qpw_rst_lines *ret)
{
    size_t n = 1, i = 0;

    for (const char *p = text; *p; p++)
        n += *p == '\n';
    ret->at = calloc(n, sizeof(*ret->at));
    ret->length = calloc(n, sizeof(*ret->length));
    if (!ret->at || !ret->length)
        return false;
    for (const char *p = text; i < n; i++) {
        size_t length = strcspn(p, "\n"), end = length;

        while (end && isspace((unsigned char)p[end - 1]))
            end--;
        ret->at[i] = p;
        ret->length[i] = end;
        p += length + (p[length] == '\n');
    }
    ret->n = n;
    return true;
}

int qpw_read_rst(const char *name, const char *text, struct qpw_page *ret, struct qpw_error *err)
{
    struct qpw_rst_reader r = {.name = name, .page = ret, .err = err};
    int error = split(text, &r.lines) ? 0 : qpw_fail(err, -ENOMEM, "%s: out of memory", name);

    while (error == 0 && r.i < r.lines.n && !ret->no_memory)
        error = read_line(&r);
    free(r.lines.at);
    free(r.lines.length);
    return error < 0 ? error : qpw_page_check(ret, name, err);
}
