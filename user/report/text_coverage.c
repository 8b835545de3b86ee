/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What was not decided, and what was not seen. */
#include "words/table.h"
#include "report/text_page.h"
#include "words/words.h"
#include "util/names.h"

#define SCREEN_ITEMS 8
#define SCREEN_EVENTS 4

static void reasons(const struct qpw_page *p, const char *label, const struct qpw_report_sum *sums)
{
    struct qpw_list list;
    char item[96], packets[16];

    qpw_list_begin(&list, p->out, p->width, 0, label);
    for (unsigned i = 0; i < QPW_REASON_COUNT; i++)
        if (sums[i].packets)
            qpw_list_add(&list, qpw_page_format(item, sizeof(item), "%s %s", i ? qpw_reason_name(i) : "other",
                                          qpw_words_count(sums[i].packets, packets, sizeof(packets))));
    qpw_list_end(&list);
}

void qpw_page_undecided(const struct qpw_page *p)
{
    bool any = p->r->by_verdict[QPW_VERDICT_UNDECIDED].packets;

    qpw_page_heading(p, "UNDECIDED", any ? "" : "none");
    if (any)
        reasons(p, "why", p->r->undecided);
    if (p->r->by_verdict[QPW_VERDICT_TRANSIT].packets)
        reasons(p, "transit", p->r->transit);
}

static void gaps(const struct qpw_page *p)
{
    const struct qpw_snapshot *s = p->r->s;
    struct qpw_list list;
    char item[160], from[24], to[24];

    qpw_list_begin(&list, p->out, p->width, p->o->all ? 0 : SCREEN_ITEMS, "gaps");
    for (size_t i = p->r->n_gaps; i-- > 0;) {
        const struct qpw_report_gap *gap = &p->r->gaps[i];

        qpw_words_moment(gap->from_unix_ns, s->unix_ns, from, sizeof(from));
        qpw_words_moment(gap->to_unix_ns, s->unix_ns, to, sizeof(to));
        qpw_list_add(&list, qpw_page_format(item, sizeof(item), "%s %s from %s to %s",
                                            qpw_report_iface_name(s, gap->iface), gap->why, from,
                                            gap->open ? "now" : to));
    }
    qpw_list_end(&list);
}

static void unwatched(const struct qpw_page *p)
{
    const struct qpw_snapshot *s = p->r->s;
    struct qpw_list list;
    char item[96], rx[16], tx[16];

    qpw_list_begin(&list, p->out, p->width, p->o->all ? 0 : SCREEN_ITEMS, "unwatched");
    for (size_t i = 0; i < s->n_unwatched; i++)
        qpw_list_add(&list, qpw_page_format(item, sizeof(item), "%s (%s received, %s sent packets)",
                                            s->unwatched[i].name,
                                            qpw_words_count(s->unwatched[i].rx_packets, rx, sizeof(rx)),
                                            qpw_words_count(s->unwatched[i].tx_packets, tx, sizeof(tx))));
    qpw_list_end(&list);
}

static void losses(const struct qpw_page *p)
{
    const struct qpw_snapshot *s = p->r->s;
    struct qpw_list list;
    char item[96], count[16];

    qpw_list_begin(&list, p->out, p->width, 0, "lost");
    for (unsigned i = QPW_LOSS_NONE + 1; i < QPW_LOSS_COUNT; i++)
        if (s->losses[i])
            qpw_list_add(&list, qpw_page_format(item, sizeof(item), "%s %s", qpw_loss_name(i),
                                          qpw_words_count(s->losses[i], count, sizeof(count))));
    for (unsigned i = QPW_CLASS_NONE + 1; i < QPW_CLASS_COUNT; i++)
        if (s->tables[i].evicted)
            qpw_list_add(&list, qpw_page_format(item, sizeof(item), "%s connections pushed out %s", qpw_class_name(i),
                                          qpw_words_count(s->tables[i].evicted, count, sizeof(count))));
    qpw_list_end(&list);
}

/* Attached, detached, reloaded …: the last few, since the period's head says when it began. */
static void events(const struct qpw_page *p)
{
    const struct qpw_snapshot *s = p->r->s;
    size_t first = p->o->all || s->n_coverage <= SCREEN_EVENTS ? 0 : s->n_coverage - SCREEN_EVENTS;
    char when[24], line[256];

    while (first < s->n_coverage && s->coverage[first].unix_ns < p->r->since_unix_ns)
        first++;
    for (size_t i = first; i < s->n_coverage; i++) {
        const struct qpw_coverage *c = &s->coverage[i];
        const char *iface = qpw_report_iface_name(s, c->iface);

        qpw_words_moment(c->unix_ns, s->unix_ns, when, sizeof(when));
        qpw_page_format(line, sizeof(line), "%-10s %s%s%s%s%s", when, qpw_coverage_name(c->kind), *iface ? " " : "",
                        iface, c->text[0] ? ": " : "", c->text);
        fprintf(p->out, "  %.*s\n", (int)p->width - 2, line);
    }
}

void qpw_page_coverage(const struct qpw_page *p)
{
    qpw_page_heading(p, "COVERAGE", "what was watched, and what this report cannot know");
    if (!p->r->s->replay) {
        gaps(p);
        unwatched(p);
    }
    losses(p);
    events(p);
    for (size_t i = 0; i < p->r->s->n_notes; i++)
        qpw_wrap(p->out, p->width, 2, p->r->s->notes[i]);
}

