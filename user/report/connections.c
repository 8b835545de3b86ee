/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "report/connections.h"

#include <netinet/in.h>
#include <stdio.h>

#include "util/document.h"
#include "util/names.h"
#include "words/json.h"
#include "words/owner.h"
#include "words/speech.h"
#include "words/words.h"

const struct qpw_table_column qpw_connection_columns[] = {
    {.title = "verdict"}, {.title = "direction"}, {.title = "service"}, {.title = "from"}, {.title = "to"},
    {.title = "process"}, {.title = "user", .optional = true}, {.title = "unit", .optional = true},
    {.title = "outcome"}, {.title = "evidence", .optional = true}, {.title = "rule"},
    {.title = "sent", .right = true, .optional = true}, {.title = "received", .right = true, .optional = true},
    {.title = "age", .right = true}, {.title = "idle", .right = true},
};
const size_t qpw_connection_n_columns = sizeof(qpw_connection_columns) / sizeof(*qpw_connection_columns);

static uint64_t age(const struct qpw_snapshot *s, uint64_t ns)
{
    return s->mono_ns > ns ? s->mono_ns - ns : 0;
}

static enum qpw_text_style style_of(const struct qpw_conn *conn)
{
    switch (conn->verdict) {
    case QPW_VERDICT_UNEXPECTED: return QPW_TEXT_BAD;
    case QPW_VERDICT_UNDECIDED:
    case QPW_VERDICT_MISMATCH:
    case QPW_VERDICT_WEAK:
    case QPW_VERDICT_IMPLIED: return QPW_TEXT_DOUBT;
    default: return QPW_TEXT_PLAIN;
    }
}

int qpw_connection_add(struct qpw_table *t, const struct qpw_snapshot *s, const struct qpw_connection_line *line)
{
    const struct qpw_conn_key *key = &line->connection->key;
    const struct qpw_conn *conn = &line->connection->conn;
    struct qpw_connection_ends ends = qpw_connection_ends(key, conn);
    unsigned port = conn->direction == QPW_DIR_UNKNOWN ? 0 : ends.to_port;
    char service[64], from[128], to[128], process[64], sent[24], received[24], first[16], idle[16];
    const char *cells[] = {
        qpw_verdict_name(conn->verdict),
        qpw_words_direction(conn->direction),
        qpw_words_service_named(port ? QPW_KIND_PORT : QPW_KIND_PROTOCOL, key->protocol, port, service, sizeof(service)),
        qpw_words_endpoint(ends.from, ends.from_port, from, sizeof(from)),
        qpw_words_endpoint(ends.to, ends.to_port, to, sizeof(to)),
        qpw_owner_known(line->owner) ? qpw_words_owner(line->owner, process, sizeof(process)) : "-",
        line->owner->user,
        line->owner->unit,
        qpw_outcome_name(conn->outcome),
        qpw_evidence_name(conn->evidence),
        conn->rule ? qpw_snapshot_rule(s, conn->rule) : conn->reason ? qpw_reason_name(conn->reason) : "",
        line->has_bytes ? qpw_words_bytes(line->sent, sent, sizeof(sent)) : "",
        line->has_bytes ? qpw_words_bytes(line->received, received, sizeof(received)) : "",
        qpw_words_age(age(s, conn->first_ns), first, sizeof(first)),
        qpw_words_age(age(s, conn->last_ns), idle, sizeof(idle)),
    };

    return qpw_table_add(t, style_of(conn), cells);
}

static json_t *port_json(unsigned protocol, unsigned port)
{
    return qpw_protocol_has_ports(protocol) ? qpw_json_number(port) : json_null();
}

json_t *qpw_connection_core_json(const struct qpw_conn_key *key, const struct qpw_conn *conn, const char *rule)
{
    struct qpw_connection_ends ends = qpw_connection_ends(key, conn);
    char from[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN];

    return json_pack(
        "{so ss so ss so ss ss ss ss so so ss so so}",
        "protocol", qpw_json_protocol(QPW_KIND_PROTOCOL, key->protocol, 0),
        "initiator", qpw_address_text(ends.from, from, sizeof(from)),
        "initiator_port", port_json(key->protocol, ends.from_port),
        "responder", qpw_address_text(ends.to, to, sizeof(to)),
        "responder_port", port_json(key->protocol, ends.to_port),
        "direction", qpw_direction_name(conn->direction),
        "scope", qpw_scope_name(qpw_conn_scope(conn)),
        "evidence", qpw_evidence_name(conn->evidence),
        "verdict", qpw_verdict_name(conn->verdict),
        "rule", qpw_json_text(rule),
        "reason", conn->reason ? json_string(qpw_reason_name(conn->reason)) : json_null(),
        "outcome", qpw_outcome_name(conn->outcome),
        "vlan", qpw_json_or_null(conn->vlan & QPW_VLAN_ID),
        "speaks", qpw_json_speaks(conn->speaks));
}

json_t *qpw_connection_row_json(const struct qpw_snapshot *s, const struct qpw_connection_line *line)
{
    const struct qpw_conn_key *key = &line->connection->key;
    const struct qpw_conn *conn = &line->connection->conn;
    unsigned port = conn->direction == QPW_DIR_UNKNOWN ? 0 : qpw_connection_ends(key, conn).to_port;
    json_t *o = qpw_connection_core_json(key, conn, qpw_snapshot_rule(s, conn->rule));

    json_object_update_new(o, json_pack(
        "{so so so so so so so so}",
        "port", qpw_protocol_has_ports(key->protocol) ? qpw_json_or_null(port) : json_null(),
        "peer", qpw_json_text(qpw_snapshot_peer(s, qpw_conn_peer(conn))),
        "interface", qpw_json_text(qpw_snapshot_iface(s, conn->iface)),
        "first", qpw_json_time(s->unix_ns - age(s, conn->first_ns)),
        "last", qpw_json_time(s->unix_ns - age(s, conn->last_ns)),
        "owner", qpw_json_owner(line->owner),
        "owner_reason", line->owner->why && !qpw_owner_known(line->owner) ? json_string(line->owner->why) : json_null(),
        "bytes", line->has_bytes ? json_pack("{so so}", "sent", qpw_json_number(line->sent), "received",
                                             qpw_json_number(line->received)) : json_null()));
    return o;
}
