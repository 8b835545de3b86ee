/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* text_coverage.c - what was not decided, and what was not seen. */
#include "facts/totals.h"
#include "report/text_page.h"
#include "util/names.h"
#include "words/coverage.h"
#include "words/words.h"

#define SCREEN_ITEMS 8u
#define SCREEN_EVENTS 4u
#define LABEL 15u /* width of "not monitored" and a gap */

static void reasons(const struct qpw_text_page *p, const char *label, const struct qpw_sum *sums)
{
    struct qpw_list list;
    char packets[16];

    qpw_list_begin(&list, &p->printer, 0, label);
    for (unsigned i = 0; i < QPW_REASON_COUNT; i++)
        if (sums[i].packets)
            qpw_list_add(&list, "%s %s", i ? qpw_reason_name(i) : "other",
                         qpw_words_count(sums[i].packets, packets, sizeof(packets)));
    qpw_list_end(&list);
}

void qpw_text_undecided(const struct qpw_text_page *p)
{
    bool any = p->r->totals.by_verdict[QPW_VERDICT_UNDECIDED].packets;

    qpw_print_heading(&p->printer, "UNDECIDED", any ? "" : "none");
    if (any)
        reasons(p, "by reason", p->r->totals.undecided);
    if (p->r->totals.by_verdict[QPW_VERDICT_TRANSIT].packets)
        reasons(p, "transit", p->r->totals.transit);
}

static void gaps(const struct qpw_text_page *p)
{
    const struct qpw_snapshot *s = p->r->s;
    struct qpw_list list;
    char text[96];

    qpw_list_begin(&list, &p->printer, qpw_text_limit(p, SCREEN_ITEMS), "gaps");
    for (size_t i = p->r->n_gaps; i-- > 0;)
        qpw_list_add(&list, "%s", qpw_words_gap(s, &p->r->gaps[i], text, sizeof(text)));
    qpw_list_end(&list);
}

static void unwatched(const struct qpw_text_page *p)
{
    const struct qpw_snapshot *s = p->r->s;
    struct qpw_list list;
    char text[96];

    if (s->recorded) {
        qpw_print_item(&p->printer, "not monitored", "%s", QPW_WORDS_NOT_RECORDED);
        return;
    }
    qpw_list_begin(&list, &p->printer, qpw_text_limit(p, SCREEN_ITEMS), "not monitored");
    for (size_t i = 0; i < s->n_unwatched; i++)
        qpw_list_add(&list, "%s", qpw_words_unwatched(&s->unwatched[i], text, sizeof(text)));
    qpw_list_end(&list);
}

static void losses(const struct qpw_text_page *p)
{
    const struct qpw_snapshot *s = p->r->s;
    struct qpw_list list;
    uint64_t delayed = p->r->answer.losses.delayed;
    char count[40];

    if (s->recorded) {
        qpw_print_item(&p->printer, "lost", "%s", QPW_WORDS_NOT_RECORDED);
        return;
    }
    qpw_list_begin(&list, &p->printer, 0, "lost");
    for (unsigned i = QPW_LOSS_NONE + 1; i < QPW_LOSS_COUNT; i++)
        if (s->losses[i] && !qpw_loss_delays(i))
            qpw_list_add(&list, "%s %s", qpw_loss_name(i), qpw_words_count(s->losses[i], count, sizeof(count)));
    for (unsigned i = QPW_CLASS_NONE + 1; i < QPW_CLASS_COUNT; i++)
        if (s->tables[i].evicted)
            qpw_list_add(&list, "%s %s connections evicted", qpw_words_count(s->tables[i].evicted, count, sizeof(count)),
                         qpw_class_name(i));
    if (delayed)
        qpw_list_add(&list, list.items ? "%s delayed, not lost" : "none (%s delayed, not lost)",
                     qpw_words_many(delayed, "event", count, sizeof(count)));
    qpw_list_end(&list);
}

/* Print the last few events (attached, detached, reloaded …); the head already has the start of the period. */
static void events(const struct qpw_text_page *p)
{
    const struct qpw_snapshot *s = p->r->s;
    size_t limit = qpw_text_limit(p, SCREEN_EVENTS), first = limit && s->n_coverage > limit ? s->n_coverage - limit : 0;
    char when[24], text[QPW_EVENT_TEXT];

    while (first < s->n_coverage && s->coverage[first].unix_ns < p->r->since_unix_ns)
        first++;
    for (size_t i = first; i < s->n_coverage; i++) {
        const struct qpw_coverage *c = &s->coverage[i];

        qpw_print_item(&p->printer, qpw_words_moment(c->unix_ns, s->unix_ns, when, sizeof(when)), "%s",
                       qpw_words_event(c, qpw_snapshot_iface(s, c->iface), text, sizeof(text)));
    }
}

void qpw_text_coverage(const struct qpw_text_page *page)
{
    struct qpw_text_page wide = *page, *p = &wide;
    char text[QPW_NOTE_TEXT];

    wide.printer.label = LABEL;
    qpw_print_heading(&p->printer, "COVERAGE", "what was monitored and what may be missing");
    if (!p->r->s->replay) {
        gaps(p);
        unwatched(p);
    }
    losses(p);
    events(p);
    for (size_t i = 0; i < p->r->s->n_notes; i++)
        qpw_print_wrapped(&p->printer, 2, qpw_words_note(&p->r->s->notes[i], text));
}
