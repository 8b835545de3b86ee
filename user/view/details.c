/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * details.c - details of a row: all evidence, the policy's matching rule with its line, the line that would allow it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "alert/signatures.h"
#include "alert/text.h"
#include "util/names.h"
#include "words/cluster_status.h"
#include "words/finding.h"
#include "words/life.h"
#include "words/speech.h"
#include "words/words.h"
#include "view/screen.h"
#include "view/row_subject.h"

int qpw_allow_line(const struct qpw_model *m, const struct qpw_row *row, char *buf, size_t size)
{
    struct qpw_engine_context context = qpw_text_context(m->now);
    struct qpw_text_about about = {.context = &context, .row = row->source};
    struct qpw_row_subject t = qpw_row_subject_of(row);
    struct qpw_allow a = {.kind = t.kind, .protocol = t.protocol, .direction = t.direction, .verdict = t.verdict,
                          .port = t.port, .reason = t.reason, .services = t.services, .speaks = t.speaks,
                          .rule = qpw_model_rule(m, t.rule)};

    if (row->kind == QPW_ROW_FINDING)
        return qpw_text_allow_line(&about, false, buf, size) ? 0 : -ENOENT;
    if (row->kind == QPW_ROW_METER)
        return qpw_words_allow(&a, buf, size);
    if (row->kind == QPW_ROW_GROUP && ((const struct qpw_finding_line *)row->source)->ports == 1)
        return qpw_words_allow(&a, buf, size);
    snprintf(buf, size, "none");
    return -ENOENT;
}

/* ---- Painting ---- */

struct pen {
    struct qpw_canvas *c;
    int first, height; /* canvas rows */
    int skip;          /* lines scrolled off the top */
    int n;             /* lines so far */
};
#define LABEL 16

static void put(struct pen *p, uint8_t style, const char *label, const char *text)
{
    int width = p->c->cols - LABEL;
    char line[1024];

    do {
        size_t length = qpw_text_line(text, width);
        int at = p->n++ - p->skip;

        if (at >= 0 && at < p->height) {
            qpw_canvas_text(p->c, p->first + at, 0, LABEL - 1, QPW_STYLE_DIM, label);
            snprintf(line, sizeof(line), "%.*s", (int)length, text);
            qpw_canvas_text(p->c, p->first + at, LABEL, width, style, line);
        }
        label = "";
        text += length;
        text += *text == ' ';
    } while (*text);
}

static void __attribute__((format(printf, 4, 5)))
putf(struct pen *p, uint8_t style, const char *label, const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    put(p, style, label, text);
}

static void put_counts(struct pen *p, const struct qpw_view_state *state, const struct qpw_row *row)
{
    const struct qpw_counts *c = &row->counts;
    char rx[40], tx[40];

    put(p, QPW_STYLE_NORMAL, "connections", qpw_words_count(c->connections, rx, sizeof(rx)));
    putf(p, QPW_STYLE_NORMAL, "received", "%s, %s", qpw_words_many(c->rx_packets, "packet", rx, sizeof(rx)),
         qpw_words_bytes(c->rx_bytes, tx, sizeof(tx)));
    putf(p, QPW_STYLE_NORMAL, "sent", "%s, %s", qpw_words_many(c->tx_packets, "packet", rx, sizeof(rx)),
         qpw_words_bytes(c->tx_bytes, tx, sizeof(tx)));
    putf(p, QPW_STYLE_NORMAL, "now", "%s in, %s out", qpw_words_rate(row->rate.rx_bytes, !state->bytes, rx, sizeof(rx)),
         qpw_words_rate(row->rate.tx_bytes, !state->bytes, tx, sizeof(tx)));
}

static void put_times(struct pen *p, const struct qpw_model *m, const struct qpw_row *row)
{
    char when[40], age[16];

    for (int last = 0; last < 2; last++) {
        uint64_t ns = last ? row->last_unix_ns : row->first_unix_ns;

        if (!ns)
            continue;
        qpw_words_age(m->now->unix_ns > ns ? m->now->unix_ns - ns : 0, age, sizeof(age));
        putf(p, QPW_STYLE_NORMAL, last ? "last seen" : "first seen", "%s, %s%s",
             qpw_words_time(ns, when, sizeof(when)), age, strcmp(age, "now") ? " ago" : "");
    }
}

static void put_rule(struct pen *p, const struct qpw_model *m, const char *label, unsigned rule)
{
    const struct qpw_rule_info *info = rule && rule < m->now->n_rules ? &m->now->rules[rule] : NULL;

    if (!info) {
        put(p, QPW_STYLE_NORMAL, label, "none matches");
        return;
    }
    if (info->line)
        putf(p, QPW_STYLE_NORMAL, label, "%.48s (%.96s:%u%s)", info->name, info->file, info->line,
             info->in_force ? "" : ", no longer in force");
    else
        putf(p, QPW_STYLE_NORMAL, label, "%.48s (built-in)", info->name);
    if (info->text[0])
        putf(p, QPW_STYLE_NOTE, "", "%.160s", info->text);
}

/* Put the line alone and undecorated, so that a terminal's own selection takes exactly it. */
static void put_allow(struct pen *p, const struct qpw_model *m, const struct qpw_row *row)
{
    char line[256];
    bool there = qpw_allow_line(m, row, line, sizeof(line)) == 0;

    put(p, there ? QPW_STYLE_BOLD : QPW_STYLE_DIM, there ? "to allow (y)" : "to allow", line);
}

/* Put the alert log's sentences about it. */
static void put_meaning(struct pen *p, const struct qpw_model *m, const struct qpw_finding_row *f)
{
    const struct qpw_signature *signature = qpw_signature(qpw_signature_of(f));
    struct qpw_engine_context context = qpw_text_context(m->now);
    struct qpw_text_about about = {.context = &context, .row = f};
    char text[800];

    if (signature->id)
        putf(p, QPW_STYLE_NORMAL, "meaning", "%s", qpw_text_fill(signature->text, &about, text, sizeof(text)));
}

static void put_severity(struct pen *p, const struct qpw_model *m, const struct qpw_row *row,
                         const struct qpw_finding_row *f)
{
    char service[64], life[360];

    qpw_words_service_named(f->key.kind, f->key.protocol, f->key.port, service, sizeof(service));
    putf(p, f->key.verdict == QPW_VERDICT_UNEXPECTED ? QPW_STYLE_BAD : QPW_STYLE_BOLD, "finding", "%s %s %s, %s: %s",
         qpw_severity_name(row->severity), qpw_direction_name(f->key.direction), service,
         qpw_verdict_name(f->key.verdict), qpw_outcome_name(f->value.outcome));
    if (!qpw_finding_open(f))
        put(p, QPW_STYLE_DIM, "", qpw_words_life(m->now, f, life, sizeof(life)));
    if (f->value.flags & QPW_FINDING_MULTICAST)
        put(p, QPW_STYLE_DIM, "", "to a multicast or broadcast address");
    if (f->value.flags & QPW_FINDING_RESERVED)
        put(p, QPW_STYLE_NOTE, "", "first answered exchange of its port: kept in a reserved slot");
}

static void paint_finding(struct pen *p, const struct qpw_model *m, const struct qpw_view_state *state,
                          const struct qpw_row *row)
{
    const struct qpw_finding_row *f = row->source;
    const char *process = qpw_model_process(m, f), *peer = qpw_model_peer(m, f->value.peer);
    char from[112], to[112];

    put_severity(p, m, row, f);
    qpw_words_end_named(f->key.kind, f->key.initiator, "", from, sizeof(from));
    qpw_words_end_named(f->key.kind, f->key.responder, "", to, sizeof(to));
    if (f->key.direction == QPW_DIR_UNKNOWN)
        putf(p, QPW_STYLE_NORMAL, "between", "%s and %s (could not tell which side opened it)", from, to);
    else if (f->value.initiator_port)
        putf(p, QPW_STYLE_NORMAL, "initiator", "%s, first from port %u%s", from, f->value.initiator_port,
             f->key.direction == QPW_DIR_OUTBOUND ? ", this node" : "");
    else
        putf(p, QPW_STYLE_NORMAL, "initiator", "%s%s", from, f->key.direction == QPW_DIR_OUTBOUND ? ", this node" : "");
    if (f->key.direction != QPW_DIR_UNKNOWN)
        putf(p, QPW_STYLE_NORMAL, "responder", "%s%s", to, f->key.direction == QPW_DIR_INBOUND ? ", this node" : "");
    if (*peer)
        put(p, QPW_STYLE_NORMAL, "peer", peer);
    put(p, QPW_STYLE_NORMAL, "process", *process ? process : "not known (it has ended, or no process holds the port)");
    putf(p, QPW_STYLE_NORMAL, "evidence", "%s%s%s", qpw_evidence_name(f->value.evidence), f->value.reason ? ", " : "",
         f->value.reason ? qpw_reason_name(f->value.reason) : "");
    put_meaning(p, m, f);
    put_rule(p, m, f->key.verdict == QPW_VERDICT_UNEXPECTED && f->value.rule ? "rule missed" : "rule",
             f->value.rule);
    if (*qpw_words_speaks(f->value.speaks, from, sizeof(from)))
        put(p, f->key.verdict == QPW_VERDICT_MISMATCH ? QPW_STYLE_WARN : QPW_STYLE_NORMAL, "speaks", from);
    put_allow(p, m, row);
    put_counts(p, state, row);
    put_times(p, m, row);
    putf(p, QPW_STYLE_NORMAL, "interface", "%s%s", qpw_model_iface(m, f->value.iface),
         f->value.vlan ? "" : ", untagged");
    if (f->value.vlan)
        putf(p, QPW_STYLE_NORMAL, "vlan", "%u", f->value.vlan);
    if (f->key.kind == QPW_KIND_ICMP)
        putf(p, QPW_STYLE_NORMAL, "icmp code", "%u", f->value.icmp_code);
    putf(p, QPW_STYLE_DIM, "flow_id", "%s (the same in its alert log records)",
         qpw_words_exact(f->flow_id, from, sizeof(from)));
}

static void paint_meter(struct pen *p, const struct qpw_model *m, const struct qpw_view_state *state,
                        const struct qpw_row *row)
{
    const struct qpw_meter_row *meter = row->source;
    const struct qpw_track *track = qpw_track_find(&m->tracks, row->id);
    float values[QPW_HISTORY] = {0};
    char service[64], bars[4 * QPW_HISTORY];
    const char *peer = qpw_model_peer(m, meter->key.peer);

    qpw_words_service_named(qpw_row_subject_of(row).kind, meter->key.protocol, meter->key.port, service, sizeof(service));
    putf(p, QPW_STYLE_BOLD, "meter", "%s %s, %s, scope %s", qpw_direction_name(meter->key.direction), service,
         qpw_verdict_name(meter->key.verdict), qpw_scope_name(meter->key.scope));
    if (meter->key.reason)
        put(p, QPW_STYLE_NORMAL, "reason", qpw_reason_name(meter->key.reason));
    if (*peer)
        put(p, QPW_STYLE_NORMAL, "peer", peer);
    put_rule(p, m, "rule", meter->key.rule);
    put_allow(p, m, row);
    put_counts(p, state, row);
    if (track)
        qpw_track_history(&m->tracks, track, values, QPW_HISTORY);
    put(p, QPW_STYLE_GRAPH, "history", qpw_words_sparkline(values, QPW_HISTORY, bars, sizeof(bars)));
    put_times(p, m, row);
    put(p, QPW_STYLE_NORMAL, "interface", qpw_model_iface(m, meter->key.iface));
}

/* Put every cell of the row, one per line, for rows that are no more than their columns. */
static void paint_cells(struct pen *p, const struct qpw_model *m, const struct qpw_view_state *state,
                        const struct qpw_row *row)
{
    const struct qpw_tab_columns *tab = qpw_tab_columns(state->tab);
    char text[512];

    for (size_t i = 0; i < tab->n; i++) {
        qpw_cell_text(&(struct qpw_cell_of){m, state, row, 80}, tab->columns[i].id, text, sizeof(text));
        if (*text && strcmp(text, "-"))
            put(p, qpw_cell_style(m, row, tab->columns[i].id), tab->columns[i].title, text);
    }
}

/* What the peer's alert log said last, as far as it was heard. */
static void paint_peer_events(struct pen *p, const struct qpw_peer_events *e, const char *newest)
{
    if (*newest)
        put(p, e->severity == QPW_SEVERITY_HIGH ? QPW_STYLE_BAD : QPW_STYLE_NORMAL, "newest", newest);
    if (e->number)
        putf(p, QPW_STYLE_NORMAL, "its log", "heard up to record %" PRIu64, e->number);
    if (e->missed)
        putf(p, QPW_STYLE_WARN, "", "%" PRIu64 " of its records never came", e->missed);
    if (*e->trouble)
        put(p, QPW_STYLE_WARN, "", e->trouble);
}

static void paint_peer_status(struct pen *p, const struct qpw_model *m, const struct qpw_peer_status *peer)
{
    struct qpw_peer_words words;
    char time[40];

    qpw_peer_words(peer, m->now->unix_ns, &words);
    putf(p, words.stale ? QPW_STYLE_BAD : QPW_STYLE_BOLD, "peer", "%s%s", peer->name, words.stale ? ", stale" : "");
    put(p, QPW_STYLE_NORMAL, "answer", words.answer);
    putf(p, QPW_STYLE_NORMAL, "statement", "%s%s", words.age, peer->got_unix_ns ? " ago" : "");
    if (*peer->result)
        putf(p, QPW_STYLE_NORMAL, "last poll", "%s, %s", qpw_words_time(peer->polled_unix_ns, time, sizeof(time)), peer->result);
    if (*words.trouble)
        put(p, QPW_STYLE_WARN, "trouble", words.trouble);
    if (*peer->version)
        put(p, QPW_STYLE_NORMAL, "version", peer->version);
    if (*peer->policy)
        put(p, QPW_STYLE_NORMAL, "policy", peer->policy);
    if (*peer->monitored)
        put(p, QPW_STYLE_NORMAL, "monitors", peer->monitored);
    if (*peer->epoch)
        putf(p, QPW_STYLE_NORMAL, "epoch", "%s, statement %" PRIu64, peer->epoch, peer->seq);
    if (peer->has_offset)
        putf(p, QPW_STYLE_NORMAL, "clock", "%+" PRId64 " us since boot against this node's, +/- %" PRIu64 " us", peer->offset_us,
             peer->offset_error_us);
    paint_peer_events(p, &peer->events, words.newest);
    for (size_t i = 0; i < peer->n_polls; i++)
        if (peer->polls[i].n)
            putf(p, QPW_STYLE_NORMAL, i ? "" : "polls", "%s %" PRIu64, peer->polls[i].name, peer->polls[i].n);
}

static void paint_found(struct pen *p, const struct qpw_found *f)
{
    const struct qpw_signature *signature = qpw_signature(f->signature);
    char time[40];

    putf(p, signature->severity == QPW_SEVERITY_HIGH ? QPW_STYLE_BAD : QPW_STYLE_BOLD, "difference", "%s, %s", qpw_severity_name(signature->severity),
         signature->name);
    put(p, QPW_STYLE_NORMAL, "meaning", f->text);
    if (*f->command)
        put(p, QPW_STYLE_BOLD, "settled by", f->command);
    put(p, QPW_STYLE_NORMAL, "since", qpw_words_time(f->since_unix_ns, time, sizeof(time)));
    if (f->elsewhere)
        put(p, QPW_STYLE_DIM, "", "reported by another node");
}

int qpw_details_paint(struct qpw_canvas *c, const struct qpw_model *m, const struct qpw_view_state *state,
                      const struct qpw_row *row, int first_row, int height)
{
    struct pen pen = {c, first_row, height, state->details_top, 0};
    const struct qpw_line *line = row && row->kind == QPW_ROW_LINE ? row->source : NULL;

    if (!row) {
        put(&pen, QPW_STYLE_DIM, "", "This row no longer exists. Esc goes back.");
        return pen.n;
    }
    if (row->kind == QPW_ROW_FINDING)
        paint_finding(&pen, m, state, row);
    else if (row->kind == QPW_ROW_METER)
        paint_meter(&pen, m, state, row);
    else if (line && line->peer)
        paint_peer_status(&pen, m, line->peer);
    else if (line && line->found)
        paint_found(&pen, line->found);
    else
        paint_cells(&pen, m, state, row);
    return pen.n;
}
