/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "facts/answer.h"
#include "facts/findings.h"
#include "facts/life.h"
#include "util/name_table.h"

#include <errno.h>
#include <stdlib.h>

QPW_NAME_TABLE(qpw_answer_name, state, QPW_ANSWERS, QPW_ANSWER_COUNT, "invalid")

/* When each state began to apply, in Unix nanoseconds; 0: it does not. */
struct causes {
    uint64_t since[QPW_ANSWER_COUNT];
};

static void cause(struct causes *c, enum qpw_answer_state state, uint64_t unix_ns)
{
    if (!c->since[state] || unix_ns < c->since[state])
        c->since[state] = unix_ns ? unix_ns : 1;
}

static bool needs_action(const struct qpw_finding_row *f, unsigned severity)
{
    return severity <= QPW_SEVERITY_MEDIUM && qpw_finding_answered(f);
}

static bool is_probe(const struct qpw_finding_row *f, unsigned severity)
{
    return severity <= QPW_SEVERITY_LOW && !qpw_finding_answered(f);
}

static bool is_worse(const struct qpw_finding_row *f, unsigned severity, const struct qpw_finding_row *worst)
{
    unsigned other = worst ? qpw_finding_severity(worst) : QPW_SEVERITY_INFO;

    if (severity != other)
        return severity < other;
    if (!worst)
        return false;
    if (qpw_finding_answered(f) != qpw_finding_answered(worst))
        return qpw_finding_answered(f);
    if (qpw_finding_rank(f) != qpw_finding_rank(worst))
        return qpw_finding_rank(f) > qpw_finding_rank(worst);
    return f->last_unix_ns > worst->last_unix_ns;
}

/*
 * Encode a service for sorting. The lowest bit is set if no rule matches, so that among equal services this one sorts
 * last.
 */
static uint64_t service_number(const struct qpw_finding_key *key)
{
    uint32_t service = (uint32_t)(key->direction << 4 | key->kind) << 24 | (uint32_t)key->protocol << 16 | key->port;

    return (uint64_t)service << 1 | (key->verdict == QPW_VERDICT_UNEXPECTED);
}

/* Count a finding that is no longer open; the node is CLEAN only since the last of these ended. */
static void count_past(const struct qpw_finding_row *f, struct qpw_answer *a, struct causes *c)
{
    struct qpw_finding_life life = qpw_finding_life(f);

    if (life.by == QPW_CLOSED_BY_SUPERSEDED || qpw_concern_severity(qpw_finding_concern(f)) == QPW_SEVERITY_INFO)
        return;
    a->acknowledged += life.state == QPW_FINDING_ACKNOWLEDGED;
    a->closed += life.state == QPW_FINDING_CLOSED;
    if (life.when_unix_ns > c->since[QPW_ANSWER_CLEAN])
        c->since[QPW_ANSWER_CLEAN] = life.when_unix_ns;
}

static void count_finding(const struct qpw_finding_row *f, struct qpw_answer *a, struct causes *c, uint64_t *services)
{
    unsigned severity = qpw_finding_severity(f);

    if (!qpw_finding_open(f)) {
        count_past(f, a, c);
        return;
    }
    a->by_severity[severity]++;
    if (f->key.verdict == QPW_VERDICT_UNEXPECTED) {
        a->unexpected++;
        a->answered += qpw_finding_answered(f);
    }
    if (is_worse(f, severity, a->worst))
        a->worst = f;
    if (needs_action(f, severity)) {
        services[a->needing++] = service_number(&f->key);
        cause(c, QPW_ANSWER_ACTION_NEEDED, f->answered_unix_ns ? f->answered_unix_ns : f->first_unix_ns);
    } else if (is_probe(f, severity)) {
        a->probes++;
        cause(c, QPW_ANSWER_PROBED, f->first_unix_ns);
    }
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static int count_findings(const struct qpw_snapshot *s, struct qpw_answer *a, struct causes *c)
{
    uint64_t *services = calloc(s->n_findings + 1, sizeof(*services));

    if (!services)
        return -ENOMEM;
    for (size_t i = 0; i < s->n_findings; i++)
        count_finding(&s->findings[i], a, c, services);
    qsort(services, a->needing, sizeof(*services), by_number);
    for (size_t i = 0; i < a->needing; i++) {
        if (i + 1 < a->needing && services[i] >> 1 == services[i + 1] >> 1)
            continue;
        a->services++;
        a->unlisted += services[i] & 1; /* the bit sorts last within a service */
    }
    free(services);
    return 0;
}

/* Count all packets, and detect unexpected ones that left no finding at all, not even a superseded one. */
static void count_packets(const struct qpw_snapshot *s, struct qpw_answer *a)
{
    uint64_t packets, unexpected = 0;
    bool found = false;

    for (size_t i = 0; i < s->n_meters; i++) {
        packets = s->meters[i].counts.rx_packets + s->meters[i].counts.tx_packets;
        a->packets += packets;
        if (s->meters[i].key.verdict == QPW_VERDICT_UNEXPECTED)
            unexpected += packets;
    }
    for (size_t i = 0; unexpected && !found && i < s->n_findings; i++)
        found = s->findings[i].key.verdict == QPW_VERDICT_UNEXPECTED;
    a->unfound = unexpected && !found;
}

/* Losses have no time: use that of the first row without detail, else the start of counting. */
static uint64_t lost_since(const struct qpw_snapshot *s)
{
    uint64_t first = 0;

    for (size_t i = 0; i < s->n_details; i++)
        if (s->details[i].first_unix_ns && (!first || s->details[i].first_unix_ns < first))
            first = s->details[i].first_unix_ns;
    return first ? first : s->from_unix_ns;
}

int qpw_answer_make(const struct qpw_snapshot *s, struct qpw_answer *ret)
{
    struct qpw_answer a = {.replay = s->replay};
    struct causes c = {.since[QPW_ANSWER_CLEAN] = s->from_unix_ns};
    int r = count_findings(s, &a, &c);

    if (r < 0)
        return r;
    count_packets(s, &a);
    qpw_sight_of(s, &a.sight);
    qpw_losses_of(s, &a.losses);
    if (a.sight.blind)
        cause(&c, QPW_ANSWER_BLIND, a.sight.blind_since_unix_ns);
    if (a.losses.lost || a.unfound)
        cause(&c, QPW_ANSWER_DETAIL_LOST, lost_since(s));
    for (unsigned state = QPW_ANSWER_PROBED; state < QPW_ANSWER_COUNT; state++)
        if (c.since[state]) {
            a.also |= 1u << state;
            a.state = (enum qpw_answer_state)state;
        }
    a.also &= ~(1u << a.state);
    a.since_unix_ns = c.since[a.state] > 1 ? c.since[a.state] : 0;
    *ret = a;
    return 0;
}
