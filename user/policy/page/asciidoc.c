/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * asciidoc.c - read AsciiDoc into the parts of a page: section titles, paragraphs, tabs, and the lines of each table,
 * whose cells asciidoc_table.c separates. Tables within listings, comments and conditions are not read.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/page/asciidoc.h"

struct reader {
    const char *name;
    struct qpw_page *page;
    struct qpw_error *err;
    const char *at;
    unsigned line;
    struct qpw_adoc_table table; /* attributes of the next one */
    char caption[256];
    bool caption_given;
    bool tabs;              /* the next block holds tabs */
    char tabs_end[64];      /* delimiter that ends the tabs, empty: none are open */
    bool tab;
    unsigned conditions;    /* open ifdef:: and their like */
    char *paragraph;
    size_t size;
    FILE *text;
    unsigned text_line;
};

static size_t length_of(const char *line)
{
    size_t length = strcspn(line, "\n");

    while (length && isspace((unsigned char)line[length - 1]))
        length--;
    return length;
}

static const char *next_line(const char *line)
{
    line += strcspn(line, "\n");
    return *line ? line + 1 : line;
}

static bool is_line(const char *line, const char *text)
{
    size_t length = length_of(line);

    return strlen(text) == length && !strncmp(line, text, length);
}

static bool begins(const char *line, const char *text)
{
    return !strncmp(line, text, strlen(text));
}

/* Return the character that makes up the whole line, four or more times (a block delimiter); otherwise 0. */
static char delimiter(const char *line)
{
    size_t length = length_of(line);

    if (is_line(line, "```") || is_line(line, "--"))
        return *line;
    if (length < 4 || !strchr("-./+=*_", *line))
        return 0;
    for (size_t i = 1; i < length; i++)
        if (line[i] != *line)
            return 0;
    return *line;
}

static void end_paragraph(struct reader *r)
{
    bool stands;

    if (!r->text)
        return;
    fclose(r->text);
    r->text = NULL;
    stands = qpw_adoc_clean(r->paragraph);
    if (*r->paragraph && stands) {
        bool bold = qpw_cut_bold(r->paragraph, "**") || qpw_cut_bold(r->paragraph, "*");
        struct qpw_part *part = qpw_page_add_text(r->page, QPW_PART_TEXT, r->text_line, r->paragraph);

        if (part)
            part->bold = bold;
    }
    free(r->paragraph);
    r->paragraph = NULL;
}

static void forget_attributes(struct reader *r)
{
    r->table = (struct qpw_adoc_table){0};
    r->caption_given = false;
    r->tabs = false;
}

static void heading(struct reader *r, unsigned level, const char *text, size_t length)
{
    char *copy = strndup(text, length);
    struct qpw_part *part;

    end_paragraph(r);
    forget_attributes(r);
    if (copy)
        qpw_adoc_clean(copy);
    part = copy ? qpw_page_add_text(r->page, QPW_PART_HEADING, r->line, copy) : NULL;
    if (part)
        part->level = level;
    else
        r->page->no_memory = true;
    free(copy);
}

/* "== Title" and "## Title"; "Title" over "-----" of about its length. Return the level from 1, or 0. */
static unsigned title_level(const char *line)
{
    size_t level = *line == '=' || *line == '#' ? strspn(line, *line == '=' ? "=" : "#") : 0;

    return level && level <= 6 && isblank((unsigned char)line[level]) ? (unsigned)level : 0;
}

static unsigned underlined_level(const char *line)
{
    static const char characters[] = "=-~^+";
    const char *under = next_line(line);
    size_t length = length_of(line), bar = length_of(under), width = 0;
    const char *found = bar >= 2 ? strchr(characters, *under) : NULL;

    for (size_t i = 0; i < length; i++)
        width += (line[i] & 0xc0) != 0x80;
    if (!found || !length || isspace((unsigned char)*line) || strchr("|[.:/", *line) || delimiter(line) ||
        (bar > width ? bar - width : width - bar) > 1)
        return 0;
    for (size_t i = 1; i < bar; i++)
        if (under[i] != *under)
            return 0;
    return (unsigned)(found - characters) + 1;
}

/* ---- Blocks ---- */

/* Skip a block whose text is not read; *r is then after its last line. */
static int skip_block(struct reader *r)
{
    const char *open = r->at;
    size_t length = length_of(open);
    unsigned begun = r->line;

    end_paragraph(r);
    qpw_page_add(r->page, QPW_PART_LISTING, begun);
    for (;;) {
        r->at = next_line(r->at);
        r->line++;
        if (!*r->at)
            return qpw_fail(r->err, -EINVAL, "%s:%u: the block that begins here with %.*s is not closed", r->name,
                            begun, (int)(length > 20 ? 20 : length), open);
        if (length_of(r->at) == length && !strncmp(r->at, open, length))
            break;
        if (*open == '+' && !strncasecmp(r->at + strspn(r->at, " \t"), "<table", 6)) {
            qpw_page_add(r->page, QPW_PART_TABLE, r->line);
            qpw_page_add(r->page, QPW_PART_ROW, r->line);
            qpw_page_fault(r->page, "a table in raw HTML is not read; import the HTML edition");
        }
    }
    r->at = next_line(r->at);
    r->line++;
    forget_attributes(r);
    return 0;
}

/* "|===", with any number of = from three; also ",===" and ":===". */
static bool is_table_edge(const char *line)
{
    size_t length = length_of(line);

    return length >= 4 && strchr("|,:", *line) && strspn(line + 1, "=") == length - 1;
}

static int read_table(struct reader *r)
{
    const char *open = r->at, *body = next_line(open), *close = body;
    size_t length = length_of(open);
    unsigned begun = r->line, lines = 1;
    char *text;
    int error;

    end_paragraph(r);
    for (; *close && (length_of(close) != length || strncmp(close, open, length)); close = next_line(close))
        lines++;
    if (!*close)
        return qpw_fail(r->err, -EINVAL, "%s:%u: this table is not closed", r->name, begun);
    if (r->caption_given)
        qpw_page_add_text(r->page, QPW_PART_TABLE, begun, r->caption);
    else
        qpw_page_add(r->page, QPW_PART_TABLE, begun);
    text = strndup(body, (size_t)(close - body));
    if (!text)
        return qpw_fail(r->err, -ENOMEM, "%s: out of memory", r->name);
    r->table.name = r->name;
    r->table.line = begun + 1;
    r->table.conditional = r->conditions > 0;
    if (*open == ',')
        r->table.separator = ',';
    else if (*open == ':')
        r->table.separator = ':';
    error = qpw_adoc_rows(&r->table, text, r->page, r->err);
    free(text);
    r->at = next_line(close);
    r->line += lines + 1;
    forget_attributes(r);
    return error;
}

/* ---- Tabs: "[tabs]", a block of =, and in it "Label::" lines ---- */

static void end_tab(struct reader *r)
{
    if (r->tab)
        qpw_page_add(r->page, QPW_PART_TAB_END, r->line);
    r->tab = false;
}

static bool tab_line(struct reader *r)
{
    size_t length = length_of(r->at);

    if (r->tabs && *r->at == '=' && delimiter(r->at) && length < sizeof(r->tabs_end)) {
        snprintf(r->tabs_end, sizeof(r->tabs_end), "%.*s", (int)length, r->at);
        r->tabs = false;
        return true;
    }
    if (!*r->tabs_end)
        return false;
    if (is_line(r->at, r->tabs_end)) {
        end_tab(r);
        *r->tabs_end = '\0';
        return true;
    }
    if (length > 2 && !strncmp(r->at + length - 2, "::", 2) && !isspace((unsigned char)*r->at)) {
        char *label = strndup(r->at, length - 2);

        end_tab(r);
        if (label) {
            qpw_adoc_clean(label);
            qpw_page_add_text(r->page, QPW_PART_TAB, r->line, label);
            r->tab = true;
        }
        free(label);
        return true;
    }
    return false;
}

/* ---- Lines ---- */

/* Handle ifdef::…[], ifndef::…[], ifeval::[…] and endif::…[]: some readers may not get the text inside. */
static bool condition_line(struct reader *r)
{
    size_t length = length_of(r->at);

    if (begins(r->at, "ifeval::[") ||
        ((begins(r->at, "ifdef::") || begins(r->at, "ifndef::")) && length > 2 && !strncmp(r->at + length - 2, "[]", 2))) {
        r->conditions++;
        return true;
    }
    if (begins(r->at, "endif::")) {
        r->conditions -= r->conditions > 0;
        return true;
    }
    return begins(r->at, "ifdef::") || begins(r->at, "ifndef::") || begins(r->at, "include::");
}

static bool attribute_line(struct reader *r)
{
    size_t length = length_of(r->at);

    if (*r->at == '[' && r->at[length - 1] == ']') {
        char text[512];

        snprintf(text, sizeof(text), "%.*s", (int)(length - 2), r->at + 1);
        end_paragraph(r);
        r->tabs |= !strcmp(text, "tabs") || begins(text, "tabs,") || begins(text, "tabs%");
        qpw_adoc_attributes(text, &r->table);
        return true;
    }
    if (*r->at == '.' && length > 1 && !strchr(". \t", r->at[1])) {
        end_paragraph(r);
        snprintf(r->caption, sizeof(r->caption), "%.*s", (int)(length - 1), r->at + 1);
        qpw_adoc_clean(r->caption);
        r->caption_given = true;
        return true;
    }
    if (*r->at == ':' && isalpha((unsigned char)r->at[1])) {
        const char *close = memchr(r->at + 1, ':', length - 1);

        return close && (close[1] == '\n' || !close[1] || isspace((unsigned char)close[1]));
    }
    return false;
}

static void text_line(struct reader *r)
{
    if (!r->text) {
        r->text = open_memstream(&r->paragraph, &r->size);
        r->text_line = r->line;
    }
    if (r->text) {
        fwrite(r->at, 1, length_of(r->at), r->text);
        fputc('\n', r->text);
    }
    forget_attributes(r);
}

static int read_line(struct reader *r, bool *ret_moved)
{
    unsigned level = title_level(r->at);
    char edge = delimiter(r->at);
    size_t length = length_of(r->at);

    if (!length || is_line(r->at, "+")) {
        end_paragraph(r);
    } else if (level) {
        heading(r, level, r->at + level + 1, length - level - 1);
    } else if (is_table_edge(r->at)) {
        *ret_moved = true;
        return read_table(r);
    } else if (tab_line(r)) {
        end_paragraph(r);
    } else if (!r->text && underlined_level(r->at)) {
        heading(r, underlined_level(r->at), r->at, length);
        r->at = next_line(r->at);
        r->line++;
    } else if (edge && strchr("-./+`", edge) && !is_line(r->at, "--")) {
        *ret_moved = true;
        return skip_block(r);
    } else if (edge || begins(r->at, "//")) {
        if (edge)
            end_paragraph(r);
    } else if (!condition_line(r) && !attribute_line(r)) {
        text_line(r);
    }
    return 0;
}

/* Skip front matter: "---" on the first line up to the next such line. */
static void skip_front_matter(struct reader *r)
{
    const char *p = r->at;
    unsigned lines = 1;

    if (!is_line(p, "---"))
        return;
    for (p = next_line(p); *p && !is_line(p, "---"); p = next_line(p))
        lines++;
    if (*p) {
        r->at = next_line(p);
        r->line += lines + 1;
    }
}

int qpw_read_asciidoc(const char *name, const char *text, struct qpw_page *ret, struct qpw_error *err)
{
    struct reader r = {.name = name, .page = ret, .err = err, .at = text, .line = 1};
    bool hardbreaks = strstr(text, "\n:hardbreaks") != NULL || begins(text, ":hardbreaks");
    int error = 0;

    skip_front_matter(&r);
    while (*r.at && error == 0 && !ret->no_memory) {
        bool moved = false;

        r.table.hardbreaks = hardbreaks;
        error = read_line(&r, &moved);
        if (error == 0 && !moved) {
            r.at = next_line(r.at);
            r.line++;
        }
    }
    end_paragraph(&r);
    end_tab(&r);
    return error < 0 ? error : qpw_page_check(ret, name, err);
}
