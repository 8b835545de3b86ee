/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* grouping.c - rows of the tab Unexpected: grouped as in the report, by remote host, by process, or not at all. */
#include <errno.h>
#include <string.h>

#include "facts/life.h"
#include "view/columns.h"

const char *qpw_grouping_name(enum qpw_grouping grouping)
{
#define NAME(s, n) n,
    static const char *const names[] = {QPW_GROUPINGS(NAME)};
#undef NAME

    return grouping < QPW_GROUPING_COUNT ? names[grouping] : "";
}

static void set_rate(const struct qpw_model *m, const struct qpw_finding_row *f, struct qpw_row *row)
{
    const struct qpw_track *track =
        qpw_track_find(&m->tracks, qpw_track_id(&m->tracks, QPW_TRACK_FINDING, &f->key, sizeof(f->key)));

    if (!track)
        return;
    row->rate.connections += track->rate.connections;
    row->rate.rx_packets += track->rate.rx_packets;
    row->rate.rx_bytes += track->rate.rx_bytes;
    row->rate.tx_packets += track->rate.tx_packets;
    row->rate.tx_bytes += track->rate.tx_bytes;
    if (track->changed_unix_ns > row->last_unix_ns)
        row->last_unix_ns = track->changed_unix_ns;
}

static uint8_t past_of(const struct qpw_finding_row *f)
{
    struct qpw_finding_life life = qpw_finding_life(f);

    if (life.state == QPW_FINDING_OPEN)
        return 0;
    return (uint8_t)(1 + 2 * (life.state == QPW_FINDING_CLOSED) + !qpw_finding_answered(f));
}

int qpw_model_add_finding(struct qpw_model *m, const struct qpw_finding_row *f)
{
    struct qpw_row *row = qpw_model_add_row(m);

    if (!row)
        return -ENOMEM;
    row->kind = QPW_ROW_FINDING;
    row->id = qpw_track_id(&m->tracks, QPW_TRACK_FINDING, &f->key, sizeof(f->key));
    row->source = f;
    row->counts = f->counts;
    row->first_unix_ns = f->first_unix_ns;
    row->last_unix_ns = f->last_unix_ns;
    /* After the open ones. */
    row->severity = (uint8_t)(qpw_finding_open(f) ? qpw_finding_severity(f) : QPW_SEVERITY_INFO);
    row->past = past_of(f);
    set_rate(m, f, row);
    return 0;
}

/* Return a group's id, which is stable as long as its first finding is. */
static uint64_t id_of(const struct qpw_model *m, const struct qpw_finding_line *line)
{
    return qpw_track_id(&m->tracks, QPW_TRACK_GROUP, &line->first->key, sizeof(line->first->key));
}

static int add_group(struct qpw_model *m, const struct qpw_finding_line *line)
{
    struct qpw_row *row;

    if (line->findings == 1)
        return qpw_model_add_finding(m, line->first);
    row = qpw_model_add_row(m);
    if (!row)
        return -ENOMEM;
    row->kind = QPW_ROW_GROUP;
    row->id = id_of(m, line);
    row->source = line;
    row->counts = line->counts;
    row->first_unix_ns = line->first_unix_ns;
    row->last_unix_ns = line->last_unix_ns;
    row->severity = (uint8_t)(qpw_finding_open(line->first) ? qpw_finding_line_severity(line) : QPW_SEVERITY_INFO);
    row->past = past_of(line->first);
    for (size_t i = 0; i < line->findings; i++)
        set_rate(m, line->members[i], row);
    return 0;
}

static int by_host(const struct qpw_finding_row *a, const struct qpw_finding_row *b, void *model)
{
    (void)model;
    return memcmp(qpw_finding_remote(&a->key), qpw_finding_remote(&b->key), 16);
}

/* Compare by the process itself, however it was found: "python3[812] root (listener)". */
static int by_process(const struct qpw_finding_row *a, const struct qpw_finding_row *b, void *model)
{
    const char *x = qpw_model_process(model, a), *y = qpw_model_process(model, b);
    const char *x_end = strstr(x, " ("), *y_end = strstr(y, " (");
    size_t n = x_end ? (size_t)(x_end - x) : strlen(x), m = y_end ? (size_t)(y_end - y) : strlen(y);
    int r = memcmp(x, y, n < m ? n : m);

    return r ? r : (n > m) - (n < m);
}

/* Add the members of the opened group. *ret_there: whether it still exists. */
static int add_opened(struct qpw_model *m, uint64_t id, bool *ret_there)
{
    int r = 0;

    *ret_there = false;
    for (size_t i = 0; i < m->found.n_lines + m->found.n_past && !*ret_there; i++) {
        const struct qpw_finding_line *line = i < m->found.n_lines ? &m->found.lines[i] : &m->found.past[i - m->found.n_lines];

        if (line->findings == 1 || id_of(m, line) != id)
            continue;
        *ret_there = true;
        for (size_t k = 0; r == 0 && k < line->findings; k++)
            r = qpw_model_add_finding(m, line->members[k]);
    }
    return r;
}

int qpw_model_add_groups(struct qpw_model *m, const struct qpw_view_state *state)
{
    bool opened = false;
    int r;

    qpw_findings_clear(&m->found);
    r = qpw_findings_make(m->now, 0, &m->found);
    if (r == 0 && state->grouping == QPW_GROUPING_HOST)
        r = qpw_findings_regroup(&m->found, by_host, m);
    else if (r == 0 && state->grouping == QPW_GROUPING_PROCESS)
        r = qpw_findings_regroup(&m->found, by_process, m);
    if (r == 0 && state->opened)
        r = add_opened(m, state->opened, &opened);
    for (size_t i = 0; r == 0 && !opened && i < m->found.n_lines; i++)
        r = add_group(m, &m->found.lines[i]);
    for (size_t i = 0; r == 0 && !opened && i < m->found.n_past; i++)
        r = add_group(m, &m->found.past[i]);
    for (size_t i = 0; r == 0 && !opened && i < m->now->n_findings; i++)
        if (qpw_finding_life(&m->now->findings[i]).by == QPW_CLOSED_BY_SUPERSEDED)
            r = qpw_model_add_finding(m, &m->now->findings[i]);
    return r;
}

static bool same_ends(const struct qpw_finding_line *line)
{
    return line->initiators == 1 && line->responders == 1;
}

enum qpw_row_scope qpw_row_scope(const struct qpw_row *row, const struct qpw_finding_row **ret_first)
{
    const struct qpw_finding_line *line = row->kind == QPW_ROW_GROUP ? row->source : NULL;
    const struct qpw_finding_key *key = line ? &line->first->key : NULL;

    *ret_first = row->kind == QPW_ROW_FINDING ? row->source : line ? line->first : NULL;
    if (!line)
        return *ret_first ? QPW_SCOPE_FINDING : QPW_SCOPE_NOTHING;
    if (line->both_ways)
        return QPW_SCOPE_NOTHING;
    if (line->ports == 1 && (key->kind == QPW_KIND_PORT || key->kind == QPW_KIND_ICMP || key->kind == QPW_KIND_PROTOCOL))
        return QPW_SCOPE_SERVICE;
    return same_ends(line) ? QPW_SCOPE_REMOTE : QPW_SCOPE_NOTHING;
}
