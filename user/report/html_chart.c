/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* html_chart.c - inline SVG drawings: bars with legends, and a timeline of the period. */
#include <inttypes.h>

#include "facts/timeline.h"
#include "report/html_page.h"
#include "words/coverage.h"
#include "words/printer.h"
#include "words/words.h"

#define WIDTH 1000u  /* width of every drawing in units; thousandths of the period */
#define LEAST 4u     /* minimum width of a part that is not empty */
#define LANE 90u     /* timeline: height of the findings */
#define COVERED 100u /* timeline: top of the coverage lane */
#define TALL 120u    /* timeline: total height */

static void number(struct qpw_html_page *p, const char *name, uint64_t value)
{
    char text[24];

    qpw_html_attribute(p->h, name, qpw_format(text, sizeof(text), "%" PRIu64, value));
}

struct box {
    uint64_t x, y, width, height;
    const char *class;
};

static void rect(struct qpw_html_page *p, const struct box *box, const char *title)
{
    qpw_html_start(p->h, "rect", box->class);
    number(p, "x", box->x);
    number(p, "y", box->y);
    number(p, "width", box->width);
    number(p, "height", box->height);
    if (*title)
        qpw_html_element(p->h, "title", "", "%s", title);
    qpw_html_end(p->h);
}

static void open_svg(struct qpw_html_page *p, const char *class, unsigned height, const char *label)
{
    char box[40];

    qpw_html_start(p->h, "svg", class);
    qpw_html_attribute(p->h, "role", "img");
    qpw_html_attribute(p->h, "viewBox", qpw_format(box, sizeof(box), "0 0 %u %u", WIDTH, height));
    qpw_html_attribute(p->h, "preserveAspectRatio", "none");
    qpw_html_attribute(p->h, "aria-label", label);
}

/* Write a colour sample and its meaning. */
static void legend_item(struct qpw_html_page *p, const char *class, const char *text)
{
    qpw_html_start(p->h, "li", "");
    qpw_html_start(p->h, "svg", "");
    qpw_html_attribute(p->h, "viewBox", "0 0 10 10");
    qpw_html_attribute(p->h, "aria-hidden", "true");
    rect(p, &(struct box){0, 0, 10, 10, class}, "");
    qpw_html_end(p->h);
    qpw_html_text(p->h, "%s", text);
    qpw_html_end(p->h);
}

void qpw_page_bar(struct qpw_html_page *p, const char *title, const struct qpw_page_part *parts, size_t n)
{
    uint64_t all = 0, drawn = 0, x = 0;
    char text[96], count[32], share[16];

    for (size_t i = 0; i < n; i++)
        all += parts[i].value;
    /* Each part gets a minimum width to stay visible, so widths are shares of their sum rather than of the values'. */
    for (size_t i = 0; i < n; i++)
        drawn += parts[i].value ? LEAST + (uint64_t)(qpw_percent_of(parts[i].value, all) * 10) : 0;
    open_svg(p, "bar", 10, title);
    rect(p, &(struct box){0, 0, WIDTH, 10, "f-none"}, "");
    for (size_t i = 0; i < n; i++) {
        uint64_t width = parts[i].value ? (LEAST + (uint64_t)(qpw_percent_of(parts[i].value, all) * 10)) * WIDTH / drawn : 0;

        if (width)
            rect(p, &(struct box){x, 0, width, 10, parts[i].class}, parts[i].name);
        x += width;
    }
    qpw_html_end(p->h);
    qpw_html_start(p->h, "ul", "legend");
    for (size_t i = 0; i < n; i++)
        if (parts[i].value)
            legend_item(p, parts[i].class,
                        qpw_format(text, sizeof(text), "%s %s, %s", parts[i].name,
                                   qpw_words_count(parts[i].value, count, sizeof(count)),
                                   qpw_words_share(parts[i].value, all, share, sizeof(share))));
    qpw_html_end(p->h);
    qpw_html_raw(p->h, "\n");
}

/* By enum qpw_severity; [0]: closed. */
static const char *const severity_classes[] = {"f-none", "f-bad", "f-doubt", "f-cool", "f-rest"};

void qpw_page_severities(struct qpw_html_page *p)
{
    size_t n[QPW_SEVERITY_INFO + 1];
    struct qpw_page_part parts[QPW_SEVERITY_INFO + 1];

    qpw_severities_of(&p->r->found, n);
    for (unsigned i = 0; i <= QPW_SEVERITY_INFO; i++) {
        unsigned severity = (i + 1) % (QPW_SEVERITY_INFO + 1);

        parts[i] = (struct qpw_page_part){severity_classes[severity], severity ? qpw_severity_name(severity) : "closed",
                                          n[severity]};
    }
    if (p->r->found.n_rows)
        qpw_page_bar(p, "Findings by severity", parts, QPW_SEVERITY_INFO + 1);
}

/* Draw a column with the most serious at the bottom, where heights are easiest to compare. */
static void column(struct qpw_html_page *p, const struct qpw_timeline *t, unsigned part)
{
    uint64_t x = part * WIDTH / QPW_TIMELINE_PARTS, y = LANE;
    char text[48], count[32];

    for (unsigned severity = 1; severity <= QPW_SEVERITY_INFO; severity++) {
        size_t n = t->first[part][severity];
        uint64_t height = n ? 2 + n * (LANE - 10) / t->most : 0;

        if (height > y)
            height = y;
        y -= height;
        if (n)
            rect(p, &(struct box){x + 1, y, WIDTH / QPW_TIMELINE_PARTS - 2, height, severity_classes[severity]},
                 qpw_format(text, sizeof(text), "%s %s", qpw_words_count(n, count, sizeof(count)), qpw_severity_name(severity)));
    }
}

/* Draw when the instance was monitored, and when not. */
static void coverage(struct qpw_html_page *p, const struct qpw_timeline *t)
{
    char text[128];

    rect(p, &(struct box){0, COVERED, WIDTH, TALL - COVERED, "f-good"}, "monitored");
    for (size_t i = 0; i < p->r->n_gaps; i++) {
        const struct qpw_gap *gap = &p->r->gaps[i];
        uint64_t from = qpw_timeline_position(t, gap->from_unix_ns);
        uint64_t to = gap->open ? WIDTH : qpw_timeline_position(t, gap->to_unix_ns);

        rect(p, &(struct box){from, COVERED, to > from + LEAST ? to - from : LEAST, TALL - COVERED,
                              gap->kind == QPW_COVERAGE_AUDITOR_GAP ? "f-doubt" : "f-bad"},
             qpw_words_gap(p->r->s, gap, text, sizeof(text)));
    }
}

static void timeline_legend(struct qpw_html_page *p, const struct qpw_timeline *t)
{
    char text[96], from[32], to[32], count[32];

    qpw_html_start(p->h, "p", "ends dim");
    qpw_html_element(p->h, "span", "", "%s", qpw_words_time(t->from_unix_ns, from, sizeof(from)));
    qpw_html_element(p->h, "span", "", "%s", qpw_words_time(t->to_unix_ns, to, sizeof(to)));
    qpw_html_end(p->h);
    qpw_html_start(p->h, "ul", "legend");
    for (unsigned severity = 1; severity <= QPW_SEVERITY_INFO; severity++)
        legend_item(p, severity_classes[severity],
                    qpw_format(text, sizeof(text), "first seen, %s", qpw_severity_name(severity)));
    if (!p->r->s->replay) {
        legend_item(p, "f-good", "lower lane: monitored");
        legend_item(p, "f-doubt", "no auditor, the kernel counted on");
        legend_item(p, "f-bad", "not monitored");
    }
    qpw_html_end(p->h);
    qpw_page_paragraph(p, "dim", qpw_format(text, sizeof(text), "Tallest column: %s.%s",
                                            qpw_words_many(t->most, "finding", count, sizeof(count)),
                                            t->before ? " Some were first seen before this period." : ""));
}

void qpw_page_timeline(struct qpw_html_page *p)
{
    struct qpw_timeline t;

    qpw_timeline_make(p->r, &t);
    if (t.from_unix_ns == t.to_unix_ns || !t.from_unix_ns) {
        qpw_page_paragraph(p, "dim", "No period to draw: no packet had a time.");
        return;
    }
    open_svg(p, "timeline", TALL, "Findings by when they were first seen, and the times that were monitored");
    for (unsigned part = 0; part < QPW_TIMELINE_PARTS && t.most; part++)
        column(p, &t, part);
    if (!p->r->s->replay)
        coverage(p, &t);
    qpw_html_end(p->h);
    qpw_html_raw(p->h, "\n");
    timeline_legend(p, &t);
}
