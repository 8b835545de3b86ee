/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Find nodes whose setup differs from most others': policy, version, mode, monitored devices; and check their clocks.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "facts/compare_internal.h"
#include "util/array.h"
#include "util/cleanup.h"

#define AHEAD_NS 1000000000ull
#define LINK_LEAST 1000u /* minimum packets of a device that should be monitored */

/* One setting of a node; value NULL: nothing to compare. */
struct setting {
    const char *value;
    const char *node;
};

static int by_value(const void *a, const void *b)
{
    return strcmp(((const struct setting *)a)->value, ((const struct setting *)b)->value);
}

static int by_value_and_node(const void *a, const void *b)
{
    int order = by_value(a, b);

    return order ? order : strcmp(((const struct setting *)a)->node, ((const struct setting *)b)->node);
}

/* Return the most frequent value, the first one on a tie. settings are sorted. */
static const char *usual_of(const struct setting *settings, size_t n)
{
    const char *ret = "";
    size_t most = 0;

    for (size_t first = 0, end; first < n; first = end) {
        end = QPW_RUN_END(settings, n, first, by_value);
        if (end - first > most) {
            most = end - first;
            ret = settings[first].value;
        }
    }
    return ret;
}

/* Add one difference for each value other than the usual one. */
static int compare_settings(struct qpw_comparing *c, enum qpw_difference_what what, const char *subject, struct setting *settings, size_t n)
{
    struct qpw_difference *d = NULL;
    const char *usual;

    if (n < 2)
        return 0;
    qsort(settings, n, sizeof(*settings), by_value_and_node);
    usual = usual_of(settings, n);
    for (size_t i = 0; i < n; i++) {
        if (!strcmp(settings[i].value, usual))
            continue;
        if (d && !strcmp(d->value, settings[i].value)) {
            if (qpw_difference_add_node(d, settings[i].node) < 0)
                return -ENOMEM;
            continue;
        }
        d = qpw_difference_add(c, what, settings[i].node);
        if (!d)
            return -ENOMEM;
        snprintf(d->subject, sizeof(d->subject), "%s", subject);
        snprintf(d->value, sizeof(d->value), "%s", settings[i].value);
        snprintf(d->usual, sizeof(d->usual), "%s", usual);
    }
    return 0;
}

static const struct qpw_stated_device *device(const struct qpw_stated_device *devices, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (!strcmp(devices[i].name, name))
            return &devices[i];
    return NULL;
}

static bool is_monitored_by(const struct qpw_statement *s, const char *name)
{
    return device(s->devices, s->n_devices, name);
}

static int add_unmonitored(struct qpw_comparing *c, enum qpw_difference_what what, const struct qpw_statement *s, const char *name,
                           uint64_t packets)
{
    struct qpw_difference *d = qpw_difference_add(c, what, s->node);

    if (!d)
        return -ENOMEM;
    snprintf(d->subject, sizeof(d->subject), "%s", name);
    qpw_stated_devices(s, name, d->devices, sizeof(d->devices));
    d->count = packets;
    return 0;
}

/* Return whether another node has an address of that device as a neighbour. */
static bool reaches_nodes(const struct qpw_comparing *c, const struct qpw_statement *s, const char *name)
{
    for (size_t i = 0; i < s->n_local; i++)
        for (size_t j = 0; !strcmp(s->local[i].dev, name) && j < c->to->n_nodes; j++)
            for (size_t k = 0; c->to->nodes[j] != s && k < c->to->nodes[j]->n_neigh; k++)
                if (!memcmp(c->to->nodes[j]->neigh[k].addr, s->local[i].addr, 16))
                    return true;
    return false;
}

/* Report unmonitored devices that most others monitor, or through which other nodes reach this one. */
static int compare_unwatched(struct qpw_comparing *c, const struct qpw_statement *s)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < s->n_unwatched; i++) {
        const struct qpw_stated_device *d = &s->unwatched[i];
        size_t others = 0;

        for (size_t j = 0; j < c->to->n_nodes; j++)
            others += is_monitored_by(c->to->nodes[j], d->name);
        if (2 * others > c->to->n_nodes)
            r = add_unmonitored(c, QPW_DIFFERS_NOT_MONITORED, s, d->name, d->tx + d->rx);
        else if (d->tx + d->rx >= LINK_LEAST && reaches_nodes(c, s, d->name))
            r = add_unmonitored(c, QPW_DIFFERS_OPEN_LINK, s, d->name, d->tx + d->rx);
    }
    for (size_t i = 0; r == 0 && i < s->n_devices; i++)
        if (s->devices[i].blind)
            r = add_unmonitored(c, QPW_DIFFERS_BLIND, s, s->devices[i].name, 0);
    return r;
}

/* Compare the mode of each device, by name, starting with the first node that has it. */
static int compare_modes(struct qpw_comparing *c, struct setting *settings)
{
    struct qpw_comparison *to = c->to;
    int r = 0;

    for (size_t i = 0; i < to->n_nodes; i++)
        for (size_t j = 0; r == 0 && j < to->nodes[i]->n_devices; j++) {
            const char *name = to->nodes[i]->devices[j].name;
            bool begun = false;
            size_t n = 0;

            for (size_t k = 0; k < i; k++)
                begun |= is_monitored_by(to->nodes[k], name);
            for (size_t k = i; !begun && k < to->n_nodes; k++) {
                const struct qpw_stated_device *d = device(to->nodes[k]->devices, to->nodes[k]->n_devices, name);

                if (d && *d->mode)
                    settings[n++] = (struct setting){d->mode, to->nodes[k]->node};
            }
            r = compare_settings(c, QPW_DIFFERS_MODE, name, settings, n);
        }
    return r;
}

static int compare_clock(struct qpw_comparing *c, const struct qpw_statement *s)
{
    struct qpw_difference *d;

    if (s->at_unix_ns <= c->now_unix_ns + AHEAD_NS)
        return 0;
    d = qpw_difference_add(c, QPW_DIFFERS_AHEAD, s->node);
    if (!d)
        return -ENOMEM;
    d->count = (s->at_unix_ns - c->now_unix_ns) / 1000;
    return 0;
}

int qpw_compare_drift(struct qpw_comparing *c)
{
    struct qpw_comparison *to = c->to;
    QPW_CLEANUP(qpw_freep) struct setting *settings = calloc(to->n_nodes + 1, sizeof(*settings));
    size_t n = 0;
    int r;

    if (!settings)
        return -ENOMEM;
    for (size_t i = 0; i < to->n_nodes; i++)
        if (*to->nodes[i]->policy.digest)
            settings[n++] = (struct setting){to->nodes[i]->policy.digest, to->nodes[i]->node};
    r = compare_settings(c, QPW_DIFFERS_OTHER_POLICY, "", settings, n);
    if (r < 0)
        return r;
    for (n = 0; n < to->n_nodes; n++)
        settings[n] = (struct setting){to->nodes[n]->version, to->nodes[n]->node};
    r = compare_settings(c, QPW_DIFFERS_OTHER_VERSION, "", settings, n);
    if (r < 0)
        return r;
    r = compare_modes(c, settings);
    if (r < 0)
        return r;
    for (size_t i = 0; i < to->n_nodes; i++) {
        r = compare_unwatched(c, to->nodes[i]);
        if (r < 0)
            return r;
        r = compare_clock(c, to->nodes[i]);
        if (r < 0)
            return r;
    }
    return 0;
}

/* ---- Unused rules ---- */

static bool is_unused_on(const struct qpw_statement *s, const char *rule)
{
    for (size_t i = 0; i < s->policy.n_unused; i++)
        if (!strcmp(s->policy.unused[i], rule))
            return true;
    return false;
}

/* List rules that no node used, provided that all have the same policy and have counted for a day. */
int qpw_compare_unused(struct qpw_comparing *c)
{
    struct qpw_comparison *to = c->to;
    const struct qpw_statement *first = to->n_nodes ? to->nodes[0] : NULL;

    for (size_t i = 0; i < to->n_nodes; i++)
        if (!qpw_stated_for_a_day(to->nodes[i]) || strcmp(to->nodes[i]->policy.digest, first->policy.digest))
            return 0;
    for (size_t i = 0; first && i < first->policy.n_unused; i++) {
        const char **more;
        bool unused = true;

        for (size_t j = 1; unused && j < to->n_nodes; j++)
            unused = is_unused_on(to->nodes[j], first->policy.unused[i]);
        if (!unused)
            continue;
        more = QPW_ADD(to->unused, to->n_unused);
        if (!more)
            return -ENOMEM;
        *more = first->policy.unused[i];
        to->n_unused++;
    }
    return 0;
}
