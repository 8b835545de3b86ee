/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Store decisions about companions until the programs apply them with the next packet. */
#include "auditor/vouching_internal.h"
#include "instance/map_walk.h"

#include <bpf/bpf.h>
#include <string.h>

#include "snapshot/conns.h"
#include "snapshot/decisions.h"

static bool is_fitting(const uint8_t remote[16], uint16_t rule, void *data)
{
    const struct qpw_ask *ask = data;

    (void)remote;
    for (size_t i = 0; i < ask->n_fitting; i++)
        if (ask->fitting[i] == rule)
            return true;
    return false;
}

/* Decide as qpw_walk() in bpf/judge.h will once it finds the answer. */
static struct qpw_decision decide(struct qpw_ask *ask, const struct qpw_exchange *exchange, uint32_t word)
{
    struct qpw_decision decision = {.first_ns = ask->conn->first_ns, .of_rule = ask->conn->rule, .owner = ask->conn->owner};
    struct qpw_exchange with = *exchange;
    struct qpw_judgement judgement;

    if (word == QPW_VOUCH_UNKNOWN) {
        decision.verdict = QPW_VERDICT_IMPLIED;
        decision.rule = ask->unknown;
        decision.reason = QPW_REASON_OWNER_UNKNOWN;
        return decision;
    }
    if (word == QPW_VOUCH_OTHER && qpw_ask_is_unexpected(ask, exchange, &judgement)) {
        decision.verdict = QPW_VERDICT_UNEXPECTED;
        decision.rule = ask->other;
        decision.reason = QPW_REASON_OTHER_OWNER;
        return decision;
    }
    with.parent_live = is_fitting;
    with.data = ask;
    judgement = qpw_policy_judge(ask->a->vouching->judge, &with);
    decision.verdict = judgement.verdict;
    decision.rule = judgement.rule;
    return decision;
}

void qpw_decision_write(struct qpw_ask *ask, const struct qpw_exchange *exchange, uint32_t word)
{
    struct qpw_decision decision;

    if (word == QPW_VOUCH_NONE)
        return;
    decision = decide(ask, exchange, word);
    bpf_map_update_elem(ask->a->kernel.map_fd[QPW_MAP_decisions], ask->key, &decision, BPF_ANY); /* if full, the
                                                                                                    entry's own
                                                                                                    verdict stays */
}

static bool is_due(const struct qpw_auditor *a, const struct qpw_conn_key *key, const struct qpw_decision *decision)
{
    struct qpw_conn conn;

    return qpw_conns_find_any(&a->kernel, key, &conn) == 0 && qpw_decision_stands(decision, &conn);
}

void qpw_decisions_sweep(struct qpw_auditor *a, bool all)
{
    int fd = a->kernel.map_fd[QPW_MAP_decisions];
    struct qpw_conn_key key;
    struct qpw_map_walk walk = qpw_map_walk(fd, &key);
    struct qpw_decision decision;

    while (qpw_map_next(&walk))
        if (bpf_map_lookup_elem(fd, &key, &decision) == 0 && (all || !is_due(a, &key, &decision)))
            bpf_map_delete_elem(fd, &key);
}
