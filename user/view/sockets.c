/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sockets.c - the rows of the tabs Connections and Listeners, which are read besides the snapshots. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "view/columns.h"
#include "view/more.h"

#define MOST_CONNECTIONS 10000u /* that match the filter and are kept for the screen */

/* Convert a time of the instance's clock to Unix time. */
static uint64_t unix_of(const struct qpw_snapshot *s, uint64_t mono_ns)
{
    return s->mono_ns > mono_ns ? s->unix_ns - (s->mono_ns - mono_ns) : s->unix_ns;
}

int qpw_model_add_connections(struct qpw_model *m)
{
    for (size_t i = 0; i < m->n_conns; i++) {
        const struct qpw_connection *c = &m->conns[i];
        struct qpw_row *row = qpw_model_add_row(m);

        if (!row)
            return -ENOMEM;
        row->kind = QPW_ROW_CONNECTION;
        row->id = qpw_track_id(&m->tracks, QPW_TRACK_CONNECTION, &c->key, sizeof(c->key));
        row->source = c;
        row->counts.connections = 1;
        row->first_unix_ns = unix_of(m->now, c->conn.first_ns);
        row->last_unix_ns = unix_of(m->now, c->conn.last_ns);
    }
    return 0;
}

int qpw_model_add_listeners(struct qpw_model *m)
{
    const struct qpw_listening *l = m->listening;

    for (size_t i = 0; l && i < l->n + l->n_idle; i++) {
        uint32_t rule = i < l->n ? l->rows[i].rule : l->idle[i - l->n];
        struct qpw_row *row;

        if (rule >= m->now->n_rules)
            continue; /* its rule is from a reload after this snapshot; the next one has it */
        row = qpw_model_add_row(m);
        if (!row)
            return -ENOMEM;
        row->kind = i < l->n ? QPW_ROW_LISTENER : QPW_ROW_IDLE;
        row->id = i + 1;
        row->number = rule;
        if (i < l->n) {
            row->source = &l->rows[i];
            row->first_unix_ns = l->rows[i].listener->owner.started_unix_ns;
        } else {
            row->source = &m->now->rules[rule];
        }
    }
    return 0;
}

/* ---- Reading ---- */

struct choice {
    const struct qpw_model *m;
    struct qpw_filter filter; /* without free words and processes, which are tested on the kept rows only */
};

static bool is_wanted(void *data, const struct qpw_connection *connection)
{
    const struct choice *choice = data;
    struct qpw_row row = {.kind = QPW_ROW_CONNECTION, .source = connection};
    struct qpw_facts facts;

    qpw_row_facts(choice->m, &row, &facts);
    facts.has = qpw_tab_columns(QPW_TAB_CONNECTIONS)->fields & ~(1u << QPW_FIELD_PROC);
    return qpw_filter_match(&choice->filter, &facts);
}

static int read_connections(struct qpw_model *m, const struct qpw_filter *filter, const struct qpw_view_more *more,
                            struct qpw_error *err)
{
    struct choice choice = {.m = m};
    struct qpw_connections_wanted wanted = {is_wanted, &choice, MOST_CONNECTIONS};
    struct qpw_connections read = {0};
    int r;

    for (size_t i = 0; i < filter->n_terms; i++)
        if (filter->terms[i].field != QPW_FIELD_WORD) {
            choice.filter.terms[choice.filter.n_terms++] = filter->terms[i];
            choice.filter.fields |= 1u << filter->terms[i].field;
        }
    r = more->connections(more->context, m->now, &wanted, &read, err);
    if (r < 0)
        return r;
    free(m->conns);
    m->conns = read.rows;
    m->n_conns = read.n;
    m->n_conns_left_out = read.left_out;
    return 0;
}

static void read_listeners(struct qpw_model *m, const struct qpw_view_more *more)
{
    struct qpw_error err;

    m->listening_why[0] = '\0';
    if (more->listening(more->context, m->now, &m->listening, &err) < 0) {
        m->listening = NULL;
        snprintf(m->listening_why, sizeof(m->listening_why), "%.255s", err.text);
    }
}

int qpw_model_read_more(struct qpw_model *m, const struct qpw_view_state *state, const struct qpw_view_more *more,
                        struct qpw_error *err)
{
    if (state->tab != QPW_TAB_CONNECTIONS && state->tab != QPW_TAB_LISTENERS && state->tab != QPW_TAB_CLUSTER)
        return 0;
    m->n_rows = 0; /* they point into the old data */
    if (state->tab == QPW_TAB_CONNECTIONS)
        return read_connections(m, &state->filter, more, err);
    if (state->tab == QPW_TAB_LISTENERS)
        read_listeners(m, more);
    else
        qpw_model_read_cluster(m, more);
    return 0;
}
