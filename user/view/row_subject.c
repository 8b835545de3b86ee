/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "view/row_subject.h"

#include "util/names.h"

typedef struct qpw_row_subject subject_of(const struct qpw_row *row);

static struct qpw_row_subject of_finding_row(const struct qpw_finding_row *f)
{
    return (struct qpw_row_subject){
        .kind = f->key.kind, .protocol = f->key.protocol, .direction = f->key.direction, .verdict = f->key.verdict,
        .reason = f->value.reason, .scope = f->value.scope, .port = f->key.port, .rule = f->value.rule,
        .peer = f->value.peer, .iface = f->value.iface, .vlan = f->value.vlan, .initiator = f->key.initiator,
        .responder = f->key.responder, .services = f->value.services, .speaks = f->value.speaks[1], .finding = &f->value};
}

static struct qpw_row_subject of_finding(const struct qpw_row *row)
{
    return of_finding_row(row->source);
}

/* Return what the group's findings have in common. */
static struct qpw_row_subject of_group(const struct qpw_row *row)
{
    const struct qpw_finding_line *line = row->source;
    struct qpw_row_subject t = of_finding_row(line->first);

    t.finding = NULL;
    if (line->initiators != 1 && !line->service)
        t.initiator = NULL;
    if (line->responders != 1 && !line->service)
        t.responder = NULL;
    if (line->ports > 1)
        t.port = t.rule = 0;
    return t;
}

static struct qpw_row_subject of_meter(const struct qpw_row *row)
{
    const struct qpw_meter_row *meter = row->source;
    struct qpw_row_subject t = {
        .kind = meter->key.kind, .protocol = meter->key.protocol, .direction = meter->key.direction,
        .verdict = meter->key.verdict, .reason = meter->key.reason, .scope = meter->key.scope, .port = meter->key.port,
        .rule = meter->key.rule, .peer = meter->key.peer, .iface = meter->key.iface};

    if (t.kind == QPW_KIND_ICMP && !qpw_meter_has_icmp_type(&meter->key))
        t.kind = QPW_KIND_PORT; /* "icmp/?", as for any port that was not read */
    return t;
}

static struct qpw_row_subject of_folded(const struct qpw_row *row)
{
    const struct qpw_detail_row *d = row->source;

    return (struct qpw_row_subject){
        .kind = d->key.by_prefix ? QPW_KIND_NONE : d->key.kind, .protocol = d->key.protocol,
        .direction = d->key.direction, .port = d->key.port, .verdict = QPW_VERDICT_UNEXPECTED,
        .initiator = d->key.by_prefix ? d->key.prefix : NULL};
}

static struct qpw_row_subject of_rule(const struct qpw_row *row)
{
    const struct qpw_rule_info *rule = row->source;

    return (struct qpw_row_subject){.direction = rule->direction, .verdict = rule->verdict, .rule = (uint16_t)row->number};
}

static struct qpw_row_subject of_idle(const struct qpw_row *row)
{
    return (struct qpw_row_subject){.rule = (uint16_t)row->number};
}

static struct qpw_row_subject of_peer(const struct qpw_row *row)
{
    return (struct qpw_row_subject){.peer = (uint16_t)row->number};
}

static struct qpw_row_subject of_connection(const struct qpw_row *row)
{
    const struct qpw_connection *c = row->source;
    struct qpw_connection_ends ends = qpw_connection_ends(&c->key, &c->conn);

    return (struct qpw_row_subject){
        .kind = (uint8_t)qpw_protocol_kind(c->key.protocol), .protocol = c->key.protocol,
        .direction = c->conn.direction, .verdict = c->conn.verdict, .reason = c->conn.reason,
        .scope = qpw_conn_scope(&c->conn), .port = ends.to_port, .rule = c->conn.rule, .peer = qpw_conn_peer(&c->conn),
        .iface = (uint16_t)c->conn.iface, .vlan = c->conn.vlan & QPW_VLAN_ID, .initiator = ends.from,
        .responder = ends.to};
}

static struct qpw_row_subject of_listener(const struct qpw_row *row)
{
    const struct qpw_listening_row *l = row->source;

    return (struct qpw_row_subject){
        .kind = QPW_KIND_PORT, .protocol = l->listener->protocol, .port = l->listener->port,
        .direction = QPW_DIR_INBOUND, .verdict = l->verdict, .rule = (uint16_t)row->number};
}

struct qpw_row_subject qpw_row_subject_of(const struct qpw_row *row)
{
    static subject_of *const of[] = {
        [QPW_ROW_FINDING] = of_finding,       [QPW_ROW_GROUP] = of_group,       [QPW_ROW_METER] = of_meter,
        [QPW_ROW_FOLDED] = of_folded,         [QPW_ROW_RULE] = of_rule,         [QPW_ROW_IDLE] = of_idle,
        [QPW_ROW_CONNECTION] = of_connection, [QPW_ROW_LISTENER] = of_listener, [QPW_ROW_PEER] = of_peer};
    size_t kind = (size_t)row->kind;

    return kind < sizeof(of) / sizeof(*of) && of[kind] ? of[kind](row) : (struct qpw_row_subject){0};
}
