/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Compare which nodes receive from which, and which node holds which address. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "facts/compare_internal.h"
#include "util/array.h"
#include "util/names.h"

#define HEARD_US 60000000u
#define SAME_TIME_NS 60000000000ull /* statements at most this far apart are simultaneous */

/* ---- Silence ---- */

/*
 * Return whether packets were received in the last minute, or without samples, since counting began. What came before a
 * peer fell silent must be out of that time once it counts as stale.
 */
static bool hears(const struct qpw_statement *s, const struct qpw_stated_pair *pair)
{
    const struct qpw_stated_series *series = qpw_stated_series_of(s->samples.pairs, s->samples.n_pairs, pair->peer);
    size_t n = s->samples.n, first = 0;

    while (n && s->samples.boot_us[first] + HEARD_US < s->samples.boot_us[n - 1])
        first++;
    return series && n > 1 ? series->rx[n - 1] > series->rx[first] : pair->rx.packets;
}

/* One node's statement about its reception from another. */
struct reception {
    const char *name;
    const struct qpw_statement *by;   /* the node that states it */
    bool hears;
    bool is_silent; /* received nothing, although the other sent packets in the same time */
};

static struct reception reception_of(const struct qpw_comparing *c, size_t node, const struct qpw_stated_pair *pair)
{
    struct reception ret = {.name = pair->peer, .by = c->to->nodes[node], .hears = hears(c->to->nodes[node], pair)};
    size_t other = qpw_comparing_node(c, pair->peer);

    ret.is_silent = other != c->to->n_nodes && other != node && qpw_comparing_result(c, other, node)->silent;
    return ret;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct reception *)a)->name, ((const struct reception *)b)->name);
}

static int by_reception(const void *a, const void *b)
{
    int order = by_name(a, b);

    return order ? order : strcmp(((const struct reception *)a)->by->node, ((const struct reception *)b)->by->node);
}

static int add_all(struct qpw_difference *d, const struct reception *rows, size_t n, bool hears)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < n; i++)
        if (hears ? rows[i].hears : rows[i].is_silent)
            r = qpw_difference_add_node(d, rows[i].by->node);
    return r;
}

/* Compare what n nodes state about one. */
static int compare_receptions(struct qpw_comparing *c, const struct reception *rows, size_t n)
{
    size_t hear = 0, is_silent = 0;
    bool stated = qpw_comparing_node(c, rows->name) < c->to->n_nodes;
    struct qpw_difference *d;

    for (size_t i = 0; i < n; i++) {
        hear += rows[i].hears;
        is_silent += rows[i].is_silent;
    }
    if (stated && (!hear || !is_silent))
        return 0; /* silent to all, but it made a statement: idle */
    d = qpw_difference_add(c, stated ? QPW_DIFFERS_PARTITION : hear ? QPW_DIFFERS_NO_STATEMENT : QPW_DIFFERS_DOWN, rows->name);
    if (!d)
        return -ENOMEM;
    d->count = hear;
    d->of = n;
    return add_all(d, rows, n, !stated && hear);
}

int qpw_compare_silence(struct qpw_comparing *c)
{
    size_t n = 0, room = 0;
    struct reception *rows;
    int r = 0;

    for (size_t i = 0; i < c->to->n_nodes; i++)
        room += c->to->nodes[i]->n_pairs;
    rows = calloc(room + 1, sizeof(*rows));
    if (!rows)
        return -ENOMEM;
    for (size_t i = 0; i < c->to->n_nodes; i++)
        for (size_t j = 0; j < c->to->nodes[i]->n_pairs; j++)
            rows[n++] = reception_of(c, i, &c->to->nodes[i]->pairs[j]);
    if (n)
        qsort(rows, n, sizeof(*rows), by_reception);
    for (size_t first = 0, end; r == 0 && first < n; first = end) {
        end = QPW_RUN_END(rows, n, first, by_name);
        r = compare_receptions(c, &rows[first], end - first);
    }
    free(rows);
    return r;
}

/* ---- Addresses ---- */

/* A node's statement that it holds an address. */
struct holding {
    const struct qpw_stated_local *local;
    const struct qpw_statement *by;
};

static int by_address(const void *a, const void *b)
{
    return memcmp(((const struct holding *)a)->local->addr, ((const struct holding *)b)->local->addr, 16);
}

static int by_address_and_time(const void *a, const void *b)
{
    const struct holding *x = a, *y = b;
    int order = by_address(a, b);

    if (order)
        return order;
    if (x->by->at_unix_ns != y->by->at_unix_ns)
        return x->by->at_unix_ns < y->by->at_unix_ns ? -1 : 1;
    return strcmp(x->by->node, y->by->node);
}

/* Return whether every host has addresses of this range of its own (loopback, link-local). */
static bool is_own_to_all(const uint8_t addr[16])
{
    bool v4 = !addr[0] && addr[10] == 0xff && addr[11] == 0xff;

    return v4 ? addr[12] == 127 || (addr[12] == 169 && addr[13] == 254) : qpw_address_is_link_local(addr);
}

/*
 * Return whether the address is on a monitored device, or on one with the same MAC. Addresses of virtual bridges are
 * excluded, because many hosts have the same ones.
 */
static bool is_of_network(const struct qpw_statement *s, const struct qpw_stated_local *l)
{
    for (size_t i = 0; i < s->n_devices; i++)
        if (!strcmp(s->devices[i].name, l->dev) || !memcmp(s->devices[i].mac, l->mac, 6))
            return true;
    return false;
}

static bool is_latest(const struct qpw_comparing *c, const struct qpw_statement *s)
{
    return c->to->nodes[qpw_comparing_node(c, s->node)] == s;
}

/* Compare the statements about one address, oldest first. */
static int compare_holders(struct qpw_comparing *c, const struct holding *rows, size_t n)
{
    const struct holding *last = &rows[n - 1];
    struct qpw_held_address *a = QPW_ADD(c->to->addresses, c->to->n_addresses);
    struct qpw_difference *d = NULL;
    int r = 0;

    if (!a)
        return -ENOMEM;
    memcpy(a->addr, last->local->addr, sizeof(a->addr));
    a->holder = last->by->node;
    a->since_unix_ns = rows[0].by->at_unix_ns;
    for (size_t i = 1; i < n; i++)
        if (strcmp(rows[i].by->node, rows[i - 1].by->node)) {
            a->moves++;
            a->since_unix_ns = rows[i].by->at_unix_ns;
        }
    for (size_t i = 0; r == 0 && i < n; i++) {
        if (rows[i].by == last->by || !is_latest(c, rows[i].by) || !is_latest(c, last->by) ||
            last->by->at_unix_ns - rows[i].by->at_unix_ns > SAME_TIME_NS)
            continue;
        if (!d) {
            d = qpw_difference_add(c, QPW_DIFFERS_HELD_TWICE, last->by->node);
            if (!d)
                return -ENOMEM;
            qpw_address_text(last->local->addr, d->subject, sizeof(d->subject));
        }
        r = qpw_difference_add_node(d, rows[i].by->node);
    }
    if (d)
        a->moves = 0; /* it did not move: both hold it */
    else if (!last->local->floating && !a->moves)
        return r; /* a static address in its usual place */
    c->to->n_addresses++;
    return r;
}

int qpw_compare_addresses(struct qpw_comparing *c)
{
    size_t n = 0, room = 0;
    struct holding *rows;
    int r = 0;

    for (size_t i = 0; i < c->n_all; i++)
        room += c->all[i].n_local;
    rows = calloc(room + 1, sizeof(*rows));
    if (!rows)
        return -ENOMEM;
    for (size_t i = 0; i < c->n_all; i++)
        for (size_t j = 0; j < c->all[i].n_local; j++)
            if (!is_own_to_all(c->all[i].local[j].addr) && is_of_network(&c->all[i], &c->all[i].local[j]))
                rows[n++] = (struct holding){&c->all[i].local[j], &c->all[i]};
    if (n)
        qsort(rows, n, sizeof(*rows), by_address_and_time);
    for (size_t first = 0, end; r == 0 && first < n; first = end) {
        end = QPW_RUN_END(rows, n, first, by_address);
        r = compare_holders(c, &rows[first], end - first);
    }
    free(rows);
    return r;
}
