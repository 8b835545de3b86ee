/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "report/html_page.h"

#include <stdarg.h>
#include <stdio.h>

void qpw_page_heading(const struct qpw_html_page *p, const char *title)
{
    qpw_html_element(p->h, "h2", "", "%s", title);
    qpw_html_raw(p->h, "\n");
}

void qpw_page_paragraph(const struct qpw_html_page *p, const char *class, const char *text)
{
    qpw_html_element(p->h, "p", class, "%s", text);
    qpw_html_raw(p->h, "\n");
}

void qpw_page_term(const struct qpw_html_page *p, const char *name, const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    qpw_html_element(p->h, "dt", "", "%s", name);
    qpw_html_element(p->h, "dd", "", "%s", text);
    qpw_html_raw(p->h, "\n");
}

void qpw_page_cell(const struct qpw_html_page *p, const char *class, const char *text)
{
    qpw_html_element(p->h, "td", class, "%s", text);
}

void qpw_page_open_row(const struct qpw_html_page *p)
{
    qpw_html_start(p->h, "tr", "");
}

void qpw_page_close_row(const struct qpw_html_page *p)
{
    qpw_html_end(p->h);
    qpw_html_raw(p->h, "\n");
}

/* A table's opening with its titles; those of numbers begin with '#'. */
void qpw_page_open_table(const struct qpw_html_page *p, const char *const *titles)
{
    qpw_html_start(p->h, "div", "scroll");
    qpw_html_start(p->h, "table", "");
    qpw_page_open_row(p);
    for (; *titles; titles++)
        qpw_html_element(p->h, "th", **titles == '#' ? "n" : "", "%s", *titles + (**titles == '#'));
    qpw_page_close_row(p);
}

void qpw_page_close_table(const struct qpw_html_page *p)
{
    qpw_html_end(p->h);
    qpw_html_end(p->h);
    qpw_html_raw(p->h, "\n");
}
