/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "view/model.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "util/array.h"
#include "view/columns.h"

const char *qpw_tab_name(enum qpw_tab tab)
{
#define NAME(s, n) n,
    static const char *const names[] = {QPW_TABS(NAME)};
#undef NAME

    return names[tab];
}

int qpw_tab_find(const char *name)
{
    for (int i = 0; i < QPW_TAB_COUNT; i++)
        if (*name && !strncasecmp(qpw_tab_name((enum qpw_tab)i), name, strlen(name)))
            return i;
    return -1;
}

void qpw_state_set_message(struct qpw_view_state *state, bool bad, const char *text)
{
    size_t used = 0;

    for (; *text && used + 2 < sizeof(state->message); text++) {
        if (*text != '\n') {
            state->message[used++] = *text;
            continue;
        }
        text += strspn(text, "\n ") - 1; /* join lines with semicolons */
        if (text[1])
            used += (size_t)snprintf(state->message + used, sizeof(state->message) - used, "; ");
    }
    used = used < sizeof(state->message) ? used : sizeof(state->message) - 1;
    state->message[used] = '\0';
    state->message_bad = bad;
}

void qpw_state_init(struct qpw_view_state *state)
{
    *state = (struct qpw_view_state){.interval_ms = 1000, .span = 1, .back_tab = QPW_TAB_COUNT};
    for (int i = 0; i < QPW_TAB_COUNT; i++)
        state->sort[i].column = qpw_tab_columns((enum qpw_tab)i)->sort;
}

/* ---- Snapshots ---- */

/* Remember data on peers from full snapshots, because brief ones lack connections. */
static int remember_peers(struct qpw_model *m, const struct qpw_snapshot *s)
{
    if (!s->peer_seen)
        return 0;
    if (s->n_peers > m->n_peer_seen) {
        if (!QPW_EXTEND(m->peer_seen, m->n_peer_seen, s->n_peers - m->n_peer_seen))
            return -ENOMEM;
        m->n_peer_seen = s->n_peers;
    }
    for (size_t i = 0; i < s->n_peers; i++) {
        m->peer_seen[i].v4 |= s->peer_seen[i].v4;
        m->peer_seen[i].v6 |= s->peer_seen[i].v6;
        if (s->peer_seen[i].last_unix_ns > m->peer_seen[i].last_unix_ns)
            m->peer_seen[i].last_unix_ns = s->peer_seen[i].last_unix_ns;
    }
    return 0;
}

int qpw_model_advance(struct qpw_model *m, const struct qpw_snapshot *s)
{
    int r = qpw_tracks_advance(&m->tracks, s);

    if (r < 0)
        return r;
    if (m->tracks.round == 1) { /* the first snapshot, or the first of another instance */
        m->started_unix_ns = s->unix_ns;
        m->n_peer_seen = 0;
    }
    r = remember_peers(m, s);
    if (r < 0)
        return r;
    r = qpw_answer_make(s, &m->answer);
    if (r < 0)
        return r;
    m->now = s;
    m->n_rows = m->n_lines = 0; /* they point into the previous snapshot */
    qpw_totals_of(s, &m->totals);
    return 0;
}

/* ---- Rows ---- */

static void set_track(const struct qpw_model *m, struct qpw_row *row)
{
    const struct qpw_track *track = qpw_track_find(&m->tracks, row->id);

    if (!track)
        return;
    row->rate = track->rate;
    if (track->changed_unix_ns > row->last_unix_ns)
        row->last_unix_ns = track->changed_unix_ns;
}

static int add_findings(struct qpw_model *m, const struct qpw_view_state *state)
{
    const struct qpw_snapshot *s = m->now;

    int r = 0;

    /* Rows that a filter is to match are not grouped. */
    if (state->grouping != QPW_GROUPING_NONE && !state->filter.n_terms)
        r = qpw_model_add_groups(m, state);
    else
        for (size_t i = 0; r == 0 && i < s->n_findings; i++)
            r = qpw_model_add_finding(m, &s->findings[i]);
    if (r < 0 || state->opened)
        return r;
    for (size_t i = 0; i < s->n_details; i++) {
        const struct qpw_detail_row *d = &s->details[i];
        struct qpw_row *row = qpw_model_add_row(m);

        if (!row)
            return -ENOMEM;
        row->kind = QPW_ROW_FOLDED;
        row->id = qpw_track_id(&m->tracks, QPW_TRACK_DETAIL, &d->key, sizeof(d->key));
        row->source = d;
        row->counts.rx_packets = d->packets;
        row->first_unix_ns = d->first_unix_ns;
        row->last_unix_ns = d->last_unix_ns;
        row->severity = QPW_DETAIL_SEVERITY;
    }
    return 0;
}

static int add_meters(struct qpw_model *m)
{
    for (size_t i = 0; i < m->now->n_meters; i++) {
        const struct qpw_meter_row *meter = &m->now->meters[i];
        struct qpw_row *row = qpw_model_add_row(m);

        if (!row)
            return -ENOMEM;
        row->kind = QPW_ROW_METER;
        row->id = qpw_track_id(&m->tracks, QPW_TRACK_METER, &meter->key, sizeof(meter->key));
        row->source = meter;
        row->counts = meter->counts;
        row->first_unix_ns = meter->first_unix_ns;
        set_track(m, row);
    }
    return 0;
}

static int add_peers(struct qpw_model *m)
{
    int r = qpw_model_peers(m);

    for (size_t i = 0; r == 0 && i < m->n_peers; i++) {
        const struct qpw_peer_view *peer = &m->peers[i];
        struct qpw_row *row = qpw_model_add_row(m);

        if (!row)
            return -ENOMEM;
        row->kind = QPW_ROW_PEER;
        row->id = peer->sum.number;
        row->source = peer;
        row->number = peer->sum.number;
        row->counts = peer->sum.counts;
        row->rate = peer->rate;
        row->first_unix_ns = peer->sum.first_unix_ns;
        row->last_unix_ns = peer->last_unix_ns;
    }
    return r;
}

static int add_rules(struct qpw_model *m)
{
    int r = qpw_model_rules(m);

    for (size_t i = 0; r == 0 && i < m->n_rules; i++) {
        const struct qpw_rule_view *rule = &m->rules[i];
        struct qpw_row *row = qpw_model_add_row(m);

        if (!row)
            return -ENOMEM;
        row->kind = QPW_ROW_RULE;
        row->id = rule->use.id;
        row->source = rule->use.info;
        row->number = rule->use.id;
        row->counts = rule->use.counts;
        row->rate = rule->rate;
        row->first_unix_ns = rule->use.first_unix_ns;
        row->last_unix_ns = rule->last_unix_ns;
    }
    return r;
}

static int add_lines(struct qpw_model *m, int (*make)(struct qpw_model *))
{
    int r;

    m->n_lines = 0;
    r = make(m);
    for (size_t i = 0; r == 0 && i < m->n_lines; i++) {
        struct qpw_row *row = qpw_model_add_row(m);

        if (!row)
            return -ENOMEM;
        row->kind = QPW_ROW_LINE;
        row->id = m->lines[i].id ? m->lines[i].id : i + 1;
        row->source = &m->lines[i];
        row->last_unix_ns = m->lines[i].at_unix_ns;
    }
    return r;
}

/* ---- Filter and order ---- */

static void apply_filter(struct qpw_model *m, enum qpw_tab tab, const struct qpw_filter *filter)
{
    char words[1024], process[512];
    size_t kept = 0;

    if (!filter->n_terms)
        return;
    for (size_t i = 0; i < m->n_rows; i++) {
        struct qpw_facts facts;

        qpw_row_facts(m, &m->rows[i], &facts);
        facts.has = qpw_tab_columns(tab)->fields;
        if (filter->fields & 1u << QPW_FIELD_PROC)
            facts.process = qpw_row_process(m, &m->rows[i], process, sizeof(process));
        facts.words = filter->fields & 1u << QPW_FIELD_WORD ? qpw_row_words(m, &m->rows[i], words, sizeof(words)) : "";
        if (qpw_filter_match(filter, &facts))
            m->rows[kept++] = m->rows[i];
    }
    m->n_hidden = m->n_rows - kept;
    m->n_rows = kept;
}

/* Compare by the sort key in the chosen order; on a tie the worst first, then the latest, then the busiest. */
static int compare(const void *left, const void *right, void *down)
{
    const struct qpw_row *a = left, *b = right;
    uint64_t bytes_a = a->counts.rx_bytes + a->counts.tx_bytes, bytes_b = b->counts.rx_bytes + b->counts.tx_bytes;
    int r = 0;

    if (a->key_addr && b->key_addr)
        r = memcmp(a->key_addr, b->key_addr, 16);
    if (!r && a->key_text && b->key_text)
        r = strcasecmp(a->key_text, b->key_text);
    if (!r)
        r = (a->key_number > b->key_number) - (a->key_number < b->key_number);
    if (r)
        return *(const bool *)down ? -r : r;
    r = (a->severity > b->severity) - (a->severity < b->severity); /* 1 is the worst */
    if (!r)
        r = (a->last_unix_ns < b->last_unix_ns) - (a->last_unix_ns > b->last_unix_ns);
    if (!r)
        r = (bytes_a < bytes_b) - (bytes_a > bytes_b);
    return r ? r : (a->id > b->id) - (a->id < b->id); /* stable between snapshots, so that rows do not jump */
}

static void apply_sort(struct qpw_model *m, enum qpw_tab tab, const struct qpw_sort *sort)
{
    const struct qpw_column *column = qpw_column_find(tab, sort->column);
    bool down;

    if (!column || !m->n_rows)
        return;
    for (size_t i = 0; i < m->n_rows; i++)
        qpw_cell_key(m, &m->rows[i], column->id);
    down = !!(column->flags & QPW_COLUMN_MOST_FIRST) != sort->reverse;
    qsort_r(m->rows, m->n_rows, sizeof(*m->rows), compare, &down);
}

int qpw_model_build(struct qpw_model *m, const struct qpw_view_state *state)
{
    int r = 0;

    m->n_rows = m->n_hidden = 0;
    if (!m->now && state->tab != QPW_TAB_HELP)
        return 0;
    switch (state->tab) {
    case QPW_TAB_UNEXPECTED: r = add_findings(m, state); break;
    case QPW_TAB_PORTS: r = add_meters(m); break;
    case QPW_TAB_PEERS: r = add_peers(m); break;
    case QPW_TAB_POLICY: r = add_rules(m); break;
    case QPW_TAB_CONNECTIONS: r = qpw_model_add_connections(m); break;
    case QPW_TAB_LISTENERS: r = qpw_model_add_listeners(m); break;
    case QPW_TAB_COVERAGE: r = add_lines(m, qpw_model_coverage); break;
    case QPW_TAB_CLUSTER: r = add_lines(m, qpw_model_cluster); break;
    case QPW_TAB_HELP: return add_lines(m, qpw_model_help);
    case QPW_TAB_COUNT: break;
    }
    if (r < 0)
        return r;
    apply_filter(m, state->tab, &state->filter);
    apply_sort(m, state->tab, &state->sort[state->tab]);
    return 0;
}

int qpw_model_find(const struct qpw_model *m, uint64_t id)
{
    for (size_t i = 0; id && i < m->n_rows; i++)
        if (m->rows[i].id == id)
            return (int)i;
    return -1;
}

void qpw_model_free(struct qpw_model *m)
{
    qpw_tracks_free(&m->tracks);
    qpw_findings_clear(&m->found);
    free(m->rows);
    free(m->peers);
    free(m->peer_seen);
    free(m->rules);
    free(m->lines);
    free(m->conns);
    *m = (struct qpw_model){0};
}
