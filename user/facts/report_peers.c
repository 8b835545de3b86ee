/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What peers and policy rows carried, and when nobody watched. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "facts/report.h"
#include "util/names.h"

static void add_counts(struct qpw_counts *to, const struct qpw_counts *from)
{
    to->connections += from->connections;
    to->rx_packets += from->rx_packets;
    to->rx_bytes += from->rx_bytes;
    to->tx_packets += from->tx_packets;
    to->tx_bytes += from->tx_bytes;
}

static void earlier(uint64_t *first, uint64_t other)
{
    if (other && (!*first || other < *first))
        *first = other;
}

/* ---- Peers ---- */

/* Rows of one peer stand together, those of one port side by side. */
static int by_peer_port(const void *a, const void *b)
{
    const struct qpw_meter_key *x = &(*(const struct qpw_meter_row *const *)a)->key;
    const struct qpw_meter_key *y = &(*(const struct qpw_meter_row *const *)b)->key;

    if (x->peer != y->peer)
        return x->peer - y->peer;
    if (x->kind != y->kind || x->protocol != y->protocol)
        return x->kind != y->kind ? x->kind - y->kind : x->protocol - y->protocol;
    return x->port != y->port ? x->port - y->port : x->direction - y->direction;
}

/* Takes a port in where it belongs among the busiest. */
static void rank_port(struct qpw_report_peer *peer, const struct qpw_report_port *port)
{
    size_t place = QPW_REPORT_PORTS;

    peer->n_ports++;
    while (place > 0 && (!peer->busiest[place - 1].sum.packets || peer->busiest[place - 1].sum.bytes < port->sum.bytes))
        place--;
    if (place == QPW_REPORT_PORTS)
        return;
    memmove(&peer->busiest[place + 1], &peer->busiest[place], (QPW_REPORT_PORTS - 1 - place) * sizeof(*port));
    peer->busiest[place] = *port;
}

/* All rows of one peer, sorted by port. */
static void add_peer_rows(struct qpw_report_peer *peer, const struct qpw_meter_row *const *rows, size_t count)
{
    struct qpw_report_port port;

    for (size_t i = 0; i < count; i++) {
        struct qpw_report_sum sum = qpw_report_sum_of(&rows[i]->counts);

        add_counts(&peer->counts, &rows[i]->counts);
        earlier(&peer->first_unix_ns, rows[i]->first_unix_ns);
        if (i && !by_peer_port(&rows[i - 1], &rows[i])) {
            port.sum.packets += sum.packets;
            port.sum.bytes += sum.bytes;
        } else {
            port = (struct qpw_report_port){sum, rows[i]->key.port, rows[i]->key.kind, rows[i]->key.protocol,
                                            rows[i]->key.direction};
        }
        if ((i + 1 == count || by_peer_port(&rows[i], &rows[i + 1])) && port.sum.packets)
            rank_port(peer, &port);
    }
}

static int by_peer_bytes(const void *a, const void *b)
{
    const struct qpw_report_peer *x = a, *y = b;
    uint64_t left = qpw_report_sum_of(&x->counts).bytes, right = qpw_report_sum_of(&y->counts).bytes;

    return left != right ? (left < right ? 1 : -1) : strcmp(x->info->name, y->info->name);
}

int qpw_report_make_peers(struct qpw_report *r)
{
    const struct qpw_snapshot *s = r->s;
    const struct qpw_meter_row **rows = calloc(s->n_meters + 1, sizeof(*rows));
    size_t count = 0, at = 0, end;

    r->peers = calloc(s->n_peers + 1, sizeof(*r->peers));
    if (!rows || !r->peers) {
        free(rows);
        return -ENOMEM;
    }
    for (size_t i = 0; i < s->n_meters; i++)
        if (s->meters[i].key.peer)
            rows[count++] = &s->meters[i];
    qsort(rows, count, sizeof(*rows), by_peer_port);
    for (size_t number = 1; number < s->n_peers; number++) {
        struct qpw_report_peer *peer = &r->peers[r->n_peers];

        for (end = at; end < count && rows[end]->key.peer == number; end++)
            ;
        peer->info = &s->peers[number];
        peer->number = number;
        add_peer_rows(peer, rows + at, end - at);
        at = end;
        peer->silent = !qpw_report_sum_of(&peer->counts).packets;
        if (s->peer_seen) {
            peer->last_unix_ns = s->peer_seen[number].last_unix_ns;
            peer->v4 = s->peer_seen[number].v4;
            peer->v6 = s->peer_seen[number].v6;
        }
        /* One that a reload took out is shown for what it carried, the node itself never. */
        if (!peer->info->own && (peer->info->in_force || !peer->silent))
            r->n_peers++;
        else
            memset(peer, 0, sizeof(*peer));
    }
    free(rows);
    qsort(r->peers, r->n_peers, sizeof(*r->peers), by_peer_bytes);
    return 0;
}

/* ---- Policy rows ---- */

static int by_rule_packets(const void *a, const void *b)
{
    const struct qpw_report_rule *x = a, *y = b;
    uint64_t left = qpw_report_sum_of(&x->counts).packets, right = qpw_report_sum_of(&y->counts).packets;

    return left != right ? (left < right ? 1 : -1) : x->id - y->id;
}

int qpw_report_make_rules(struct qpw_report *r)
{
    const struct qpw_snapshot *s = r->s;
    struct qpw_report_rule *all = calloc(s->n_rules + 1, sizeof(*all));
    size_t kept = 0;

    if (!all)
        return -ENOMEM;
    for (size_t i = 0; i < s->n_rules; i++) {
        all[i].info = &s->rules[i];
        all[i].id = i;
    }
    for (size_t i = 0; i < s->n_meters; i++) {
        unsigned rule = s->meters[i].key.rule;

        /* Of an inferred row the rule is only what it would be consistent with: nothing was carried under it. */
        if (!rule || rule >= s->n_rules || s->meters[i].key.verdict == QPW_VERDICT_UNDECIDED)
            continue;
        add_counts(&all[rule].counts, &s->meters[i].counts);
        earlier(&all[rule].first_unix_ns, s->meters[i].first_unix_ns);
    }
    for (size_t i = 1; i < s->n_rules; i++)
        if (s->rules[i].in_force || qpw_report_sum_of(&all[i].counts).packets)
            all[kept++] = all[i];
    r->rules = all;
    r->n_rules = kept;
    qsort(r->rules, kept, sizeof(*r->rules), by_rule_packets);
    return 0;
}

/* ---- Gaps ---- */

static bool begins_gap(unsigned kind)
{
    return kind == QPW_COVERAGE_DETACHED || kind == QPW_COVERAGE_INTERFACE_GONE || kind == QPW_COVERAGE_HOOK_LOST;
}

static bool ends_gap(unsigned kind)
{
    return kind == QPW_COVERAGE_ATTACHED || kind == QPW_COVERAGE_INTERFACE_BACK;
}

static struct qpw_report_gap *open_gap(struct qpw_report *r, uint16_t iface)
{
    for (size_t i = r->n_gaps; i > 0; i--)
        if (r->gaps[i - 1].open && r->gaps[i - 1].iface == iface)
            return &r->gaps[i - 1];
    return NULL;
}

static void add_gap(struct qpw_report *r, uint16_t iface, uint64_t from, unsigned kind)
{
    r->gaps[r->n_gaps++] = (struct qpw_report_gap){.from_unix_ns = from, .to_unix_ns = r->s->unix_ns, .iface = iface,
                                                   .why = qpw_coverage_name(kind), .open = true};
}

static bool is_attached(const struct qpw_snapshot *s, unsigned number)
{
    for (size_t i = 0; i < s->n_ifaces; i++)
        if (s->ifaces[i].iface.number == number)
            return s->ifaces[i].attached;
    return false;
}

int qpw_report_make_gaps(struct qpw_report *r)
{
    const struct qpw_snapshot *s = r->s;
    struct qpw_report_gap *gap;
    size_t kept = 0;

    r->gaps = calloc(s->n_coverage + s->n_ifaces + 1, sizeof(*r->gaps));
    if (!r->gaps)
        return -ENOMEM;
    for (size_t i = 0; i < s->n_coverage; i++) {
        const struct qpw_coverage *c = &s->coverage[i];

        gap = open_gap(r, c->iface);
        if (begins_gap(c->kind) && !gap)
            add_gap(r, c->iface, c->unix_ns, c->kind);
        if (ends_gap(c->kind) && gap) {
            gap->to_unix_ns = c->unix_ns;
            gap->open = false;
        }
    }
    /* What the hooks say now counts more than the last record: put back in without one, or taken out without one. */
    for (size_t i = 0; i < s->n_ifaces; i++)
        if (!s->replay && !s->ifaces[i].attached && !open_gap(r, s->ifaces[i].iface.number))
            add_gap(r, s->ifaces[i].iface.number, s->unix_ns, QPW_COVERAGE_HOOK_LOST);
    for (size_t i = 0; i < r->n_gaps; i++)
        if (r->gaps[i].iface && is_attached(s, r->gaps[i].iface))
            r->gaps[i].open = false;
    for (size_t i = 0; i < r->n_gaps; i++)
        if (r->gaps[i].to_unix_ns >= r->since_unix_ns)
            r->gaps[kept++] = r->gaps[i];
    r->n_gaps = kept;
    return 0;
}
