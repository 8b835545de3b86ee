/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* json.c - the report as one JSON document. jansson keeps keys in the order of insertion. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "report/cluster.h"
#include "report/listening.h"
#include "report/finding.h"
#include "report/render.h"
#include "words/answer.h"
#include "words/json.h"
#include "words/life.h"
#include "words/owner.h"
#include "words/rule.h"
#include "words/speech.h"
#include "words/words.h"
#include "util/document.h"
#include "util/names.h"

#define OWNERS 1000u /* limit on owner look-ups */

static json_t *meters(const struct qpw_report *report)
{
    json_t *list = json_array();

    for (size_t i = 0; i < report->n_meters; i++) {
        const struct qpw_meter_sum *m = &report->meters[i];
        json_t *o = json_object();

        qpw_json_set_service(o, m->key.kind, m->key.protocol, m->key.port);
        if (m->key.kind == QPW_KIND_ICMP && !qpw_meter_has_icmp_type(&m->key))
            json_object_set_new(o, "icmp_type", json_null());
        json_object_update_new(o, json_pack("{s:s,s:s,s:s,s:o,s:o}", "direction", qpw_direction_name(m->key.direction),
                                            "scope", qpw_scope_name(m->key.scope), "verdict",
                                            qpw_verdict_name(m->key.verdict), "rule",
                                            qpw_json_text(qpw_snapshot_rule(report->s, m->key.rule)), "interface",
                                            qpw_json_text(qpw_snapshot_iface(report->s, m->key.iface))));
        qpw_json_set_counts(o, &m->counts);
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *finding(const struct qpw_report *report, const struct qpw_render_options *options,
                       const struct qpw_finding_row *f)
{
    const struct qpw_finding_key *key = &f->key;
    const struct qpw_finding *value = &f->value;
    struct qpw_finding_words words;
    char initiator[64], responder[64];
    json_t *o;

    qpw_finding_words(report, options, f, &words);
    o = json_pack("{s:o,s:s,s:o,s:o,s:s,s:s}", "flow_id", qpw_json_number(f->flow_id), "severity", words.severity,
                  "signature", qpw_json_text(words.signature), "allow", qpw_json_text(words.allow),
                  "verdict", qpw_verdict_name(key->verdict), "direction", qpw_direction_name(key->direction));
    qpw_json_set_service(o, key->kind, key->protocol, key->port);
    if (key->kind == QPW_KIND_ICMP)
        json_object_set_new(o, "icmp_code", qpw_json_number(value->icmp_code));
    json_object_update_new(
        o, json_pack("{s:o,s:o,s:o,s:i,s:s,s:s,s:o,s:o}", "initiator",
                     qpw_json_text(qpw_words_end(key->kind, key->initiator, initiator, sizeof(initiator))),
                     "initiator_port", qpw_json_or_null(value->initiator_port), "responder",
                     qpw_json_text(qpw_words_end(key->kind, key->responder, responder, sizeof(responder))),
                     "initiators", 1, /* each finding has one initiator; those of one service are adjacent */
                     "outcome", qpw_outcome_name(value->outcome), "evidence", qpw_evidence_name(value->evidence),
                     "reason", value->reason ? qpw_json_text(qpw_reason_name(value->reason)) : json_null(), "rule",
                     qpw_json_text(qpw_snapshot_rule(report->s, value->rule))));
    json_object_update_new(o, json_pack("{s:s,s:o,s:o,s:o,s:o,s:o,s:o}", "scope", qpw_scope_name(value->scope), "peer",
                                        qpw_json_text(qpw_snapshot_peer(report->s, value->peer)), "interface",
                                        qpw_json_text(qpw_snapshot_iface(report->s, value->iface)), "vlan",
                                        qpw_json_or_null(value->vlan), "owner", qpw_json_owner(&words.owner), "first",
                                        qpw_json_time(f->first_unix_ns), "last", qpw_json_time(f->last_unix_ns)));
    qpw_json_set_life(o, report->s, f);
    qpw_json_set_counts(o, &f->counts);
    json_object_set_new(o, "speaks", qpw_json_speaks(value->speaks));
    json_object_update_new(
        o, json_pack("{s:b,s:o,s:b,s:b,s:b}", "new_program", f->program_seen == QPW_PROGRAM_NEW, "bytes",
                     qpw_json_number(qpw_sum_of(&f->counts).bytes), "superseded",
                     !!(value->flags & QPW_FINDING_SUPERSEDED), "reserved", !!(value->flags & QPW_FINDING_RESERVED),
                     "multicast", !!(value->flags & QPW_FINDING_MULTICAST)));
    return o;
}

/* Build the findings. Owners are looked up for the most serious ones only; those of a flood are alike. */
static json_t *findings(const struct qpw_report *report, const struct qpw_render_options *options)
{
    const struct qpw_render_options without = {0};
    json_t *list = json_array();

    for (size_t i = 0; i < report->found.n_rows; i++)
        json_array_append_new(list, finding(report, i < OWNERS ? options : &without, report->found.rows[i]));
    return list;
}

/* Build the traffic counted without details while the tables of findings were full. */
static json_t *details(const struct qpw_report *report)
{
    json_t *list = json_array();
    char buf[64];

    for (size_t i = 0; i < report->found.n_details; i++) {
        const struct qpw_detail_row *d = report->found.details[i];
        json_t *o = json_pack("{s:s}", "direction", qpw_direction_name(d->key.direction));

        if (d->key.by_prefix)
            json_object_set_new(o, "prefix", qpw_json_text(qpw_words_prefix(d->key.prefix, buf, sizeof(buf))));
        else
            qpw_json_set_service(o, d->key.kind, d->key.protocol, d->key.port);
        json_object_update_new(o, json_pack("{s:o,s:o,s:o}", "packets", qpw_json_number(d->packets), "first",
                                            qpw_json_time(d->first_unix_ns), "last", qpw_json_time(d->last_unix_ns)));
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *families(const struct qpw_peer_sum *p)
{
    json_t *list = json_array();

    if (p->v4)
        json_array_append_new(list, json_string("ipv4"));
    if (p->v6)
        json_array_append_new(list, json_string("ipv6"));
    return list;
}

static json_t *busiest(const struct qpw_peer_sum *p)
{
    json_t *list = json_array();

    for (size_t i = 0; i < QPW_PEER_PORTS && p->busiest[i].sum.packets; i++) {
        const struct qpw_port_sum *port = &p->busiest[i];
        json_t *o = json_object();

        qpw_json_set_service(o, port->kind, port->protocol, port->port);
        json_object_update_new(o, json_pack("{s:s,s:o,s:o}", "direction", qpw_direction_name(port->direction),
                                            "packets", qpw_json_number(port->sum.packets), "bytes", qpw_json_number(port->sum.bytes)));
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *peers(const struct qpw_report *report)
{
    json_t *list = json_array();

    for (size_t i = 0; i < report->n_peers; i++) {
        const struct qpw_peer_sum *p = &report->peers[i];
        json_t *o = json_pack("{s:o,s:b,s:b,s:o,s:o,s:o}", "name", qpw_json_text(p->info->name), "in_force",
                              (int)p->info->in_force, "silent", (int)p->silent, "first",
                              qpw_json_time(p->first_unix_ns), "last", qpw_json_time(p->last_unix_ns), "families",
                              families(p));

        qpw_json_set_counts(o, &p->counts);
        json_object_update_new(o, json_pack("{s:o,s:o}", "ports", qpw_json_number(p->n_ports), "busiest", busiest(p)));
        json_array_append_new(list, o);
    }
    return list;
}

/* Build who requested the rule, and until when, for a review of the rules. */
static json_t *rule_reasons(const struct qpw_policy *policy, const struct qpw_rule_info *info)
{
    const char *insecure = qpw_words_insecure_rule(info);
    struct qpw_rule_words words;

    qpw_rule_words(policy, info, &words);
    return json_pack("{s:s,s:o,s:o,s:o,s:o,s:o,s:o}", "origin", qpw_rule_origin(&words), "purpose", qpw_json_text(words.purpose), "ref",
                     qpw_json_text(words.ref), "owner",
                     qpw_json_text(words.owner), "until", qpw_json_text(words.until), "from", qpw_json_text(words.from), "insecure",
                     qpw_json_text(insecure));
}

static json_t *rules(const struct qpw_report *report, const struct qpw_render_options *options)
{
    json_t *list = json_array();

    for (size_t i = 0; i < report->n_rules; i++) {
        const struct qpw_rule_use *rule = &report->rules[i];
        const struct qpw_rule_info *info = rule->info;
        char text[sizeof(info->text) + 8];
        json_t *o = json_pack("{s:o,s:s,s:s,s:b,s:o,s:o,s:o,s:o,s:o}", "name", qpw_json_text(info->name), "direction",
                              qpw_direction_name(info->direction), "verdict", qpw_verdict_name(info->verdict),
                              "in_force", (int)info->in_force, "file", qpw_json_text(info->file), "line",
                              qpw_json_or_null(info->line), "text",
                              qpw_json_text(qpw_rule_statement(options->policy, info, text, sizeof(text))), "hits",
                              qpw_json_number(qpw_sum_of(&rule->counts).packets), "inferred", qpw_json_number(rule->inferred));

        json_object_update_new(o, rule_reasons(options->policy, info));
        qpw_json_set_counts(o, &rule->counts);
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *by_reason(const struct qpw_sum *sums)
{
    json_t *o = json_object();

    for (unsigned i = 0; i < QPW_REASON_COUNT; i++)
        if (sums[i].packets)
            json_object_set_new(o, qpw_reason_name(i), qpw_json_number(sums[i].packets));
    return o;
}

static json_t *coverage_gaps(const struct qpw_report *report)
{
    json_t *list = json_array();

    for (size_t i = 0; i < report->n_gaps; i++)
        json_array_append_new(list,
                              json_pack("{s:o,s:o,s:o,s:s,s:b}", "from", qpw_json_time(report->gaps[i].from_unix_ns),
                                        "to", qpw_json_time(report->gaps[i].to_unix_ns), "interface",
                                        qpw_json_text(qpw_snapshot_iface(report->s, report->gaps[i].iface)), "why",
                                        qpw_coverage_name(report->gaps[i].kind), "open", (int)report->gaps[i].open));
    return list;
}

static json_t *coverage_interfaces(const struct qpw_report *report)
{
    json_t *list = json_array();

    for (size_t i = 0; i < report->s->n_ifaces; i++)
        json_array_append_new(list, qpw_json_interface(&report->s->ifaces[i]));
    return list;
}

static json_t *coverage(const struct qpw_report *report)
{
    return json_pack("{s:b,s:b,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "replay", (int)report->s->replay, "incomplete",
                     (int)report->s->incomplete, "interfaces", coverage_interfaces(report), "unwatched",
                     report->s->recorded ? json_null() : qpw_json_unwatched(report->s), "inventory",
                     report->s->inventory ? qpw_json_inventory(report->s) : json_null(), "gaps", coverage_gaps(report),
                     "events", qpw_json_events(report->s, report->since_unix_ns), "losses",
                     report->s->recorded ? json_null() : qpw_json_losses(report->s), "tables",
                     qpw_json_tables(report->s), "memory_bytes", qpw_json_number(report->s->memory_bytes), "notes",
                     qpw_json_notes(report->s));
}

static json_t *interfaces(const struct qpw_snapshot *s)
{
    json_t *list = json_array();

    for (size_t i = 0; i < s->n_ifaces; i++)
        json_array_append_new(list, qpw_json_text(s->ifaces[i].name));
    return list;
}

static json_t *captures(const struct qpw_snapshot *s)
{
    json_t *list = json_array();

    for (size_t i = 0; i < s->n_captures; i++) {
        const struct qpw_capture_row *c = &s->captures[i];

        json_array_append_new(list, json_pack("{s:o,s:o,s:o,s:o,s:o,s:o}", "name", qpw_json_text(c->name), "sha256",
                                              qpw_json_text(c->sha256), "packets", qpw_json_number(c->packets), "from",
                                              qpw_json_time(c->from_unix_ns), "to", qpw_json_time(c->to_unix_ns),
                                              "left_out", qpw_json_number(c->left_out)));
    }
    return list;
}

static json_t *locals(const struct qpw_snapshot *s)
{
    json_t *list = json_array();
    char text[64];

    for (size_t i = 0; i < s->n_locals; i++)
        json_array_append_new(list, json_string(qpw_words_local(s->locals[i].addr, s->locals[i].length, text,
                                                                sizeof(text))));
    return list;
}

json_t *qpw_report_document(const struct qpw_report *report, const struct qpw_render_options *options)
{
    const struct qpw_meta *meta = &report->s->meta;
    json_t *o = qpw_document("qportwatch.report/1");

    json_object_set_new(o, "interfaces", interfaces(report->s));
    qpw_document_set_period(o, report->s->host, report->s->from_unix_ns, report->s->unix_ns);
    if (report->s->replay) {
        json_object_set_new(o, "captures", captures(report->s));
        json_object_set_new(o, "local", locals(report->s));
    }
    qpw_document_set_policy(o, meta->policy_name, meta->policy_digest, meta->source_digest);
    if (report->since_unix_ns)
        json_object_set_new(o, "findings_since", qpw_json_time(report->since_unix_ns));
    json_object_set_new(o, "answer", qpw_json_answer(&report->answer, report->s->unix_ns));
    json_object_set_new(o, "totals", qpw_json_totals(&report->totals));
    json_object_set_new(o, "meters", meters(report));
    json_object_set_new(o, "findings", findings(report, options));
    json_object_set_new(o, "details", details(report));
    json_object_set_new(o, "peers", peers(report));
    if (options->cluster)
        json_object_set_new(o, "cluster", qpw_cluster_section_json(options->cluster, options->cluster_found));
    json_object_set_new(o, "rules", rules(report, options));
    json_object_set_new(o, "speaks", qpw_json_speaks_ports(report->s));
    if (options->listening)
        qpw_listening_add_json(o, options->listening, options->listening_about);
    json_object_set_new(o, "undecided", by_reason(report->totals.undecided));
    json_object_set_new(o, "transit", by_reason(report->totals.transit));
    json_object_set_new(o, "coverage", coverage(report));
    return o;
}

int qpw_report_json(const struct qpw_report *report, const struct qpw_render_options *options, FILE *out)
{
    json_t *document = qpw_report_document(report, options);
    int r = json_dumpf(document, out, JSON_INDENT(1) | JSON_ENSURE_ASCII) < 0 || fputc('\n', out) == EOF ? -EIO : 0;

    json_decref(document);
    return r;
}
