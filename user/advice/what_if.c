/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "advice/what_if.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "facts/life.h"
#include "policy/compile/compile.h"
#include "policy/compile/judge.h"
#include "policy/lang/parse.h"
#include "util/array.h"

struct work {
    const struct qpw_snapshot *s;
    const struct qpw_what_if_end *ends; /* sorted by_service */
    size_t n_ends;
    struct qpw_compiled compiled;
    struct qpw_registry names;
    struct qpw_judge *judge;
    struct qpw_what_if out;
};

/*
 * Return whether the rule of that name had any traffic both ways; the snapshot does not keep the remote ends that
 * vouched.
 */
static bool parent_seen(const uint8_t remote[16], uint16_t rule, void *data)
{
    const struct work *w = data;

    for (size_t i = 0; i < w->s->n_meters; i++) {
        uint16_t old = w->s->meters[i].key.rule;

        if (old && old < w->s->n_rules && !strcmp(w->s->rules[old].name, w->names.rules[rule].name) &&
            w->s->meters[i].counts.rx_packets && w->s->meters[i].counts.tx_packets)
            return true;
    }
    return false;
}

static void rule_name(const struct qpw_rule_info *rules, size_t n, uint16_t rule, char ret[QPW_NAME_LEN])
{
    snprintf(ret, QPW_NAME_LEN, "%s", rule && rule < n ? rules[rule].name : "");
}

static bool is_judged(uint8_t verdict, uint8_t direction)
{
    return verdict > QPW_VERDICT_UNDECIDED && (direction == QPW_DIR_INBOUND || direction == QPW_DIR_OUTBOUND);
}

static int add_row(struct work *w, const struct qpw_what_if_row *row)
{
    struct qpw_what_if_row *slot;

    for (size_t i = 0; i < w->out.n && !row->by_address; i++) {
        struct qpw_what_if_row *known = &w->out.rows[i];

        if (known->kind == row->kind && known->protocol == row->protocol && known->direction == row->direction &&
            known->port == row->port && known->old_verdict == row->old_verdict &&
            known->new_verdict == row->new_verdict && !known->by_address && !strcmp(known->old_rule, row->old_rule) &&
            !strcmp(known->new_rule, row->new_rule)) {
            known->packets += row->packets;
            known->connections += row->connections;
            return 0;
        }
    }
    slot = QPW_ADD(w->out.rows, w->out.n);
    if (!slot)
        return -ENOMEM;
    w->out.rows[w->out.n++] = *row;
    return 0;
}

/*
 * Return whether the verdict depends on an address that the exchange leaves open (NULL): compare the verdict for an
 * address in no set with those for a member of each set.
 */
static bool is_told_by_owner(const struct work *w, const struct qpw_exchange *exchange)
{
    static const uint8_t nobody[16];
    struct qpw_exchange other = *exchange;
    struct qpw_judgement with, without;
    bool inbound = exchange->direction == QPW_DIR_INBOUND;

    other.initiator = exchange->initiator ? exchange->initiator : nobody;
    other.responder = exchange->responder ? exchange->responder : nobody;
    without = qpw_policy_judge(w->judge, &other);
    with = without;
    for (size_t i = 0; i < w->compiled.n_sets && with.verdict == without.verdict; i++) {
        const uint8_t *member = w->compiled.sets[i].key.addr;

        if (w->compiled.sets[i].key.set == __builtin_bswap32(QPW_SET_PEERS))
            continue;
        other.initiator = exchange->initiator ? exchange->initiator : inbound || exchange->responder ? member : nobody;
        other.responder = exchange->responder ? exchange->responder : !inbound || exchange->initiator ? member : nobody;
        with = qpw_policy_judge(w->judge, &other);
    }
    return with.verdict != without.verdict;
}

static int judge_finding(struct work *w, const struct qpw_finding_row *finding)
{
    const struct qpw_finding_key *key = &finding->key;
    struct qpw_exchange exchange = qpw_finding_exchange(finding, 0);
    struct qpw_what_if_row row = {
        .kind = key->kind,
        .protocol = key->protocol,
        .direction = key->direction,
        .port = key->port,
        .old_verdict = key->verdict,
        .by_address = true,
        .outcome = finding->value.outcome,
        .connections = finding->counts.connections,
        .packets = finding->counts.rx_packets + finding->counts.tx_packets,
    };
    struct qpw_judgement judgement;

    if (key->verdict == QPW_VERDICT_MISMATCH) /* its packets are in its rule's meter */
        return 0;
    if (!is_judged(key->verdict, key->direction) || qpw_finding_life(finding).state == QPW_FINDING_CLOSED)
        return 0;
    exchange.parent_live = parent_seen;
    exchange.data = w;
    judgement = qpw_policy_judge(w->judge, &exchange);
    row.new_verdict = judgement.verdict;
    memcpy(row.initiator, key->initiator, 16);
    memcpy(row.responder, key->responder, 16);
    rule_name(w->s->rules, w->s->n_rules, finding->value.rule, row.old_rule);
    rule_name(w->names.rules, w->names.n_rules, judgement.rule, row.new_rule);
    if (row.new_verdict == row.old_verdict)
        return 0;
    w->out.changed += row.packets;
    return add_row(w, &row);
}

/* ---- Traffic without findings: meters have no addresses, but a history knows the remote ends ---- */

/* The sum of meters that differ only in scope, peer, interface and reason. */
struct group {
    struct qpw_meter_key key; /* as of struct qpw_what_if_end */
    const char *rule;
    uint64_t connections, packets;
};

static int order_of(const struct qpw_meter_key *a, const char *rule_a, const struct qpw_meter_key *b, const char *rule_b)
{
    int order = memcmp(a, b, sizeof(*a));

    return order ? order : strcmp(rule_a, rule_b);
}

static int by_group(const void *left, const void *right)
{
    const struct group *a = left, *b = right;

    return order_of(&a->key, a->rule, &b->key, b->rule);
}

static int by_service(const void *left, const void *right)
{
    const struct qpw_what_if_end *a = left, *b = right;
    int order = order_of(&a->key, a->rule, &b->key, b->rule);

    return order ? order : memcmp(a->remote, b->remote, sizeof(a->remote));
}

static int group_of_end(const void *group, const void *end)
{
    const struct group *a = group;
    const struct qpw_what_if_end *b = end;

    return order_of(&a->key, a->rule, &b->key, b->rule);
}

/* Return the first end of the group; *ret_n is their number, possibly 0. */
static const struct qpw_what_if_end *ends_of(const struct work *w, const struct group *g, size_t *ret_n)
{
    const struct qpw_what_if_end *first = w->n_ends ? bsearch(g, w->ends, w->n_ends, sizeof(*first), group_of_end) : NULL;
    size_t n = 0;

    while (first && first > w->ends && !group_of_end(g, first - 1))
        first--;
    while (first && first + n < w->ends + w->n_ends && !group_of_end(g, first + n))
        n++;
    *ret_n = n;
    return first;
}

static struct qpw_what_if_row row_of(const struct group *g)
{
    struct qpw_what_if_row row = {.kind = g->key.kind, .protocol = g->key.protocol, .direction = g->key.direction, .port = g->key.port,
                                  .old_verdict = g->key.verdict, .connections = g->connections, .packets = g->packets};

    snprintf(row.old_rule, sizeof(row.old_rule), "%s", g->rule);
    return row;
}

static void judge(struct work *w, const struct group *g, const uint8_t *remote, struct qpw_what_if_row *row)
{
    static const uint8_t nobody[16];
    bool inbound = g->key.direction == QPW_DIR_INBOUND;
    struct qpw_exchange exchange = {.direction = g->key.direction, .kind = g->key.kind, .protocol = g->key.protocol, .port = g->key.port,
                                    .initiator = inbound ? remote : NULL, .responder = inbound ? NULL : remote,
                                    .parent_live = parent_seen, .data = w};
    struct qpw_judgement judgement;

    row->uncertain = is_told_by_owner(w, &exchange);
    exchange.initiator = exchange.initiator ? exchange.initiator : nobody;
    exchange.responder = exchange.responder ? exchange.responder : nobody;
    judgement = qpw_policy_judge(w->judge, &exchange);
    row->new_verdict = judgement.verdict;
    rule_name(w->names.rules, w->names.n_rules, judgement.rule, row->new_rule);
}

static bool is_same(const struct qpw_what_if_row *row)
{
    return !row->uncertain && row->new_verdict == row->old_verdict;
}

/* Judge the group without ends: all its packets count as changed or uncertain. */
static int judge_whole(struct work *w, const struct group *g)
{
    struct qpw_what_if_row row = row_of(g);

    judge(w, g, NULL, &row);
    if (row.uncertain)
        w->out.uncertain += row.packets;
    else if (row.new_verdict != row.old_verdict)
        w->out.changed += row.packets;
    return is_same(&row) ? 0 : add_row(w, &row);
}

/*
 * Judge the group end by end. Packets are not kept per end, so all are counted as changed if every end is, and as
 * uncertain if some are. Connections of no known end (never answered, or of ends removed for lack of room) get a row
 * without addresses.
 */
static int judge_ends(struct work *w, const struct group *g, const struct qpw_what_if_end *ends, size_t n)
{
    uint64_t known = 0;
    size_t same = 0, unsure = 0;
    bool whole = true;
    int r = 0;

    for (size_t i = 0; i < n && r == 0; i++) {
        bool inbound = g->key.direction == QPW_DIR_INBOUND;
        struct qpw_what_if_row row = row_of(g);

        row.by_address = row.remote_only = row.packets_unknown = true;
        row.packets = 0;
        row.connections = ends[i].connections;
        row.connections_unknown = !ends[i].whole;
        row.outcome = ends[i].outcome;
        memcpy(inbound ? row.initiator : row.responder, ends[i].remote, 16);
        judge(w, g, ends[i].remote, &row);
        known += ends[i].connections;
        whole = whole && ends[i].whole;
        same += is_same(&row);
        unsure += row.uncertain;
        r = is_same(&row) ? 0 : add_row(w, &row);
    }
    if (!same && !unsure)
        w->out.changed += g->packets;
    else if (same < n)
        w->out.uncertain += g->packets;
    if (r == 0 && whole && known < g->connections) {
        struct qpw_what_if_row row = row_of(g);

        row.connections = g->connections - known;
        row.packets = 0;
        row.packets_unknown = true;
        judge(w, g, NULL, &row);
        r = is_same(&row) ? 0 : add_row(w, &row);
    }
    return r;
}

static int judge_groups(struct work *w, const struct group *groups, size_t n)
{
    int r = 0;

    for (size_t i = 0; i < n && r == 0; i++) {
        const struct group *g = &groups[i];
        const struct qpw_what_if_end *ends;
        size_t n_ends;

        w->out.packets += g->packets;
        if (g->key.verdict != QPW_VERDICT_ALLOWED && g->key.verdict != QPW_VERDICT_INFRA)
            continue; /* its findings are judged, or it belongs to a peer */
        ends = ends_of(w, g, &n_ends);
        r = n_ends ? judge_ends(w, g, ends, n_ends) : judge_whole(w, g);
    }
    return r;
}

static int judge_meters(struct work *w)
{
    struct group *groups = calloc(w->s->n_meters + 1, sizeof(*groups));
    size_t n = 0, kept = 0;
    int r;

    if (!groups)
        return -ENOMEM;
    for (size_t i = 0; i < w->s->n_meters; i++) {
        const struct qpw_meter_row *meter = &w->s->meters[i];
        const struct qpw_meter_key *key = &meter->key;

        if (is_judged(key->verdict, key->direction))
            groups[n++] = (struct group){.key = {.kind = key->kind, .protocol = key->protocol, .port = key->port, .direction = key->direction,
                                                 .verdict = key->verdict},
                                         .rule = qpw_snapshot_rule(w->s, key->rule), .connections = meter->counts.connections,
                                         .packets = meter->counts.rx_packets + meter->counts.tx_packets};
    }
    if (n)
        qsort(groups, n, sizeof(*groups), by_group);
    for (size_t i = 1; i < n; i++) {
        if (by_group(&groups[kept], &groups[i])) {
            groups[++kept] = groups[i];
            continue;
        }
        groups[kept].connections += groups[i].connections;
        groups[kept].packets += groups[i].packets;
    }
    r = judge_groups(w, groups, n ? kept + 1 : 0);
    free(groups);
    return r;
}

static int by_weight(const void *left, const void *right)
{
    const struct qpw_what_if_row *a = left, *b = right;
    bool bad_a = a->new_verdict == QPW_VERDICT_UNEXPECTED && !a->uncertain,
         bad_b = b->new_verdict == QPW_VERDICT_UNEXPECTED && !b->uncertain;

    if (bad_a != bad_b)
        return bad_b - bad_a;
    if (a->uncertain != b->uncertain)
        return a->uncertain - b->uncertain;
    if (a->packets != b->packets)
        return a->packets < b->packets ? 1 : -1;
    return a->connections < b->connections ? 1 : a->connections > b->connections ? -1 : 0;
}

static int judge_all(struct work *w, struct qpw_error *err)
{
    int r = qpw_judge_new(&w->compiled, &w->judge);

    if (r < 0)
        return qpw_fail(err, r, "out of memory");
    for (size_t i = 0; i < w->s->n_findings; i++) {
        r = judge_finding(w, &w->s->findings[i]);
        if (r < 0)
            return qpw_fail(err, r, "out of memory");
    }
    r = judge_meters(w);
    if (r < 0)
        return qpw_fail(err, r, "out of memory");
    if (w->out.n)
        qsort(w->out.rows, w->out.n, sizeof(*w->out.rows), by_weight);
    return 0;
}

int qpw_policy_what_if(const struct qpw_what_if_traffic *traffic, const struct qpw_policy *policy, int64_t now,
                       struct qpw_what_if *ret, struct qpw_error *err)
{
    struct work w = {.s = traffic->snapshot, .ends = traffic->ends, .n_ends = traffic->n_ends};
    struct qpw_compile_context context = {.now = now};
    int error;

    if (w.n_ends)
        qsort(traffic->ends, w.n_ends, sizeof(*w.ends), by_service);
    error = qpw_policy_compile(policy, &context, &w.names, &w.compiled, err);
    if (error == 0)
        error = judge_all(&w, err);
    qpw_judge_free(w.judge);
    qpw_compiled_clear(&w.compiled);
    qpw_registry_clear(&w.names);
    if (error < 0)
        qpw_what_if_clear(&w.out);
    else
        *ret = w.out;
    return error;
}

void qpw_what_if_clear(struct qpw_what_if *result)
{
    free(result->rows);
    *result = (struct qpw_what_if){0};
}
