/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* header.c - the header: what is watched, the answer, rates with their history, shares, findings, losses. */
#include <stdio.h>
#include <string.h>

#include "alert/signatures.h"
#include "util/names.h"
#include "words/words.h"
#include "view/screen.h"
#include "words/answer.h"
#include "words/printer.h"

#define USUAL_BEAT_NS 3000000000ull /* the auditor updates its heartbeat every second */

static uint8_t answer_style(unsigned state)
{
    enum qpw_text_style style = qpw_style_of_answer(state);

    return style == QPW_TEXT_BAD ? QPW_STYLE_BAD : style == QPW_TEXT_DOUBT ? QPW_STYLE_WARN : QPW_STYLE_GOOD;
}

/* Write interface and mode of the first one, and the number of others. */
static void interfaces_text(const struct qpw_snapshot *s, char *buf, size_t size)
{
    const char *mode = s->n_ifaces ? qpw_words_mode(s->ifaces[0].hook) : "";
    char more[16];

    if (!s->n_ifaces) {
        snprintf(buf, size, "no interface");
        return;
    }
    if (s->n_ifaces > 1)
        snprintf(buf, size, "%s%s%s +%s more", s->ifaces[0].name, *mode ? " " : "", mode,
                 qpw_words_count(s->n_ifaces - 1, more, sizeof(more)));
    else
        snprintf(buf, size, "%s%s%s", s->ifaces[0].name, *mode ? " " : "", mode);
}

/* Return the policy's name, or its file if it has none. */
static const char *policy_text(const struct qpw_snapshot *s, char *buf, size_t size)
{
    return *s->meta.policy_name && !strchr(qpw_words_policy(s->meta.policy_name, s->meta.policy_path, buf, size), '(')
               ? buf : *s->meta.policy_name ? s->meta.policy_name : "none";
}

static void paint_title(struct qpw_canvas *c, const struct qpw_model *m, const struct qpw_view_state *state)
{
    const struct qpw_snapshot *s = m->now;
    const struct qpw_sight *sight = &m->answer.sight;
    uint64_t beat = sight->heartbeat_age_ns;
    char interfaces[128], policy[QPW_NAME_LEN + sizeof(s->meta.policy_path) + 16], age[16], right[80], clock[16];
    uint8_t style = sight->auditor == QPW_AUDITOR_ALIVE ? QPW_STYLE_GOOD : QPW_STYLE_BAD;
    int col;

    interfaces_text(s, interfaces, sizeof(interfaces));
    qpw_words_age(s->unix_ns > s->from_unix_ns ? s->unix_ns - s->from_unix_ns : 0, age, sizeof(age));
    col = qpw_canvas_printf(c, (struct qpw_box){0, 0, c->cols}, QPW_STYLE_BOLD, "%s ", s->host[0] ? s->host : "qportwatch");
    qpw_canvas_printf(c, (struct qpw_box){0, col, c->cols - col}, QPW_STYLE_NORMAL, "%s · %s · %s %s", interfaces,
                      policy_text(s, policy, sizeof(policy)), s->replay ? "capture of" : "attached", age);
    if (s->replay)
        snprintf(right, sizeof(right), " capture");
    else if (sight->auditor == QPW_AUDITOR_NONE)
        snprintf(right, sizeof(right), " NO AUDITOR");
    else if (beat < USUAL_BEAT_NS)
        snprintf(right, sizeof(right), " auditor alive");
    else
        snprintf(right, sizeof(right), sight->auditor == QPW_AUDITOR_SILENT ? " AUDITOR SILENT %s" : " auditor %s ago",
                 qpw_words_age(beat, age, sizeof(age)));
    if (!s->replay)
        snprintf(right + strlen(right), sizeof(right) - strlen(right), " %sZ",
                 qpw_words_moment(s->unix_ns, s->unix_ns, clock, sizeof(clock)));
    col = c->cols - qpw_text_width(right);
    qpw_canvas_text(c, 0, col, c->cols, style, right);
    if (state->paused)
        qpw_canvas_text(c, 0, col -= 7, 7, QPW_STYLE_WARN, " PAUSED");
    if (sight->unhooked + sight->gone)
        qpw_canvas_printf(c, (struct qpw_box){0, col - 19, 19}, QPW_STYLE_BAD, " %2zu NOT ATTACHED!  ", sight->unhooked + sight->gone);
}

/* Paint which span of the history is shown, in place of live information. */
static void paint_past(struct qpw_canvas *c, const struct qpw_model *m)
{
    const struct qpw_snapshot *s = m->now;
    char period[96], right[160], blind[40], policy[QPW_NAME_LEN + sizeof(s->meta.policy_path) + 16];
    int col = qpw_canvas_printf(c, (struct qpw_box){0, 0, c->cols}, QPW_STYLE_BOLD, "%s ", s->host[0] ? s->host : "qportwatch");

    qpw_canvas_text(c, 0, col, c->cols - col, QPW_STYLE_NORMAL, policy_text(s, policy, sizeof(policy)));
    snprintf(right, sizeof(right), " HISTORY %s", qpw_words_period(m->past.from_unix_ns, m->past.to_unix_ns, period, sizeof(period)));
    if (m->past.blind_ns && qpw_text_width(right) + 36 < c->cols)
        snprintf(right + strlen(right), sizeof(right) - strlen(right), ", not seen: %s",
                 qpw_words_duration(m->past.blind_ns, blind, sizeof(blind)));
    col = c->cols - qpw_text_width(right);
    qpw_canvas_text(c, 0, col < 0 ? 0 : col, c->cols, QPW_STYLE_WARN, right);
}

struct rate_area {
    int row, col;
    int graph; /* width of the graph after the figures */
};

/* Paint figures and graph of one direction. Returns the column after them. */
static int paint_rate(struct qpw_canvas *c, struct rate_area at, const struct qpw_model *m,
                      const struct qpw_view_state *state, bool rx)
{
    int row = at.row, col = at.col, graph = at.graph;
    const struct qpw_rate *rate = &m->tracks.total;
    float values[QPW_HISTORY_TOTAL];
    char number[16], packets[16], bars[4 * QPW_HISTORY_TOTAL];
    double bytes = rx ? rate->rx_bytes : rate->tx_bytes;

    qpw_words_short(state->bytes ? bytes : 8 * bytes, number, sizeof(number));
    qpw_words_short(rx ? rate->rx_packets : rate->tx_packets, packets, sizeof(packets));
    col = qpw_canvas_printf(c, (struct qpw_box){row, col, c->cols}, QPW_STYLE_BOLD, "%s ", rx ? "rx" : "tx");
    qpw_canvas_printf(c, (struct qpw_box){row, col, 23}, QPW_STYLE_NORMAL, "%5s %s %5s pkt/s", number,
                      state->bytes ? "B/s" : "bit/s", packets);
    col += 24 - 2 * state->bytes;
    if (m->past.to_unix_ns) {
        qpw_canvas_text(c, row, col, graph, QPW_STYLE_DIM, "on average");
        return col + graph;
    }
    qpw_tracks_total_history(&m->tracks, rx ? m->tracks.rx_history : m->tracks.tx_history, values, (size_t)graph);
    qpw_canvas_text(c, row, col, graph, QPW_STYLE_GRAPH, qpw_words_sparkline(values, (size_t)graph, bars, sizeof(bars)));
    return col + graph;
}

static void paint_rates(struct qpw_canvas *c, int row, const struct qpw_model *m, const struct qpw_view_state *state)
{
    int graph = (c->cols - 2 * 27 - 4) / 2;
    int col;

    graph = graph < 4 ? 4 : graph > QPW_HISTORY_TOTAL ? QPW_HISTORY_TOTAL : graph;
    col = paint_rate(c, (struct rate_area){row, 0, graph}, m, state, /* rx= */ true);
    paint_rate(c, (struct rate_area){row, col + 2, graph}, m, state, /* rx= */ false);
}

static uint8_t share_style(unsigned verdict, uint64_t packets)
{
    if (!packets)
        return QPW_STYLE_DIM;
    return verdict == QPW_VERDICT_UNEXPECTED ? QPW_STYLE_BAD
           : verdict == QPW_VERDICT_WEAK     ? QPW_STYLE_WARN
                                             : QPW_STYLE_NORMAL;
}

/*
 * Paint the verdicts with their shares from column 0, or only measure them unless `on`. Returns the column after them.
 */
static int put_shares(struct qpw_canvas *c, int row, const struct qpw_model *m, bool brief, bool on)
{
    static const struct {
        uint8_t verdict;
        const char *brief;
    } order[] = {{QPW_VERDICT_UNEXPECTED, "unexp"}, {QPW_VERDICT_UNDECIDED, "undec"}, {QPW_VERDICT_WEAK, "weak"},
                 {QPW_VERDICT_IMPLIED, "impl"},     {QPW_VERDICT_INFRA, "infra"},     {QPW_VERDICT_ALLOWED, "allow"},
                 {QPW_VERDICT_PEER, "peer"},        {QPW_VERDICT_TRANSIT, "trans"}};
    char share[16], text[64];
    int col = 0;

    for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++) {
        uint64_t packets = m->totals.by_verdict[order[i].verdict].packets;

        if (!packets && c->cols < 140)
            continue;
        if (brief)
            qpw_words_share_short(packets, m->totals.all.packets, share, sizeof(share));
        else
            qpw_words_share(packets, m->totals.all.packets, share, sizeof(share));
        snprintf(text, sizeof(text), "%s %s", brief ? order[i].brief : qpw_verdict_name(order[i].verdict), share);
        if (on)
            qpw_canvas_text(c, row, col, c->cols - col, share_style(order[i].verdict, packets), text);
        col += qpw_text_width(text) + (brief ? 1 : 2);
    }
    return col;
}

static void paint_shares(struct qpw_canvas *c, int row, const struct qpw_model *m)
{
    bool brief = put_shares(c, row, m, /* brief= */ false, /* on= */ false) > c->cols + 2;
    int col = put_shares(c, row, m, brief, /* on= */ true);
    char number[16];

    if (col + 14 < c->cols)
        qpw_canvas_printf(c, (struct qpw_box){row, col, c->cols - col}, QPW_STYLE_DIM, "of %s packets",
                          qpw_words_short((double)m->totals.all.packets, number, sizeof(number)));
}

static void paint_counts(struct qpw_canvas *c, int row, const struct qpw_model *m)
{
    static const uint8_t styles[] = {0, QPW_STYLE_BAD, QPW_STYLE_WARN, QPW_STYLE_NOTE, QPW_STYLE_NORMAL};
    int col = qpw_canvas_text(c, row, 0, c->cols, QPW_STYLE_NORMAL, m->alerts ? "alerts " : "findings ");
    char count[16];

    for (unsigned severity = 1; severity <= 4; severity++) {
        uint64_t n = m->alerts ? m->alerts[severity] : m->answer.by_severity[severity];

        col = qpw_canvas_printf(c, (struct qpw_box){row, col, c->cols - col}, n ? styles[severity] : QPW_STYLE_DIM,
                                " %s %s", qpw_severity_name(severity), qpw_words_count(n, count, sizeof(count)));
    }
    if (m->past.to_unix_ns)
        return; /* losses are not recorded by time */
    col = qpw_canvas_text(c, row, col, c->cols - col, QPW_STYLE_NORMAL, "   losses ");
    if (m->answer.losses.lost)
        qpw_canvas_printf(c, (struct qpw_box){row, col, c->cols - col}, QPW_STYLE_BAD, "%s (%s)!",
                          qpw_words_count(m->answer.losses.lost, count, sizeof(count)),
                          qpw_loss_name(m->answer.losses.worst));
    else
        qpw_canvas_text(c, row, col, c->cols - col, QPW_STYLE_GOOD, "0");
}

int qpw_header_rows(int rows)
{
    return rows < 14 ? 2 : 5;
}

int qpw_header_paint(struct qpw_canvas *c, const struct qpw_model *m, const struct qpw_view_state *state)
{
    char answer[320];

    if (!m->now) {
        qpw_canvas_text(c, 0, 0, c->cols, QPW_STYLE_BOLD, "qportwatch: waiting for the first snapshot");
        return qpw_header_rows(c->rows);
    }
    if (m->past.to_unix_ns)
        paint_past(c, m);
    else
        paint_title(c, m, state);
    qpw_canvas_text(c, 1, 0, c->cols, answer_style(m->answer.state),
                    qpw_words_headline_within(&m->answer, m->now->unix_ns, c->cols, answer, sizeof(answer)));
    if (qpw_header_rows(c->rows) == 5) {
        paint_rates(c, 2, m, state);
        paint_shares(c, 3, m);
        paint_counts(c, 4, m);
    }
    return qpw_header_rows(c->rows);
}
