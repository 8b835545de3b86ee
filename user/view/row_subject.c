/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "view/row_subject.h"

#include "util/names.h"

struct qpw_row_subject qpw_row_subject_of(const struct qpw_row *row)
{
    struct qpw_row_subject t = {0};

    if (row->kind == QPW_ROW_FINDING) {
        const struct qpw_finding_row *f = row->source;

        t = (struct qpw_row_subject){f->key.kind, f->key.protocol, f->key.direction, f->key.verdict, f->value.reason,
                           f->value.scope, f->key.port, f->value.rule, f->value.peer, f->value.iface, f->value.vlan,
                           f->key.initiator, f->key.responder, &f->value};
    } else if (row->kind == QPW_ROW_GROUP) {
        const struct qpw_finding_line *line = row->source;
        const struct qpw_finding_row *f = line->first;

        t = (struct qpw_row_subject){f->key.kind, f->key.protocol, f->key.direction, f->key.verdict, f->value.reason,
                               f->value.scope, f->key.port, f->value.rule, f->value.peer, f->value.iface, f->value.vlan,
                               line->initiators == 1 || line->service ? f->key.initiator : NULL,
                               line->responders == 1 || line->service ? f->key.responder : NULL, NULL};
        if (line->ports > 1)
            t.port = t.rule = 0;
    } else if (row->kind == QPW_ROW_METER) {
        const struct qpw_meter_row *meter = row->source;

        t = (struct qpw_row_subject){meter->key.kind, meter->key.protocol, meter->key.direction, meter->key.verdict,
                           meter->key.reason, meter->key.scope, meter->key.port, meter->key.rule, meter->key.peer,
                           meter->key.iface, 0, NULL, NULL, NULL};
        if (t.kind == QPW_KIND_ICMP && !qpw_meter_has_icmp_type(&meter->key))
            t.kind = QPW_KIND_PORT; /* "icmp/?", as is said of every port that was not read */
    } else if (row->kind == QPW_ROW_FOLDED) {
        const struct qpw_detail_row *d = row->source;

        t.kind = d->key.by_prefix ? QPW_KIND_NONE : d->key.kind;
        t.protocol = d->key.protocol;
        t.direction = d->key.direction;
        t.port = d->key.port;
        t.verdict = QPW_VERDICT_UNEXPECTED;
        t.initiator = d->key.by_prefix ? d->key.prefix : NULL;
    } else if (row->kind == QPW_ROW_RULE) {
        const struct qpw_rule_info *rule = row->source;

        t.direction = rule->direction;
        t.verdict = rule->verdict;
        t.rule = (uint16_t)row->number;
    } else if (row->kind == QPW_ROW_CONNECTION) {
        const struct qpw_connection *c = row->source;
        struct qpw_connection_ends ends = qpw_connection_ends(&c->key, &c->conn);

        t = (struct qpw_row_subject){(uint8_t)qpw_protocol_kind(c->key.protocol), c->key.protocol, c->conn.direction,
                               c->conn.verdict, c->conn.reason, qpw_conn_scope(&c->conn), ends.to_port, c->conn.rule,
                               c->conn.peer, (uint16_t)c->conn.iface, c->conn.vlan & QPW_VLAN_ID, ends.from, ends.to, NULL};
    } else if (row->kind == QPW_ROW_LISTENER) {
        const struct qpw_listening_row *l = row->source;

        t.kind = QPW_KIND_PORT;
        t.protocol = l->listener->protocol;
        t.port = l->listener->port;
        t.direction = QPW_DIR_INBOUND;
        t.verdict = l->verdict;
        t.rule = (uint16_t)row->number;
    } else if (row->kind == QPW_ROW_IDLE) {
        t.rule = (uint16_t)row->number;
    } else if (row->kind == QPW_ROW_PEER) {
        t.peer = (uint16_t)row->number;
    }
    return t;
}
