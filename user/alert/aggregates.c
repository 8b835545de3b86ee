/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * aggregates.c - unanswered findings reported as one: a scan, many initiators of one service, a flood at one address,
 * an unnamed neighbour, noise to broadcast and multicast addresses.
 *
 * An aggregate counts findings (not packets) by the time of their first packet, so that after a restart it is rebuilt
 * from the kernel's findings.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert/internal.h"
#include "alert/text.h"
#include "util/array.h"
#include "util/names.h"

struct group_key {
    uint8_t addr[16];
    uint16_t port;
    uint8_t kind;
    uint8_t protocol;
    uint8_t direction;
    uint8_t pad[3];
};

/* In order of precedence. */
static const enum qpw_aggregate_kind kinds[] = {QPW_AGGREGATE_SCAN, QPW_AGGREGATE_MANY, QPW_AGGREGATE_FLOOD,
                                                QPW_AGGREGATE_NEIGHBOUR};
#define KINDS (sizeof(kinds) / sizeof(*kinds))

bool qpw_engine_neighbour(const struct qpw_engine *e, const struct qpw_finding_row *row)
{
    qpw_u128 remote;

    for (size_t i = 1; i < e->context.n_peers; i++)
        if (e->context.peers[i].in_force && !e->context.peers[i].own)
            return false;
    if (row->key.kind == QPW_KIND_ETHERTYPE || qpw_is_foreign(row->value.reason))
        return false; /* a foreign address is not between the two */
    remote = qpw_address_number(qpw_finding_remote(&row->key));
    for (size_t i = 0; i < e->context.n_links; i++) {
        const struct qpw_prefix *link = &e->context.links[i];
        unsigned host_bits = 128 - link->length;

        if (host_bits < 128 && remote >> host_bits == qpw_address_number(link->addr) >> host_bits)
            return true;
    }
    return false;
}

static uint64_t group_id(const struct qpw_engine *e, enum qpw_aggregate_kind kind_of, const struct qpw_finding_key *key)
{
    struct group_key id = {.direction = key->direction};

    if (kind_of == QPW_AGGREGATE_SCAN)
        memcpy(id.addr, key->initiator, 16);
    else if (kind_of == QPW_AGGREGATE_NEIGHBOUR)
        memcpy(id.addr, qpw_finding_remote(key), 16);
    else if (kind_of != QPW_AGGREGATE_NOISE)
        memcpy(id.addr, key->responder, 16);
    if (kind_of == QPW_AGGREGATE_NEIGHBOUR)
        id.direction = 0;
    if (kind_of == QPW_AGGREGATE_MANY || kind_of == QPW_AGGREGATE_NOISE) {
        id.kind = key->kind;
        id.protocol = key->protocol;
        id.port = key->port;
    }
    return qpw_aggregate_keyed_id(e, kind_of, &id, sizeof(id));
}

struct qpw_aggregate *qpw_aggregate_find(struct qpw_engine *e, uint64_t id)
{
    uint32_t at;

    return qpw_idmap_get(&e->aggregate_index, id, &at) ? &e->aggregates[at] : NULL;
}

static void free_parts(struct qpw_aggregate *g)
{
    free(g->prefixes);
    qpw_service_clear(g->service);
}

/* Remove ended aggregates, to make room. */
static void compact(struct qpw_engine *e, uint64_t now_ns)
{
    size_t kept = 0;

    qpw_idmap_clear(&e->aggregate_index);
    for (size_t i = 0; i < e->n_aggregates; i++) {
        struct qpw_aggregate *g = &e->aggregates[i];

        if ((!g->active && g->last_ns + e->settings.slow_window_s * SECOND < now_ns) ||
            qpw_idmap_set(&e->aggregate_index, g->flow_id, kept) < 0)
            free_parts(g);
        else
            e->aggregates[kept++] = *g;
    }
    e->n_aggregates = kept;
}

static struct qpw_aggregate *make(struct qpw_engine *e, enum qpw_aggregate_kind kind_of, uint64_t id, uint64_t now_ns)
{
    if (e->n_aggregates == QPW_MAX_AGGREGATES)
        compact(e, now_ns);
    if (e->n_aggregates == QPW_MAX_AGGREGATES)
        return NULL; /* report each one separately, under the cap */
    if (!QPW_ADD(e->aggregates, e->n_aggregates))
        return NULL;
    if (qpw_idmap_set(&e->aggregate_index, id, e->n_aggregates) < 0)
        return NULL;
    e->aggregates[e->n_aggregates] = (struct qpw_aggregate){.flow_id = id, .kind_of = kind_of};
    return &e->aggregates[e->n_aggregates++];
}

struct qpw_aggregate *qpw_aggregate_get(struct qpw_engine *e, enum qpw_aggregate_kind kind_of, uint64_t id, uint64_t now_ns)
{
    struct qpw_aggregate *g = qpw_aggregate_find(e, id);

    return g ? g : make(e, kind_of, id, now_ns);
}

/* Return whether the newest `threshold` attempts lie within the window. */
static bool reached(const struct qpw_aggregate *g, unsigned threshold, unsigned window_s)
{
    uint32_t newest, oldest;

    if (!threshold || g->tries < threshold || threshold > QPW_AGGREGATE_RING)
        return false;
    newest = g->ring[(g->tries - 1) % QPW_AGGREGATE_RING];
    oldest = g->ring[(g->tries - threshold) % QPW_AGGREGATE_RING];
    return newest - oldest <= window_s;
}

static bool over(const struct qpw_engine *e, const struct qpw_aggregate *g)
{
    const struct qpw_engine_settings *s = &e->settings;

    switch (g->kind_of) {
    case QPW_AGGREGATE_SCAN:
        return reached(g, s->scan_targets, s->scan_window_s) || reached(g, s->slow_scan_targets, s->slow_window_s);
    case QPW_AGGREGATE_MANY: return reached(g, s->initiators, s->slow_window_s);
    case QPW_AGGREGATE_FLOOD: return reached(g, s->flood, s->scan_window_s);
    case QPW_AGGREGATE_NEIGHBOUR: return reached(g, s->neighbour, s->slow_window_s);
    default: return true;
    }
}

void qpw_aggregate_add_prefix(struct qpw_aggregate *g, const uint8_t addr[16])
{
    bool v4 = IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)addr);
    uint8_t prefix[16] = {0};
    struct qpw_prefixes *p = g->prefixes;

    memcpy(prefix, addr, v4 ? 15 : 6);
    if (!p)
        p = g->prefixes = calloc(1, sizeof(*p));
    if (!p)
        return;
    for (uint32_t i = 0; i < p->n; i++)
        if (!memcmp(p->prefix[i], prefix, 16)) {
            p->count[i]++;
            return;
        }
    if (p->n == QPW_AGGREGATE_PREFIXES) {
        p->others++;
        return;
    }
    memcpy(p->prefix[p->n], prefix, 16);
    p->count[p->n++] = 1;
}

static void add_port(struct qpw_aggregate *g, const struct qpw_finding_key *key)
{
    if (!g->n_ports || key->port < g->lowest)
        g->lowest = key->port;
    if (!g->n_ports || key->port > g->highest)
        g->highest = key->port;
    for (unsigned i = 0; i < g->n_ports && i < QPW_AGGREGATE_PORTS_KEPT; i++)
        if (g->ports[i] == key->port && g->protocols[i] == key->protocol)
            return;
    if (g->n_ports < QPW_AGGREGATE_PORTS_KEPT) {
        g->ports[g->n_ports] = key->port;
        g->protocols[g->n_ports] = key->protocol;
    }
    if (g->n_ports < UINT16_MAX)
        g->n_ports++;
}

void qpw_aggregate_end(struct qpw_aggregate *g)
{
    free_parts(g);
    *g = (struct qpw_aggregate){.flow_id = g->flow_id, .kind_of = g->kind_of, .last_ns = g->last_ns};
}

static void track_one(struct qpw_engine *e, enum qpw_aggregate_kind kind_of, const struct qpw_finding_row *row, uint64_t try_ns)
{
    uint64_t id = group_id(e, kind_of, &row->key);
    struct qpw_aggregate *g = qpw_aggregate_get(e, kind_of, id, try_ns);

    if (!g)
        return;
    if (g->tries && !g->active && g->last_ns + e->settings.slow_window_s * SECOND < try_ns)
        qpw_aggregate_end(g);
    if (!g->tries)
        g->first_ns = try_ns;
    if (g->tries && (kind_of == QPW_AGGREGATE_MANY || kind_of == QPW_AGGREGATE_FLOOD)) {
        if (g->tries == 1)
            qpw_aggregate_add_prefix(g, g->row.key.initiator); /* allocate only for the second initiator, because
                                                                  most aggregates have one */
        qpw_aggregate_add_prefix(g, row->key.initiator);
    }
    g->ring[g->tries++ % QPW_AGGREGATE_RING] = try_ns / SECOND;
    g->inbound |= row->key.direction == QPW_DIR_INBOUND;
    g->outbound |= row->key.direction == QPW_DIR_OUTBOUND;
    add_port(g, &row->key);
    if (try_ns >= g->last_ns) {
        g->last_ns = try_ns;
        g->row = *row;
    }
    g->changed = true;
    if (!g->active && over(e, g)) {
        g->active = true;
        g->over_ns = try_ns;
    }
}

/*
 * Stop counting a finding that was answered after all, as long as the aggregate is not reported. A scanner's attempts
 * count in any case.
 */
static void take_out(struct qpw_engine *e, enum qpw_aggregate_kind kind_of, const struct qpw_finding_row *row, const struct qpw_alert_state *state)
{
    struct qpw_aggregate *g = qpw_aggregate_find(e, group_id(e, kind_of, &row->key));

    if (!g || g->reported || !g->tries || row->first_unix_ns < g->first_ns)
        return;
    g->tries--;
    if (g->active && state->state == QPW_ALERT_STATE_AGGREGATED) {
        g->aggregated -= g->aggregated < state->reported ? g->aggregated : state->reported;
        g->aggregated_all -= g->aggregated_all > 0;
    }
    if (g->active && !g->aggregated && !over(e, g))
        g->active = false;
}

/*
 * Return whether it counts as an attempt of a scan; ports covered only by a wide rule or a companion's rule count, too.
 */
static bool is_try(const struct qpw_finding_row *row)
{
    bool wide = row->key.verdict == QPW_VERDICT_WEAK || row->key.verdict == QPW_VERDICT_IMPLIED;

    return row->key.verdict == QPW_VERDICT_UNEXPECTED || (wide && !(row->value.flags & QPW_FINDING_MULTICAST));
}

void qpw_aggregates_track(struct qpw_engine *e, const struct qpw_finding_row *row, struct qpw_alert_state *state)
{
    bool answered = row->value.outcome >= QPW_OUTCOME_ANSWERED;
    uint64_t try_ns = row->first_unix_ns;

    if (answered && state->crowded) {
        take_out(e, QPW_AGGREGATE_MANY, row, state);
        take_out(e, QPW_AGGREGATE_FLOOD, row, state);
    }
    if (answered) {
        state->tracked_ns = 0;
        state->crowded = false;
    }
    if (answered || !is_try(row))
        return;
    if (state->tracked_ns) {
        if (row->last_unix_ns < state->tracked_ns + e->settings.slow_window_s * SECOND)
            return;
        try_ns = row->last_unix_ns; /* back after a long silence: a new attempt */
    }
    state->tracked_ns = try_ns;
    if (row->value.flags & QPW_FINDING_MULTICAST) {
        track_one(e, QPW_AGGREGATE_NOISE, row, try_ns);
        return;
    }
    if (row->key.kind == QPW_KIND_ETHERTYPE)
        return;
    track_one(e, QPW_AGGREGATE_SCAN, row, try_ns);
    if (row->key.verdict != QPW_VERDICT_UNEXPECTED)
        return; /* counts toward a scan only */
    if (row->key.direction == QPW_DIR_INBOUND) {
        struct qpw_aggregate *scan = qpw_aggregate_find(e, group_id(e, QPW_AGGREGATE_SCAN, &row->key));

        if (scan && scan->active)
            return; /* a single scanner is not "many initiators" */
        track_one(e, QPW_AGGREGATE_MANY, row, try_ns);
        track_one(e, QPW_AGGREGATE_FLOOD, row, try_ns);
        state->crowded = true;
    }
    if (qpw_engine_neighbour(e, row))
        track_one(e, QPW_AGGREGATE_NEIGHBOUR, row, try_ns);
}

/* Return the active aggregate that this finding belongs to, or NULL. */
static struct qpw_aggregate *group_of(struct qpw_engine *e, const struct qpw_finding_row *row)
{
    struct qpw_aggregate *g;

    if (row->value.flags & QPW_FINDING_MULTICAST) {
        g = qpw_aggregate_find(e, group_id(e, QPW_AGGREGATE_NOISE, &row->key));
        return g && g->active ? g : NULL;
    }
    for (size_t i = 0;
         i < (row->key.verdict == QPW_VERDICT_UNEXPECTED ? KINDS : 1) && row->key.kind != QPW_KIND_ETHERTYPE; i++) {
        g = qpw_aggregate_find(e, group_id(e, kinds[i], &row->key));
        if (g && g->active)
            return g;
    }
    return NULL;
}

bool qpw_aggregates_add(struct qpw_engine *e, const struct qpw_finding_row *row, struct qpw_alert_state *state)
{
    uint64_t n = row->counts.connections;
    struct qpw_aggregate *g;
    bool fresh = state->state != QPW_ALERT_STATE_AGGREGATED;

    if (!is_try(row))
        return false;
    g = group_of(e, row);
    if (!g) /* a finding reported in an aggregate stays in it until it is seen again */
        return !fresh && row->last_unix_ns < state->tracked_ns + e->settings.slow_window_s * SECOND;
    if (!n)
        n = 1;
    if (fresh || n > state->reported) {
        const struct qpw_alert_state *reported = qpw_engine_find(e, g->flow_id);

        /* A finding older than the aggregate's newest record was counted by an earlier auditor. */
        if (!reported || row->last_unix_ns > reported->written_ns) {
            g->aggregated += fresh ? n : n - state->reported;
            g->aggregated_all += fresh;
            g->changed = true;
            e->aggregates_urgent = e->aggregates_urgent || !g->reported;
            if (row->last_unix_ns > g->last_ns) {
                g->last_ns = row->last_unix_ns;
                g->row = *row;
            }
        }
    }
    if (fresh)
        e->figures.aggregated++;
    state->state = QPW_ALERT_STATE_AGGREGATED;
    state->reported = n;
    if (state->rate_limited) {
        state->rate_limited = false;
        e->figures.waiting--;
    }
    return true;
}
