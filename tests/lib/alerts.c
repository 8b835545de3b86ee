/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "alerts.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert/log/eve.h"
#include "util/array.h"
#include "util/names.h"

static uint64_t number(const struct qpw_record *r, const char *key)
{
    const char *value = qpw_record_value(r, key);

    return value ? strtoull(value, NULL, 10) : 0;
}

static int keep(void *data, const struct qpw_record *r)
{
    struct sink *sink = data;
    struct seen *s;
    char *line;
    size_t length;

    if (sink->broken)
        return -ENOSPC;
    s = QPW_ADD(sink->records, sink->n);
    if (!s)
        abort();
    sink->n++;
    *s = (struct seen){.kind = r->kind, .signature = r->signature, .flow_id = r->flow_id, .sequence = r->sequence,
                       .seen_ns = r->seen_unix_ns, .written_ns = r->written_unix_ns, .count = number(r, "count"),
                       .suppressed = number(r, "suppressed"), .outcome = r->row.value.outcome, .row = r->row};
    snprintf(s->text, sizeof(s->text), "%s", r->text);
    if (qpw_record_value(r, "allow"))
        snprintf(s->allow, sizeof(s->allow), "%s", qpw_record_value(r, "allow"));
    if (qpw_eve_line(r, NULL, &line, &length) < 0)
        abort();
    snprintf(s->line, sizeof(s->line), "%s", line);
    free(line);
    return 0;
}

struct qpw_record_writer sink_writer(struct sink *sink)
{
    return (struct qpw_record_writer){keep, sink};
}

void sink_clear(struct sink *sink)
{
    free(sink->records);
    *sink = (struct sink){0};
}

size_t sink_count(const struct sink *sink, enum qpw_signature_name name)
{
    size_t n = 0;

    for (size_t i = 0; i < sink->n; i++)
        n += sink->records[i].signature == qpw_signature(name);
    return n;
}

const struct seen *sink_last(const struct sink *sink, enum qpw_signature_name name)
{
    for (size_t i = sink->n; i > 0; i--)
        if (sink->records[i - 1].signature == qpw_signature(name))
            return &sink->records[i - 1];
    return NULL;
}

const char *sink_words(const struct sink *sink, size_t from)
{
    static char words[8192];
    size_t used = 0;

    words[0] = '\0';
    for (size_t i = from; i < sink->n && used < sizeof(words); i++)
        used += snprintf(words + used, sizeof(words) - used, "%s%s/%s", i > from ? ", " : "",
                         sink->records[i].signature ? sink->records[i].signature->name : "stats",
                         qpw_record_kind_name(sink->records[i].kind));
    return words;
}

void finding_renumber(struct qpw_finding_row *row)
{
    uint64_t hash = 0xcbf29ce484222325ull;

    for (size_t i = 0; i < sizeof(row->key); i++)
        hash = (hash ^ ((const uint8_t *)&row->key)[i]) * 0x100000001b3ull;
    row->flow_id = ((hash ^ hash >> 29) & ((1ull << 53) - 1)) | 1;
}

struct qpw_finding_row finding(unsigned direction, const char *initiator, const char *responder, unsigned port,
                               unsigned outcome, struct span seen)
{
    struct qpw_finding_row row = {
        .key = {.port = port, .kind = QPW_KIND_PORT, .protocol = IPPROTO_TCP, .direction = direction,
                .verdict = QPW_VERDICT_UNEXPECTED},
        .value = {.initiator_port = 40000, .iface = 1, .evidence = QPW_EVIDENCE_HANDSHAKE, .outcome = outcome,
                  .scope = QPW_SCOPE_OTHER},
        .counts = {.connections = 1, .rx_packets = 2, .rx_bytes = 148, .tx_packets = 1, .tx_bytes = 74},
        .first_unix_ns = seen.first_ns,
        .last_unix_ns = seen.last_ns,
    };

    if (qpw_address_parse(initiator, row.key.initiator) < 0 || qpw_address_parse(responder, row.key.responder) < 0)
        abort();
    finding_renumber(&row);
    return row;
}

struct qpw_engine_context plain_context(void)
{
    static const struct qpw_rule_info rules[] = {[1] = {.name = "ssh"},
                                                 [2] = {.name = "infra-routing"},
                                                 [3] = {.name = "implied-dns-tcp"},
                                                 [4] = {.name = "in-tcp-32768-60999"}};
    static char names[QPW_MAX_IFACES][16] = {[1] = "eth0"};

    return (struct qpw_engine_context){.host = "node1", .policy_name = "qumulo/on-prem",
                                       .policy_path = "/etc/qportwatch/policy", .policy_digest = "sha256:0123", .rules = rules, .n_rules = 5, .ifname = (const char(*)[16])names};
}

struct qpw_engine *engine_for(struct sink *sink, const struct qpw_engine_settings *settings)
{
    struct qpw_record_writer writer = sink_writer(sink);
    struct qpw_engine_context context = plain_context();
    struct qpw_engine_settings quiet;
    struct qpw_engine *e;

    qpw_engine_defaults(&quiet);
    quiet.heartbeat_s = 1000000000;
    quiet.settle_s = 0; /* tests of settling set their own */
    if (qpw_engine_new(settings ? settings : &quiet, &writer, &e) < 0)
        abort();
    qpw_engine_context(e, &context, T0);
    return e;
}
