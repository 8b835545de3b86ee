/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* aggregates_write.c - the records of aggregates: one at the start, then one an interval while activity continues. */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "alert/internal.h"
#include "alert/text.h"
#include "util/names.h"
#include "words/words.h"

#define TOP_PREFIXES 8

/* Choose by the record of its lead: if that is info, so are further users. */
static enum qpw_signature_name service_signature(const struct qpw_finding_row *lead)
{
    if (qpw_concern_severity(qpw_finding_concern(lead)) == QPW_SEVERITY_INFO)
        return QPW_SIG_FURTHER_INFO;
    return lead->key.direction == QPW_DIR_OUTBOUND ? QPW_SIG_FURTHER_OUT : QPW_SIG_FURTHER;
}

static enum qpw_signature_name signature_of(const struct qpw_aggregate *g)
{
    switch (g->kind_of) {
    case QPW_AGGREGATE_SERVICE: return service_signature(&g->service->lead);
    case QPW_AGGREGATE_SCAN: return g->row.key.direction == QPW_DIR_OUTBOUND ? QPW_SIG_SCAN_OUT : QPW_SIG_SCAN;
    case QPW_AGGREGATE_MANY: return QPW_SIG_MANY_INITIATORS;
    case QPW_AGGREGATE_FLOOD: return QPW_SIG_FLOOD;
    case QPW_AGGREGATE_NEIGHBOUR: return QPW_SIG_MAYBE_PEER;
    default: return QPW_SIG_MULTICAST;
    }
}

/* Write "tcp/21, tcp/23" or, for more than a few, "21-8443". */
static void ports_text(const struct qpw_aggregate *g, char *buf, size_t size)
{
    struct qpw_finding_key key = g->row.key;
    char one[32];
    size_t used = 0;

    if (g->n_ports > 1 && g->n_ports >= QPW_AGGREGATE_PORTS_KEPT) {
        snprintf(buf, size, "%u-%u", g->lowest, g->highest);
        return;
    }
    *buf = '\0';
    for (unsigned i = 0; i < g->n_ports && used < size; i++) {
        key.port = g->ports[i];
        key.protocol = g->protocols[i];
        used += snprintf(buf + used, size - used, "%s%s", i ? ", " : "", qpw_text_service(&key, one, sizeof(one)));
    }
}

/* Write the prefixes with most initiators as text and as facts; the rest as a number. */
static void prefixes_text(struct qpw_record *record, struct qpw_prefixes *p, char *buf, size_t size)
{
    bool used_up[QPW_AGGREGATE_PREFIXES] = {false};
    uint32_t rest = p ? p->others : 0;
    size_t used = 0;
    char count[16];

    *buf = '\0';
    for (unsigned round = 0; p && round < p->n; round++) {
        char text[INET6_ADDRSTRLEN + 8];
        unsigned best = 0;

        while (used_up[best])
            best++;
        for (unsigned i = best; i < p->n; i++)
            if (!used_up[i] && p->count[i] > p->count[best])
                best = i;
        used_up[best] = true;
        if (round >= TOP_PREFIXES) {
            rest += p->count[best];
            continue;
        }
        qpw_words_prefix(p->prefix[best], text, sizeof(text));
        qpw_record_fact(record, "prefixes", "%s %u", text, p->count[best]);
        used += snprintf(buf + used, used < size ? size - used : 0, "%s%s (%s)", round ? ", " : "", text,
                         qpw_words_count(p->count[best], count, sizeof(count)));
    }
    if (rest)
        snprintf(buf + used, used < size ? size - used : 0, " and %s from others",
                 qpw_words_count(rest, count, sizeof(count)));
}

static void group_facts(struct qpw_engine *e, struct qpw_record *record, const struct qpw_aggregate *g)
{
    char time[32];

    qpw_record_fact(record, "verdict", "%s", qpw_verdict_name(g->row.key.verdict));
    qpw_record_fact(record, "direction", "%s", qpw_direction_name(g->row.key.direction));
    qpw_record_fact(record, "evidence", "%s", qpw_evidence_name(g->row.value.evidence));
    qpw_record_fact(record, "outcome", "%s", qpw_outcome_name(g->row.value.outcome));
    qpw_record_fact(record, "count", "%u", g->tries);
    qpw_record_fact(record, "suppressed", "%llu", (unsigned long long)g->aggregated);
    qpw_record_fact(record, "folded", "%llu", (unsigned long long)g->aggregated_all);
    if (g->n_ports) {
        qpw_record_fact(record, "lowest_port", "%u", g->lowest);
        qpw_record_fact(record, "highest_port", "%u", g->highest);
    }
    if (record->acknowledged)
        qpw_record_fact(record, "state", "acknowledged");
    if (record->part)
        qpw_record_fact(record, "cluster_id", "%016" PRIx64, qpw_cluster_scan_of(e, g->row.key.initiator));
    if (g->service) {
        qpw_record_fact(record, "of_flow_id", "%llu", (unsigned long long)g->service->lead.flow_id);
        qpw_process_facts(record, &g->service->process);
    }
    qpw_record_fact(record, "first", "%s", qpw_time_text(g->first_ns, time, sizeof(time)));
    qpw_record_fact(record, "last", "%s", qpw_time_text(g->last_ns, time, sizeof(time)));
}

/* Describe the traffic of a service's users, and the address whose exchange has a record of its own. */
static void service_words(const struct qpw_aggregate *g, char *traffic, size_t traffic_size, char *lead, size_t lead_size)
{
    qpw_words_traffic(g->service->packets, g->service->bytes, traffic, traffic_size);
    qpw_words_end_named(g->service->lead.key.kind, qpw_finding_remote(&g->service->lead.key), "", lead, lead_size);
}

/* Write "80 further addresses", with the verb if answered; signatures.c continues the sentence. */
static void further_words(const struct qpw_aggregate *g, bool answered, char *buf, size_t size)
{
    bool one = g->tries == 1;
    char count[24];

    snprintf(buf, size, "%s further %s%s", qpw_words_count(g->tries, count, sizeof(count)), one ? "address" : "addresses",
             !answered ? "" : one ? " was" : " were");
}

/*
 * Write the further users of a service for a policy line: their addresses if few, else their prefixes; "" if too many.
 */
static void whom_words(const struct qpw_aggregate *g, char *buf, size_t size)
{
    bool few = g->tries <= QPW_AGGREGATE_ADDRESSES;
    char one[INET6_ADDRSTRLEN + 8];
    size_t used = 0;

    *buf = '\0';
    if (!few && (!g->prefixes || g->prefixes->others || g->prefixes->n > TOP_PREFIXES))
        return;
    for (unsigned i = 0; i < (few ? g->tries : g->prefixes->n) && used < size; i++)
        used += snprintf(buf + used, size - used, "%s%s", i ? "," : "",
                         few ? qpw_address_text(g->service->further[i], one, sizeof(one))
                             : qpw_words_prefix(g->prefixes->prefix[i], one, sizeof(one)));
}

/*
 * Describe who opens connections. Cluster nodes do in both directions; a host that only probes may be a scanner, which
 * must never become a peer.
 */
static void peer_words(const struct qpw_aggregate *g, const char *remote, char *buf, size_t size)
{
    if (g->inbound && g->outbound)
        snprintf(buf, size, "Each end tries the other, as cluster nodes do; if it is one: `peer NAME %s`", remote);
    else if (g->outbound)
        snprintf(buf, size, "Only the node tries it. If it is a cluster node: `peer NAME %s`", remote);
    else
        snprintf(buf, size, "Only that address tries the node, as a scanner does: find out what it is before anything is allowed");
}

/* Return whether the scan is one of several nodes, of which one writes the alert. */
static bool is_of_cluster(const struct qpw_engine *e, const struct qpw_aggregate *g)
{
    return signature_of(g) == QPW_SIG_SCAN && qpw_cluster_scan_of(e, g->row.key.initiator);
}

static int write_group(struct qpw_engine *e, struct qpw_aggregate *g, struct qpw_alert_state *state, enum qpw_record_kind kind,
                       uint64_t now_ns)
{
    struct qpw_record *record = qpw_engine_begin(e, signature_of(g), kind, g->last_ns, now_ns);
    struct qpw_text_about about = {.context = &e->context, .row = &g->row};
    char count[64], ports[256], prefixes[512], remote[INET6_ADDRSTRLEN], line[QPW_ALLOW_LINE], traffic[160] = "",
         lead[112] = "", whom[448] = "";
    bool one_port = g->kind_of == QPW_AGGREGATE_MANY || g->kind_of == QPW_AGGREGATE_NOISE || g->kind_of == QPW_AGGREGATE_SERVICE;
    int r;

    record->has_row = true;
    record->row = g->row;
    record->part = is_of_cluster(e, g);
    /* Give no packet count: an aggregate covers many findings, and their sum is unknown. */
    memset(&record->row.counts, 0, sizeof(record->row.counts));
    if (g->service) {
        about.process = &g->service->process;
        service_words(g, traffic, sizeof(traffic), lead, sizeof(lead));
        whom_words(g, whom, sizeof(whom));
        record->acknowledged = !g->service->open;
    }
    qpw_address_text(qpw_finding_remote(&g->row.key), remote, sizeof(remote));
    if (g->kind_of == QPW_AGGREGATE_NEIGHBOUR)
        peer_words(g, remote, traffic, sizeof(traffic));
    record->row.first_unix_ns = g->first_ns;
    record->row.last_unix_ns = g->last_ns;
    record->has_initiator = record->has_responder = g->row.key.kind != QPW_KIND_ETHERTYPE;
    record->has_port = one_port && g->row.key.kind == QPW_KIND_PORT;
    record->iface = qpw_engine_iface(e, g->row.value.iface);
    if (g->service)
        further_words(g, record->signature == qpw_signature(QPW_SIG_FURTHER), count, sizeof(count));
    else
        qpw_words_count(g->tries, count, sizeof(count));
    ports_text(g, ports, sizeof(ports));
    prefixes_text(record, g->prefixes, prefixes, sizeof(prefixes));
    about.words = (struct qpw_text_words){.count = count,
                                          .ports = ports,
                                          .prefixes = prefixes,
                                          .iface = record->iface,
                                          .detail = traffic,
                                          .first = lead,
                                          .whom = whom,
                                          .remote = remote};
    qpw_text_record(record, &about);
    group_facts(e, record, g);
    if (one_port && qpw_text_allow_line(&about, /* any= */ true, line, sizeof(line)))
        qpw_record_fact(record, "allow", "%s", line);
    r = qpw_engine_write(e, state, now_ns);
    if (r < 0)
        return r;
    g->reported = true;
    g->changed = false;
    g->aggregated = 0;
    if (g->service)
        g->service->urgent = g->service->open = false;
    return 0;
}

int qpw_aggregate_flush(struct qpw_engine *e, struct qpw_aggregate *g, uint64_t now_ns)
{
    struct qpw_alert_state *state = qpw_engine_state(e, g->flow_id);

    return state ? write_group(e, g, state, state->sequence ? QPW_RECORD_SUMMARY : QPW_RECORD_FIRST, now_ns) : -ENOMEM;
}

/* Write the aggregate's record if it is due and reports something that no other record does. */
static void write_if_due(struct qpw_engine *e, struct qpw_aggregate *g, uint64_t now_ns)
{
    unsigned repeat_s = qpw_signature(signature_of(g))->repeat == QPW_REPEAT_DAY ? DAY_S : e->settings.summary_s;
    struct qpw_alert_state *state = qpw_engine_state(e, g->flow_id);
    bool due;

    if (!state)
        return;
    if (!g->reported && state->sequence && state->written_ns + e->settings.slow_window_s * SECOND > g->last_ns)
        g->reported = true; /* reported by an earlier auditor, or continued within the hour */
    if (g->kind_of == QPW_AGGREGATE_SERVICE) {
        state->offered_ns = now_ns;
        if (qpw_service_is_due(e, g, state, repeat_s, now_ns))
            write_group(e, g, state, state->sequence ? QPW_RECORD_SUMMARY : QPW_RECORD_FIRST, now_ns);
        return;
    }
    due = state->sequence && now_ns >= state->written_ns + repeat_s * SECOND;
    if (g->kind_of == QPW_AGGREGATE_NOISE && state->sequence && !due)
        return; /* at most once a day */
    if (g->reported && !(g->changed && g->aggregated && due))
        return;
    if (!g->reported && !e->finishing && (g->kind_of == QPW_AGGREGATE_MANY || g->kind_of == QPW_AGGREGATE_FLOOD) &&
        now_ns < g->over_ns + e->settings.settle_s * SECOND)
        return; /* some may be answered in a moment, once ARP has resolved the initiator */
    if (!g->reported && signature_of(g) == QPW_SIG_SCAN && !is_of_cluster(e, g) && qpw_cluster_may_name(e, g->over_ns, now_ns))
        return; /* it may be a part of the cluster's scan, which is one alert */
    if (!g->reported && !g->aggregated)
        return; /* over its threshold, but so far each of its findings has its own record */
    if (qpw_engine_take(e, now_ns))
        write_group(e, g, state, state->sequence ? g->reported ? QPW_RECORD_SUMMARY : QPW_RECORD_AGAIN : QPW_RECORD_FIRST,
                    now_ns);
}

void qpw_aggregates_write(struct qpw_engine *e, uint64_t now_ns)
{
    e->aggregates_urgent = false;
    for (size_t i = 0; i < e->n_aggregates && !e->blocked; i++) {
        struct qpw_aggregate *g = &e->aggregates[i];

        if (!g->active)
            continue;
        write_if_due(e, g, now_ns);
        if (g->kind_of == QPW_AGGREGATE_SERVICE) {
            if (qpw_service_is_over(g, now_ns))
                qpw_aggregate_end(g);
            continue;
        }
        if (now_ns > g->last_ns + e->settings.slow_window_s * SECOND && g->kind_of != QPW_AGGREGATE_NOISE &&
            !g->aggregated)
            qpw_aggregate_end(g);
    }
}
