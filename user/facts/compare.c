/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "facts/compare.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "facts/compare_internal.h"
#include "util/array.h"
#include "util/name_table.h"

QPW_NAME_TABLE(qpw_difference_kind_name, kind, QPW_DIFFERENCE_KINDS, QPW_DIFFERENCE_KIND_COUNT, "")

const char *qpw_difference_name(unsigned what)
{
    static const char *const names[] = {
#define NAME(symbol, kind, name) name,
        QPW_DIFFERENCES(NAME)
#undef NAME
    };

    return what < QPW_DIFFERS_COUNT ? names[what] : "";
}

enum qpw_difference_kind qpw_difference_kind(unsigned what)
{
    static const enum qpw_difference_kind kinds[] = {
#define KIND(symbol, kind, name) QPW_DIFFERENCE_##kind,
        QPW_DIFFERENCES(KIND)
#undef KIND
    };

    return what < QPW_DIFFERS_COUNT ? kinds[what] : QPW_DIFFERENCE_KIND_COUNT;
}

QPW_NAME_TABLE(qpw_pair_state_name, state, QPW_UNCOMPARED, QPW_PAIR_STATE_COUNT, "")

int qpw_difference_add_node(struct qpw_difference *d, const char *node)
{
    const char **more = QPW_ADD(d->nodes, d->n_nodes);

    if (!more)
        return -ENOMEM;
    *more = node;
    d->n_nodes++;
    return 0;
}

struct qpw_difference *qpw_difference_add(struct qpw_comparing *c, enum qpw_difference_what what, const char *node)
{
    struct qpw_difference *d = QPW_ADD(c->to->differences, c->to->n_differences);

    if (!d)
        return NULL;
    d->what = what;
    c->to->n_differences++;
    return qpw_difference_add_node(d, node) < 0 ? NULL : d;
}

static int by_name(const void *a, const void *b)
{
    const struct qpw_statement *x = *(const struct qpw_statement *const *)a, *y = *(const struct qpw_statement *const *)b;
    int order = strcmp(x->node, y->node);

    return order ? order : (x->at_unix_ns < y->at_unix_ns) - (x->at_unix_ns > y->at_unix_ns);
}

size_t qpw_comparing_node(const struct qpw_comparing *c, const char *name)
{
    size_t low = 0, high = c->to->n_nodes, middle;

    while (low < high) {
        int order;

        middle = low + (high - low) / 2;
        order = strcmp(c->to->nodes[middle]->node, name);
        if (!order)
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return c->to->n_nodes;
}

const struct qpw_stated_series *qpw_stated_series_of(const struct qpw_stated_series *series, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (!strcmp(series[i].name, name))
            return &series[i];
    return NULL;
}

const char *qpw_stated_service_text(const struct qpw_stated_service *s, bool direction, char *buf, size_t size)
{
    const char *way = direction ? s->direction : "", *blank = direction ? " " : "";

    if (s->port == QPW_NO_PORT)
        snprintf(buf, size, "%s%s%s", way, blank, s->protocol);
    else
        snprintf(buf, size, "%s%s%s/%d", way, blank, s->protocol, s->port);
    return buf;
}

void qpw_stated_devices(const struct qpw_statement *s, const char *more, char *buf, size_t size)
{
    size_t used = 0;

    *buf = '\0';
    for (size_t i = 0; i < s->n_devices && used < size; i++)
        if (strcmp(s->devices[i].name, more))
            used += (size_t)snprintf(buf + used, size - used, "%s%s", used ? " " : "", s->devices[i].name);
    if (used < size && *more)
        snprintf(buf + used, size - used, "%s%s", used ? " " : "", more);
}

/* Find the latest statement of each node, and index the pairs. */
static int take_nodes(struct qpw_comparing *c)
{
    struct qpw_comparison *to = c->to;
    size_t kept = 0, of;

    to->nodes = calloc(c->n_all + 1, sizeof(*to->nodes));
    if (!to->nodes)
        return -ENOMEM;
    for (size_t i = 0; i < c->n_all; i++)
        to->nodes[i] = &c->all[i];
    qsort(to->nodes, c->n_all, sizeof(*to->nodes), by_name);
    for (size_t i = 0; i < c->n_all; i++)
        if (!kept || strcmp(to->nodes[kept - 1]->node, to->nodes[i]->node))
            to->nodes[kept++] = to->nodes[i];
    to->n_nodes = kept;
    to->older = c->n_all - kept;
    c->pair = calloc(kept * kept + 1, sizeof(*c->pair));
    if (!c->pair)
        return -ENOMEM;
    for (size_t i = 0; i < kept; i++)
        for (size_t j = 0; j < to->nodes[i]->n_pairs; j++) {
            of = qpw_comparing_node(c, to->nodes[i]->pairs[j].peer);
            if (of < kept && of != i)
                c->pair[i * kept + of] = &to->nodes[i]->pairs[j];
        }
    return 0;
}

bool qpw_namesakes(const struct qpw_statement *statements, size_t n, const struct qpw_statement **ret_a, const struct qpw_statement **ret_b)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++) {
            const struct qpw_statement *a = &statements[i], *b = &statements[j];

            if (strcmp(a->node, b->node) || !strcmp(a->epoch, b->epoch) || a->since_unix_ns > b->at_unix_ns ||
                b->since_unix_ns > a->at_unix_ns)
                continue;
            *ret_a = a;
            *ret_b = b;
            return true;
        }
    return false;
}

static int by_kind(const void *a, const void *b)
{
    const struct qpw_difference *x = a, *y = b;
    int order = (int)qpw_difference_kind(x->what) - (int)qpw_difference_kind(y->what);

    if (order)
        return order;
    if (x->what != y->what)
        return (int)x->what - (int)y->what;
    order = strcmp(x->nodes[0], y->nodes[0]);
    return order ? order : strcmp(x->subject, y->subject);
}

int qpw_compare(const struct qpw_statement *statements, size_t n, uint64_t now_unix_ns, struct qpw_comparison *ret)
{
    return qpw_compare_with(statements, n, now_unix_ns, NULL, ret);
}

static int compare(struct qpw_comparing *c)
{
    static int (*const comparisons[])(struct qpw_comparing *) = {
        take_nodes,        qpw_compare_pairs,    qpw_compare_directions, qpw_compare_silence, qpw_compare_addresses,
        qpw_compare_drift, qpw_compare_services, qpw_compare_scans,      qpw_compare_unused};

    for (size_t i = 0; i < sizeof(comparisons) / sizeof(*comparisons); i++) {
        int r = comparisons[i](c);

        if (r < 0)
            return r;
    }
    return 0;
}

int qpw_compare_with(const struct qpw_statement *statements, size_t n, uint64_t now_unix_ns, const struct qpw_compare_hooks *hooks,
                     struct qpw_comparison *ret)
{
    struct qpw_comparing c = {.all = statements, .n_all = n, .now_unix_ns = now_unix_ns, .hooks = hooks, .to = ret};
    int r;

    *ret = (struct qpw_comparison){0};
    r = compare(&c);
    free(c.pair);
    if (r < 0)
        return r;
    if (ret->n_differences)
        qsort(ret->differences, ret->n_differences, sizeof(*ret->differences), by_kind);
    return 0;
}

void qpw_comparison_clear(struct qpw_comparison *c)
{
    for (size_t i = 0; i < c->n_differences; i++)
        free(c->differences[i].nodes);
    free(c->differences);
    free(c->nodes);
    free(c->pairs);
    free(c->addresses);
    free(c->unused);
    *c = (struct qpw_comparison){0};
}
