/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* html.c - read HTML into the parts of a page. Text that a browser hides or strikes out makes a row unreadable. */
#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/SAX2.h>

#include "policy/page/html.h"

/* ---- Paragraphs ---- */

/* Remove the mark that Sphinx and others append to a heading as a link to it. */
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

static void end_text(struct qpw_html_reader *r)
{
    if (!r->text)
        return;
    fclose(r->text);
    r->text = NULL;
    if (*qpw_tidy(r->buffer) && strncmp(r->buffer, "~~", 2)) { /* not struck out by Markdown */
        bool bold = qpw_cut_bold(r->buffer, "**") || qpw_cut_bold(r->buffer, "__") || r->bold; /* Markdown's marks */
        struct qpw_part *part = qpw_page_add_text(r->page, QPW_PART_TEXT, r->text_line, r->buffer);

        if (part)
            part->bold = bold;
    }
    free(r->buffer);
    r->buffer = NULL;
}

static bool is_bold(const xmlNode *node)
{
    static const char *const elements[] = {"b", "strong", NULL};

    for (unsigned i = 0; node && i < 4; i++, node = node->parent)
        if (qpw_html_is_one_of(node, elements))
            return true;
    return false;
}

static void add_text(struct qpw_html_reader *r, const xmlNode *node)
{
    if (!r->text) {
        r->text = open_memstream(&r->buffer, &r->size);
        r->text_line = qpw_html_line_of(node);
        r->bold = true;
    }
    if (r->text)
        fputs((const char *)node->content, r->text);
    if (strspn((const char *)node->content, " \t\r\n:") < strlen((const char *)node->content))
        r->bold &= is_bold(node);
}

/* ---- The page ---- */

static void walk(struct qpw_html_reader *r, const xmlNode *node);

static void walk_tab(struct qpw_html_reader *r, const xmlNode *node)
{
    char *label = qpw_html_tab_label(r, node);
    struct qpw_part *part;
    unsigned hidden = r->hidden;

    end_text(r);
    part = qpw_page_add_text(r->page, QPW_PART_TAB, qpw_html_line_of(node), label ? label : "tab");
    if (part && xmlHasProp((xmlNode *)node, BAD_CAST "condition"))
        part->level = QPW_TAB_CONDITION;
    r->hidden = 0; /* a tab in the background can be brought to the front */
    walk(r, node->children);
    end_text(r);
    r->hidden = hidden;
    qpw_page_add(r->page, QPW_PART_TAB_END, qpw_html_line_of(node));
    free(label);
}

static void add_heading(struct qpw_html_reader *r, const xmlNode *node)
{
    const char *fault = NULL;
    char *text = qpw_html_text_of(node, &fault);
    struct qpw_part *part;

    end_text(r);
    if (text)
        drop_permalink(text);
    if (text && (fault || r->struck || qpw_html_is_struck(node)))
        *text = '\0'; /* drop the struck text, but keep the heading: it ends the section before */
    part = text ? qpw_page_add_text(r->page, QPW_PART_HEADING, qpw_html_line_of(node), text) : NULL;
    if (part)
        part->level = (unsigned)(node->name[1] - '0');
    else
        r->page->no_memory = true;
    free(text);
}

static void walk_element(struct qpw_html_reader *r, const xmlNode *node)
{
    bool block = qpw_html_is_one_of(node, qpw_html_blocks);

    if (block)
        end_text(r);
    walk(r, node->children);
    if (block)
        end_text(r);
    if (qpw_html_is_element(node, "pre"))
        qpw_page_add(r->page, QPW_PART_LISTING, qpw_html_line_of(node));
}

/* Read a <details> element: its summary is the label. */
static void walk_fold(struct qpw_html_reader *r, const xmlNode *node)
{
    const xmlNode *summary = node->children;
    struct qpw_part *part;
    char *label;

    while (summary && !qpw_html_is_element(summary, "summary"))
        summary = summary->next;
    label = summary ? qpw_html_text_of(summary, NULL) : NULL;
    end_text(r);
    part = qpw_page_add_text(r->page, QPW_PART_TAB, qpw_html_line_of(node), label ? label : "details");
    if (part)
        part->level = QPW_TAB_FOLD;
    walk(r, node->children);
    end_text(r);
    qpw_page_add(r->page, QPW_PART_TAB_END, qpw_html_line_of(node));
    free(label);
}

/* A named box is treated like a <details> element. */
static bool walk_box(struct qpw_html_reader *r, const xmlNode *node)
{
    char *label = qpw_html_box_label(r, node);
    struct qpw_part *part;

    if (!label)
        return false;
    end_text(r);
    part = qpw_page_add_text(r->page, QPW_PART_TAB, qpw_html_line_of(node), label);
    if (part)
        part->level = QPW_TAB_FOLD;
    walk(r, node->children);
    end_text(r);
    qpw_page_add(r->page, QPW_PART_TAB_END, qpw_html_line_of(node));
    free(label);
    return true;
}

static void walk_shown(struct qpw_html_reader *r, const xmlNode *node);

/* Text for some readers only is an alternative even without another one beside it. */
static void walk_node(struct qpw_html_reader *r, const xmlNode *node)
{
    char *condition = qpw_html_condition(node);
    struct qpw_part *part;

    if (!condition || !qpw_html_has_table(node)) {
        free(condition);
        walk_shown(r, node);
        return;
    }
    end_text(r);
    part = qpw_page_add_text(r->page, QPW_PART_TAB, qpw_html_line_of(node), condition);
    if (part)
        part->level = QPW_TAB_CONDITION;
    walk_shown(r, node);
    end_text(r);
    qpw_page_add(r->page, QPW_PART_TAB_END, qpw_html_line_of(node));
    free(condition);
}

static void walk_shown(struct qpw_html_reader *r, const xmlNode *node)
{
    bool hidden = qpw_html_is_hidden(node), struck = qpw_html_is_struck(node);

    r->hidden += hidden;
    r->struck += struck;
    if (qpw_html_is_element(node, "table")) {
        end_text(r);
        qpw_html_add_table(r, node);
    } else if (qpw_html_is_heading(node)) {
        if (!r->hidden)
            add_heading(r, node);
    } else if (qpw_html_is_tab(node)) {
        walk_tab(r, node);
    } else if (qpw_html_is_element(node, "details")) {
        walk_fold(r, node);
    } else if (!qpw_html_is_element(node, "summary") && !walk_box(r, node)) {
        walk_element(r, node);
    }
    r->struck -= struck;
    r->hidden -= hidden;
}

static void walk(struct qpw_html_reader *r, const xmlNode *node)
{
    for (; node && !r->error && !r->page->no_memory; node = node->next) {
        if (node->type == XML_TEXT_NODE && !r->hidden && !r->struck)
            add_text(r, node);
        else if (node->type == XML_ELEMENT_NODE && !qpw_html_is_navigation(node))
            walk_node(r, node);
    }
}

#if LIBXML_VERSION >= 21200
typedef const xmlError *parser_error;
#else
typedef xmlErrorPtr parser_error;
#endif

/* The parser repairs broken HTML; a table that it repaired is not trusted. */
static void note_error(void *data, parser_error error)
{
    static const char *const words[] = {"table", "thead", "tbody", "tr", "td", "th"};
    struct qpw_html_reader *r = data;

    if (r->error || !error->message)
        return;
    if (error->code == XML_ERR_INTERNAL_ERROR) { /* the parser gave up: elements are nested too deeply */
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

/* Check that table tags are balanced, outside comments and scripts. */
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

/* ---- Line numbers: recorded when the parser creates a node ---- */

static void keep_line(xmlNode *node, const xmlParserCtxt *parser)
{
    if (node && !node->_private)
        node->_private = (void *)(uintptr_t)(parser->input ? parser->input->line : 1);
}

static void start_element(void *data, const xmlChar *name, const xmlChar **attributes)
{
    xmlParserCtxtPtr parser = data;

    xmlSAX2StartElement(data, name, attributes);
    keep_line(parser->node, parser);
}

static void take_characters(void *data, const xmlChar *text, int length)
{
    xmlParserCtxtPtr parser = data;

    xmlSAX2Characters(data, text, length);
    keep_line(parser->node ? parser->node->last : NULL, parser);
}

static void take_cdata(void *data, const xmlChar *text, int length)
{
    xmlParserCtxtPtr parser = data;

    xmlSAX2CDataBlock(data, text, length);
    keep_line(parser->node ? parser->node->last : NULL, parser);
}

int qpw_read_html(const char *name, const char *html, struct qpw_page *ret, struct qpw_error *err)
{
    struct qpw_html_reader r = {.name = name, .page = ret, .err = err};
    int error = check_tables(name, html, err);
    htmlParserCtxtPtr parser;
    struct qpw_html_style *style = NULL;
    htmlDocPtr document;

    if (error < 0)
        return error;
    parser = htmlNewParserCtxt();
    if (!parser)
        return qpw_fail(err, -ENOMEM, "%s: out of memory", name);
    parser->sax->startElement = start_element;
    parser->sax->characters = parser->sax->ignorableWhitespace = take_characters;
    parser->sax->cdataBlock = take_cdata;
    xmlSetStructuredErrorFunc(&r, note_error);
    document = htmlCtxtReadMemory(parser, html, (int)strlen(html), name, "UTF-8",
                                  HTML_PARSE_RECOVER | HTML_PARSE_NONET | HTML_PARSE_NOWARNING);
    xmlSetStructuredErrorFunc(NULL, NULL);
    r.root = document ? xmlDocGetRootElement(document) : NULL;
    if (document)
        document->_private = style = qpw_html_style_of(r.root);
    ret->no_memory |= document && !style;
    walk(&r, r.root);
    end_text(&r);
    xmlFreeDoc(document);
    free(style);
    htmlFreeParserCtxt(parser);
    return r.error ? r.error : qpw_page_check(ret, name, err);
}
