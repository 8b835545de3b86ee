/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The part of a statement about each service: allowed or not, and who probed many of them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "facts/life.h"
#include "facts/statement_internal.h"
#include "util/array.h"
#include "util/names.h"

/* A row of traffic or a finding, reduced to its service. */
struct item {
    uint8_t kind, protocol, direction, verdict;
    uint16_t port, rule;
    uint8_t outcome;
    bool finding;
    const uint8_t *initiator; /* findings */
    uint64_t packets;
    uint64_t first_unix_ns, last_unix_ns;
};

static int by_service(const void *a, const void *b)
{
    const struct item *x = a, *y = b;

    if (x->kind != y->kind)
        return x->kind - y->kind;
    if (x->protocol != y->protocol)
        return x->protocol - y->protocol;
    if (x->port != y->port)
        return x->port - y->port;
    if (x->direction != y->direction)
        return x->direction - y->direction;
    return x->verdict - y->verdict;
}

/* Sort by service, then by initiator. */
static int by_initiator(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    int order = by_service(a, b);

    if (!order)
        order = x->finding - y->finding;
    return order || !x->finding ? order : memcmp(x->initiator, y->initiator, 16);
}

static bool is_stated(unsigned kind, unsigned direction, unsigned verdict)
{
    return (kind == QPW_KIND_PORT || kind == QPW_KIND_ICMP || kind == QPW_KIND_PROTOCOL) &&
           (direction == QPW_DIR_INBOUND || direction == QPW_DIR_OUTBOUND || direction == QPW_DIR_UNKNOWN) &&
           verdict != QPW_VERDICT_PEER && verdict != QPW_VERDICT_TRANSIT && verdict != QPW_VERDICT_NONE &&
           verdict != QPW_VERDICT_INFRA;
}

/* Add the traffic rows. Traffic in both directions was answered; nothing more is known about its outcome. */
static size_t add_meters(const struct qpw_snapshot *s, struct item *items)
{
    size_t n = 0;

    for (size_t i = 0; i < s->n_meters; i++) {
        const struct qpw_meter_row *m = &s->meters[i];
        bool both = m->counts.rx_packets && m->counts.tx_packets;

        if (is_stated(m->key.kind, m->key.direction, m->key.verdict))
            items[n++] = (struct item){m->key.kind, m->key.protocol, m->key.direction, m->key.verdict, m->key.port, m->key.rule,
                                       both ? QPW_OUTCOME_ANSWERED : QPW_OUTCOME_ATTEMPTED, false, NULL,
                                       qpw_sum_of(&m->counts).packets, m->first_unix_ns, 0};
    }
    return n;
}

static size_t add_findings(const struct qpw_snapshot *s, struct item *items)
{
    size_t n = 0;

    for (size_t i = 0; i < s->n_findings; i++) {
        const struct qpw_finding_row *f = &s->findings[i];

        if (is_stated(f->key.kind, f->key.direction, f->key.verdict) && qpw_finding_life(f).by != QPW_CLOSED_BY_SUPERSEDED)
            items[n++] = (struct item){f->key.kind, f->key.protocol, f->key.direction, f->key.verdict, f->key.port, f->value.rule,
                                       f->value.outcome, true, f->key.initiator, 0, f->first_unix_ns, f->last_unix_ns};
    }
    return n;
}

/* A service under construction. */
struct sum {
    struct qpw_stated_port port;
    bool open; /* answered, and no rule allows it */
    uint64_t packets;
};

static void put_together(const struct qpw_snapshot *s, const struct item *items, size_t n, struct sum *ret)
{
    uint8_t outcome = QPW_OUTCOME_NONE;
    bool found = false;

    *ret = (struct sum){.port.service = qpw_stated_service(items->kind, items->protocol, items->port, items->direction)};
    snprintf(ret->port.verdict, sizeof(ret->port.verdict), "%s", qpw_verdict_name(items->verdict));
    for (size_t i = 0; i < n; i++) {
        qpw_earlier(&ret->port.first_unix_ns, items[i].first_unix_ns);
        ret->port.last_unix_ns = items[i].last_unix_ns > ret->port.last_unix_ns ? items[i].last_unix_ns : ret->port.last_unix_ns;
        ret->packets += items[i].packets;
        if (items[i].finding) /* a finding's outcome is more precise than traffic in both directions */
            outcome = !found || items[i].outcome > outcome ? items[i].outcome : outcome;
        else if (!found && items[i].outcome > outcome)
            outcome = items[i].outcome;
        if (items[i].finding && (!found || memcmp(items[i].initiator, items[i - 1].initiator, 16)))
            ret->port.initiators++;
        found |= items[i].finding;
        if (items[i].rule && !*ret->port.rule)
            snprintf(ret->port.rule, sizeof(ret->port.rule), "%s", qpw_snapshot_rule(s, items[i].rule));
    }
    ret->open = found && outcome >= QPW_OUTCOME_ANSWERED;
    snprintf(ret->port.outcome, sizeof(ret->port.outcome), "%s", qpw_outcome_name(outcome));
}

static int by_weight(const void *a, const void *b)
{
    const struct sum *x = a, *y = b;

    if (x->open != y->open)
        return y->open - x->open;
    if (x->packets != y->packets)
        return x->packets < y->packets ? 1 : -1;
    return x->port.service.port - y->port.service.port;
}

/* ---- Scans ---- */

static int by_who(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    int order = memcmp(x->initiator, y->initiator, 16);

    if (order)
        return order;
    return x->protocol != y->protocol ? x->protocol - y->protocol : x->port - y->port;
}

static int by_ports(const void *a, const void *b)
{
    const struct qpw_stated_scan *x = a, *y = b;

    return x->ports != y->ports ? (x->ports < y->ports ? 1 : -1) : memcmp(x->addr, y->addr, sizeof(x->addr));
}

/* Add inbound attempts that no rule allows, by initiator. items: findings only. */
static int add_scans(struct item *items, size_t n, struct qpw_statement *ret)
{
    size_t kept = 0, found = 0;
    struct qpw_stated_scan *scans;

    for (size_t i = 0; i < n; i++)
        if (items[i].verdict == QPW_VERDICT_UNEXPECTED && items[i].direction == QPW_DIR_INBOUND)
            items[kept++] = items[i];
    scans = calloc(kept + 1, sizeof(*scans));
    if (!scans)
        return -ENOMEM;
    if (kept)
        qsort(items, kept, sizeof(*items), by_who);
    for (size_t i = 0; i < kept; i++) {
        bool same = i && !memcmp(items[i].initiator, items[i - 1].initiator, 16);
        struct qpw_stated_scan *scan = &scans[same ? found - 1 : found];

        if (!same) {
            found++;
            memcpy(scan->addr, items[i].initiator, sizeof(scan->addr));
        }
        scan->ports += !same || by_who(&items[i], &items[i - 1]);
        qpw_earlier(&scan->first_unix_ns, items[i].first_unix_ns);
        scan->last_unix_ns = items[i].last_unix_ns > scan->last_unix_ns ? items[i].last_unix_ns : scan->last_unix_ns;
    }
    if (found)
        qsort(scans, found, sizeof(*scans), by_ports);
    ret->scans = scans;
    ret->n_scans = found < QPW_STATED_SCANS ? found : QPW_STATED_SCANS;
    ret->left_out.scans = found - ret->n_scans;
    return 0;
}

int qpw_statement_ports(const struct qpw_statement_from *from, struct qpw_statement *ret)
{
    const struct qpw_snapshot *s = from->report->s;
    struct item *items = calloc(s->n_meters + s->n_findings + 1, sizeof(*items));
    struct sum *sums = calloc(s->n_meters + s->n_findings + 1, sizeof(*sums));
    size_t n = 0, n_sums = 0, kept;
    int r;

    ret->ports = calloc(QPW_STATED_PORTS, sizeof(*ret->ports));
    if (!items || !sums || !ret->ports) {
        free(items);
        free(sums);
        return -ENOMEM;
    }
    n = add_meters(s, items);
    n += add_findings(s, items + n);
    if (n)
        qsort(items, n, sizeof(*items), by_initiator);
    for (size_t first = 0, end; first < n; first = end) {
        end = QPW_RUN_END(items, n, first, by_service);
        put_together(s, &items[first], end - first, &sums[n_sums++]);
    }
    if (n_sums)
        qsort(sums, n_sums, sizeof(*sums), by_weight);
    kept = n_sums < QPW_STATED_PORTS ? n_sums : QPW_STATED_PORTS;
    for (size_t i = 0; i < kept; i++)
        ret->ports[i] = sums[i].port;
    ret->n_ports = kept;
    ret->left_out.ports = n_sums - kept;
    free(sums);
    r = add_scans(items, add_findings(s, items), ret);
    free(items);
    return r;
}
