/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The report as one JSON document. jansson keeps the keys in the order in which they are set. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "report/render.h"
#include "words/words.h"
#include "util/document.h"
#include "util/names.h"

/* Readers keep numbers as doubles: whole ones are exact below this. */
#define LIMIT ((1ull << 53) - 1)

static json_t *number(uint64_t value)
{
    return json_integer(value < LIMIT ? value : LIMIT);
}

static void set_counts(json_t *o, const struct qpw_counts *counts)
{
    json_object_set_new(o, "connections", number(counts->connections));
    json_object_set_new(o, "rx_packets", number(counts->rx_packets));
    json_object_set_new(o, "rx_bytes", number(counts->rx_bytes));
    json_object_set_new(o, "tx_packets", number(counts->tx_packets));
    json_object_set_new(o, "tx_bytes", number(counts->tx_bytes));
}

/* protocol and port; the type of ICMP stands in a field of its own, since it is no port. */
static void set_service(json_t *o, unsigned kind, unsigned protocol, unsigned port)
{
    const char *name = qpw_protocol_name(protocol);
    char buf[32];

    if (kind == QPW_KIND_NONE)
        json_object_set_new(o, "protocol", json_null());
    else if (kind == QPW_KIND_ETHERTYPE)
        json_object_set_new(o, "protocol", qpw_json_text(qpw_protocol_text(kind, protocol, port, buf, sizeof(buf))));
    else
        json_object_set_new(o, "protocol", name ? qpw_json_text(name) : number(protocol));
    json_object_set_new(o, "port", kind == QPW_KIND_PORT && port ? number(port) : json_null());
    if (kind == QPW_KIND_ICMP)
        json_object_set_new(o, "icmp_type", number(port));
}

static json_t *meters(const struct qpw_report *r)
{
    json_t *list = json_array();

    for (size_t i = 0; i < r->n_meters; i++) {
        const struct qpw_report_meter *m = &r->meters[i];
        json_t *o = json_object();

        set_service(o, m->key.kind, m->key.protocol, m->key.port);
        if (m->key.kind == QPW_KIND_ICMP && !qpw_meter_has_icmp_type(&m->key))
            json_object_set_new(o, "icmp_type", json_null());
        json_object_set_new(o, "direction", qpw_json_text(qpw_direction_name(m->key.direction)));
        json_object_set_new(o, "scope", qpw_json_text(qpw_scope_name(m->key.scope)));
        json_object_set_new(o, "verdict", qpw_json_text(qpw_verdict_name(m->key.verdict)));
        json_object_set_new(o, "rule", qpw_json_text(qpw_report_rule_name(r->s, m->key.rule)));
        json_object_set_new(o, "interface", qpw_json_text(qpw_report_iface_name(r->s, m->key.iface)));
        set_counts(o, &m->counts);
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *finding(const struct qpw_report *r, const struct qpw_finding_row *f)
{
    json_t *o = json_object();
    char buf[64];

    json_object_set_new(o, "flow_id", number(f->flow_id));
    json_object_set_new(o, "verdict", qpw_json_text(qpw_verdict_name(f->key.verdict)));
    json_object_set_new(o, "direction", qpw_json_text(qpw_direction_name(f->key.direction)));
    set_service(o, f->key.kind, f->key.protocol, f->key.port);
    if (f->key.kind == QPW_KIND_ICMP)
        json_object_set_new(o, "icmp_code", number(f->value.icmp_code));
    json_object_set_new(o, "initiator", qpw_json_text(qpw_words_end(f->key.kind, f->key.initiator, buf, sizeof(buf))));
    json_object_set_new(o, "initiator_port", f->value.initiator_port ? number(f->value.initiator_port) : json_null());
    json_object_set_new(o, "responder", qpw_json_text(qpw_words_end(f->key.kind, f->key.responder, buf, sizeof(buf))));
    json_object_set_new(o, "outcome", qpw_json_text(qpw_outcome_name(f->value.outcome)));
    json_object_set_new(o, "evidence", qpw_json_text(qpw_evidence_name(f->value.evidence)));
    json_object_set_new(o, "reason", f->value.reason ? qpw_json_text(qpw_reason_name(f->value.reason)) : json_null());
    json_object_set_new(o, "rule", qpw_json_text(qpw_report_rule_name(r->s, f->value.rule)));
    json_object_set_new(o, "scope", qpw_json_text(qpw_scope_name(f->value.scope)));
    json_object_set_new(o, "peer", qpw_json_text(qpw_report_peer_name(r->s, f->value.peer)));
    json_object_set_new(o, "interface", qpw_json_text(qpw_report_iface_name(r->s, f->value.iface)));
    json_object_set_new(o, "vlan", f->value.vlan ? number(f->value.vlan) : json_null());
    json_object_set_new(o, "first", qpw_json_time(f->first_unix_ns));
    json_object_set_new(o, "last", qpw_json_time(f->last_unix_ns));
    set_counts(o, &f->counts);
    json_object_set_new(o, "superseded", json_boolean(f->value.flags & QPW_FINDING_SUPERSEDED));
    json_object_set_new(o, "reserved", json_boolean(f->value.flags & QPW_FINDING_RESERVED));
    json_object_set_new(o, "multicast", json_boolean(f->value.flags & QPW_FINDING_MULTICAST));
    return o;
}

static json_t *findings(const struct qpw_report *r)
{
    json_t *list = json_array();

    for (size_t i = 0; i < r->n_findings; i++)
        json_array_append_new(list, finding(r, r->findings[i]));
    return list;
}

/* What was counted without detail, when the tables of findings were full. */
static json_t *details(const struct qpw_report *r)
{
    json_t *list = json_array();
    char buf[64];

    for (size_t i = 0; i < r->n_details; i++) {
        const struct qpw_detail_row *d = r->details[i];
        json_t *o = json_object();

        json_object_set_new(o, "direction", qpw_json_text(qpw_direction_name(d->key.direction)));
        if (d->key.by_prefix)
            json_object_set_new(o, "prefix", qpw_json_text(qpw_words_prefix(d->key.prefix, buf, sizeof(buf))));
        else
            set_service(o, d->key.kind, d->key.protocol, d->key.port);
        json_object_set_new(o, "packets", number(d->packets));
        json_object_set_new(o, "first", qpw_json_time(d->first_unix_ns));
        json_object_set_new(o, "last", qpw_json_time(d->last_unix_ns));
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *families(const struct qpw_report_peer *p)
{
    json_t *list = json_array();

    if (p->v4)
        json_array_append_new(list, json_string("ipv4"));
    if (p->v6)
        json_array_append_new(list, json_string("ipv6"));
    return list;
}

static json_t *busiest(const struct qpw_report_peer *p)
{
    json_t *list = json_array();

    for (size_t i = 0; i < QPW_REPORT_PORTS && p->busiest[i].sum.packets; i++) {
        json_t *o = json_object();

        set_service(o, p->busiest[i].kind, p->busiest[i].protocol, p->busiest[i].port);
        json_object_set_new(o, "direction", qpw_json_text(qpw_direction_name(p->busiest[i].direction)));
        json_object_set_new(o, "packets", number(p->busiest[i].sum.packets));
        json_object_set_new(o, "bytes", number(p->busiest[i].sum.bytes));
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *peers(const struct qpw_report *r)
{
    json_t *list = json_array();

    for (size_t i = 0; i < r->n_peers; i++) {
        const struct qpw_report_peer *p = &r->peers[i];
        json_t *o = json_object();

        json_object_set_new(o, "name", qpw_json_text(p->info->name));
        json_object_set_new(o, "in_force", json_boolean(p->info->in_force));
        json_object_set_new(o, "silent", json_boolean(p->silent));
        json_object_set_new(o, "first", qpw_json_time(p->first_unix_ns));
        json_object_set_new(o, "last", qpw_json_time(p->last_unix_ns));
        json_object_set_new(o, "families", families(p));
        set_counts(o, &p->counts);
        json_object_set_new(o, "ports", number(p->n_ports));
        json_object_set_new(o, "busiest", busiest(p));
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *rules(const struct qpw_report *r)
{
    json_t *list = json_array();

    for (size_t i = 0; i < r->n_rules; i++) {
        const struct qpw_report_rule *rule = &r->rules[i];
        json_t *o = json_object();

        json_object_set_new(o, "name", qpw_json_text(rule->info->name));
        json_object_set_new(o, "direction", qpw_json_text(qpw_direction_name(rule->info->direction)));
        json_object_set_new(o, "verdict", qpw_json_text(qpw_verdict_name(rule->info->verdict)));
        json_object_set_new(o, "in_force", json_boolean(rule->info->in_force));
        json_object_set_new(o, "file", qpw_json_text(rule->info->file));
        json_object_set_new(o, "line", rule->info->line ? number(rule->info->line) : json_null());
        json_object_set_new(o, "text", qpw_json_text(rule->info->text));
        json_object_set_new(o, "hits", number(qpw_report_sum_of(&rule->counts).packets));
        set_counts(o, &rule->counts);
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *by_reason(const struct qpw_report_sum *sums)
{
    json_t *o = json_object();

    for (unsigned i = 0; i < QPW_REASON_COUNT; i++)
        if (sums[i].packets)
            json_object_set_new(o, qpw_reason_name(i), number(sums[i].packets));
    return o;
}

static json_t *totals(const struct qpw_report *r)
{
    json_t *o = json_object(), *verdicts = json_object(), *directions = json_object();

    json_object_set_new(o, "packets", number(r->total.packets));
    json_object_set_new(o, "bytes", number(r->total.bytes));
    for (unsigned i = 0; i < QPW_VERDICT_COUNT; i++)
        if (i != QPW_VERDICT_NONE || r->by_verdict[i].packets)
            json_object_set_new(verdicts, qpw_verdict_name(i), number(r->by_verdict[i].packets));
    for (unsigned i = 0; i < QPW_DIR_COUNT; i++)
        json_object_set_new(directions, qpw_direction_name(i), number(r->by_direction[i].packets));
    json_object_set_new(o, "by_verdict", verdicts);
    json_object_set_new(o, "by_direction", directions);
    return o;
}

static json_t *coverage_events(const struct qpw_report *r)
{
    json_t *list = json_array();

    for (size_t i = 0; i < r->s->n_coverage; i++) {
        const struct qpw_coverage *c = &r->s->coverage[i];
        json_t *o;

        if (c->unix_ns < r->since_unix_ns)
            continue;
        o = json_object();
        json_object_set_new(o, "time", qpw_json_time(c->unix_ns));
        json_object_set_new(o, "event", qpw_json_text(qpw_coverage_name(c->kind)));
        json_object_set_new(o, "interface", qpw_json_text(qpw_report_iface_name(r->s, c->iface)));
        json_object_set_new(o, "text", qpw_json_text(c->text));
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *coverage_gaps(const struct qpw_report *r)
{
    json_t *list = json_array();

    for (size_t i = 0; i < r->n_gaps; i++) {
        json_t *o = json_object();

        json_object_set_new(o, "from", qpw_json_time(r->gaps[i].from_unix_ns));
        json_object_set_new(o, "to", qpw_json_time(r->gaps[i].to_unix_ns));
        json_object_set_new(o, "interface", qpw_json_text(qpw_report_iface_name(r->s, r->gaps[i].iface)));
        json_object_set_new(o, "why", qpw_json_text(r->gaps[i].why));
        json_object_set_new(o, "open", json_boolean(r->gaps[i].open));
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *coverage_interfaces(const struct qpw_report *r)
{
    json_t *list = json_array();

    for (size_t i = 0; i < r->s->n_ifaces; i++) {
        const struct qpw_iface_row *row = &r->s->ifaces[i];
        json_t *o = json_object();

        json_object_set_new(o, "name", qpw_json_text(row->name));
        json_object_set_new(o, "mode", qpw_json_text(row->mode));
        json_object_set_new(o, "attached", json_boolean(row->attached));
        json_object_set_new(o, "up", json_boolean(row->up));
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *coverage_unwatched(const struct qpw_report *r)
{
    json_t *list = json_array();

    for (size_t i = 0; i < r->s->n_unwatched; i++) {
        json_t *o = json_object();

        json_object_set_new(o, "name", qpw_json_text(r->s->unwatched[i].name));
        json_object_set_new(o, "rx_packets", number(r->s->unwatched[i].rx_packets));
        json_object_set_new(o, "tx_packets", number(r->s->unwatched[i].tx_packets));
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *coverage_tables(const struct qpw_report *r)
{
    json_t *list = json_array();

    for (unsigned i = QPW_CLASS_NONE + 1; i < QPW_CLASS_COUNT; i++) {
        const struct qpw_table_row *t = &r->s->tables[i];
        json_t *o = json_object();

        json_object_set_new(o, "name", qpw_json_text(qpw_class_name(i)));
        json_object_set_new(o, "entries", number(t->entries));
        json_object_set_new(o, "capacity", number(t->capacity));
        json_object_set_new(o, "opened", number(t->opened));
        json_object_set_new(o, "closed", number(t->closed));
        json_object_set_new(o, "expired", number(t->expired));
        json_object_set_new(o, "evicted", number(t->evicted));
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *coverage(const struct qpw_report *r)
{
    json_t *o = json_object(), *losses = json_object(), *notes = json_array();

    for (unsigned i = QPW_LOSS_NONE + 1; i < QPW_LOSS_COUNT; i++)
        json_object_set_new(losses, qpw_loss_name(i), number(r->s->losses[i]));
    for (size_t i = 0; i < r->s->n_notes; i++)
        json_array_append_new(notes, qpw_json_text(r->s->notes[i]));
    json_object_set_new(o, "replay", json_boolean(r->s->replay));
    json_object_set_new(o, "incomplete", json_boolean(r->s->incomplete));
    json_object_set_new(o, "interfaces", coverage_interfaces(r));
    json_object_set_new(o, "unwatched", coverage_unwatched(r));
    json_object_set_new(o, "gaps", coverage_gaps(r));
    json_object_set_new(o, "events", coverage_events(r));
    json_object_set_new(o, "losses", losses);
    json_object_set_new(o, "tables", coverage_tables(r));
    json_object_set_new(o, "memory_bytes", number(r->s->memory_bytes));
    json_object_set_new(o, "notes", notes);
    return o;
}

static json_t *interfaces(const struct qpw_snapshot *s)
{
    json_t *list = json_array();

    for (size_t i = 0; i < s->n_ifaces; i++)
        json_array_append_new(list, qpw_json_text(s->ifaces[i].name));
    return list;
}

int qpw_report_json(const struct qpw_report *r, const struct qpw_render_options *options, FILE *out)
{
    const struct qpw_meta *meta = &r->s->meta;
    json_t *o = qpw_document("qportwatch.report/1");
    int rc;

    json_object_set_new(o, "interfaces", interfaces(r->s));
    qpw_document_set_period(o, r->s->host, r->s->from_unix_ns, r->s->unix_ns);
    qpw_document_set_policy(o, meta->policy_name, meta->policy_digest, meta->source_digest);
    if (r->since_unix_ns)
        json_object_set_new(o, "findings_since", qpw_json_time(r->since_unix_ns));
    json_object_set_new(o, "totals", totals(r));
    json_object_set_new(o, "meters", meters(r));
    json_object_set_new(o, "findings", findings(r));
    json_object_set_new(o, "details", details(r));
    json_object_set_new(o, "peers", peers(r));
    json_object_set_new(o, "rules", rules(r));
    json_object_set_new(o, "undecided", by_reason(r->undecided));
    json_object_set_new(o, "transit", by_reason(r->transit));
    json_object_set_new(o, "coverage", coverage(r));
    rc = json_dumpf(o, out, JSON_INDENT(1) | JSON_ENSURE_ASCII) < 0 || fputc('\n', out) == EOF ? -EIO : 0;
    json_decref(o);
    return rc;
}
