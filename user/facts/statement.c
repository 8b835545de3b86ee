/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "facts/statement.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "facts/losses.h"
#include "facts/peers.h"
#include "facts/statement_internal.h"
#include "host/boot.h"
#include "util/array.h"
#include "util/names.h"
#include "util/version.h"

#define MILLISECOND_NS 1000000u
#define SECOND_NS 1000000000u

struct qpw_stated_service qpw_stated_service(unsigned kind, unsigned protocol, unsigned port, unsigned direction)
{
    struct qpw_stated_service ret = {.port = (int)port};

    qpw_protocol_text(kind, protocol, port, ret.protocol, sizeof(ret.protocol));
    if (kind != QPW_KIND_ICMP && (kind != QPW_KIND_PORT || !port))
        ret.port = QPW_NO_PORT;
    snprintf(ret.direction, sizeof(ret.direction), "%s", qpw_direction_name(direction));
    return ret;
}

bool qpw_stated_same(const struct qpw_stated_service *a, const struct qpw_stated_service *b)
{
    return a->port == b->port && !strcmp(a->protocol, b->protocol);
}

static void head(const struct qpw_statement_from *from, struct qpw_statement *ret)
{
    const struct qpw_snapshot *s = from->report->s;

    snprintf(ret->node, sizeof(ret->node), "%s", qpw_node_name(s));
    qpw_epoch_text(from->boot_id, s->from_unix_ns, ret->epoch, sizeof(ret->epoch));
    ret->seq = s->unix_ns > s->from_unix_ns ? (s->unix_ns - s->from_unix_ns) / MILLISECOND_NS : 0;
    ret->at_unix_ns = s->unix_ns;
    ret->since_unix_ns = s->from_unix_ns;
    ret->uptime_us = from->boot_ns / 1000;
    ret->clock_error_us = (from->clock_error_ns + 999) / 1000;
    snprintf(ret->version, sizeof(ret->version), "%s", QPW_VERSION);
    snprintf(ret->answer, sizeof(ret->answer), "%s", qpw_answer_name(from->report->answer.state));
}

/* List unused rules of the policy itself; the built-in ones cannot be removed. */
static int unused(const struct qpw_report *r, struct qpw_statement *ret)
{
    for (size_t i = 0; i < r->n_rules; i++) {
        const struct qpw_rule_use *rule = &r->rules[i];
        char(*more)[QPW_NAME_LEN];

        if (!rule->info->in_force || qpw_rule_is_own(rule->info) || qpw_sum_of(&rule->counts).packets ||
            (rule->info->verdict != QPW_VERDICT_ALLOWED && rule->info->verdict != QPW_VERDICT_WEAK))
            continue;
        if (ret->policy.n_unused == QPW_STATED_UNUSED) {
            ret->left_out.unused++;
            continue;
        }
        more = QPW_ADD(ret->policy.unused, ret->policy.n_unused);
        if (!more)
            return -ENOMEM;
        ret->policy.n_unused++;
        snprintf(*more, sizeof(*more), "%s", rule->info->name);
    }
    return 0;
}

static void policy(const struct qpw_snapshot *s, struct qpw_statement *ret)
{
    snprintf(ret->policy.name, sizeof(ret->policy.name), "%s", s->meta.policy_name);
    snprintf(ret->policy.digest, sizeof(ret->policy.digest), "%s", s->meta.policy_digest);
    snprintf(ret->policy.source_digest, sizeof(ret->policy.source_digest), "%s", s->meta.source_digest);
    for (size_t i = 1; i < s->n_rules; i++)
        ret->policy.rules += s->rules[i].in_force;
    ret->policy.loaded_unix_ns = s->from_unix_ns;
    for (size_t i = 0; i < s->n_coverage; i++)
        if (s->coverage[i].kind == QPW_COVERAGE_RELOADED || s->coverage[i].kind == QPW_COVERAGE_RELOADED_ALONE ||
            s->coverage[i].kind == QPW_COVERAGE_AUDITOR_STARTED)
            ret->policy.loaded_unix_ns = s->coverage[i].unix_ns;
}

/* Return when the interface was last attached. */
static uint64_t attached_since(const struct qpw_snapshot *s, uint16_t number)
{
    uint64_t since = s->from_unix_ns;

    for (size_t i = 0; i < s->n_coverage; i++)
        if (s->coverage[i].kind == QPW_COVERAGE_ATTACHED && s->coverage[i].iface == number)
            since = s->coverage[i].unix_ns;
    return since;
}

static bool is_first(const struct qpw_snapshot *s, const char *name)
{
    for (size_t i = 0; i < s->n_notes; i++)
        if (s->notes[i].kind == QPW_NOTE_BEFORE && !strcmp(s->notes[i].name, name))
            return false;
    return true;
}

static const char *mode_of(uint8_t hook)
{
    return hook == QPW_HOOK_XDP ? "xdp" : hook == QPW_HOOK_NONE ? "none" : "tc";
}

static const uint8_t *mac_of(const struct qpw_neighbourhood *around, const char *name)
{
    static const uint8_t none[6];

    for (size_t i = 0; i < around->n_devices; i++)
        if (!strcmp(around->devices[i].name, name))
            return around->devices[i].mac;
    return none;
}

static int devices(const struct qpw_statement_from *from, struct qpw_statement *ret)
{
    const struct qpw_snapshot *s = from->report->s;
    struct qpw_stated_device *d;

    for (size_t i = 0; i < s->n_ifaces; i++) {
        const struct qpw_iface_row *row = &s->ifaces[i];

        if (row->hook == QPW_HOOK_NONE)
            continue; /* detached by a command: listed below, if it is up */
        if (ret->n_devices == QPW_STATED_DEVICES) {
            ret->left_out.devices++;
            continue;
        }
        d = QPW_ADD(ret->devices, ret->n_devices);
        if (!d)
            return -ENOMEM;
        ret->n_devices++;
        memcpy(d->name, row->name, sizeof(d->name));
        snprintf(d->mode, sizeof(d->mode), "%s", mode_of(row->hook));
        d->first = is_first(s, row->name);
        d->blind = qpw_watch_blind(qpw_watch_of(s, row));
        d->since_unix_ns = attached_since(s, row->iface.number);
        memcpy(d->mac, mac_of(from->around, row->name), sizeof(d->mac));
    }
    for (size_t i = 0; i < s->n_unwatched; i++) {
        if (ret->n_unwatched == QPW_STATED_DEVICES) {
            ret->left_out.devices++;
            continue;
        }
        d = QPW_ADD(ret->unwatched, ret->n_unwatched);
        if (!d)
            return -ENOMEM;
        ret->n_unwatched++;
        memcpy(d->name, s->unwatched[i].name, sizeof(d->name));
        d->tx = s->unwatched[i].tx_packets;
        d->rx = s->unwatched[i].rx_packets;
        memcpy(d->mac, mac_of(from->around, d->name), sizeof(d->mac));
    }
    return 0;
}

static int cover(const struct qpw_statement_from *from, struct qpw_statement *ret)
{
    const struct qpw_report *r = from->report;
    size_t skip = r->n_gaps > QPW_STATED_BLIND ? r->n_gaps - QPW_STATED_BLIND : 0;
    struct qpw_losses losses;
    struct qpw_stated_blind *b;

    qpw_losses_of(r->s, &losses);
    ret->lost = losses.lost;
    ret->exact = true;
    ret->left_out.blind = skip;
    for (size_t i = skip; i < r->n_gaps; i++) {
        b = QPW_ADD(ret->blind, ret->n_blind);
        if (!b)
            return -ENOMEM;
        ret->n_blind++;
        b->from_unix_ns = r->gaps[i].from_unix_ns;
        b->to_unix_ns = r->gaps[i].to_unix_ns;
        b->unaudited = r->gaps[i].kind == QPW_COVERAGE_AUDITOR_GAP;
        snprintf(b->why, sizeof(b->why), "%s", qpw_coverage_name(r->gaps[i].kind));
    }
    for (size_t i = 0; i < r->s->n_notes; i++) {
        const struct qpw_note *note = &r->s->notes[i];

        ret->rdma += note->kind == QPW_NOTE_RDMA ? note->count : 0;
        ret->xdp_sockets |= note->kind == QPW_NOTE_XDP_SOCKETS;
        ret->packet_sockets |= note->kind == QPW_NOTE_PACKET_SOCKETS;
    }
    return devices(from, ret);
}

static int addresses(const struct qpw_statement_from *from, struct qpw_statement *ret)
{
    for (size_t i = 0; i < from->around->n_addresses; i++) {
        const struct qpw_device_address *a = &from->around->addresses[i];
        const struct qpw_device *device = qpw_device_by_index(from->around, a->ifindex);
        struct qpw_stated_local *l;

        if (!device || device->loopback)
            continue;
        if (ret->n_local == QPW_STATED_LOCALS) {
            ret->left_out.local++;
            continue;
        }
        l = QPW_ADD(ret->local, ret->n_local);
        if (!l)
            return -ENOMEM;
        ret->n_local++;
        memcpy(l->addr, a->addr, sizeof(l->addr));
        memcpy(l->dev, device->name, sizeof(l->dev));
        memcpy(l->mac, device->mac, sizeof(l->mac));
        l->floating = !qpw_address_is_link_local(a->addr) && from->floating[i];
    }
    return 0;
}

/* Return whether that MAC has opened exchanges in the name of a peer. */
static bool opens_as_peer(const struct qpw_statement_from *from, const uint8_t mac[6])
{
    for (size_t i = 1; from->openers && i < from->report->s->n_peers && i < QPW_MAX_PEERS; i++)
        for (size_t j = 0; j < QPW_OPENERS; j++)
            if (from->openers[i].of[j].last_ns && !memcmp(from->openers[i].of[j].mac, mac, 6))
                return true;
    return false;
}

/* Add the neighbours with MACs of peers, or all others. Peers' go first, because a segment may have too many. */
static int neighbours_of(const struct qpw_statement_from *from, bool peers, struct qpw_statement *ret)
{
    for (size_t i = 0; i < from->around->n_neighbours; i++) {
        const struct qpw_neighbour *n = &from->around->neighbours[i];
        struct qpw_stated_neighbour *to;

        if (n->addr[0] == 0xff || (n->mac[0] & 1) || opens_as_peer(from, n->mac) != peers)
            continue; /* skip group addresses */
        if (ret->n_neigh == QPW_STATED_NEIGHBOURS) {
            ret->left_out.neigh++;
            continue;
        }
        to = QPW_ADD(ret->neigh, ret->n_neigh);
        if (!to)
            return -ENOMEM;
        ret->n_neigh++;
        memcpy(to->addr, n->addr, sizeof(to->addr));
        memcpy(to->mac, n->mac, sizeof(to->mac));
        to->last_unix_ns = n->confirmed_unix_ns;
    }
    return 0;
}

static int neighbours(const struct qpw_statement_from *from, struct qpw_statement *ret)
{
    int r = neighbours_of(from, true, ret);

    return r ? r : neighbours_of(from, false, ret);
}

static int by_listed(const void *a, const void *b)
{
    const struct qpw_stated_listener *x = a, *y = b;
    int order = (*x->rule != '\0') - (*y->rule != '\0'); /* unlisted ones first */

    if (order)
        return order;
    order = strcmp(x->service.protocol, y->service.protocol);
    if (order)
        return order;
    if (x->service.port != y->service.port)
        return x->service.port - y->service.port;
    return memcmp(x->addr, y->addr, sizeof(x->addr));
}

/* Add listeners; skip those reachable from this host only, which do not concern others. */
static int listeners(const struct qpw_statement_from *from, struct qpw_statement *ret)
{
    const struct qpw_snapshot *s = from->report->s;

    for (size_t i = 0; from->listening && i < from->listening->n; i++) {
        const struct qpw_listening_row *row = &from->listening->rows[i];
        const struct qpw_listener *listener = row->listener;
        struct qpw_stated_listener *l;

        if (row->loopback || listener->ephemeral)
            continue;
        l = QPW_ADD(ret->listen, ret->n_listen);
        if (!l)
            return -ENOMEM;
        ret->n_listen++;
        l->service = qpw_stated_service(QPW_KIND_PORT, listener->protocol, listener->port, QPW_DIR_INBOUND);
        memcpy(l->addr, listener->address, sizeof(l->addr));
        snprintf(l->exe, sizeof(l->exe), "%s", *listener->owner.exe ? listener->owner.exe : listener->owner.name);
        snprintf(l->rule, sizeof(l->rule), "%s", qpw_snapshot_rule(s, row->rule));
    }
    if (ret->n_listen)
        qsort(ret->listen, ret->n_listen, sizeof(*ret->listen), by_listed);
    if (ret->n_listen > QPW_STATED_LISTENERS) {
        ret->left_out.listen = ret->n_listen - QPW_STATED_LISTENERS;
        ret->n_listen = QPW_STATED_LISTENERS;
    }
    return 0;
}

int qpw_statement_make(const struct qpw_statement_from *from, struct qpw_statement *ret)
{
    int r;

    *ret = (struct qpw_statement){0};
    head(from, ret);
    policy(from->report->s, ret);
    r = unused(from->report, ret);
    if (r < 0)
        return r;
    r = cover(from, ret);
    if (r < 0)
        return r;
    r = addresses(from, ret);
    if (r < 0)
        return r;
    r = neighbours(from, ret);
    if (r < 0)
        return r;
    r = listeners(from, ret);
    if (r < 0)
        return r;
    r = qpw_statement_pairs(from, ret);
    if (r < 0)
        return r;
    r = qpw_statement_ports(from, ret);
    if (r < 0)
        return r;
    return qpw_statement_samples(from, ret);
}

void qpw_statement_clear(struct qpw_statement *s)
{
    for (size_t i = 0; i < s->n_pairs; i++)
        free(s->pairs[i].by);
    free(s->pairs);
    free(s->policy.unused);
    free(s->devices);
    free(s->unwatched);
    free(s->blind);
    free(s->local);
    free(s->ports);
    free(s->listen);
    free(s->neigh);
    free(s->scans);
    free(s->samples.pairs);
    free(s->samples.devices);
    *s = (struct qpw_statement){0};
}
