/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * services.c - report the users of one answered service in one record. The first answered exchange, the lead, has an
 * alert of its own at once; exchanges with further remote ends are gathered, and so is all further activity.
 *
 * Another program that answers on the same port, or uses it outbound, makes another service, whose lead is also
 * reported separately. If the program is unknown, the port alone decides.
 */
#include <stdlib.h>
#include <string.h>

#include "alert/internal.h"
#include "facts/owner.h"
#include "facts/service.h"
#include "facts/totals.h"

#define FORGET_NS (30ull * DAY_S * SECOND) /* after this time of silence, a service is new again */
#define MAX_REMOTES 65536u

void qpw_service_clear(struct qpw_service_state *s)
{
    if (s)
        qpw_idmap_clear(&s->remotes);
    free(s);
}

/* Return a hash that identifies a program; 0: unknown. */
static uint64_t program_of(const struct qpw_engine *e, const struct qpw_process *p)
{
    char program[256];

    if (!p || p->match == QPW_MATCH_NONE || p->match == QPW_MATCH_GONE)
        return 0;
    qpw_owner_program(p, program, sizeof(program));
    return program[0] ? qpw_aggregate_keyed_id(e, QPW_AGGREGATE_SERVICE, program, strlen(program)) : 0;
}

/* Return the aggregate of that service and program, created if missing. NULL: no room. */
static struct qpw_aggregate *group_for(struct qpw_engine *e, const struct qpw_service *service, uint64_t program,
                                   uint64_t now_ns)
{
    struct {
        struct qpw_service service;
        uint64_t program;
    } id = {*service, 0};
    struct qpw_aggregate *g;

    for (;;) {
        g = qpw_aggregate_get(e, QPW_AGGREGATE_SERVICE, qpw_aggregate_keyed_id(e, QPW_AGGREGATE_SERVICE, &id, sizeof(id)), now_ns);
        if (!g)
            return NULL;
        if (!g->service && (g->service = calloc(1, sizeof(*g->service))))
            g->service->era = 1;
        if (!g->service)
            return NULL;
        if (!g->service->program)
            g->service->program = program;
        if (!program || id.program || g->service->program == program)
            return g;
        id.program = program;
    }
}

/* Return the aggregate of a finding; it never changes, even if the process becomes known later. */
static struct qpw_aggregate *group_of(struct qpw_engine *e, const struct qpw_finding_row *row, struct qpw_alert_state *state,
                                  const struct qpw_process *process, uint64_t now_ns)
{
    struct qpw_aggregate *g = state->service ? qpw_aggregate_find(e, state->service) : NULL;
    struct qpw_service service;

    if (g && g->service)
        return g;
    if (!qpw_finding_service(row, &service))
        return NULL;
    g = group_for(e, &service, program_of(e, process), now_ns);
    if (g)
        state->service = g->flow_id;
    return g;
}

/* Return whether this remote end is new to the service; beyond MAX_REMOTES every finding counts as new. */
static bool is_new_remote(struct qpw_engine *e, struct qpw_aggregate *g, const uint8_t remote[16])
{
    uint64_t id = qpw_aggregate_keyed_id(e, QPW_AGGREGATE_SERVICE, remote, 16);
    uint32_t known;

    if (qpw_idmap_get(&g->service->remotes, id, &known))
        return false;
    if (g->service->remotes.used < MAX_REMOTES)
        qpw_idmap_set(&g->service->remotes, id, 1);
    return true;
}

static void note_time(struct qpw_aggregate *g, const struct qpw_finding_row *row)
{
    if (!g->first_ns || row->first_unix_ns < g->first_ns)
        g->first_ns = row->first_unix_ns;
    if (row->last_unix_ns < g->last_ns)
        return;
    g->last_ns = row->last_unix_ns;
    g->row = *row;
}

/* Start counting further users from zero for a new lead. */
static void renew(struct qpw_aggregate *g)
{
    qpw_idmap_clear(&g->service->remotes);
    free(g->prefixes);
    g->prefixes = NULL;
    g->service->era++;
    g->tries = 0;
    g->aggregated_all = 0;
    g->service->packets = g->service->bytes = 0;
}

void qpw_services_lead(struct qpw_engine *e, const struct qpw_finding_row *row, struct qpw_alert_state *state,
                       const struct qpw_process *process, uint64_t now_ns)
{
    struct qpw_aggregate *g = group_of(e, row, state, process, now_ns);
    const struct qpw_alert_state *past;

    if (!g)
        return;
    if (!g->service->led && g->service->known && (!g->aggregated || qpw_aggregate_flush(e, g, now_ns) == 0))
        renew(g);
    is_new_remote(e, g, qpw_finding_remote(&row->key));
    if (g->service->led) /* keep the existing lead */
        return;
    past = qpw_engine_find(e, g->flow_id);
    g->service->led = g->service->known = g->active = true;
    g->service->lead = *row;
    if (process)
        g->service->process = *process;
    g->reported = past && past->sequence;
    g->service->past_ns = g->reported ? past->written_ns : 0;
}

static void count_traffic(struct qpw_aggregate *g, const struct qpw_finding_row *row, struct qpw_alert_state *state)
{
    struct qpw_sum sum = qpw_sum_of(&row->counts);

    if (sum.packets < state->packets || sum.bytes < state->bytes)
        state->packets = state->bytes = 0; /* its kernel slot was replaced meanwhile */
    g->service->packets += sum.packets - state->packets;
    g->service->bytes += sum.bytes - state->bytes;
    state->packets = sum.packets;
    state->bytes = sum.bytes;
}

static bool is_fresh(const struct qpw_services_offer *offer)
{
    return offer->occurrences > offer->state->reported || offer->row->value.outcome > offer->state->outcome;
}

/* Count a remote end among the further users since the lead was reported. */
static void count_further(struct qpw_engine *e, struct qpw_aggregate *g, const struct qpw_services_offer *offer)
{
    const uint8_t *remote = qpw_finding_remote(&offer->row->key);

    if (offer->state->era == g->service->era || !is_fresh(offer))
        return;
    offer->state->era = g->service->era;
    if (!is_new_remote(e, g, remote))
        return;
    qpw_aggregate_add_prefix(g, remote);
    if (g->tries < QPW_AGGREGATE_ADDRESSES)
        memcpy(g->service->further[g->tries], remote, 16);
    g->tries++;
}

/* Count a finding's activity since it was last counted. */
static void count(struct qpw_aggregate *g, const struct qpw_services_offer *offer)
{
    const struct qpw_finding_row *row = offer->row;
    struct qpw_alert_state *state = offer->state;
    uint64_t n = offer->occurrences, news_ns = offer->acknowledged ? row->first_unix_ns : row->last_unix_ns;

    if (!is_fresh(offer))
        return;
    if (news_ns > g->service->past_ns) { /* otherwise an earlier auditor counted it */
        if (!g->aggregated)
            g->service->gathering_ns = row->last_unix_ns;
        g->service->open |= !offer->acknowledged;
        g->aggregated += n > state->reported ? n - state->reported : 1;
        g->changed = true;
    }
    note_time(g, row);
    state->reported = n;
    if (row->value.outcome > state->outcome)
        state->outcome = row->value.outcome;
}

bool qpw_services_add(struct qpw_engine *e, const struct qpw_services_offer *offer, uint64_t now_ns)
{
    const struct qpw_finding_row *row = offer->row;
    struct qpw_alert_state *state = offer->state;
    bool own = state->sequence && state->outcome >= QPW_OUTCOME_ANSWERED && !state->joined;
    struct qpw_aggregate *g = group_of(e, row, state, offer->process, now_ns);

    if (!g || !(g->service->led || (offer->acknowledged && g->service->known)))
        return false;
    if (own) { /* it has a record of its own; further activity goes into the service's record, if there are further
                  users */
        if (!g->tries || row->value.outcome > state->outcome || state->state != QPW_ALERT_STATE_WRITTEN)
            return false;
        count(g, offer);
        return true;
    }
    if (!state->joined) {
        state->reported = 0;
        state->outcome = 0;
        g->aggregated_all++;
        e->figures.aggregated++;
    } else if (row->first_unix_ns > state->began_ns) {
        state->reported = 0; /* its kernel slot was freed and reused: it counts from one */
    }
    state->began_ns = row->first_unix_ns;
    count_further(e, g, offer);
    count_traffic(g, row, state);
    count(g, offer);
    state->joined = true;
    state->state = QPW_ALERT_STATE_AGGREGATED;
    return true;
}

void qpw_services_closed(struct qpw_engine *e, const struct qpw_finding_row *row, const struct qpw_alert_state *state, bool forget)
{
    struct qpw_aggregate *g = state->service ? qpw_aggregate_find(e, state->service) : NULL;
    const struct qpw_alert_state *reported = g ? qpw_engine_find(e, g->flow_id) : NULL;

    if (forget && g && state->joined && state->state == QPW_ALERT_STATE_AGGREGATED && (!reported || state->began_ns > reported->written_ns))
        g->aggregated -=
            g->aggregated < state->reported ? g->aggregated : state->reported; /* no record will report it */
    if (g && g->service && !memcmp(&g->service->lead.key, &row->key, sizeof(row->key)))
        g->service->led = false; /* the next answered exchange becomes the lead */
}

bool qpw_services_settled(struct qpw_engine *e, const struct qpw_alert_state *state)
{
    struct qpw_aggregate *g = state->service ? qpw_aggregate_find(e, state->service) : NULL;

    if (!g || !g->service || !g->aggregated)
        return true;
    g->service->urgent = true;
    return false;
}

bool qpw_service_is_due(const struct qpw_engine *e, const struct qpw_aggregate *g, const struct qpw_alert_state *state,
                        unsigned repeat_s, uint64_t now_ns)
{
    uint64_t gathered_ns = g->service->gathering_ns + e->settings.gather_s * SECOND;

    if (!g->aggregated)
        return false;
    if (e->finishing)
        return true;
    if (!g->reported || g->service->urgent)
        return now_ns >= gathered_ns && now_ns >= state->written_ns + e->settings.gather_s * SECOND;
    return now_ns >= state->written_ns + repeat_s * SECOND;
}

bool qpw_service_is_over(const struct qpw_aggregate *g, uint64_t now_ns)
{
    return now_ns > g->last_ns + FORGET_NS && now_ns > g->service->lead.last_unix_ns + FORGET_NS;
}
