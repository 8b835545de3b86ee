/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * groups.c - unanswered findings that are told as one: a scan, many initiators of one thing, a flood
 * at one address, an unnamed neighbour, noise to broadcast and multicast addresses.
 *
 * A group counts findings (not packets) by the time of their first packet, so that after a restart
 * the kernel's findings build it up again as it was.
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

/* In the order in which they are asked. */
static const enum qpw_tale tales[] = {QPW_TALE_SCAN, QPW_TALE_MANY, QPW_TALE_FLOOD, QPW_TALE_NEIGHBOUR};
#define TALES (sizeof(tales) / sizeof(*tales))

bool qpw_engine_neighbour(const struct qpw_engine *e, const struct qpw_finding_row *row)
{
    qpw_u128 remote;

    for (size_t i = 1; i < e->context.n_peers; i++)
        if (e->context.peers[i].in_force && !e->context.peers[i].own)
            return false;
    if (row->key.kind == QPW_KIND_ETHERTYPE || qpw_is_foreign(row->value.reason))
        return false; /* the latter is not between the two */
    remote = qpw_address_number(qpw_finding_remote(&row->key));
    for (size_t i = 0; i < e->context.n_links; i++) {
        const struct qpw_prefix *link = &e->context.links[i];
        unsigned host_bits = 128 - link->length;

        if (host_bits < 128 && remote >> host_bits == qpw_address_number(link->addr) >> host_bits)
            return true;
    }
    return false;
}

static uint64_t group_id(const struct qpw_engine *e, enum qpw_tale tale, const struct qpw_finding_key *key)
{
    struct group_key id = {.direction = key->direction};

    if (tale == QPW_TALE_SCAN)
        memcpy(id.addr, key->initiator, 16);
    else if (tale == QPW_TALE_NEIGHBOUR)
        memcpy(id.addr, qpw_finding_remote(key), 16);
    else if (tale != QPW_TALE_NOISE)
        memcpy(id.addr, key->responder, 16);
    if (tale == QPW_TALE_NEIGHBOUR)
        id.direction = 0;
    if (tale == QPW_TALE_MANY || tale == QPW_TALE_NOISE) {
        id.kind = key->kind;
        id.protocol = key->protocol;
        id.port = key->port;
    }
    return qpw_tale_keyed_id(e, tale, &id, sizeof(id));
}

struct qpw_group *qpw_group_find(struct qpw_engine *e, uint64_t id)
{
    uint32_t at;

    return qpw_idmap_get(&e->group_index, id, &at) ? &e->groups[at] : NULL;
}

static void free_parts(struct qpw_group *g)
{
    free(g->prefixes);
    qpw_service_clear(g->service);
}

/* Takes out groups that ended, to make room. */
static void compact(struct qpw_engine *e, uint64_t now_ns)
{
    size_t kept = 0;

    qpw_idmap_clear(&e->group_index);
    for (size_t i = 0; i < e->n_groups; i++) {
        struct qpw_group *g = &e->groups[i];

        if ((!g->active && g->last_ns + e->settings.slow_window_s * SECOND < now_ns) ||
            qpw_idmap_set(&e->group_index, g->flow_id, kept) < 0)
            free_parts(g);
        else
            e->groups[kept++] = *g;
    }
    e->n_groups = kept;
}

static struct qpw_group *make(struct qpw_engine *e, enum qpw_tale tale, uint64_t id, uint64_t now_ns)
{
    if (e->n_groups == QPW_MAX_GROUPS)
        compact(e, now_ns);
    if (e->n_groups == QPW_MAX_GROUPS)
        return NULL; /* told one by one, under the cap */
    if (!QPW_ADD(e->groups, e->n_groups))
        return NULL;
    if (qpw_idmap_set(&e->group_index, id, e->n_groups) < 0)
        return NULL;
    e->groups[e->n_groups] = (struct qpw_group){.flow_id = id, .tale = tale};
    return &e->groups[e->n_groups++];
}

struct qpw_group *qpw_group_get(struct qpw_engine *e, enum qpw_tale tale, uint64_t id, uint64_t now_ns)
{
    struct qpw_group *g = qpw_group_find(e, id);

    return g ? g : make(e, tale, id, now_ns);
}

/* How many tries lie within the window that ends with the newest. */
static bool reached(const struct qpw_group *g, unsigned threshold, unsigned window_s)
{
    uint32_t newest, oldest;

    if (!threshold || g->tries < threshold || threshold > QPW_GROUP_RING)
        return false;
    newest = g->ring[(g->tries - 1) % QPW_GROUP_RING];
    oldest = g->ring[(g->tries - threshold) % QPW_GROUP_RING];
    return newest - oldest <= window_s;
}

static bool over(const struct qpw_engine *e, const struct qpw_group *g)
{
    const struct qpw_engine_settings *s = &e->settings;

    switch (g->tale) {
    case QPW_TALE_SCAN:
        return reached(g, s->scan_targets, s->scan_window_s) || reached(g, s->slow_scan_targets, s->slow_window_s);
    case QPW_TALE_MANY: return reached(g, s->initiators, s->slow_window_s);
    case QPW_TALE_FLOOD: return reached(g, s->flood, s->scan_window_s);
    case QPW_TALE_NEIGHBOUR: return reached(g, s->neighbour, s->slow_window_s);
    default: return true;
    }
}

void qpw_group_add_prefix(struct qpw_group *g, const uint8_t addr[16])
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
    if (p->n == QPW_GROUP_PREFIXES) {
        p->others++;
        return;
    }
    memcpy(p->prefix[p->n], prefix, 16);
    p->count[p->n++] = 1;
}

static void add_port(struct qpw_group *g, const struct qpw_finding_key *key)
{
    if (!g->n_ports || key->port < g->lowest)
        g->lowest = key->port;
    if (!g->n_ports || key->port > g->highest)
        g->highest = key->port;
    for (unsigned i = 0; i < g->n_ports && i < QPW_GROUP_PORTS; i++)
        if (g->ports[i] == key->port && g->protocols[i] == key->protocol)
            return;
    if (g->n_ports < QPW_GROUP_PORTS) {
        g->ports[g->n_ports] = key->port;
        g->protocols[g->n_ports] = key->protocol;
    }
    if (g->n_ports < UINT16_MAX)
        g->n_ports++;
}

void qpw_group_end(struct qpw_group *g)
{
    free_parts(g);
    *g = (struct qpw_group){.flow_id = g->flow_id, .tale = g->tale, .last_ns = g->last_ns};
}

static void track_one(struct qpw_engine *e, enum qpw_tale tale, const struct qpw_finding_row *row, uint64_t try_ns)
{
    uint64_t id = group_id(e, tale, &row->key);
    struct qpw_group *g = qpw_group_get(e, tale, id, try_ns);

    if (!g)
        return;
    if (g->tries && !g->active && g->last_ns + e->settings.slow_window_s * SECOND < try_ns)
        qpw_group_end(g);
    if (!g->tries)
        g->first_ns = try_ns;
    if (g->tries && (tale == QPW_TALE_MANY || tale == QPW_TALE_FLOOD)) {
        if (g->tries == 1)
            qpw_group_add_prefix(g, g->row.key.initiator); /* most groups stay at one: only now worth the memory */
        qpw_group_add_prefix(g, row->key.initiator);
    }
    g->ring[g->tries++ % QPW_GROUP_RING] = try_ns / SECOND;
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
 * A finding was answered after all: as long as the group is not reported it does not count there. Of who scans every
 * port counts.
 */
static void take_out(struct qpw_engine *e, enum qpw_tale tale, const struct qpw_finding_row *row, const struct qpw_mark *mark)
{
    struct qpw_group *g = qpw_group_find(e, group_id(e, tale, &row->key));

    if (!g || g->told || !g->tries || row->first_unix_ns < g->first_ns)
        return;
    g->tries--;
    if (g->active && mark->state == QPW_MARK_FOLDED) {
        g->folded -= g->folded < mark->told ? g->folded : mark->told;
        g->folded_all -= g->folded_all > 0;
    }
    if (g->active && !g->folded && !over(e, g))
        g->active = false;
}

/* What a scan consists of: also ports that only a wide rule or a companion's covers. */
static bool is_try(const struct qpw_finding_row *row)
{
    bool wide = row->key.verdict == QPW_VERDICT_WEAK || row->key.verdict == QPW_VERDICT_IMPLIED;

    return row->key.verdict == QPW_VERDICT_UNEXPECTED || (wide && !(row->value.flags & QPW_FINDING_MULTICAST));
}

void qpw_groups_track(struct qpw_engine *e, const struct qpw_finding_row *row, struct qpw_mark *mark)
{
    bool answered = row->value.outcome >= QPW_OUTCOME_ANSWERED;
    uint64_t try_ns = row->first_unix_ns;

    if (answered && mark->crowded) {
        take_out(e, QPW_TALE_MANY, row, mark);
        take_out(e, QPW_TALE_FLOOD, row, mark);
    }
    if (answered) {
        mark->tracked_ns = 0;
        mark->crowded = false;
    }
    if (answered || !is_try(row))
        return;
    if (mark->tracked_ns) {
        if (row->last_unix_ns < mark->tracked_ns + e->settings.slow_window_s * SECOND)
            return;
        try_ns = row->last_unix_ns; /* quiet for long and back: counts as a new try */
    }
    mark->tracked_ns = try_ns;
    if (row->value.flags & QPW_FINDING_MULTICAST) {
        track_one(e, QPW_TALE_NOISE, row, try_ns);
        return;
    }
    if (row->key.kind == QPW_KIND_ETHERTYPE)
        return;
    track_one(e, QPW_TALE_SCAN, row, try_ns);
    if (row->key.verdict != QPW_VERDICT_UNEXPECTED)
        return; /* alone it is no concern, or one of its own */
    if (row->key.direction == QPW_DIR_INBOUND) {
        struct qpw_group *scan = qpw_group_find(e, group_id(e, QPW_TALE_SCAN, &row->key));

        if (scan && scan->active)
            return; /* one scanner is not many initiators */
        track_one(e, QPW_TALE_MANY, row, try_ns);
        track_one(e, QPW_TALE_FLOOD, row, try_ns);
        mark->crowded = true;
    }
    if (qpw_engine_neighbour(e, row))
        track_one(e, QPW_TALE_NEIGHBOUR, row, try_ns);
}

/* The active group that this finding belongs to, or NULL. */
static struct qpw_group *group_of(struct qpw_engine *e, const struct qpw_finding_row *row)
{
    struct qpw_group *g;

    if (row->value.flags & QPW_FINDING_MULTICAST) {
        g = qpw_group_find(e, group_id(e, QPW_TALE_NOISE, &row->key));
        return g && g->active ? g : NULL;
    }
    for (size_t i = 0; i < (row->key.verdict == QPW_VERDICT_UNEXPECTED ? TALES : 1) && row->key.kind != QPW_KIND_ETHERTYPE; i++) {
        g = qpw_group_find(e, group_id(e, tales[i], &row->key));
        if (g && g->active)
            return g;
    }
    return NULL;
}

bool qpw_groups_fold(struct qpw_engine *e, const struct qpw_finding_row *row, struct qpw_mark *mark)
{
    uint64_t n = row->counts.connections;
    struct qpw_group *g;
    bool fresh = mark->state != QPW_MARK_FOLDED;

    if (!is_try(row))
        return false;
    g = group_of(e, row);
    if (!g) /* a finding once told within a group stays so until it is tried again */
        return !fresh && row->last_unix_ns < mark->tracked_ns + e->settings.slow_window_s * SECOND;
    if (!n)
        n = 1;
    if (fresh || n > mark->told) {
        const struct qpw_mark *told = qpw_engine_find(e, g->flow_id);

        /* Before the group's newest record: an earlier auditor counted it. */
        if (!told || row->last_unix_ns > told->written_ns) {
            g->folded += fresh ? n : n - mark->told;
            g->folded_all += fresh;
            g->changed = true;
            e->groups_urgent = e->groups_urgent || !g->told;
            if (row->last_unix_ns > g->last_ns) {
                g->last_ns = row->last_unix_ns;
                g->row = *row;
            }
        }
    }
    if (fresh)
        e->figures.folded++;
    mark->state = QPW_MARK_FOLDED;
    mark->told = n;
    if (mark->held) {
        mark->held = false;
        e->figures.waiting--;
    }
    return true;
}
