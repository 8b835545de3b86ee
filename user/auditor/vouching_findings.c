/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Enter and report findings that follow from a decision about a companion, because no more packets may come for it. */
#include "auditor/vouching_internal.h"

#include <bpf/bpf.h>
#include <string.h>

#include "auditor/enter.h"
#include "facts/connections.h"
#include "snapshot/conns.h"

/* Make the finding of the connection with that verdict, as the programs would (bpf/finding.h). */
static void fill(const struct qpw_ask *ask, uint8_t verdict, struct qpw_finding_key *ret_key, struct qpw_finding *ret_value)
{
    const struct qpw_conn *conn = ask->conn;
    struct qpw_connection_ends ends = qpw_connection_ends(ask->key, conn);

    *ret_key = (struct qpw_finding_key){.port = ends.to_port, .kind = QPW_KIND_PORT, .protocol = ask->key->protocol,
                                        .direction = conn->direction, .verdict = verdict};
    memcpy(ret_key->initiator, ends.from, 16);
    memcpy(ret_key->responder, ends.to, 16);
    *ret_value = (struct qpw_finding){
        .first_ns = conn->first_ns, .last_ns = conn->last_ns, .initiator_port = ends.from_port,
        .vlan = conn->vlan & QPW_VLAN_ID, .iface = conn->iface, .evidence = conn->evidence, .outcome = conn->outcome,
        .scope = qpw_conn_scope(conn), .changes = 1, .owner = ask->note};
    if (conn->flags & QPW_CONN_REMOTE_FIRST)
        ret_value->flags = QPW_FINDING_REMOTE_FIRST;
    else if (conn->direction == QPW_DIR_OUTBOUND && conn->conn_class != QPW_CLASS_HALF)
        ret_value->flags = QPW_FINDING_NODE;
}

/* Supersede the provisional "implied" finding of a companion that is none; not that of another process, which fits. */
static void supersede_implied(const struct qpw_ask *ask)
{
    struct qpw_finding_key key;
    struct qpw_finding value;

    fill(ask, QPW_VERDICT_IMPLIED, &key, &value);
    qpw_finding_withdraw(ask->a, &key, /* provisional= */ true);
}

bool qpw_ask_is_unexpected(const struct qpw_ask *ask, const struct qpw_exchange *exchange, struct qpw_judgement *ret)
{
    struct qpw_exchange plain = *exchange;

    plain.parent_live = NULL;
    *ret = qpw_policy_judge(ask->a->vouching->judge, &plain);
    return ret->verdict == QPW_VERDICT_UNEXPECTED || ret->verdict == QPW_VERDICT_WEAK;
}

/* Update the copy of the connection, which may have changed since the question. */
static void refresh(struct qpw_ask *ask, struct qpw_conn *conn)
{
    static const enum qpw_conn_class classes[] = {QPW_CLASS_EST, QPW_CLASS_OUT, QPW_CLASS_DGRAM, QPW_CLASS_HALF};
    struct qpw_conn now;

    for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++)
        if (qpw_conns_find(&ask->a->kernel, classes[i], ask->key, &now) == 0 && now.first_ns == conn->first_ns) {
            *conn = now;
            return;
        }
}

void qpw_ask_conclude(struct qpw_ask *ask, const struct qpw_exchange *exchange, uint32_t word)
{
    struct qpw_auditor *a = ask->a;
    struct qpw_conn conn = *ask->conn;
    struct qpw_judgement plain;
    struct qpw_finding_key key;
    struct qpw_finding value;

    if (word != QPW_VOUCH_OTHER && word != QPW_VOUCH_UNKNOWN)
        return;
    if (word == QPW_VOUCH_OTHER && !qpw_ask_is_unexpected(ask, exchange, &plain))
        return;
    refresh(ask, &conn);
    ask->conn = &conn;
    qpw_ask_companion(ask); /* also needed for its owner record if an earlier decision stands */
    fill(ask, word == QPW_VOUCH_OTHER ? QPW_VERDICT_UNEXPECTED : QPW_VERDICT_IMPLIED, &key, &value);
    value.rule = word == QPW_VOUCH_OTHER ? ask->other : ask->unknown;
    value.reason = word == QPW_VOUCH_OTHER ? QPW_REASON_OTHER_OWNER : QPW_REASON_OWNER_UNKNOWN;
    if (word == QPW_VOUCH_OTHER)
        supersede_implied(ask);
    qpw_finding_enter(a, &key, &value);
    qpw_events_finding(a, &key, &value);
}
