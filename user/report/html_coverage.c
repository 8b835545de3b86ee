/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* html_coverage.c - what was not decided, and what was not seen: as text_coverage.c in text. */
#include "facts/totals.h"
#include "report/html_page.h"
#include "util/names.h"
#include "words/coverage.h"
#include "words/printer.h"
#include "words/words.h"

/* ---- Unknown ---- */

static void reasons(struct qpw_html_page *p, const struct qpw_sum *sums, const char *what)
{
    char text[40];

    for (unsigned i = 0; i < QPW_REASON_COUNT; i++)
        if (sums[i].packets)
            qpw_page_term(p, i ? qpw_reason_name(i) : "other", "%s%s",
                          qpw_words_many(sums[i].packets, "packet", text, sizeof(text)), what);
}

void qpw_page_undecided(struct qpw_html_page *p)
{
    qpw_page_section(p, "undecided", "Undecided, by reason");
    qpw_html_start(p->h, "dl", "");
    reasons(p, p->r->totals.undecided, "");
    if (!p->r->totals.by_verdict[QPW_VERDICT_UNDECIDED].packets)
        qpw_page_term(p, "none", "every packet's direction and port could be told");
    reasons(p, p->r->totals.transit, " in transit, not this node's");
    qpw_html_end(p->h);
    qpw_html_raw(p->h, "\n");
    qpw_page_end_section(p);
}

const struct qpw_page_table qpw_page_table_gaps = {"gaps", {"From", "To", "Interface", "!What"}};

static void gaps(struct qpw_html_page *p)
{
    const struct qpw_snapshot *s = p->r->s;
    char text[96];

    if (!p->r->n_gaps) {
        if (!s->replay)
            qpw_page_paragraph(p, "", "Gaps: none.");
        return;
    }
    qpw_page_open_table(p, &qpw_page_table_gaps, "Gaps: when packets went by unseen, or without an auditor", "");
    for (size_t i = 0; i < p->r->n_gaps; i++) {
        const struct qpw_gap *gap = &p->r->gaps[i];

        qpw_page_open_row(p);
        qpw_page_cell_by(p, "", gap->from_unix_ns / 1000, qpw_words_time(gap->from_unix_ns, text, sizeof(text)));
        qpw_page_cell_by(p, gap->open ? "bad" : "", gap->to_unix_ns / 1000,
                         gap->open ? "now" : qpw_words_time(gap->to_unix_ns, text, sizeof(text)));
        qpw_page_cell(p, "", gap->iface ? qpw_snapshot_iface(s, gap->iface) : "all");
        qpw_page_cell(p, "w", qpw_words_gap(s, gap, text, sizeof(text)));
    }
    qpw_page_close_table(p);
}

static void losses(struct qpw_html_page *p)
{
    const struct qpw_snapshot *s = p->r->s;
    char text[32];
    bool any = false;

    for (unsigned i = QPW_LOSS_NONE + 1; i < QPW_LOSS_COUNT; i++) {
        if (s->losses[i])
            qpw_page_term(p, qpw_loss_delays(i) ? "Delayed, not lost" : "Lost", "%s: %s", qpw_loss_name(i),
                          qpw_words_count(s->losses[i], text, sizeof(text)));
        any |= s->losses[i] && !qpw_loss_delays(i);
    }
    if (!any)
        qpw_page_term(p, "Losses", "%s", s->recorded ? QPW_WORDS_NOT_RECORDED : "none");
}

const struct qpw_page_table qpw_page_table_events = {"events", {"Time", "!What", "Interface", "Detail"}};

static void events(struct qpw_html_page *p)
{
    const struct qpw_snapshot *s = p->r->s;
    char text[QPW_EVENT_TEXT];
    size_t n = 0;

    for (size_t i = 0; i < s->n_coverage; i++)
        n += s->coverage[i].unix_ns >= p->r->since_unix_ns;
    if (!n)
        return;
    qpw_page_open_table(p, &qpw_page_table_events, "What happened to the coverage, oldest first", "");
    for (size_t i = 0; i < s->n_coverage; i++) {
        const struct qpw_coverage *event = &s->coverage[i];

        if (event->unix_ns < p->r->since_unix_ns)
            continue;
        qpw_page_open_row(p);
        qpw_page_cell_by(p, "", event->unix_ns / 1000, qpw_words_time(event->unix_ns, text, sizeof(text)));
        qpw_page_cell(p, "", qpw_words_coverage(event->kind));
        qpw_page_cell(p, "", qpw_snapshot_iface(s, event->iface));
        qpw_page_cell(p, "w", qpw_words_event_text(event, text, sizeof(text)));
    }
    qpw_page_close_table(p);
}

const struct qpw_page_table qpw_page_table_tables = {
    "tables", {"!Table", "#Entries", "#Capacity", "#Opened", "#Closed", "#Expired", "#Evicted"}};

static void tables(struct qpw_html_page *p)
{
    char text[32];

    qpw_page_open_table(p, &qpw_page_table_tables, "Tables of connections: what was evicted was pushed out by newer ones", "");
    for (size_t i = 0; i < QPW_CLASS_COUNT; i++) {
        const struct qpw_table_row *t = &p->r->s->tables[i];
        const uint64_t numbers[] = {t->entries, t->capacity, t->opened, t->closed, t->expired, t->evicted};

        if (!t->name)
            continue;
        qpw_page_open_row(p);
        qpw_page_cell(p, "", t->name);
        for (size_t j = 0; j < sizeof(numbers) / sizeof(*numbers); j++)
            qpw_page_cell_by(p, "n", numbers[j], qpw_words_exact(numbers[j], text, sizeof(text)));
    }
    qpw_page_close_table(p);
}

void qpw_page_coverage(struct qpw_html_page *p)
{
    const struct qpw_snapshot *s = p->r->s;
    char text[QPW_NOTE_TEXT];

    qpw_page_section(p, "coverage", "Coverage: what was monitored and what may be missing");
    gaps(p);
    qpw_html_start(p->h, "dl", "");
    if (s->recorded)
        qpw_page_term(p, "Not monitored", "%s", QPW_WORDS_NOT_RECORDED);
    for (size_t i = 0; i < s->n_unwatched; i++)
        qpw_page_term(p, "Not monitored", "%s", qpw_words_unwatched(&s->unwatched[i], text, sizeof(text)));
    losses(p);
    for (size_t i = 0; i < s->n_notes; i++)
        qpw_page_term(p, "Note", "%s", qpw_words_note(&s->notes[i], text));
    if (s->memory_bytes)
        qpw_page_term(p, "Kernel memory", "%s", qpw_words_bytes(s->memory_bytes, text, sizeof(text)));
    qpw_html_end(p->h);
    qpw_html_raw(p->h, "\n");
    events(p);
    tables(p);
    qpw_page_end_section(p);
}
