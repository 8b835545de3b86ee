/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Compare the services that nodes answer: what only one does, and what one pair only uses; hosts that probed several nodes. */
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "facts/compare_internal.h"
#include "util/array.h"
#include "util/hash.h"
#include "util/names.h"

#define ODD_LEAST 4u                    /* minimum number of nodes; with fewer, none is the odd one */
#define SCANNED_LEAST 3u
#define SCAN_NS 600000000000ull         /* attempts within this time belong to one scan */

/* ---- Odd nodes ---- */

/* A service that a node answered. */
struct answered {
    const struct qpw_stated_port *port;
    size_t node;
};

static int by_service(const void *a, const void *b)
{
    const struct qpw_stated_port *x = ((const struct answered *)a)->port, *y = ((const struct answered *)b)->port;
    int order = strcmp(x->service.protocol, y->service.protocol);

    if (order)
        return order;
    if (x->service.port != y->service.port)
        return x->service.port - y->service.port;
    order = strcmp(x->service.direction, y->service.direction);
    return order ? order : strcmp(x->verdict, y->verdict);
}

static bool is_answered(const struct qpw_stated_port *p)
{
    return !strcmp(p->outcome, "answered") || !strcmp(p->outcome, "data");
}

/* Return whether the service listens on a floating address, and therefore moves with it. */
static bool floats(const struct qpw_statement *s, const struct qpw_stated_service *service)
{
    for (size_t i = 0; i < s->n_listen; i++)
        for (size_t j = 0; qpw_stated_same(&s->listen[i].service, service) && j < s->n_local; j++)
            if (s->local[j].floating && !memcmp(s->listen[i].addr, s->local[j].addr, 16))
                return true;
    return false;
}

/* The rows of one service, of all nodes. */
struct service_rows {
    const struct answered *rows;
    size_t n;
    size_t *seen; /* by node: the `stamp` of the last service that it answered */
    size_t stamp;
};

/* old: number of nodes compared. */
static int compare_service(struct qpw_comparing *c, const struct service_rows *s, size_t old)
{
    size_t nodes = 0, missing = 0;
    bool left_out = false;
    struct qpw_difference *d;

    for (size_t i = 0; i < s->n; i++) {
        nodes += s->seen[s->rows[i].node] != s->stamp;
        s->seen[s->rows[i].node] = s->stamp;
    }
    for (size_t i = 0; i < c->to->n_nodes; i++)
        if (qpw_stated_for_a_day(c->to->nodes[i]) && s->seen[i] != s->stamp) {
            missing = i;
            left_out |= c->to->nodes[i]->left_out.ports;
        }
    if (nodes != 1 && (nodes + 1 != old || left_out))
        return 0;
    d = qpw_difference_add(c, nodes == 1 ? QPW_DIFFERS_ONLY_ONE : QPW_DIFFERS_MISSING_ONE,
                           c->to->nodes[nodes == 1 ? s->rows->node : missing]->node);
    if (!d)
        return -ENOMEM;
    qpw_stated_service_text(&s->rows->port->service, /* direction= */ true, d->subject, sizeof(d->subject));
    snprintf(d->value, sizeof(d->value), "%s", s->rows->port->verdict);
    return 0;
}

static size_t collect_answered(const struct qpw_comparing *c, struct answered *rows)
{
    size_t n = 0;

    for (size_t i = 0; i < c->to->n_nodes; i++) {
        const struct qpw_statement *s = c->to->nodes[i];

        for (size_t j = 0; qpw_stated_for_a_day(s) && j < s->n_ports; j++) {
            const struct qpw_stated_port *p = &s->ports[j];

            if (is_answered(p) && p->service.port != QPW_NO_PORT && !floats(s, &p->service))
                rows[n++] = (struct answered){p, i};
        }
    }
    return n;
}

static int compare_answered(struct qpw_comparing *c, size_t old)
{
    size_t room = 0, n;
    struct service_rows s = {0};
    struct answered *rows;
    int r = 0;

    for (size_t i = 0; i < c->to->n_nodes; i++)
        room += c->to->nodes[i]->n_ports;
    rows = calloc(room + 1, sizeof(*rows));
    s.seen = calloc(c->to->n_nodes + 1, sizeof(*s.seen));
    if (!rows || !s.seen) {
        free(rows);
        free(s.seen);
        return -ENOMEM;
    }
    n = collect_answered(c, rows);
    if (n)
        qsort(rows, n, sizeof(*rows), by_service);
    for (size_t first = 0, end; r == 0 && first < n; first = end) {
        end = QPW_RUN_END(rows, n, first, by_service);
        s.rows = &rows[first];
        s.n = end - first;
        s.stamp++;
        r = compare_service(c, &s, old);
    }
    free(rows);
    free(s.seen);
    return r;
}

/* ---- Services of one pair ---- */

/* A service that a node offers to a peer. */
struct offered {
    const struct qpw_stated_by *by;
    size_t node, peer;
};

static int by_offer(const void *a, const void *b)
{
    const struct qpw_stated_service *x = &((const struct offered *)a)->by->service, *y = &((const struct offered *)b)->by->service;
    int order = strcmp(x->protocol, y->protocol);

    return order ? order : x->port - y->port;
}

static const char *listener_of(const struct qpw_statement *s, const struct qpw_stated_service *service)
{
    for (size_t i = 0; i < s->n_listen; i++)
        if (qpw_stated_same(&s->listen[i].service, service))
            return s->listen[i].exe;
    return "";
}

static size_t collect_offers(const struct qpw_comparing *c, struct offered *offers)
{
    size_t n = 0;

    for (size_t i = 0; i < c->to->n_nodes; i++)
        for (size_t j = 0; qpw_stated_for_a_day(c->to->nodes[i]) && j < c->to->n_nodes; j++) {
            const struct qpw_stated_pair *pair = qpw_comparing_pair(c, i, j);

            for (size_t k = 0; pair && k < pair->n_by; k++)
                if (!strcmp(pair->by[k].service.direction, "inbound") && strncmp(pair->by[k].service.protocol, "icmp", 4) &&
                    pair->by[k].service.port != QPW_NO_PORT && pair->by[k].tx && pair->by[k].rx)
                    offers[n++] = (struct offered){&pair->by[k], i, j};
        }
    return n;
}

/* Add a difference if all n offers of one service are between the same two nodes. */
static int compare_offered(struct qpw_comparing *c, const struct offered *offers, size_t n)
{
    const struct qpw_statement *s = c->to->nodes[offers->node];
    struct qpw_difference *d;

    for (size_t i = 1; i < n; i++)
        if ((offers[i].node != offers->peer || offers[i].peer != offers->node) &&
            (offers[i].node != offers->node || offers[i].peer != offers->peer))
            return 0;
    d = qpw_difference_add(c, QPW_DIFFERS_ONE_PAIR, s->node);
    if (!d || qpw_difference_add_node(d, c->to->nodes[offers->peer]->node) < 0)
        return -ENOMEM;
    qpw_stated_service_text(&offers->by->service, /* direction= */ false, d->subject, sizeof(d->subject));
    snprintf(d->value, sizeof(d->value), "%s", listener_of(s, &offers->by->service));
    return 0;
}

static int compare_offers(struct qpw_comparing *c)
{
    size_t n, room = c->to->n_nodes * c->to->n_nodes * QPW_STATED_BY;
    struct offered *offers = calloc(room + 1, sizeof(*offers));
    int r = 0;

    if (!offers)
        return -ENOMEM;
    n = collect_offers(c, offers);
    if (n)
        qsort(offers, n, sizeof(*offers), by_offer);
    for (size_t first = 0, end; r == 0 && first < n; first = end) {
        end = QPW_RUN_END(offers, n, first, by_offer);
        r = compare_offered(c, &offers[first], end - first);
    }
    free(offers);
    return r;
}

int qpw_compare_services(struct qpw_comparing *c)
{
    size_t old = 0;
    int r;

    for (size_t i = 0; i < c->to->n_nodes; i++)
        old += qpw_stated_for_a_day(c->to->nodes[i]);
    if (old < ODD_LEAST)
        return 0;
    r = compare_answered(c, old);
    return r ? r : compare_offers(c);
}

/* ---- Scans ---- */

struct probed {
    const struct qpw_stated_scan *scan;
    const char *node;
};

static int by_initiator(const void *a, const void *b)
{
    return memcmp(((const struct probed *)a)->scan->addr, ((const struct probed *)b)->scan->addr, 16);
}

static int by_initiator_and_time(const void *a, const void *b)
{
    const struct qpw_stated_scan *x = ((const struct probed *)a)->scan, *y = ((const struct probed *)b)->scan;
    int order = by_initiator(a, b);

    return order ? order : (x->first_unix_ns > y->first_unix_ns) - (x->first_unix_ns < y->first_unix_ns);
}

static bool are_close(const struct qpw_stated_scan *a, const struct qpw_stated_scan *b)
{
    return a->first_unix_ns <= b->last_unix_ns + SCAN_NS && b->first_unix_ns <= a->last_unix_ns + SCAN_NS;
}

/* Make an id that is the same on every node: FNV-1a of the initiator and the hour. */
static void scan_id(const struct qpw_stated_scan *scan, char ret[24])
{
    uint64_t hour = htole64(scan->first_unix_ns / (3600 * 1000000000ull)), hash = qpw_hash(QPW_HASH_BEGIN, scan->addr, sizeof(scan->addr));

    snprintf(ret, 24, "%016llx", (unsigned long long)qpw_hash(hash, &hour, sizeof(hour)));
}

/* Compare one initiator's attempts on n nodes: find the most of them within the time of one scan. */
static int compare_scan(struct qpw_comparing *c, const struct probed *rows, size_t n)
{
    size_t best = 0, most = 0, close;
    struct qpw_difference *d = NULL;
    char id[24];

    for (size_t i = 0; i < n; i++) {
        close = 0;
        for (size_t j = 0; j < n; j++)
            close += are_close(rows[i].scan, rows[j].scan);
        if (close > most) {
            most = close;
            best = i;
        }
    }
    if (most < SCANNED_LEAST)
        return 0;
    for (size_t i = 0; i < n; i++) {
        if (!are_close(rows[best].scan, rows[i].scan))
            continue;
        if (!d) {
            d = qpw_difference_add(c, QPW_DIFFERS_SCANNED, rows[i].node);
            if (!d)
                return -ENOMEM;
            qpw_address_text(rows[i].scan->addr, d->subject, sizeof(d->subject));
            scan_id(rows[i].scan, id);
            snprintf(d->value, sizeof(d->value), "%s", id);
        } else if (qpw_difference_add_node(d, rows[i].node) < 0) {
            return -ENOMEM;
        }
        d->count = rows[i].scan->ports > d->count ? rows[i].scan->ports : d->count;
    }
    return 0;
}

int qpw_compare_scans(struct qpw_comparing *c)
{
    size_t room = 0, n = 0;
    struct probed *rows;
    int r = 0;

    for (size_t i = 0; i < c->to->n_nodes; i++)
        room += c->to->nodes[i]->n_scans;
    rows = calloc(room + 1, sizeof(*rows));
    if (!rows)
        return -ENOMEM;
    for (size_t i = 0; i < c->to->n_nodes; i++)
        for (size_t j = 0; j < c->to->nodes[i]->n_scans; j++)
            rows[n++] = (struct probed){&c->to->nodes[i]->scans[j], c->to->nodes[i]->node};
    if (n)
        qsort(rows, n, sizeof(*rows), by_initiator_and_time);
    for (size_t first = 0, end; r == 0 && first < n; first = end) {
        end = QPW_RUN_END(rows, n, first, by_initiator);
        r = compare_scan(c, &rows[first], end - first);
    }
    free(rows);
    return r;
}
