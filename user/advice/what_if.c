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

struct work {
    const struct qpw_snapshot *s;
    struct qpw_compiled compiled;
    struct qpw_registry names;
    struct qpw_judge *judge;
    struct qpw_what_if out;
};

/* Whether some rule of the same name carried anything: the snapshot does not keep who vouched. */
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
    void *array = w->out.rows;
    struct qpw_what_if_row *place;

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
    place = qpw_grow(&array, w->out.n, sizeof(*place));
    if (!place)
        return -ENOMEM;
    w->out.rows = array;
    w->out.rows[w->out.n++] = *row;
    return 0;
}

/* Whether any step for that place asks for an address, VLAN, interface or initiator's port. */
static bool tells_apart(const struct work *w, const struct qpw_exchange *exchange)
{
    static const uint8_t nobody[16];
    struct qpw_exchange other = *exchange;
    struct qpw_judgement with, without;

    other.initiator = other.responder = nobody;
    without = qpw_policy_judge(w->judge, &other);
    /* An exchange with nobody in every set that exists is what an unlimited step alone decides. */
    with = without;
    for (size_t i = 0; i < w->compiled.n_sets && with.verdict == without.verdict; i++) {
        if (w->compiled.sets[i].key.set == __builtin_bswap32(QPW_SET_PEERS))
            continue;
        other.initiator = exchange->direction == QPW_DIR_INBOUND ? w->compiled.sets[i].key.addr : nobody;
        other.responder = exchange->direction == QPW_DIR_OUTBOUND ? w->compiled.sets[i].key.addr : nobody;
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

/* Verdicts without findings: meters have no addresses. */
static int judge_meter(struct work *w, const struct qpw_meter_row *meter)
{
    const struct qpw_meter_key *key = &meter->key;
    struct qpw_exchange exchange = {.direction = key->direction,
                                    .kind = key->kind,
                                    .protocol = key->protocol,
                                    .port = key->port,
                                    .parent_live = parent_seen,
                                    .data = w};
    struct qpw_what_if_row row = {
        .kind = key->kind,
        .protocol = key->protocol,
        .direction = key->direction,
        .port = key->port,
        .old_verdict = key->verdict,
        .connections = meter->counts.connections,
        .packets = meter->counts.rx_packets + meter->counts.tx_packets,
    };
    struct qpw_judgement judgement;

    if (!is_judged(key->verdict, key->direction))
        return 0;
    w->out.packets += row.packets;
    if (key->verdict != QPW_VERDICT_ALLOWED && key->verdict != QPW_VERDICT_INFRA)
        return 0; /* its findings are judged, or it is a peer's */
    judgement = qpw_policy_judge(w->judge, &exchange);
    row.uncertain = tells_apart(w, &exchange);
    row.new_verdict = judgement.verdict;
    rule_name(w->s->rules, w->s->n_rules, key->rule, row.old_rule);
    rule_name(w->names.rules, w->names.n_rules, judgement.rule, row.new_rule);
    if (row.uncertain)
        w->out.uncertain += row.packets;
    else if (row.new_verdict != row.old_verdict)
        w->out.changed += row.packets;
    if (row.new_verdict == row.old_verdict && !row.uncertain)
        return 0;
    return add_row(w, &row);
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
    return a->packets < b->packets ? 1 : a->packets > b->packets ? -1 : 0;
}

static int judge_all(struct work *w, struct qpw_error *err)
{
    int ret = qpw_judge_new(&w->compiled, &w->judge);

    for (size_t i = 0; i < w->s->n_findings && ret == 0; i++)
        ret = judge_finding(w, &w->s->findings[i]);
    for (size_t i = 0; i < w->s->n_meters && ret == 0; i++)
        ret = judge_meter(w, &w->s->meters[i]);
    if (ret == 0 && w->out.n)
        qsort(w->out.rows, w->out.n, sizeof(*w->out.rows), by_weight);
    qpw_judge_free(w->judge);
    return ret < 0 ? qpw_fail(err, ret, "out of memory") : 0;
}

int qpw_policy_what_if(const struct qpw_snapshot *snapshot, const struct qpw_policy *policy, int64_t now,
                       struct qpw_what_if *ret, struct qpw_error *err)
{
    struct work w = {.s = snapshot};
    struct qpw_compile_context context = {.now = now};
    int error = qpw_policy_compile(policy, &context, &w.names, &w.compiled, err);

    if (error == 0)
        error = judge_all(&w, err);
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
