/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/page/page.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/HTMLparser.h>

#include "policy/lang/parse.h"

#define MAX_COLUMNS 32

struct span {
    char *text; /* cell of an earlier row that reaches into the next ones */
    unsigned rows;
};

struct reader {
    const char *name;
    struct qpw_page page;
    FILE *text;      /* paragraph that is being put together */
    char *buffer;
    size_t size;
    unsigned text_line;
    struct qpw_error *err;
    int error;
};

void qpw_page_clear(struct qpw_page *page)
{
    for (size_t i = 0; i < page->n; i++) {
        for (size_t j = 0; j < page->parts[i].n_cells; j++)
            free(page->parts[i].cells[j]);
        free(page->parts[i].cells);
    }
    free(page->parts);
    *page = (struct qpw_page){0};
}

/* ---- Text ---- */

/* White space single, around line ends none; dashes of every kind are '-', what has no width is dropped. In place. */
static void tidy(char *text)
{
    static const struct {
        const char *from;
        char to; /* 0: nothing */
    } characters[] = {{"\xe2\x80\x90", '-'}, {"\xe2\x80\x91", '-'}, {"\xe2\x80\x92", '-'}, {"\xe2\x80\x93", '-'},
                      {"\xe2\x80\x94", '-'}, {"\xe2\x88\x92", '-'}, {"\xc2\xa0", ' '}, {"\xe2\x80\xaf", ' '},
                      {"\xe2\x80\x8b", 0}, {"\xef\xbb\xbf", 0}, {"\xc2\xad", 0}};
    char *out = text;
    bool space = false, newline = false;

    for (const char *p = text; *p;) {
        char c = *p;
        size_t step = 1;

        for (size_t i = 0; i < sizeof(characters) / sizeof(*characters); i++)
            if (!strncmp(p, characters[i].from, strlen(characters[i].from))) {
                c = characters[i].to;
                step = strlen(characters[i].from);
                break;
            }
        p += step;
        if (!c)
            continue;
        if (isspace((unsigned char)c) || (unsigned char)c < 0x20 || c == 0x7f) {
            newline |= c == '\v'; /* stands for a break of the markup; the source's own line ends are spaces */
            space = true;
            continue;
        }
        if (space && out > text)
            *out++ = newline ? '\n' : ' ';
        space = newline = false;
        *out++ = c;
    }
    *out = '\0';
}

static bool is_element(const xmlNode *node, const char *name)
{
    return node->type == XML_ELEMENT_NODE && !xmlStrcasecmp(node->name, BAD_CAST name);
}

static bool is_one_of(const xmlNode *node, const char *const *names)
{
    for (; *names; names++)
        if (is_element(node, *names))
            return true;
    return false;
}

static const char *const skipped[] = {"script", "style", "template", "head", "nav", "footer", NULL};
static const char *const blocks[] = {"p",    "div",  "br",      "li",      "ul",         "ol",  "dl",
                                     "dt",   "dd",   "section", "article", "blockquote", "pre", "hr",
                                     "form", "main", "aside",   "details", "tr",         NULL};

/* A note within a cell: what it says is prose. */
static bool is_note(const xmlNode *node)
{
    static const char *const words[] = {"alert", "note", "callout", "tooltip", "admonition", "warning", NULL};
    xmlChar *class = node->type == XML_ELEMENT_NODE ? xmlGetProp((xmlNode *)node, BAD_CAST "class") : NULL;
    bool found = is_element(node, "sup") || is_element(node, "aside") || is_one_of(node, skipped);

    for (size_t i = 0; class && words[i]; i++)
        found |= xmlStrcasestr(class, BAD_CAST words[i]) != NULL;
    xmlFree(class);
    return found;
}

static void cell_text(const xmlNode *node, FILE *out)
{
    for (const xmlNode *child = node->children; child; child = child->next) {
        bool block = is_one_of(child, blocks);

        if (is_note(child))
            continue;
        if (block)
            fputc('\v', out);
        if (child->type == XML_TEXT_NODE || child->type == XML_CDATA_SECTION_NODE)
            fputs((const char *)child->content, out);
        else if (child->type == XML_ELEMENT_NODE)
            cell_text(child, out);
        if (block)
            fputc('\v', out);
    }
}

static char *text_of(const xmlNode *node)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    if (!out)
        return NULL;
    cell_text(node, out);
    if (fclose(out) != 0) {
        free(text);
        return NULL;
    }
    tidy(text);
    return text;
}

/* ---- Parts ---- */

static struct qpw_part *add_part(struct reader *r, enum qpw_part_kind kind, unsigned line)
{
    void *array = r->page.parts;
    struct qpw_part *part = r->error ? NULL : qpw_grow(&array, r->page.n, sizeof(*part));

    if (!part) {
        if (!r->error)
            r->error = qpw_fail(r->err, -ENOMEM, "%s: out of memory", r->name);
        return NULL;
    }
    r->page.parts = array;
    r->page.n++;
    part->kind = kind;
    part->line = line;
    return part;
}

/* Takes the text. */
static void add_cell(struct reader *r, struct qpw_part *part, char *text)
{
    char **cells = text ? reallocarray(part->cells, part->n_cells + 1, sizeof(*cells)) : NULL;

    if (!cells) {
        free(text);
        r->error = qpw_fail(r->err, -ENOMEM, "%s: out of memory", r->name);
        return;
    }
    part->cells = cells;
    part->cells[part->n_cells++] = text;
}

static void end_text(struct reader *r)
{
    struct qpw_part *part;

    if (!r->text)
        return;
    fclose(r->text);
    r->text = NULL;
    tidy(r->buffer);
    if (*r->buffer && (part = add_part(r, QPW_PART_TEXT, r->text_line)))
        add_cell(r, part, r->buffer);
    else
        free(r->buffer);
    r->buffer = NULL;
}

static void add_text(struct reader *r, const xmlNode *node)
{
    if (!r->text) {
        r->text = open_memstream(&r->buffer, &r->size);
        r->text_line = (unsigned)xmlGetLineNo((xmlNode *)node);
    }
    if (r->text)
        fputs((const char *)node->content, r->text);
}

/* ---- Tables ---- */

static unsigned span_of(struct reader *r, const xmlNode *cell, const char *attribute)
{
    xmlChar *value = xmlGetProp((xmlNode *)cell, BAD_CAST attribute);
    long span = value ? strtol((const char *)value, NULL, 10) : 1;

    if (span < 1 || span > MAX_COLUMNS * 8) {
        r->error = qpw_fail(r->err, -EINVAL, "%s:%ld: %s=\"%s\" of a cell is not understood", r->name,
                            xmlGetLineNo((xmlNode *)cell), attribute, (const char *)value);
        span = 1;
    }
    xmlFree(value);
    return (unsigned)span;
}

/* Cells of earlier rows that reach into this one at its next column. */
static void take_spans(struct reader *r, struct qpw_part *part, struct span *spans)
{
    while (part->n_cells < MAX_COLUMNS && spans[part->n_cells].rows && !r->error) {
        spans[part->n_cells].rows--;
        add_cell(r, part, strdup(spans[part->n_cells].text));
    }
}

static void add_row(struct reader *r, const xmlNode *row, bool head, struct span *spans)
{
    struct qpw_part *part = add_part(r, QPW_PART_ROW, (unsigned)xmlGetLineNo((xmlNode *)row));
    bool data = false;

    for (const xmlNode *cell = row->children; cell && part && !r->error; cell = cell->next) {
        unsigned columns, rows;
        char *text;

        if (!is_element(cell, "td") && !is_element(cell, "th"))
            continue;
        take_spans(r, part, spans);
        columns = span_of(r, cell, "colspan");
        rows = span_of(r, cell, "rowspan");
        text = text_of(cell);
        if (r->error || part->n_cells + columns > MAX_COLUMNS) {
            free(text);
            if (!r->error)
                r->error =
                    qpw_fail(r->err, -EINVAL, "%s:%u: a row of more than %d cells", r->name, part->line, MAX_COLUMNS);
            return;
        }
        data |= is_element(cell, "td");
        part->spanning = columns > 1;
        if (rows > 1 && text) {
            free(spans[part->n_cells].text);
            spans[part->n_cells] = (struct span){strdup(text), rows - 1};
        }
        add_cell(r, part, text);
    }
    if (part && !r->error)
        take_spans(r, part, spans);
    if (part) {
        part->titles = part->n_cells && (head || !data);
        part->spanning = part->spanning && part->n_cells == 1;
    }
}

static void add_rows(struct reader *r, const xmlNode *node, bool head, struct span *spans)
{
    for (const xmlNode *child = node->children; child && !r->error; child = child->next) {
        if (is_element(child, "tr"))
            add_row(r, child, head, spans);
        else if (is_element(child, "table"))
            r->error =
                qpw_fail(r->err, -EINVAL, "%s:%ld: a table within a table", r->name, xmlGetLineNo((xmlNode *)child));
        else if (child->type == XML_ELEMENT_NODE)
            add_rows(r, child, head || is_element(child, "thead"), spans);
        else if (child->type == XML_TEXT_NODE && !xmlIsBlankNode((xmlNode *)child) && !is_element(node, "caption"))
            r->error = qpw_fail(r->err, -EINVAL, "%s:%ld: text in a table outside its cells", r->name,
                                xmlGetLineNo((xmlNode *)child));
    }
}

static void add_table(struct reader *r, const xmlNode *table)
{
    struct span spans[MAX_COLUMNS + 1] = {{0}};

    if (add_part(r, QPW_PART_TABLE, (unsigned)xmlGetLineNo((xmlNode *)table)))
        add_rows(r, table, false, spans);
    for (unsigned i = 0; i < MAX_COLUMNS; i++)
        free(spans[i].text);
}

/* ---- The page ---- */

static void walk(struct reader *r, const xmlNode *node)
{
    for (; node && !r->error; node = node->next) {
        bool heading = node->type == XML_ELEMENT_NODE && (node->name[0] == 'h' || node->name[0] == 'H') &&
                       node->name[1] >= '1' && node->name[1] <= '6' && !node->name[2];

        if (node->type == XML_TEXT_NODE) {
            add_text(r, node);
        } else if (heading) {
            struct qpw_part *part;

            end_text(r);
            part = add_part(r, QPW_PART_HEADING, (unsigned)xmlGetLineNo((xmlNode *)node));
            if (part)
                add_cell(r, part, text_of(node));
        } else if (is_element(node, "table")) {
            end_text(r);
            add_table(r, node);
        } else if (node->type == XML_ELEMENT_NODE && !is_one_of(node, skipped)) {
            bool block = is_one_of(node, blocks);

            if (block)
                end_text(r);
            walk(r, node->children);
            if (block)
                end_text(r);
        }
    }
}

/* The parser mends what it can; a table it had to mend is not trusted. */
static void note_error(void *data, xmlErrorPtr error)
{
    static const char *const words[] = {"table", "thead", "tbody", "tr", "td", "th"};
    struct reader *r = data;

    if (r->error || error->code != XML_ERR_TAG_NAME_MISMATCH || !error->message)
        return;
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        size_t length = strlen(words[i]);

        for (const char *p = strstr(error->message, words[i]); p; p = strstr(p + 1, words[i]))
            if (p[-1] == ' ' && !isalnum((unsigned char)p[length])) {
                r->error = qpw_fail(r->err, -EINVAL, "%s:%d: the markup of a table is broken: %.*s", r->name,
                                    error->line, (int)strcspn(error->message, "\n"), error->message);
                return;
            }
    }
}

/* As many tables end as begin; comments and scripts are not looked into. */
static int check_tables(const char *name, const char *html, struct qpw_error *err)
{
    unsigned line = 1, begun = 0;

    for (const char *p = html; *p; p++) {
        line += *p == '\n';
        bool comment = !strncmp(p, "<!--", 4);

        if (comment || !strncasecmp(p, "<script", 7)) {
            const char *close = comment ? strstr(p + 4, "-->") : strcasestr(p, "</script");

            if (!close)
                return qpw_fail(err, -EINVAL, "%s:%u: a %s is not closed", name, line, comment ? "comment" : "script");
            for (; p < close; p++)
                line += *p == '\n';
        } else if (!strncasecmp(p, "<table", 6) && !isalnum((unsigned char)p[6])) {
            if (begun)
                return qpw_fail(err, -EINVAL, "%s:%u: a table begins before the one of line %u has ended", name, line,
                                begun);
            begun = line;
        } else if (!strncasecmp(p, "</table", 7)) {
            if (!begun)
                return qpw_fail(err, -EINVAL, "%s:%u: </table> without a table", name, line);
            begun = 0;
        }
    }
    return begun ? qpw_fail(err, -EINVAL, "%s:%u: the table that begins here is not closed", name, begun) : 0;
}

int qpw_page_read(const char *name, const char *html, struct qpw_page *ret, struct qpw_error *err)
{
    struct reader r = {.name = name, .err = err};
    int error = check_tables(name, html, err);
    htmlParserCtxtPtr parser;
    htmlDocPtr document;

    if (error < 0)
        return error;
    parser = htmlNewParserCtxt();
    if (!parser)
        return qpw_fail(err, -ENOMEM, "%s: out of memory", name);
    xmlSetStructuredErrorFunc(&r, note_error);
    document = htmlCtxtReadMemory(parser, html, (int)strlen(html), name, "UTF-8",
                                  HTML_PARSE_RECOVER | HTML_PARSE_NONET | HTML_PARSE_NOWARNING);
    xmlSetStructuredErrorFunc(NULL, NULL);
    if (document)
        walk(&r, xmlDocGetRootElement(document));
    end_text(&r);
    xmlFreeDoc(document);
    htmlFreeParserCtxt(parser);
    if (r.error) {
        qpw_page_clear(&r.page);
        return r.error;
    }
    *ret = r.page;
    return 0;
}
