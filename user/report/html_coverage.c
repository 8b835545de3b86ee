/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What was not decided, and what was not seen: the sections of the page that text_coverage.c has in text. */
#include "facts/totals.h"
#include "report/html_page.h"
#include "util/names.h"
#include "words/coverage.h"
#include "words/words.h"

/* ---- What is not known ---- */

void qpw_page_undecided(const struct qpw_html_page *p)
{
    char text[40];

    qpw_page_heading(p, "Undecided, by reason");
    qpw_html_start(p->h, "dl", "");
    for (unsigned i = 0; i < QPW_REASON_COUNT; i++)
        if (p->r->totals.undecided[i].packets)
            qpw_page_term(p, i ? qpw_reason_name(i) : "other", "%s",
                          qpw_words_many(p->r->totals.undecided[i].packets, "packet", text, sizeof(text)));
    if (!p->r->totals.by_verdict[QPW_VERDICT_UNDECIDED].packets)
        qpw_html_element(p->h, "dt", "", "none");
    qpw_html_end(p->h);
    qpw_html_raw(p->h, "\n");
}

static void gaps(const struct qpw_html_page *p)
{
    const struct qpw_snapshot *s = p->r->s;
    char text[96];

    for (size_t i = 0; i < p->r->n_gaps; i++)
        qpw_page_term(p, "Gap", "%s", qpw_words_gap(s, &p->r->gaps[i], text, sizeof(text)));
    if (!p->r->n_gaps && !s->replay)
        qpw_page_term(p, "Gaps", "none");
}

static void losses(const struct qpw_html_page *p)
{
    const struct qpw_snapshot *s = p->r->s;
    char text[32];

    for (unsigned i = QPW_LOSS_NONE + 1; i < QPW_LOSS_COUNT; i++)
        if (s->losses[i])
            qpw_page_term(p, qpw_loss_delays(i) ? "Delayed, not lost" : "Lost", "%s: %s", qpw_loss_name(i),
                          qpw_words_count(s->losses[i], text, sizeof(text)));
}

void qpw_page_coverage(const struct qpw_html_page *p)
{
    const struct qpw_snapshot *s = p->r->s;
    char when[32], text[QPW_EVENT_TEXT];

    qpw_page_heading(p, "Coverage: what was monitored and what may be missing");
    qpw_html_start(p->h, "dl", "");
    gaps(p);
    for (size_t i = 0; i < s->n_unwatched; i++)
        qpw_page_term(p, "Not monitored", "%s", qpw_words_unwatched(&s->unwatched[i], text, sizeof(text)));
    losses(p);
    for (size_t i = 0; i < s->n_notes; i++)
        qpw_page_term(p, "Note", "%s", qpw_words_note(&s->notes[i], text));
    for (size_t i = 0; i < s->n_coverage; i++)
        if (s->coverage[i].unix_ns >= p->r->since_unix_ns)
            qpw_page_term(p, qpw_words_time(s->coverage[i].unix_ns, when, sizeof(when)), "%s",
                          qpw_words_event(&s->coverage[i], qpw_snapshot_iface(s, s->coverage[i].iface), text, sizeof(text)));
    qpw_html_end(p->h);
    qpw_html_raw(p->h, "\n");
}
