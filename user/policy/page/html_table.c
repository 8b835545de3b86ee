/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* html_table.c - read an HTML table into rows. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "policy/page/html.h"

/* Read colspan or rowspan; anything other than a number from 1 to 256 makes the row unreadable. */
static unsigned span_of(struct qpw_html_reader *r, const xmlNode *cell, const char *attribute)
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

static void add_row(struct qpw_html_reader *r, const xmlNode *row, bool head, struct qpw_spans *spans)
{
    char *condition;

    qpw_row_begin(r->page, spans, qpw_html_line_of(row));
    for (const xmlNode *cell = row->children; cell && !r->page->no_memory; cell = cell->next) {
        const char *fault = NULL;
        struct qpw_span span;

        if (!qpw_html_is_element(cell, "td") && !qpw_html_is_element(cell, "th"))
            continue;
        span = (struct qpw_span){.columns = span_of(r, cell, "colspan"),
                                 .rows = span_of(r, cell, "rowspan"),
                                 .title = head || qpw_html_is_element(cell, "th")};
        qpw_row_cell(r->page, spans, qpw_html_text_of(cell, &fault), qpw_html_line_of(cell), &span);
        if (qpw_html_is_hidden(cell))
            fault = "a cell that a browser does not show";
        if (qpw_html_is_struck(cell))
            fault = "text that is struck out";
        if (fault)
            qpw_page_fault(r->page, fault);
    }
    qpw_row_end(r->page, spans);
    condition = qpw_html_condition(row);
    if (condition)
        qpw_page_fault(r->page, "a row that is there for some readers only");
    free(condition);
    if (r->hidden || qpw_html_is_hidden(row))
        qpw_page_fault(r->page, "a row that a browser does not show");
    if (r->struck || qpw_html_is_struck(row))
        qpw_page_fault(r->page, "text that is struck out");
}

static void add_rows(struct qpw_html_reader *r, const xmlNode *node, bool head, struct qpw_spans *spans)
{
    static const char *const groups[] = {"thead", "tbody", "tfoot", NULL};

    for (const xmlNode *child = node->children; child && !r->error; child = child->next) {
        if (qpw_html_is_element(child, "caption"))
            continue;
        if (qpw_html_is_element(child, "tr")) {
            add_row(r, child, head, spans);
        } else if (qpw_html_is_element(child, "table")) {
            r->error = qpw_fail(r->err, -EINVAL, "%s:%u: a table within a table", r->name, qpw_html_line_of(child));
        } else if (child->type == XML_ELEMENT_NODE) {
            bool group = qpw_html_is_one_of(child, groups), hidden = qpw_html_is_hidden(child), struck = qpw_html_is_struck(child);

            /* A span ends with its row group. */
            if (group)
                qpw_spans_clear(spans);
            r->hidden += hidden;
            r->struck += struck;
            add_rows(r, child, head || qpw_html_is_element(child, "thead"), spans);
            r->hidden -= hidden;
            r->struck -= struck;
            if (group)
                qpw_spans_clear(spans);
        } else if (child->type == XML_TEXT_NODE && !xmlIsBlankNode((xmlNode *)child)) {
            r->error = qpw_fail(r->err, -EINVAL, "%s:%u: text in a table outside its cells", r->name, qpw_html_line_of(child));
        }
    }
}

void qpw_html_add_table(struct qpw_html_reader *r, const xmlNode *table)
{
    struct qpw_spans spans = {0};
    const xmlNode *caption = table->children;
    char *text = NULL;

    while (caption && !qpw_html_is_element(caption, "caption"))
        caption = caption->next;
    if (caption)
        text = qpw_html_text_of(caption, NULL);
    if (text)
        qpw_page_add_text(r->page, QPW_PART_TABLE, qpw_html_line_of(table), text);
    else
        qpw_page_add(r->page, QPW_PART_TABLE, qpw_html_line_of(table));
    free(text);
    add_rows(r, table, /* head= */ false, &spans);
    qpw_spans_clear(&spans);
}
