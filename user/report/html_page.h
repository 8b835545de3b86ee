/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * html_page.h - what the sections of the HTML report share; internal to html.c and html_….c.
 *
 * The stylesheet and the script are page.css and page.js beside it, embedded into the program (embed.S).
 */
#ifndef QPW_REPORT_HTML_PAGE_H
#define QPW_REPORT_HTML_PAGE_H

#include "report/render.h"
#include "words/html.h"

#define QPW_PAGE_COLUMNS_MOST 16u

/*
 * A kind of table: its class, and its titles, ended by NULL. Those of numbers begin with '#', that of the cells which name
 * their row with '!'.
 */
struct qpw_page_table {
    const char *class;
    const char *titles[QPW_PAGE_COLUMNS_MOST];
};

struct qpw_html_page {
    const struct qpw_report *r;
    const struct qpw_render_options *o;
    struct qpw_html *h;
    char nonce[QPW_HTML_NONCE];
    /* Of the table that is written: its kind, the cell that comes next, whether a row is open. */
    const struct qpw_page_table *table;
    unsigned column;
    bool row;
    size_t rows;   /* of findings, in all tables so far */
    size_t owners; /* findings whose process was looked up so far */
};

/* All kinds, each by its name, for the stylesheet: on a narrow screen each cell has its title before it. */
#define QPW_PAGE_TABLES(X) \
    X(verdicts) X(found) X(members) X(past) X(busy) X(peers) X(rules) X(listeners) X(meters) X(gaps) X(events) X(tables)
#define QPW_X_PAGE_TABLE(name) extern const struct qpw_page_table qpw_page_table_##name;
QPW_PAGE_TABLES(QPW_X_PAGE_TABLE)

/* A section with its heading; `id` is what the list of contents leads to. */
void qpw_page_section(struct qpw_html_page *p, const char *id, const char *title);
void qpw_page_end_section(struct qpw_html_page *p);
void qpw_page_paragraph(struct qpw_html_page *p, const char *class, const char *text);

/* A name with what is said of it, within a <dl>. */
void qpw_page_term(struct qpw_html_page *p, const char *name, const char *format, ...) __attribute__((format(printf, 3, 4)));

/*
 * A table's opening; caption "" for none, tools "" or the id of its filter (see qpw_page_tools()). A row begins with
 * qpw_page_open_row() and goes on to the next or to the end, with what qpw_page_below() opens below it. One table may stand
 * below a row of another.
 */
void qpw_page_open_table(struct qpw_html_page *p, const struct qpw_page_table *table, const char *caption, const char *tools);
void qpw_page_close_table(struct qpw_html_page *p);
void qpw_page_open_row(struct qpw_html_page *p);
void qpw_page_cell(struct qpw_html_page *p, const char *class, const char *text);
/* The same with the number that it is sorted by. */
void qpw_page_cell_by(struct qpw_html_page *p, const char *class, uint64_t key, const char *text);
/* Opens a cell over the whole width below the row, to be ended with qpw_page_end_below(). */
void qpw_page_below(struct qpw_html_page *p);
void qpw_page_end_below(struct qpw_html_page *p);

/* The box that filters a table of that many rows, shown where the script works. */
void qpw_page_tools(struct qpw_html_page *p, const char *id);

/* ---- Drawings (html_chart.c) ---- */

struct qpw_page_part {
    const char *class; /* of the stylesheet, "f-bad" */
    const char *name;
    uint64_t value;
};
/* A bar of parts, with its legend in words and figures. */
void qpw_page_bar(struct qpw_html_page *p, const char *title, const struct qpw_page_part *parts, size_t n);
void qpw_page_timeline(struct qpw_html_page *p);
void qpw_page_severities(struct qpw_html_page *p);

/* ---- Sections ---- */

void qpw_page_findings(struct qpw_html_page *p);
void qpw_page_past_findings(struct qpw_html_page *p);
void qpw_page_peers(struct qpw_html_page *p);
void qpw_page_rules(struct qpw_html_page *p);
void qpw_page_listeners(struct qpw_html_page *p);
void qpw_page_traffic(struct qpw_html_page *p);
void qpw_page_undecided(struct qpw_html_page *p);
void qpw_page_coverage(struct qpw_html_page *p);

#endif
