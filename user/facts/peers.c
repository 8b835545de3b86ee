/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "facts/peers.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "facts/listed.h"
#include "snapshot/samples.h"

int qpw_rows_by_peer(const void *a, const void *b)
{
    const struct qpw_meter_key *x = &(*(const struct qpw_meter_row *const *)a)->key;
    const struct qpw_meter_key *y = &(*(const struct qpw_meter_row *const *)b)->key;

    if (x->peer != y->peer)
        return x->peer - y->peer;
    if (x->kind != y->kind || x->protocol != y->protocol)
        return x->kind != y->kind ? x->kind - y->kind : x->protocol - y->protocol;
    return x->port != y->port ? x->port - y->port : x->direction - y->direction;
}

/* Insert a port among the busiest if it qualifies. */
static void rank_port(struct qpw_port_sum *busiest, const struct qpw_port_sum *port)
{
    size_t rank = QPW_PEER_PORTS;

    while (rank > 0 && (!busiest[rank - 1].sum.packets || busiest[rank - 1].sum.bytes < port->sum.bytes))
        rank--;
    if (rank == QPW_PEER_PORTS)
        return;
    memmove(&busiest[rank + 1], &busiest[rank], (QPW_PEER_PORTS - 1 - rank) * sizeof(*port));
    busiest[rank] = *port;
}

static void add_port(const struct qpw_snapshot *s, struct qpw_peer_sum *peer, const struct qpw_port_sum *port)
{
    if (!port->sum.packets)
        return;
    peer->n_ports++;
    rank_port(peer->busiest, port);
    if (port->kind != QPW_KIND_PORT || qpw_listed_has(s, port->direction, port->protocol, port->port))
        return;
    peer->n_outside++;
    rank_port(peer->outside, port);
}

/* Add all rows of one peer; they are sorted by port. */
static void add_rows(const struct qpw_snapshot *s, struct qpw_peer_sum *peer, const struct qpw_meter_row *const *rows,
                     size_t count)
{
    struct qpw_port_sum port;

    for (size_t i = 0; i < count; i++) {
        struct qpw_sum sum = qpw_sum_of(&rows[i]->counts);

        qpw_counts_add(&peer->counts, &rows[i]->counts);
        if (qpw_meter_is_pair(&rows[i]->key))
            qpw_counts_add(&peer->pair, &rows[i]->counts);
        qpw_earlier(&peer->first_unix_ns, rows[i]->first_unix_ns);
        if (i && !qpw_rows_by_peer(&rows[i - 1], &rows[i])) {
            port.sum.packets += sum.packets;
            port.sum.bytes += sum.bytes;
        } else {
            port = (struct qpw_port_sum){sum, rows[i]->key.port, rows[i]->key.kind, rows[i]->key.protocol,
                                            rows[i]->key.direction};
        }
        if (i + 1 == count || qpw_rows_by_peer(&rows[i], &rows[i + 1]))
            add_port(s, peer, &port);
    }
}

static int by_peer_bytes(const void *a, const void *b)
{
    const struct qpw_peer_sum *x = a, *y = b;
    uint64_t left = qpw_sum_of(&x->counts).bytes, right = qpw_sum_of(&y->counts).bytes;

    return left != right ? (left < right ? 1 : -1) : strcmp(x->info->name, y->info->name);
}

/* Add address families that only findings show, because no connection of them is live. */
static void add_families(const struct qpw_snapshot *s, struct qpw_peer_sum *all)
{
    for (size_t i = 0; i < s->n_findings; i++) {
        const struct qpw_finding_row *f = &s->findings[i];

        if (!f->value.peer || f->value.peer >= s->n_peers || f->key.kind == QPW_KIND_ETHERTYPE)
            continue;
        if (IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)f->key.initiator))
            all[f->value.peer].v4 = true;
        else
            all[f->value.peer].v6 = true;
    }
}

static void add_seen(const struct qpw_snapshot *s, struct qpw_peer_sum *all)
{
    for (size_t i = 1; s->peer_seen && i < s->n_peers; i++) {
        all[i].last_unix_ns = s->peer_seen[i].last_unix_ns;
        all[i].v4 = s->peer_seen[i].v4;
        all[i].v6 = s->peer_seen[i].v6;
    }
    add_families(s, all);
}

/* Show a removed peer if it had traffic; never show the node itself. */
static bool is_shown(const struct qpw_peer_sum *peer)
{
    return peer->info->name[0] && !peer->info->own && (peer->info->in_force || qpw_sum_of(&peer->counts).packets);
}

static void add_meters(const struct qpw_snapshot *s, struct qpw_peer_sum *all, const struct qpw_meter_row **rows)
{
    size_t count = 0, at = 0, end;

    for (size_t i = 0; i < s->n_meters; i++)
        if (s->meters[i].key.peer)
            rows[count++] = &s->meters[i];
    qsort(rows, count, sizeof(*rows), qpw_rows_by_peer);
    for (size_t number = 1; number < s->n_peers; number++, at = end) {
        for (end = at; end < count && rows[end]->key.peer == number; end++)
            ;
        add_rows(s, &all[number], rows + at, end - at);
        all[number].silent = !all[number].counts.rx_packets;
    }
}

int qpw_peers_sum(const struct qpw_snapshot *s, struct qpw_peer_sum **ret, size_t *ret_n)
{
    const struct qpw_meter_row **rows = calloc(s->n_meters + 1, sizeof(*rows));
    struct qpw_peer_sum *all = calloc(s->n_peers + 1, sizeof(*all));
    size_t kept = 0;

    if (!rows || !all) {
        free(rows);
        free(all);
        return -ENOMEM;
    }
    for (size_t i = 1; i < s->n_peers; i++) {
        all[i].info = &s->peers[i];
        all[i].number = (uint16_t)i;
    }
    add_meters(s, all, rows);
    add_seen(s, all);
    free(rows);
    for (size_t i = 1; i < s->n_peers; i++)
        if (is_shown(&all[i]))
            all[kept++] = all[i];
    qsort(all, kept, sizeof(*all), by_peer_bytes);
    *ret = all;
    *ret_n = kept;
    return 0;
}

const char *qpw_node_name(const struct qpw_snapshot *s)
{
    for (size_t i = 1; i < s->n_peers; i++)
        if (s->peers[i].own && s->peers[i].name[0])
            return s->peers[i].name;
    return s->meta.sensor[0] ? s->meta.sensor : s->host;
}
