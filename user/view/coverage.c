/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* coverage.c - lines of the Coverage tab: what could and could not be seen, and when. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "util/names.h"
#include "view/canvas.h"
#include "view/columns.h"
#include "words/coverage.h"
#include "words/printer.h"
#include "words/words.h"
#include "view/model.h"

/* Where to add lines; -ENOMEM is kept in r, so that it is checked only once. */
struct lines {
    struct qpw_model *m;
    int r;
};

static void line(struct lines *l, const char *section, uint8_t style, const char *item, const char *value, const char *note)
{
    if (l->r == 0)
        l->r = qpw_model_add_line(l->m, section, style, item, value, note);
}

static void interfaces(struct lines *l)
{
    const struct qpw_snapshot *s = l->m->now;
    char note[128];

    for (size_t i = 0; i < s->n_ifaces; i++) {
        const struct qpw_iface_row *row = &s->ifaces[i];
        enum qpw_watch_state state = qpw_watch_of(s, row);
        bool good = state == QPW_WATCH_OK || state == QPW_WATCH_CAPTURE;

        line(l, "interface", qpw_watch_blind(state) ? QPW_STYLE_BAD : good ? QPW_STYLE_GOOD : QPW_STYLE_WARN,
             row->name, qpw_watch_name(state), qpw_words_mode_why(row->hook, row->why, note, sizeof(note)));
    }
    for (size_t i = 0; i < s->n_unwatched; i++)
        line(l, "interface", QPW_STYLE_WARN, s->unwatched[i].name, "NOT MONITORED",
             qpw_words_unwatched(&s->unwatched[i], note, sizeof(note)));
}

static void undecided(struct lines *l)
{
    const struct qpw_sum *by_reason[] = {l->m->totals.undecided, l->m->totals.transit};
    char value[64], share[16], note[128];

    for (unsigned transit = 0; transit < 2; transit++) {
        for (unsigned reason = 0; reason < QPW_REASON_COUNT; reason++) {
            if (!by_reason[transit][reason].packets)
                continue;
            qpw_words_many(by_reason[transit][reason].packets, "packet", value, sizeof(value));
            snprintf(note, sizeof(note), "%s of all packets",
                     qpw_words_share(by_reason[transit][reason].packets, l->m->totals.all.packets, share, sizeof(share)));
            line(l, transit ? "transit" : "undecided", QPW_STYLE_NORMAL, qpw_reason_name(reason), value, note);
        }
    }
}

static void losses(struct lines *l)
{
    char value[64];

    for (unsigned i = 1; i < QPW_LOSS_COUNT; i++) {
        if (!l->m->now->losses[i])
            continue;
        qpw_words_count(l->m->now->losses[i], value, sizeof(value));
        if (qpw_loss_delays(i))
            line(l, "delayed", QPW_STYLE_WARN, qpw_loss_name(i), value,
                 "reported later; nothing is missing");
        else
            line(l, "LOST", QPW_STYLE_BAD, qpw_loss_name(i), value, "");
    }
    if (!l->m->answer.losses.lost)
        line(l, "lost", QPW_STYLE_GOOD, "nothing", "0", "no detail was lost");
}

static void tables(struct lines *l)
{
    char value[64], note[160], number[4][24];

    for (unsigned i = 1; i < QPW_CLASS_COUNT; i++) {
        const struct qpw_table_row *t = &l->m->now->tables[i];

        if (!t->capacity)
            continue;
        snprintf(value, sizeof(value), "%s of %s", qpw_words_count(t->entries, number[0], sizeof(number[0])),
                 qpw_words_count(t->capacity, number[1], sizeof(number[1])));
        snprintf(note, sizeof(note), "%s evicted, %s opened, %s closed, %s expired",
                 qpw_words_count(t->evicted, number[0], sizeof(number[0])),
                 qpw_words_count(t->opened, number[1], sizeof(number[1])),
                 qpw_words_count(t->closed, number[2], sizeof(number[2])),
                 qpw_words_count(t->expired, number[3], sizeof(number[3])));
        line(l, "connections", t->evicted ? QPW_STYLE_WARN : QPW_STYLE_NORMAL, t->name ? t->name : qpw_class_name(i),
             value, note);
    }
}

/* Add the events, newest first, because the latest is what users look for. */
static void events(struct lines *l)
{
    const struct qpw_snapshot *s = l->m->now;
    char when[40], text[QPW_EVENT_TEXT], note[QPW_NOTE_TEXT];

    for (size_t i = s->n_coverage; i-- > 0;) {
        const struct qpw_coverage *event = &s->coverage[i];

        qpw_words_time(event->unix_ns, when, sizeof(when));
        qpw_format(note, sizeof(note), "%s%s%s", qpw_model_iface(l->m, event->iface), *qpw_model_iface(l->m, event->iface) ? ": " : "",
                   qpw_words_event_text(event, text, sizeof(text)));
        line(l, "event",
             qpw_coverage_concern(event->kind) == QPW_CONCERN_HOUSEKEEPING ? QPW_STYLE_NORMAL : QPW_STYLE_WARN, when,
             qpw_words_coverage(event->kind), note);
    }
}

int qpw_model_coverage(struct qpw_model *m)
{
    const struct qpw_snapshot *s = m->now;
    char value[64], text[QPW_NOTE_TEXT];
    struct lines l = {.m = m};

    if (m->past.to_unix_ns) { /* the rest is current state, which is not recorded */
        line(&l, "not seen", m->past.blind_ns ? QPW_STYLE_WARN : QPW_STYLE_GOOD, "of this span",
             m->past.blind_ns ? qpw_words_duration(m->past.blind_ns, value, sizeof(value)) : "nothing", "");
        undecided(&l);
        events(&l);
        return l.r;
    }
    interfaces(&l);
    for (size_t i = 0; i < s->n_notes; i++)
        line(&l, "note", QPW_STYLE_NOTE, "", "", qpw_words_note(&s->notes[i], text));
    losses(&l);
    undecided(&l);
    tables(&l);
    line(&l, "memory", QPW_STYLE_NORMAL, "kernel maps", qpw_words_bytes(s->memory_bytes, value, sizeof(value)), "");
    events(&l);
    return l.r;
}
