/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "auditor/foreign.h"

#include "auditor/enter.h"
#include "facts/life.h"
#include "policy/compile/judge.h"
#include "snapshot/snapshot.h"

bool qpw_foreign_hold(struct qpw_auditor *a, const struct qpw_finding_key *key, const struct qpw_finding *value)
{
    struct qpw_foreign *held = &a->foreign;

    if (value->reason != QPW_REASON_FOREIGN_SOURCE || held->n == QPW_FOREIGN_HELD)
        return false;
    held->key[held->n] = *key;
    held->value[held->n++] = *value;
    return true;
}

bool qpw_foreign_waits(const struct qpw_auditor *a)
{
    return a->foreign.n > 0;
}

static uint32_t ifindex_of(const struct qpw_auditor *a, unsigned number)
{
    for (size_t i = 0; i < a->n_watched; i++)
        if (a->watched[i].number == number)
            return a->watched[i].ifindex;
    return 0;
}

static const uint8_t *node_end(const struct qpw_finding_key *key, const struct qpw_finding *value)
{
    bool asked = key->direction == QPW_DIR_INBOUND ||
                 (key->direction == QPW_DIR_UNKNOWN && (value->flags & QPW_FINDING_REMOTE_FIRST));

    return asked ? key->responder : key->initiator;
}

/*
 * The address is the node's: judge the exchange as the programs would have, had they known. What is undecided has no
 * finding until both ends have sent, with which the programs judge it again.
 */
static void judge_as_own(struct qpw_auditor *a, const struct qpw_finding_key *key, struct qpw_finding *value)
{
    struct qpw_judge *judge = NULL;
    struct qpw_judgement judgement;
    struct qpw_finding_row row = {.key = *key, .value = *value};
    bool explained;

    row.value.reason = value->reason = QPW_REASON_NONE;
    explained = value->evidence <= QPW_EVIDENCE_INFERRED;
    if (!explained && qpw_judge_new(&a->compiled, &judge) == 0)
        explained = qpw_finding_explained(judge, &row, ifindex_of(a, value->iface), &judgement);
    qpw_judge_free(judge);
    if (explained) {
        qpw_finding_withdraw(a, key, /* provisional= */ false);
        return;
    }
    qpw_finding_enter(a, key, value);
    qpw_events_finding(a, key, value);
}

void qpw_foreign_settle(struct qpw_auditor *a)
{
    struct qpw_foreign *held = &a->foreign;

    for (size_t i = 0; i < held->n; i++) {
        if (qpw_watch_local_flags(a, node_end(&held->key[i], &held->value[i])) & QPW_LOCAL_ADDRESS)
            judge_as_own(a, &held->key[i], &held->value[i]);
        else
            qpw_events_finding(a, &held->key[i], &held->value[i]);
    }
    held->n = 0;
}
