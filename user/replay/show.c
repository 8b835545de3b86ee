/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "replay/show.h"

#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "report/render.h"
#include "snapshot/collect.h"
#include "util/cleanup.h"
#include "util/document.h"
#include "util/names.h"
#include "words/table.h"
#include "words/words.h"

/* Add notes on what the captures may have hidden or distorted, and always the number of records. */
static int print_notes(struct qpw_snapshot *s, const struct qpw_replay_totals *t, const struct qpw_replay_options *o)
{
    bool copies = t->copies_suspicious || (o->dedup && t->copies);
    const struct qpw_note notes[] = {
        {.kind = QPW_NOTE_MERGED, .count = t->larger_than_mtu, .other = o->mtu ? o->mtu : QPW_REPLAY_MTU},
        {.kind = QPW_NOTE_CUT, .count = t->cut},
        {.kind = QPW_NOTE_COPIES, .count = copies ? t->copies : 0, .other = o->dedup},
        {.kind = QPW_NOTE_LEFT_OUT, .count = t->left_out},
        {.kind = QPW_NOTE_UNSUPPORTED, .count = t->unsupported},
        {.kind = QPW_NOTE_LOCALS, .count = t->talkers > 1 ? t->talkers : 0, .other = t->talkers >= QPW_ENDS_TALKERS},
        {.kind = QPW_NOTE_ENDED_EARLY, .count = t->ended_early},
        {.kind = QPW_NOTE_INCOMPLETE, .count = t->incomplete},
    };
    int r = qpw_snapshot_note(s, &(struct qpw_note){.kind = QPW_NOTE_RECORDS, .count = t->frames});

    for (size_t i = 0; r == 0 && i < sizeof(notes) / sizeof(*notes); i++) {
        struct qpw_note note = notes[i];

        if (note.kind == QPW_NOTE_UNSUPPORTED)
            snprintf(note.detail, sizeof(note.detail), "%s", t->unsupported_type);
        if (note.count)
            r = qpw_snapshot_note(s, &note);
    }
    return r;
}

static int show_report(const struct qpw_report *report, const struct qpw_show_options *o, FILE *out)
{
    struct qpw_render_options options = {.columns = o->columns, .colour = o->colour};

    switch (o->format) {
    case QPW_SHOW_JSON: return qpw_report_json(report, &options, out);
    case QPW_SHOW_HTML: return qpw_report_html(report, &options, out);
    default: return qpw_report_text(report, &options, out);
    }
}

/* Write the report's `findings` as a separate document. */
static int show_findings_json(const struct qpw_report *report, FILE *out)
{
    static const char *const keys[] = {"interfaces", "host", "from", "to", "captures", "local", "policy", "answer", "findings"};
    struct qpw_render_options options = {0};
    json_t *whole = qpw_report_document(report, &options), *document = qpw_document("qportwatch.findings/1");
    int r;

    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
        json_object_set(document, keys[i], json_object_get(whole, keys[i]));
    r = document && json_dumpf(document, out, JSON_INDENT(2)) == 0 && fputc('\n', out) != EOF ? 0 : -EIO;
    json_decref(document);
    json_decref(whole);
    return r;
}

static int show_findings_text(const struct qpw_report *report, const struct qpw_show_options *o, FILE *out)
{
    static const struct qpw_table_column columns[] = {
        {"VERDICT"}, {"DIRECTION"}, {"OUTCOME"}, {"SERVICE"}, {"INITIATOR", .wrap = true}, {"RESPONDER", .wrap = true},
        {"PACKETS", .right = true}, {"FIRST", .optional = true}};
    QPW_CLEANUP(qpw_table_clear) struct qpw_table t = {columns, sizeof(columns) / sizeof(*columns)};
    struct qpw_printer p = {out, o->columns, o->colour, 0, 0};
    char initiator[64], responder[64], service[48], packets[24], first[40];
    int r = 0;

    if (!report->found.n_rows)
        qpw_print_line(&p, "no findings");
    for (size_t i = 0; r == 0 && i < report->found.n_rows; i++) {
        const struct qpw_finding_row *f = report->found.rows[i];
        const char *cells[] = {qpw_verdict_name(f->key.verdict),
                               qpw_words_direction(f->key.direction),
                               qpw_outcome_name(f->value.outcome),
                               qpw_words_service(f->key.kind, f->key.protocol, f->key.port, service, sizeof(service)),
                               qpw_words_end(f->key.kind, f->key.initiator, initiator, sizeof(initiator)),
                               qpw_words_end(f->key.kind, f->key.responder, responder, sizeof(responder)),
                               qpw_words_count(qpw_sum_of(&f->counts).packets, packets, sizeof(packets)),
                               qpw_words_time(f->first_unix_ns, first, sizeof(first))};

        r = qpw_table_add(&t, QPW_TEXT_PLAIN, cells);
    }
    if (r < 0)
        return r;
    return qpw_table_print(&t, &p);
}

static int show(const struct qpw_report *report, const struct qpw_show_options *o, FILE *out)
{
    if (!o->findings_only)
        return show_report(report, o, out);
    if (o->format == QPW_SHOW_JSON)
        return show_findings_json(report, out);
    return show_findings_text(report, o, out);
}

static int report_on(struct qpw_replay *replay, const struct qpw_replay_options *replayed,
                     const struct qpw_show_options *options, struct qpw_snapshot *s, FILE *out)
{
    const struct qpw_replay_totals *totals = qpw_replay_totals(replay);
    QPW_CLEANUP(qpw_report_clear) struct qpw_report report = {0};
    int r;

    s->incomplete = totals->incomplete;
    s->from_unix_ns = totals->first_ns;
    s->unix_ns = totals->last_ns;
    r = qpw_replay_describe(replay, s);
    if (r < 0)
        return r;
    r = print_notes(s, totals, replayed);
    if (r < 0)
        return r;
    r = qpw_report_make(s, 0, &report);
    if (r < 0)
        return r;
    if (options->anonymous)
        qpw_anonymous_snapshot(options->anonymous, s);
    return show(&report, options, out);
}

int qpw_replay_show(const struct qpw_replay_setup *setup, struct qpw_replay *replay,
                    const struct qpw_replay_options *replayed, const struct qpw_show_options *options, FILE *out,
                    struct qpw_error *err)
{
    QPW_CLEANUP(qpw_snapshot_clear) struct qpw_snapshot s = {0};
    int r = qpw_collect(&setup->kernel, NULL, &s, err);

    if (r < 0)
        return r;
    r = report_on(replay, replayed, options, &s, out);
    return r < 0 ? qpw_fail(err, r, "the report cannot be written: %s", strerror(-r)) : 0;
}
