/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* html.c - HTML as parts of a page. What a browser does not show, or shows struck out, makes a row unreadable. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/HTMLparser.h>

#include "policy/page/page.h"

struct reader {
    const char *name;
    struct qpw_page *page;
    const xmlNode *root;
    FILE *text; /* paragraph that is being put together */
    char *buffer;
    size_t size;
    unsigned text_line;
    unsigned hidden; /* elements around that are not shown */
    bool no_memory;
    struct qpw_error *err;
    int error;
};

static unsigned line_of(const xmlNode *node)
{
    long line = xmlGetLineNo((xmlNode *)node);

    return line > 0 ? (unsigned)line : 1;
}

/* ---- Elements ---- */

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

static const char *const skipped[] = {"script", "style", "template", "head",   "nav",    "footer", "noscript",
                                      "svg",    "math",  "textarea", "select", "iframe", "object", NULL};
static const char *const blocks[] = {"p",    "div",  "br",      "li",      "ul",         "ol",  "dl",
                                     "dt",   "dd",   "section", "article", "blockquote", "pre", "hr",
                                     "form", "main", "aside",   "details", "tr",         NULL};

/* Whether an attribute's value, without its blanks, contains one of the words. */
static bool attribute_has(const xmlNode *node, const char *attribute, const char *const *words)
{
    xmlChar *value = node->type == XML_ELEMENT_NODE ? xmlGetProp((xmlNode *)node, BAD_CAST attribute) : NULL;
    bool found = false;

    if (!value)
        return false;
    if (!strcmp(attribute, "style")) {
        xmlChar *out = value;

        for (const xmlChar *p = value; *p; p++)
            if (!isspace(*p))
                *out++ = *p;
        *out = '\0';
    }
    for (; *words; words++)
        found |= xmlStrcasestr(value, BAD_CAST * words) != NULL;
    xmlFree(value);
    return found;
}

/* A whole word of class=. */
static bool has_class(const xmlNode *node, const char *const *words)
{
    xmlChar *value = node->type == XML_ELEMENT_NODE ? xmlGetProp((xmlNode *)node, BAD_CAST "class") : NULL;
    char *save = NULL;
    bool found = false;

    for (char *word = value ? strtok_r((char *)value, " \t\n\r\f", &save) : NULL; word && !found;
         word = strtok_r(NULL, " \t\n\r\f", &save))
        for (size_t i = 0; words[i]; i++)
            found |= !strcasecmp(word, words[i]);
    xmlFree(value);
    return found;
}

/* A note within a cell: what it says is prose. */
static bool is_note(const xmlNode *node)
{
    static const char *const words[] = {"alert", "note", "callout", "tooltip", "admonition", "warning", NULL};
    static const char *const elements[] = {"sup", "sub", "aside", NULL};

    return is_one_of(node, elements) || is_one_of(node, skipped) || attribute_has(node, "class", words);
}

static bool is_navigation(const xmlNode *node)
{
    static const char *const roles[] = {"navigation", "search", "banner", "contentinfo", NULL};

    return is_one_of(node, skipped) || attribute_has(node, "role", roles);
}

static bool is_hidden(const xmlNode *node)
{
    static const char *const styles[] = {"display:none", "visibility:hidden", "visibility:collapse", "opacity:0;",
                                         "font-size:0", NULL};
    static const char *const classes[] = {"hidden", "d-none", "visually-hidden", "sr-only", "is-hidden", NULL};
    xmlChar *hidden = node->type == XML_ELEMENT_NODE ? xmlGetProp((xmlNode *)node, BAD_CAST "hidden") : NULL;
    bool found = hidden || (node->type == XML_ELEMENT_NODE && xmlHasProp((xmlNode *)node, BAD_CAST "hidden"));

    xmlFree(hidden);
    return found || attribute_has(node, "style", styles) || has_class(node, classes);
}

static bool is_struck(const xmlNode *node)
{
    static const char *const elements[] = {"del", "s", "strike", NULL};
    static const char *const words[] = {"line-through", NULL};

    return is_one_of(node, elements) || attribute_has(node, "style", words) || attribute_has(node, "class", words);
}

/* ---- Text of a cell ---- */

struct cell_text {
    FILE *out;
    const char *fault;
};

static bool has_text(const xmlNode *node)
{
    if (node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE)
        return !xmlIsBlankNode((xmlNode *)node);
    for (const xmlNode *child = node->type == XML_ELEMENT_NODE ? node->children : NULL; child; child = child->next)
        if (has_text(child))
            return true;
    return false;
}

static void write_text(const xmlNode *node, struct cell_text *text)
{
    for (const xmlNode *child = node->children; child; child = child->next) {
        bool block = is_one_of(child, blocks);

        if (is_note(child))
            continue;
        if (is_hidden(child) && has_text(child))
            text->fault = "text that a browser does not show";
        if (is_struck(child) && has_text(child))
            text->fault = "text that is struck out";
        if (block)
            fputc('\v', text->out);
        if (child->type == XML_TEXT_NODE || child->type == XML_CDATA_SECTION_NODE)
            fputs((const char *)child->content, text->out);
        else if (child->type == XML_ELEMENT_NODE)
            write_text(child, text);
        if (block)
            fputc('\v', text->out);
    }
}

/* Caller frees; NULL: no memory. */
static char *text_of(const xmlNode *node, const char **ret_fault)
{
    char *text = NULL;
    size_t size;
    struct cell_text cell = {.out = open_memstream(&text, &size)};

    if (!cell.out)
        return NULL;
    write_text(node, &cell);
    if (fclose(cell.out) != 0) {
        free(text);
        return NULL;
    }
    if (ret_fault)
        *ret_fault = cell.fault;
    return qpw_tidy(text);
}

/* The mark that Sphinx and others put behind a heading, to link to it. */
static void drop_permalink(char *text)
{
    static const char *const marks[] = {"\xc2\xb6", "#", "\xef\x83\x81", NULL};
    size_t length = strlen(text);

    for (size_t i = 0; marks[i]; i++)
        if (length > strlen(marks[i]) && !strcmp(text + length - strlen(marks[i]), marks[i]))
            text[length -= strlen(marks[i])] = '\0';
    while (length && isspace((unsigned char)text[length - 1]))
        text[--length] = '\0';
}

static void end_text(struct reader *r)
{
    if (!r->text)
        return;
    fclose(r->text);
    r->text = NULL;
    if (*qpw_tidy(r->buffer))
        qpw_page_add_text(r->page, QPW_PART_TEXT, r->text_line, r->buffer);
    free(r->buffer);
    r->buffer = NULL;
}

static void add_text(struct reader *r, const xmlNode *node)
{
    if (!r->text) {
        r->text = open_memstream(&r->buffer, &r->size);
        r->text_line = line_of(node);
    }
    if (r->text)
        fputs((const char *)node->content, r->text);
}

/* ---- Tables ---- */

/* colspan or rowspan; what is no number from 1 to 256 makes the row unreadable. */
static unsigned span_of(struct reader *r, const xmlNode *cell, const char *attribute)
{
    xmlChar *value = xmlGetProp((xmlNode *)cell, BAD_CAST attribute);
    char *end = NULL;
    long span = value ? strtol((const char *)value, &end, 10) : 1;

    if (value && (span < 1 || span > 256 || *end)) {
        char why[96];

        snprintf(why, sizeof(why), "%s=\"%.40s\" is not understood", attribute, (const char *)value);
        qpw_page_fault(r->page, why);
        span = 1;
    }
    xmlFree(value);
    return (unsigned)span;
}

static void add_row(struct reader *r, const xmlNode *row, bool head, struct qpw_spans *spans)
{
    qpw_row_begin(r->page, spans, line_of(row));
    for (const xmlNode *cell = row->children; cell && !r->page->no_memory; cell = cell->next) {
        const char *fault = NULL;
        struct qpw_span span;

        if (!is_element(cell, "td") && !is_element(cell, "th"))
            continue;
        span = (struct qpw_span){.columns = span_of(r, cell, "colspan"),
                                 .rows = span_of(r, cell, "rowspan"),
                                 .title = head || is_element(cell, "th")};
        qpw_row_cell(r->page, spans, text_of(cell, &fault), line_of(cell), &span);
        if (is_hidden(cell))
            fault = "a cell that a browser does not show";
        if (is_struck(cell))
            fault = "text that is struck out";
        if (fault)
            qpw_page_fault(r->page, fault);
    }
    qpw_row_end(r->page, spans);
    if (r->hidden || is_hidden(row))
        qpw_page_fault(r->page, "a row that a browser does not show");
    if (is_struck(row))
        qpw_page_fault(r->page, "text that is struck out");
}

static void add_rows(struct reader *r, const xmlNode *node, bool head, struct qpw_spans *spans)
{
    static const char *const groups[] = {"thead", "tbody", "tfoot", NULL};

    for (const xmlNode *child = node->children; child && !r->error; child = child->next) {
        if (is_element(child, "tr")) {
            add_row(r, child, head, spans);
        } else if (is_element(child, "table")) {
            r->error = qpw_fail(r->err, -EINVAL, "%s:%u: a table within a table", r->name, line_of(child));
        } else if (child->type == XML_ELEMENT_NODE) {
            bool group = is_one_of(child, groups), hidden = is_hidden(child);

            /* A span ends with its group of rows. */
            if (group)
                qpw_spans_clear(spans);
            r->hidden += hidden;
            add_rows(r, child, head || is_element(child, "thead"), spans);
            r->hidden -= hidden;
            if (group)
                qpw_spans_clear(spans);
        } else if (child->type == XML_TEXT_NODE && !xmlIsBlankNode((xmlNode *)child) && !is_element(node, "caption")) {
            r->error = qpw_fail(r->err, -EINVAL, "%s:%u: text in a table outside its cells", r->name, line_of(child));
        }
    }
}

static void add_table(struct reader *r, const xmlNode *table)
{
    struct qpw_spans spans = {0};
    const xmlNode *caption = table->children;
    char *text = NULL;

    while (caption && !is_element(caption, "caption"))
        caption = caption->next;
    if (caption)
        text = text_of(caption, NULL);
    if (text)
        qpw_page_add_text(r->page, QPW_PART_TABLE, line_of(table), text);
    else
        qpw_page_add(r->page, QPW_PART_TABLE, line_of(table));
    free(text);
    add_rows(r, table, false, &spans);
    qpw_spans_clear(&spans);
}

/* ---- Tabs ---- */

static const xmlNode *find_id(const xmlNode *node, const xmlChar *id)
{
    for (; node; node = node->next) {
        xmlChar *own = node->type == XML_ELEMENT_NODE ? xmlGetProp((xmlNode *)node, BAD_CAST "id") : NULL;
        bool found = own && xmlStrEqual(own, id);
        const xmlNode *inner;

        xmlFree(own);
        if (found)
            return node;
        inner = node->type == XML_ELEMENT_NODE ? find_id(node->children, id) : NULL;
        if (inner)
            return inner;
    }
    return NULL;
}

static const xmlNode *previous_element(const xmlNode *node)
{
    do
        node = node->prev;
    while (node && node->type != XML_ELEMENT_NODE);
    return node;
}

static bool is_tab(const xmlNode *node)
{
    static const char *const roles[] = {"tabpanel", NULL};
    static const char *const panes[] = {"tab-pane", "tabbed-block", "tab-panel", NULL};
    static const char *const content[] = {"tab-content", NULL};
    const xmlNode *before;

    if (is_element(node, "tabitem") || attribute_has(node, "role", roles) || has_class(node, panes))
        return true;
    if (!has_class(node, content))
        return false;
    before = previous_element(node);
    return before && is_element(before, "label");
}

/* What people see on the tab, or else what the markup calls it. Caller frees. */
static char *tab_label(struct reader *r, const xmlNode *node)
{
    static const char *const attributes[] = {"label", "value", "title", "aria-label", "id", NULL};
    xmlChar *id = xmlGetProp((xmlNode *)node, BAD_CAST "aria-labelledby");
    const xmlNode *label = id ? find_id(r->root, id) : previous_element(node);
    char *text = NULL;

    xmlFree(id);
    if (label && (id || is_element(label, "label")))
        return text_of(label, NULL);
    for (size_t i = 0; attributes[i] && !text; i++) {
        xmlChar *value = xmlGetProp((xmlNode *)node, BAD_CAST attributes[i]);

        text = value && *value ? strdup((const char *)value) : NULL;
        xmlFree(value);
    }
    return text ? qpw_tidy(text) : strdup("tab");
}

/* ---- The page ---- */

static void walk(struct reader *r, const xmlNode *node);

static void walk_tab(struct reader *r, const xmlNode *node)
{
    char *label = tab_label(r, node);
    unsigned hidden = r->hidden;

    end_text(r);
    qpw_page_add_text(r->page, QPW_PART_TAB, line_of(node), label ? label : "tab");
    r->hidden = 0; /* a tab that is not in front can be brought there */
    walk(r, node->children);
    end_text(r);
    r->hidden = hidden;
    qpw_page_add(r->page, QPW_PART_TAB_END, line_of(node));
    free(label);
}

static void add_heading(struct reader *r, const xmlNode *node)
{
    char *text = text_of(node, NULL);
    struct qpw_part *part;

    end_text(r);
    if (text)
        drop_permalink(text);
    part = text ? qpw_page_add_text(r->page, QPW_PART_HEADING, line_of(node), text) : NULL;
    if (part)
        part->level = (unsigned)(node->name[1] - '0');
    else
        r->page->no_memory = true;
    free(text);
}

static void walk_element(struct reader *r, const xmlNode *node)
{
    bool hidden = is_hidden(node), block = is_one_of(node, blocks);

    r->hidden += hidden;
    if (block)
        end_text(r);
    walk(r, node->children);
    if (block)
        end_text(r);
    r->hidden -= hidden;
}

static void walk(struct reader *r, const xmlNode *node)
{
    for (; node && !r->error && !r->page->no_memory; node = node->next) {
        bool heading = node->type == XML_ELEMENT_NODE && (node->name[0] == 'h' || node->name[0] == 'H') &&
                       node->name[1] >= '1' && node->name[1] <= '6' && !node->name[2];

        if (node->type == XML_TEXT_NODE && !r->hidden) {
            add_text(r, node);
        } else if (node->type != XML_ELEMENT_NODE || is_navigation(node)) {
            continue;
        } else if (is_element(node, "table")) {
            bool hidden = is_hidden(node);

            end_text(r);
            r->hidden += hidden;
            add_table(r, node);
            r->hidden -= hidden;
        } else if (heading && !r->hidden && !is_hidden(node)) {
            add_heading(r, node);
        } else if (is_tab(node)) {
            walk_tab(r, node);
        } else if (!heading) {
            walk_element(r, node);
        }
    }
}

/* The parser mends what it can; a table it had to mend is not trusted. */
static void note_error(void *data, xmlErrorPtr error)
{
    static const char *const words[] = {"table", "thead", "tbody", "tr", "td", "th"};
    struct reader *r = data;

    if (r->error || !error->message)
        return;
    if (error->code == XML_ERR_INTERNAL_ERROR) { /* it gave up: elements too deep */
        r->error = qpw_fail(r->err, -EINVAL, "%s:%d: the page cannot be read to its end: %.*s", r->name, error->line,
                            (int)strcspn(error->message, "\n"), error->message);
        return;
    }
    if (error->code != XML_ERR_TAG_NAME_MISMATCH)
        return;
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        size_t length = strlen(words[i]);

        for (const char *p = strstr(error->message, words[i]); p; p = strstr(p + 1, words[i]))
            if (p > error->message && p[-1] == ' ' && !isalnum((unsigned char)p[length])) {
                r->error = qpw_fail(r->err, -EINVAL, "%s:%d: broken markup in a table: %.*s", r->name, error->line,
                                    (int)strcspn(error->message, "\n"), error->message);
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
    return begun ? qpw_fail(err, -EINVAL, "%s:%u: this table is not closed", name, begun) : 0;
}

int qpw_read_html(const char *name, const char *html, struct qpw_page *ret, struct qpw_error *err)
{
    struct reader r = {.name = name, .page = ret, .err = err};
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
    r.root = document ? xmlDocGetRootElement(document) : NULL;
    walk(&r, r.root);
    end_text(&r);
    xmlFreeDoc(document);
    htmlFreeParserCtxt(parser);
    return r.error ? r.error : qpw_page_check(ret, name, err);
}
