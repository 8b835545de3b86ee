/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "alert/engine.h"

#include <errno.h>
#include <stdlib.h>

#include "alert/internal.h"

void qpw_engine_defaults(struct qpw_engine_settings *ret)
{
#define SET(field, value, meaning) ret->field = value;
    QPW_ENGINE_SETTINGS(SET)
#undef SET
}

int qpw_engine_new(const struct qpw_engine_settings *settings, const struct qpw_record_writer *writer,
                   struct qpw_engine **ret)
{
    struct qpw_engine *e = calloc(1, sizeof(*e));

    if (!e)
        return -ENOMEM;
    qpw_engine_defaults(&e->settings);
    if (settings)
        e->settings = *settings;
    e->writer = *writer;
    *ret = e;
    return 0;
}

void qpw_engine_free(struct qpw_engine *e)
{
    if (!e)
        return;
    for (size_t i = 0; i < e->n_marks; i++)
        free(e->marks[i].process);
    for (size_t i = 0; i < e->n_groups; i++)
        free(e->groups[i].prefixes);
    qpw_hidden_clear(e);
    qpw_idmap_clear(&e->mark_index);
    qpw_idmap_clear(&e->group_index);
    qpw_idmap_clear(&e->peer_ports);
    free(e->marks);
    free(e->groups);
    free(e);
}

int qpw_engine_restore(struct qpw_engine *e, const struct qpw_engine_past *past)
{
    struct qpw_mark *mark;

    if (past->coverage_unix_ns > e->coverage_ns)
        e->coverage_ns = past->coverage_unix_ns;
    if (!past->flow_id)
        return 0;
    mark = qpw_engine_mark(e, past->flow_id);
    if (!mark)
        return -ENOMEM;
    if (past->sequence < mark->sequence)
        return 0;
    mark->sequence = past->sequence;
    mark->written_ns = past->written_unix_ns;
    mark->told = past->count;
    mark->outcome = past->outcome;
    mark->state = QPW_MARK_WRITTEN;
    for (unsigned s = 1; s < QPW_SIG_COUNT; s++)
        if (qpw_signature(s)->id == past->signature_id)
            mark->signature = s;
    return 0;
}

void qpw_engine_context(struct qpw_engine *e, const struct qpw_engine_context *context, uint64_t now_ns)
{
    e->context = *context;
    e->blocked = false;
    qpw_hidden_context(e, now_ns);
    qpw_hidden_write(e, now_ns);
}

int qpw_engine_snapshot(struct qpw_engine *e, const struct qpw_snapshot *snapshot, uint64_t now_ns)
{
    int rc;

    qpw_engine_prune(e, now_ns);
    rc = qpw_engine_findings(e, snapshot->findings, snapshot->n_findings, now_ns);
    qpw_health_look(e, snapshot, now_ns);
    qpw_peers_look(e, snapshot, now_ns);
    return rc;
}

void qpw_engine_tick(struct qpw_engine *e, uint64_t now_ns)
{
    e->blocked = false;
    qpw_groups_write(e, now_ns);
    qpw_hidden_write(e, now_ns);
    qpw_peers_write(e, now_ns);
    qpw_health_write(e, now_ns);
}

void qpw_engine_get_figures(const struct qpw_engine *e, struct qpw_engine_figures *ret)
{
    *ret = e->figures;
}

const struct qpw_engine_settings *qpw_engine_get_settings(const struct qpw_engine *e)
{
    return &e->settings;
}
