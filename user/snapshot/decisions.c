/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "snapshot/decisions.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "snapshot/collect_maps.h"
#include "snapshot/conns.h"

bool qpw_decision_stands(const struct qpw_decision *decision, const struct qpw_conn *conn)
{
    return (conn->vlan & QPW_CONN_PROVISIONAL) && decision->first_ns == conn->first_ns && decision->of_rule == conn->rule &&
           decision->owner == conn->owner;
}

bool qpw_decision_find(const struct qpw_kernel *k, const struct qpw_conn_key *key, const struct qpw_conn *conn,
                       struct qpw_decision *ret)
{
    return (conn->vlan & QPW_CONN_PROVISIONAL) &&
           bpf_map_lookup_elem(k->map_fd[QPW_MAP_decisions], key, ret) == 0 && qpw_decision_stands(ret, conn);
}

static void apply(const struct qpw_decision *decision, struct qpw_conn *conn)
{
    conn->verdict = decision->verdict;
    conn->rule = decision->rule;
    conn->reason = decision->reason;
}

void qpw_decision_apply(const struct qpw_kernel *k, const struct qpw_conn_key *key, struct qpw_conn *conn)
{
    struct qpw_decision decision;

    if (qpw_decision_find(k, key, conn, &decision))
        apply(&decision, conn);
}

/* ---- Counting ---- */

static struct qpw_meter_row *row_of(struct qpw_collection *c, const struct qpw_meter_key *key, uint64_t first_ns)
{
    for (size_t i = 0; i < c->s.n_meters; i++)
        if (!memcmp(&c->s.meters[i].key, key, sizeof(*key)))
            return &c->s.meters[i];
    return qpw_collection_add_meter(c, key, QPW_COUNTER_SLOTS, first_ns);
}

static void count_finding(struct qpw_collection *c, const struct qpw_conn_key *key, const struct qpw_conn *conn)
{
    bool inbound = conn->direction == QPW_DIR_INBOUND;
    struct qpw_finding_key wanted = {.port = inbound ? key->local_port : key->remote_port, .kind = QPW_KIND_PORT,
                                     .protocol = key->protocol, .direction = conn->direction, .verdict = conn->verdict};

    memcpy(wanted.initiator, inbound ? key->remote : key->local, 16);
    memcpy(wanted.responder, inbound ? key->local : key->remote, 16);
    for (size_t i = 0; i < c->s.n_findings; i++)
        if (!memcmp(&c->s.findings[i].key, &wanted, sizeof(wanted)))
            c->s.findings[i].counts.connections++;
}

static int move(struct qpw_collection *c, const struct qpw_conn_key *key, const struct qpw_conn *was,
                const struct qpw_conn *now)
{
    struct qpw_meter_key wanted;
    struct qpw_meter_row *row;

    if (was->meter >= QPW_COUNTER_SLOTS || !c->row_of[was->meter])
        return 0;
    row = &c->s.meters[c->row_of[was->meter] - 1];
    if (!row->counts.connections)
        return 0;
    row->counts.connections--;
    wanted = row->key;
    wanted.verdict = now->verdict;
    wanted.rule = now->rule;
    row = row_of(c, &wanted, was->first_ns);
    if (!row)
        return -ENOMEM;
    row->counts.connections++;
    if (now->verdict != was->verdict)
        count_finding(c, key, now);
    return 0;
}

int qpw_decisions_count(struct qpw_collection *c)
{
    struct qpw_entries e;
    int r = qpw_entries_read(c->k->map_fd[QPW_MAP_decisions], sizeof(struct qpw_conn_key), sizeof(struct qpw_decision), &e);

    if (r < 0)
        return r;
    for (size_t i = 0; r == 0 && i < e.count; i++) {
        const struct qpw_decision *decision = &((struct qpw_decision *)e.values)[i];
        const struct qpw_conn_key *key = &((struct qpw_conn_key *)e.keys)[i];
        struct qpw_conn was, now;

        if (qpw_conns_find_any(c->k, key, &was) < 0 || !qpw_decision_stands(decision, &was) ||
            (decision->verdict == was.verdict && decision->rule == was.rule))
            continue;
        now = was;
        apply(decision, &now);
        r = move(c, key, &was, &now);
    }
    qpw_entries_clear(&e);
    return r;
}
