/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "alert/engine.h"

#include <errno.h>
#include <stdlib.h>

#include "alert/internal.h"
#include "facts/losses.h"

/* Ignore records later than now: the clock was set back, or the line was forged. */
#define FUTURE_SLACK_NS SECOND

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
    qpw_engine_key(e, "", 0);
    if (settings)
        e->settings = *settings;
    e->writer = *writer;
    *ret = e;
    return 0;
}

void qpw_engine_key(struct qpw_engine *e, const void *secret, size_t size)
{
    hmac_sha256_set_key(&e->keyed, size, secret);
}

void qpw_engine_free(struct qpw_engine *e)
{
    if (!e)
        return;
    for (size_t i = 0; i < e->n_states; i++)
        free(e->states[i].process);
    for (size_t i = 0; i < e->n_aggregates; i++)
        qpw_aggregate_end(&e->aggregates[i]);
    free(e->fresh);
    qpw_suppressed_clear(e);
    qpw_cluster_clear(e);
    qpw_idmap_clear(&e->state_index);
    qpw_idmap_clear(&e->aggregate_index);
    qpw_idmap_clear(&e->steps);
    qpw_idmap_clear(&e->peer_ports);
    free(e->states);
    free(e->aggregates);
    free(e);
}

int qpw_engine_restore(struct qpw_engine *e, const struct qpw_engine_past *past, uint64_t now_ns)
{
    bool later = past->written_unix_ns > now_ns + FUTURE_SLACK_NS;
    struct qpw_alert_state *state;

    if (past->coverage_unix_ns > e->coverage_ns && past->coverage_unix_ns <= now_ns + FUTURE_SLACK_NS)
        e->coverage_ns = past->coverage_unix_ns;
    if (past->step)
        qpw_idmap_set(&e->steps, past->step, 1); /* if out of memory, it is reported again */
    if (!past->flow_id)
        return 0;
    state = qpw_engine_state(e, past->flow_id);
    if (!state)
        return -ENOMEM;
    if (past->sequence < state->sequence)
        return 0;
    state->sequence = past->sequence;
    state->written_ns = later ? 0 : past->written_unix_ns;
    state->reported = past->count;
    state->outcome = past->outcome;
    state->state = past->kind == QPW_RECORD_CLOSED         ? QPW_ALERT_STATE_CLOSED
                  : past->kind == QPW_RECORD_ACKNOWLEDGED ? QPW_ALERT_STATE_ACKNOWLEDGED : QPW_ALERT_STATE_WRITTEN;
    state->ends = past->ends;
    for (unsigned s = 1; s < QPW_SIG_COUNT; s++)
        if (qpw_signature(s)->id == past->signature_id)
            state->signature = s;
    return 0;
}

void qpw_engine_context(struct qpw_engine *e, const struct qpw_engine_context *context, uint64_t now_ns)
{
    bool answered_lost = e->context.answered_lost; /* from a snapshot, so it must survive a change of names */
    size_t programs_unknown = e->context.programs_unknown;

    e->context = *context;
    e->context.programs_unknown += programs_unknown;
    e->context.answered_lost |= answered_lost;
    e->blocked = false;
    qpw_suppressed_context(e, now_ns);
    qpw_suppressed_write(e, now_ns);
}

void qpw_engine_programs_unknown(struct qpw_engine *e, size_t n)
{
    e->context.programs_unknown = n;
}

int qpw_engine_snapshot(struct qpw_engine *e, const struct qpw_snapshot *snapshot, uint64_t now_ns)
{
    struct qpw_losses losses;
    int r;

    qpw_losses_of(snapshot, &losses);
    e->context.answered_lost = losses.answered;
    qpw_engine_prune(e, now_ns);
    r = qpw_engine_findings(e, snapshot->findings, snapshot->n_findings, now_ns);
    qpw_health_look(e, snapshot, now_ns);
    qpw_peers_look(e, snapshot, now_ns);
    return r;
}

static void shift(uint64_t *time_ns, int64_t by_ns)
{
    if (*time_ns)
        *time_ns += (uint64_t)by_ns;
}

void qpw_engine_clock_stepped(struct qpw_engine *e, int64_t by_ns)
{
    for (size_t i = 0; i < e->n_states; i++) {
        shift(&e->states[i].written_ns, by_ns);
        shift(&e->states[i].tracked_ns, by_ns);
        shift(&e->states[i].offered_ns, by_ns);
    }
    for (size_t i = 0; i < e->n_aggregates; i++) {
        struct qpw_aggregate *g = &e->aggregates[i];

        shift(&g->last_ns, by_ns);
        shift(&g->first_ns, by_ns);
        shift(&g->over_ns, by_ns);
        if (g->service) {
            shift(&g->service->gathering_ns, by_ns);
            shift(&g->service->past_ns, by_ns);
            shift(&g->service->lead.last_unix_ns, by_ns);
        }
        for (size_t k = 0; k < QPW_AGGREGATE_RING; k++)
            if (g->ring[k])
                g->ring[k] += (uint32_t)(by_ns / (int64_t)SECOND);
    }
    for (size_t i = 0; i < QPW_MAX_PEERS; i++) {
        shift(&e->peers[i].active_ns, by_ns);
        shift(&e->peers[i].lacking_ns, by_ns);
    }
    shift(&e->pruned_ns, by_ns);
    shift(&e->heartbeat_ns, by_ns);
    for (size_t i = 0; i < e->n_fresh; i++) {
        shift(&e->fresh[i].first_unix_ns, by_ns);
        shift(&e->fresh[i].last_unix_ns, by_ns);
    }
    e->cap_second = 0;
}

void qpw_engine_tick(struct qpw_engine *e, uint64_t now_ns)
{
    qpw_engine_fresh(e, now_ns);
    e->blocked = false;
    qpw_aggregates_write(e, now_ns);
    qpw_suppressed_write(e, now_ns);
    qpw_peers_write(e, now_ns);
    qpw_health_write(e, now_ns);
}

void qpw_engine_finish(struct qpw_engine *e, uint64_t now_ns)
{
    e->finishing = true;
    qpw_engine_tick(e, now_ns);
}

void qpw_engine_get_figures(const struct qpw_engine *e, struct qpw_engine_figures *ret)
{
    *ret = e->figures;
}

const struct qpw_engine_settings *qpw_engine_get_settings(const struct qpw_engine *e)
{
    return &e->settings;
}
