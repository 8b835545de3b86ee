/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "report/html_page.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "words/printer.h"

void qpw_page_section(struct qpw_html_page *p, const char *id, const char *title)
{
    qpw_html_start(p->h, "section", "");
    qpw_html_attribute(p->h, "aria-labelledby", id);
    qpw_html_start(p->h, "h2", "");
    qpw_html_attribute(p->h, "id", id);
    qpw_html_text(p->h, "%s", title);
    qpw_html_end(p->h);
    qpw_html_raw(p->h, "\n");
}

void qpw_page_end_section(struct qpw_html_page *p)
{
    qpw_html_end(p->h);
    qpw_html_raw(p->h, "\n");
}

void qpw_page_paragraph(struct qpw_html_page *p, const char *class, const char *text)
{
    qpw_html_element(p->h, "p", class, "%s", text);
    qpw_html_raw(p->h, "\n");
}

void qpw_page_term(struct qpw_html_page *p, const char *name, const char *format, ...)
{
    va_list args;

    qpw_html_element(p->h, "dt", "", "%s", name);
    qpw_html_start(p->h, "dd", "");
    va_start(args, format);
    qpw_html_vtext(p->h, format, args);
    va_end(args);
    qpw_html_end(p->h);
    qpw_html_raw(p->h, "\n");
}

/* ---- Tables ---- */

static bool is_mark(char c)
{
    return c == '#' || c == '!';
}

void qpw_page_open_table(struct qpw_html_page *p, const struct qpw_page_table *table, const char *caption, const char *tools)
{
    qpw_html_start(p->h, "div", "scroll");
    qpw_html_start(p->h, "table", table->class);
    if (*tools)
        qpw_html_attribute(p->h, "data-tools", tools);
    if (*caption)
        qpw_html_element(p->h, "caption", "", "%s", caption);
    qpw_html_start(p->h, "thead", "");
    qpw_html_start(p->h, "tr", "");
    for (const char *const *title = table->titles; *title; title++) {
        qpw_html_start(p->h, "th", **title == '#' ? "n" : "");
        qpw_html_attribute(p->h, "scope", "col");
        qpw_html_text(p->h, "%s", *title + is_mark(**title));
        qpw_html_end(p->h);
    }
    qpw_html_end(p->h);
    qpw_html_end(p->h);
    qpw_html_raw(p->h, "\n");
    p->table = table;
    p->column = 0;
    p->row = false;
}

static void close_row(struct qpw_html_page *p)
{
    if (!p->row)
        return;
    qpw_html_end(p->h); /* the row, or the last one nested below it */
    qpw_html_end(p->h);
    qpw_html_raw(p->h, "\n");
    p->row = false;
}

void qpw_page_close_table(struct qpw_html_page *p)
{
    close_row(p);
    qpw_html_end(p->h);
    qpw_html_end(p->h);
    qpw_html_raw(p->h, "\n");
    p->table = NULL;
}

void qpw_page_open_row(struct qpw_html_page *p)
{
    close_row(p);
    qpw_html_start(p->h, "tbody", "");
    qpw_html_start(p->h, "tr", "");
    p->row = true;
    p->column = 0;
}

static void open_cell(struct qpw_html_page *p, const char *class)
{
    const char *title = p->table->titles[p->column++];

    qpw_html_start(p->h, title && *title == '!' ? "th" : "td", class);
    if (title && *title == '!')
        qpw_html_attribute(p->h, "scope", "row");
}

void qpw_page_cell(struct qpw_html_page *p, const char *class, const char *text)
{
    open_cell(p, class);
    qpw_html_text(p->h, "%s", text);
    qpw_html_end(p->h);
}

void qpw_page_cell_by(struct qpw_html_page *p, const char *class, uint64_t key, const char *text)
{
    char number[24];

    open_cell(p, class);
    qpw_html_attribute(p->h, "data-k", qpw_format(number, sizeof(number), "%" PRIu64, key));
    qpw_html_text(p->h, "%s", text);
    qpw_html_end(p->h);
}

void qpw_page_below(struct qpw_html_page *p)
{
    char columns[8];
    unsigned n = 0;

    while (p->table->titles[n])
        n++;
    qpw_html_end(p->h);
    qpw_html_start(p->h, "tr", "more");
    qpw_html_start(p->h, "td", "");
    qpw_html_attribute(p->h, "colspan", qpw_format(columns, sizeof(columns), "%u", n));
}

void qpw_page_end_below(struct qpw_html_page *p)
{
    qpw_html_end(p->h);
}

void qpw_page_tools(struct qpw_html_page *p, const char *id)
{
    qpw_html_start(p->h, "div", "tools");
    qpw_html_attribute(p->h, "id", id);
    qpw_html_attribute(p->h, "hidden", "");
    qpw_html_start(p->h, "label", "");
    qpw_html_text(p->h, "Filter ");
    qpw_html_start(p->h, "input", "");
    qpw_html_attribute(p->h, "type", "search");
    qpw_html_attribute(p->h, "placeholder", "words, all of them: tcp/4444 answered");
    qpw_html_end_void(p->h);
    qpw_html_end(p->h);
    qpw_html_start(p->h, "output", "dim");
    qpw_html_attribute(p->h, "aria-live", "polite");
    qpw_html_end(p->h);
    qpw_html_start(p->h, "button", "show");
    qpw_html_attribute(p->h, "type", "button");
    qpw_html_end(p->h);
    qpw_html_end(p->h);
    qpw_html_raw(p->h, "\n");
}
