/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Compare who opened what to whom, by both ends. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "facts/compare_internal.h"

#define EPOCH_SLACK_NS 2000000000ull /* tolerance for clocks when comparing the start of counting */
#define OPENINGS_LEAST 10u           /* minimum number of openings that differ */
#define OPENINGS_PERCENT 90u         /* report if fewer than this percentage agree */

static const struct qpw_stated_by *by_of(const struct qpw_stated_pair *pair, const struct qpw_stated_service *service, const char *direction)
{
    for (size_t i = 0; i < pair->n_by; i++)
        if (qpw_stated_same(&pair->by[i].service, service) && !strcmp(pair->by[i].service.direction, direction))
            return &pair->by[i];
    return NULL;
}

/* One pair of nodes; statements are not of one moment, so the later one must contain what the earlier one says. */
struct openings {
    struct qpw_comparing *c;
    const struct qpw_statement *early, *late;
    const struct qpw_stated_pair *one_side, *seen;
    struct qpw_pair_result *by_early, *by_late; /* connections opened by each to the other */
    uint64_t since_early; /* packets that the later one received from the other since the earlier statement */
};

/* Return the packets that `late` received from the node of the earlier statement since then; 0 without samples. */
static uint64_t received_since(const struct qpw_statement *late, const struct qpw_statement *early)
{
    const struct qpw_stated_series *series = qpw_stated_series_of(late->samples.pairs, late->samples.n_pairs, early->node);
    uint64_t apart_us = (late->at_unix_ns - early->at_unix_ns) / 1000;
    struct qpw_flow flow = {late->samples.boot_us, late->samples.reading_us, series ? series->rx : NULL, late->samples.n};

    return series && late->samples.n ? qpw_flow_between(&flow, late->uptime_us > apart_us ? late->uptime_us - apart_us : 0, late->uptime_us) : 0;
}

/*
 * Return how many of the openings of the earlier statement both ends know. What the opener sent and the other never received
 * can have been openings: packets that are lost on the way are told elsewhere.
 */
static uint64_t agreed_openings(const struct openings *o, const struct qpw_stated_by *one_side, const struct qpw_stated_by *seen, bool out)
{
    uint64_t arrived = seen->rx > o->since_early ? seen->rx - o->since_early : 0;
    uint64_t lost = out && one_side->tx > arrived ? one_side->tx - arrived : 0;
    uint64_t agreed = seen->opened + lost;

    return agreed < one_side->opened ? agreed : one_side->opened;
}

/* value: "inbound" if nodes[0] saw the other open it; empty: nodes[0] opened it. */
static int add_opening(const struct openings *o, enum qpw_difference_what what, const char *subject, const char *value)
{
    struct qpw_difference *d = qpw_difference_add(o->c, what, o->early->node);

    if (!d || qpw_difference_add_node(d, o->late->node) < 0)
        return -ENOMEM;
    snprintf(d->subject, sizeof(d->subject), "%s", subject);
    snprintf(d->value, sizeof(d->value), "%s", value);
    d->count = o->by_early->agreed + o->by_late->agreed;
    d->of = o->by_early->opened + o->by_late->opened;
    return 0;
}

/* Check that the later statement names the same initiator for a service whose packets went both ways. */
static int compare_opening(const struct openings *o, const struct qpw_stated_by *one_side)
{
    bool out = !strcmp(one_side->service.direction, "outbound");
    struct qpw_pair_result *result = out ? o->by_early : o->by_late;
    const struct qpw_stated_by *seen;
    char text[64];

    if ((!out && strcmp(one_side->service.direction, "inbound")) || !one_side->opened || !one_side->rx ||
        !one_side->tx || !strncmp(one_side->service.protocol, "icmp", 4))
        return 0;
    seen = by_of(o->seen, &one_side->service, out ? "inbound" : "outbound");
    result->opened += one_side->opened;
    result->agreed += seen ? agreed_openings(o, one_side, seen, out) : 0;
    if (seen)
        return 0;
    qpw_stated_service_text(&one_side->service, /* direction= */ false, text, sizeof(text));
    return add_opening(o, QPW_DIFFERS_UNSEEN_OPENING, text, out ? "" : "inbound");
}

/* Skip the pair if the later node has counted for a shorter time, or does not list all services with that peer. */
static int compare_openings(const struct openings *o)
{
    uint64_t opened, agreed;
    int r = 0;

    if (o->late->since_unix_ns > o->early->since_unix_ns + EPOCH_SLACK_NS || o->seen->n_by == QPW_STATED_BY || o->late->left_out.by)
        return 0;
    for (size_t i = 0; r == 0 && i < o->one_side->n_by; i++)
        r = compare_opening(o, &o->one_side->by[i]);
    opened = o->by_early->opened + o->by_late->opened;
    agreed = o->by_early->agreed + o->by_late->agreed;
    if (r == 0 && opened >= agreed + OPENINGS_LEAST && 100 * agreed < OPENINGS_PERCENT * opened)
        r = add_opening(o, QPW_DIFFERS_FEWER_OPENINGS, "", "");
    return r;
}

int qpw_compare_directions(struct qpw_comparing *c)
{
    size_t n = c->to->n_nodes;
    int r = 0;

    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; r == 0 && j < n; j++) {
            size_t early = c->to->nodes[i]->at_unix_ns <= c->to->nodes[j]->at_unix_ns ? i : j, late = early == i ? j : i;
            struct openings o = {c, c->to->nodes[early], c->to->nodes[late], qpw_comparing_pair(c, early, late),
                                 qpw_comparing_pair(c, late, early), qpw_comparing_result(c, early, late), qpw_comparing_result(c, late, early),
                                 received_since(c->to->nodes[late], c->to->nodes[early])};

            if (o.one_side && o.seen)
                r = compare_openings(&o);
        }
    return r;
}
