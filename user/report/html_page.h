/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * html_page.h - shared by the sections of the HTML report; internal to html.c and html_….c.
 *
 * The stylesheet and the script are page.css and page.js in this folder, embedded into the program (embed.S).
 */
#ifndef QPW_REPORT_HTML_PAGE_H
#define QPW_REPORT_HTML_PAGE_H

#include "report/render.h"
#include "words/html.h"

#define QPW_PAGE_COLUMNS_MOST 16u

/*
 * A kind of table: its class and its titles, NULL-terminated. A leading '#' marks numbers, '!' the cells that name
 * their row.
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
    /* The table being written: its kind, the next cell, whether a row is open. */
    const struct qpw_page_table *table;
    unsigned column;
    bool row;
    size_t rows;   /* of findings, in all tables so far */
    size_t owners; /* owner look-ups so far */
    size_t n_facts; /* facts of the finding already in its cell */
};

/* All kinds by name, for the stylesheet: on a narrow screen, each cell follows its title. */
#define QPW_PAGE_TABLES(X) \
    X(verdicts) X(found) X(members) X(past) X(busy) X(peers) X(nodes) X(differences) X(rules) X(speaks) X(listeners) X(meters) X(gaps) X(events) X(tables)
#define QPW_X_PAGE_TABLE(name) extern const struct qpw_page_table qpw_page_table_##name;
QPW_PAGE_TABLES(QPW_X_PAGE_TABLE)

/* Open the page on `out` up to its first section: nonce, head, style. Return 0, or a negative errno with nothing to close. */
int qpw_page_open(struct qpw_html_page *p, FILE *out, const char *title);
/* Add the script and close everything. Return 0, or -EIO if anything could not be written. */
int qpw_page_close(struct qpw_html_page *p);

/* Open a section with its heading; `id` is the table of contents' target. */
void qpw_page_section(struct qpw_html_page *p, const char *id, const char *title);
void qpw_page_end_section(struct qpw_html_page *p);
void qpw_page_paragraph(struct qpw_html_page *p, const char *class, const char *text);

/* Write a term and its description within a <dl>. */
void qpw_page_term(struct qpw_html_page *p, const char *name, const char *format, ...) __attribute__((format(printf, 3, 4)));

/*
 * Open a table; caption "": none; tools: "" or the id of its filter (see qpw_page_tools()). A row starts with
 * qpw_page_open_row() and extends to the next one or to the end, including cells opened by qpw_page_below(). A table
 * may be nested below a row of another.
 */
void qpw_page_open_table(struct qpw_html_page *p, const struct qpw_page_table *table, const char *caption, const char *tools);
void qpw_page_close_table(struct qpw_html_page *p);
void qpw_page_open_row(struct qpw_html_page *p);
void qpw_page_cell(struct qpw_html_page *p, const char *class, const char *text);
/* The same with a number to sort by. */
void qpw_page_cell_by(struct qpw_html_page *p, const char *class, uint64_t key, const char *text);
/* Open a cell of full width below the row; end it with qpw_page_end_below(). */
void qpw_page_below(struct qpw_html_page *p);
void qpw_page_end_below(struct qpw_html_page *p);

/* Write the table's filter box, which the script makes visible. */
void qpw_page_tools(struct qpw_html_page *p, const char *id);

/* ---- Drawings (html_chart.c) ---- */

struct qpw_page_part {
    const char *class; /* in the stylesheet, "f-bad" */
    const char *name;
    uint64_t value;
};
/* Draw a bar of parts with a legend in words and numbers. */
void qpw_page_bar(struct qpw_html_page *p, const char *title, const struct qpw_page_part *parts, size_t n);
void qpw_page_timeline(struct qpw_html_page *p);
void qpw_page_severities(struct qpw_html_page *p);

/* ---- Sections ---- */

void qpw_page_findings(struct qpw_html_page *p);
void qpw_page_past_findings(struct qpw_html_page *p);
void qpw_page_peers(struct qpw_html_page *p);
/* Nothing where no peer is asked. */
void qpw_page_cluster(struct qpw_html_page *p);
void qpw_page_rules(struct qpw_html_page *p);
void qpw_page_listeners(struct qpw_html_page *p);
/* Nothing where no rule's first bytes were looked at. Returns 0 or -ENOMEM. */
int qpw_page_speaks(struct qpw_html_page *p);
void qpw_page_traffic(struct qpw_html_page *p);
void qpw_page_undecided(struct qpw_html_page *p);
void qpw_page_coverage(struct qpw_html_page *p);

#endif
