/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "alert/log/eve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "alert/community_id.h"
#include "alert/tags.h"
#include "util/names.h"

const char *qpw_eve_time(uint64_t unix_ns, char *buf, size_t size)
{
    char *zone;

    qpw_time_text(unix_ns, buf, size);
    zone = strchr(buf, 'Z');
    if (zone)
        snprintf(zone, size - (zone - buf), "+0000");
    return buf;
}

uint64_t qpw_eve_parse_time(const char *text)
{
    struct tm tm = {0};
    unsigned micros = 0;
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);

    if (!rest)
        return 0;
    if (*rest == '.')
        sscanf(rest + 1, "%6u", &micros);
    return (uint64_t)timegm(&tm) * 1000000000u + micros * 1000ull;
}

static const struct {
    unsigned protocol;
    const char *name;
} protocols[] = {
    {IPPROTO_TCP, "TCP"},   {IPPROTO_UDP, "UDP"}, {IPPROTO_ICMP, "ICMP"}, {IPPROTO_ICMPV6, "IPv6-ICMP"},
    {IPPROTO_SCTP, "SCTP"}, {IPPROTO_GRE, "GRE"}, {IPPROTO_ESP, "ESP"},   {IPPROTO_AH, "AH"},
    {IPPROTO_IPIP, "IPIP"}, {IPPROTO_IPV6, "IPv6"},
};

unsigned qpw_eve_parse_protocol(const char *text)
{
    for (size_t i = 0; i < sizeof(protocols) / sizeof(*protocols); i++)
        if (!strcmp(protocols[i].name, text))
            return protocols[i].protocol;
    return (unsigned)strtoul(text, NULL, 10) & 0xff;
}

/* Write the protocol as EVE does: "TCP", "IPv6-ICMP", "047". Returns buf. */
static const char *protocol_text(unsigned protocol, char *buf, size_t size)
{
    for (size_t i = 0; i < sizeof(protocols) / sizeof(*protocols); i++)
        if (protocols[i].protocol == protocol) {
            snprintf(buf, size, "%s", protocols[i].name);
            return buf;
        }
    snprintf(buf, size, "%03u", protocol);
    return buf;
}

/* Convert a text with arbitrary bytes, such as a process name, to a JSON string, which must be UTF-8. */
static json_t *text(const char *value)
{
    json_t *json = json_string(value);
    char *copy;

    if (json)
        return json;
    copy = strdup(value);
    if (!copy)
        return NULL;
    for (char *c = copy; *c; c++)
        if (*c & 0x80)
            *c = '?';
    json = json_string(copy);
    free(copy);
    return json;
}

static json_t *list(json_t *object, const char *key)
{
    json_t *array = json_object_get(object, key);

    if (!array) {
        array = json_array();
        json_object_set_new(object, key, array);
    }
    return array;
}

/* Add the requirements that it is evidence about: a list of ids for each catalogue. */
static void tags(json_t *o, const struct qpw_signature *signature)
{
    for (unsigned catalogue = 0; catalogue < QPW_TAG_CATALOGUE_COUNT; catalogue++)
        for (const char *const *tag = qpw_tags_of(signature, catalogue); *tag; tag++)
            json_array_append_new(list(o, qpw_tag_key(catalogue)), json_string(*tag));
}

static json_t *facts(const struct qpw_record *r, const char *chain)
{
    json_t *o = json_object();
    char buf[64];

    json_array_append_new(list(o, "kind"), text(qpw_record_kind_name(r->kind)));
    json_array_append_new(list(o, "text"), text(r->text));
    if (r->advice[0])
        json_array_append_new(list(o, "advice"), text(r->advice));
    for (size_t i = 0; i < r->n_facts; i++)
        json_array_append_new(list(o, r->facts[i].key), text(r->facts[i].value));
    tags(o, r->signature);
    json_array_append_new(list(o, "written"), text(qpw_time_text(r->written_unix_ns, buf, sizeof(buf))));
    if (r->sequence) {
        snprintf(buf, sizeof(buf), "%u", r->sequence);
        json_array_append_new(list(o, "sequence"), text(buf));
    }
    if (chain)
        json_array_append_new(list(o, "chain"), text(chain));
    return o;
}

/* Convert non-IP frames: the MAC addresses are in the last six bytes of the ends. */
static json_t *ether(const struct qpw_finding_key *key)
{
    json_t *o = json_object();
    char text[24];

    json_object_set_new(o, "ether_type", json_integer(key->port));
    json_object_set_new(o, "src_mac", json_string(qpw_mac_text(key->initiator + 10, text, sizeof(text))));
    json_object_set_new(o, "dest_mac", json_string(qpw_mac_text(key->responder + 10, text, sizeof(text))));
    return o;
}

static void endpoints(json_t *o, const struct qpw_record *r)
{
    const struct qpw_finding_key *key = &r->row.key;
    char buf[INET6_ADDRSTRLEN];

    if (r->has_initiator) {
        json_object_set_new(o, "src_ip", text(qpw_address_text(key->initiator, buf, sizeof(buf))));
        if (r->has_port && r->row.value.initiator_port)
            json_object_set_new(o, "src_port", json_integer(r->row.value.initiator_port));
    }
    if (r->has_responder) {
        json_object_set_new(o, "dest_ip", text(qpw_address_text(key->responder, buf, sizeof(buf))));
        if (r->has_port)
            json_object_set_new(o, "dest_port", json_integer(key->port));
    }
    if (key->kind == QPW_KIND_ETHERTYPE) {
        json_object_set_new(o, "ether", ether(key));
        return;
    }
    json_object_set_new(o, "proto", text(protocol_text(key->protocol, buf, sizeof(buf))));
    if (r->has_initiator)
        json_object_set_new(o, "ip_v",
                            json_integer(IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)key->initiator) ? 4 : 6));
    if (key->kind == QPW_KIND_ICMP) {
        json_object_set_new(o, "icmp_type", json_integer(key->port));
        json_object_set_new(o, "icmp_code", json_integer(r->row.value.icmp_code));
    }
}

static void community(json_t *o, const struct qpw_record *r)
{
    const struct qpw_finding_key *key = &r->row.key;
    struct qpw_community_flow flow = {.source_port = r->row.value.initiator_port, .destination_port = key->port,
                                      .protocol = key->protocol, .has_ports = key->kind != QPW_KIND_PROTOCOL};
    char buf[QPW_COMMUNITY_ID_LEN];

    if (!r->has_initiator || !r->has_responder || (key->kind == QPW_KIND_PORT && !r->has_port))
        return;
    memcpy(flow.source, key->initiator, 16);
    memcpy(flow.destination, key->responder, 16);
    if (key->kind == QPW_KIND_ICMP) {
        flow.source_port = key->port;
        flow.destination_port = r->row.value.icmp_code;
    }
    json_object_set_new(o, "community_id", text(qpw_community_id(&flow, 0, /* hex= */ false, buf)));
}

/* "toserver" means from the initiator: received, unless the node is the initiator. */
static json_t *flow(const struct qpw_record *r)
{
    const struct qpw_counts *c = &r->row.counts;
    bool outbound = r->row.key.direction == QPW_DIR_OUTBOUND;
    json_t *o = json_object();
    char buf[40];

    if (r->has_row) {
        json_object_set_new(o, "pkts_toserver", json_integer(outbound ? c->tx_packets : c->rx_packets));
        json_object_set_new(o, "pkts_toclient", json_integer(outbound ? c->rx_packets : c->tx_packets));
        json_object_set_new(o, "bytes_toserver", json_integer(outbound ? c->tx_bytes : c->rx_bytes));
        json_object_set_new(o, "bytes_toclient", json_integer(outbound ? c->rx_bytes : c->tx_bytes));
        json_object_set_new(o, "start", text(qpw_eve_time(r->row.first_unix_ns, buf, sizeof(buf))));
        json_object_set_new(o, "end", text(qpw_eve_time(r->row.last_unix_ns, buf, sizeof(buf))));
        json_object_set_new(o, "state", text(r->row.value.outcome >= QPW_OUTCOME_ANSWERED ? "established" : "new"));
    } else {
        json_object_set_new(o, "start", text(qpw_eve_time(r->seen_unix_ns, buf, sizeof(buf))));
    }
    json_object_set_new(o, "alerted", json_true());
    return o;
}

static void alert(json_t *o, const struct qpw_record *r, const char *chain)
{
    static const char *const categories[] = {"", "Unexpected and answered", "Unexpected", "Attempt or loss",
                                             "Information"};
    const struct qpw_signature *s = r->signature;

    json_object_set_new(o, "in_iface", text(r->iface ? r->iface : "any"));
    if (r->has_row) {
        if (r->row.value.vlan)
            json_object_set_new(o, "vlan", json_pack("[i]", (int)(r->row.value.vlan & 0xfff)));
        endpoints(o, r);
        if (r->row.key.kind != QPW_KIND_ETHERTYPE)
            community(o, r);
    }
    json_object_set_new(o, "alert",
                        json_pack("{s:s, s:i, s:i, s:i, s:s, s:s, s:i, s:o}", "action", "allowed", "gid", QPW_ALERT_GID,
                                  "signature_id", (int)s->id, "rev", 1, "signature", s->title, "category",
                                  categories[qpw_record_severity(r)], "severity", (int)qpw_record_severity(r), "metadata", facts(r, chain)));
    json_object_set_new(o, "flow", flow(r));
}

/*
 * Write the facts of a record about the auditor's own work as named variables, because this event type has no field for
 * them.
 */
static void engine(json_t *o, const struct qpw_record *r, const char *chain)
{
    json_t *own = facts(r, chain), *variables = json_array(), *values, *value;
    const char *key;
    size_t i;

    if (r->iface)
        json_object_set_new(o, "in_iface", text(r->iface));
    json_object_set_new(o, "engine", json_pack("{s:s, s:o}", "module", r->signature->name, "message", text(r->text)));
    json_object_foreach(own, key, values)
        if (strcmp(key, "text"))
            json_array_foreach(values, i, value)
                json_array_append_new(variables, json_pack("{s:O}", key, value));
    json_array_append_new(variables, json_pack("{s:o}", "signature_id", json_sprintf("%u", r->signature->id)));
    json_object_set_new(o, "metadata", json_pack("{s:o}", "flowvars", variables));
    json_decref(own);
}

/* kernel_drops is always 0, because the kernel drops no packets for us. Packets without detail are in a variable. */
static void stats(json_t *o, const struct qpw_heartbeat *h, const char *chain)
{
    json_object_set_new(o, "stats",
                        json_pack("{s:I, s:{s:I, s:I}, s:{s:I, s:I, s:I}, s:{s:I, s:I, s:I}, s:{s:I, s:I}}", "uptime",
                                  (json_int_t)h->uptime_s, "capture", "kernel_packets", (json_int_t)h->packets,
                                  "kernel_drops", (json_int_t)0, "decoder", "pkts", (json_int_t)h->packets,
                                  "bytes", (json_int_t)h->bytes, "invalid", (json_int_t)h->undecodable, "detect",
                                  "alert", (json_int_t)h->alerts, "alerts_suppressed", (json_int_t)h->suppressed,
                                  "alert_queue_overflow", (json_int_t)h->rate_limited, "flow", "active",
                                  (json_int_t)h->connections, "total", (json_int_t)h->findings));
    json_object_set_new(o, "metadata", json_pack("{s:[{s:o}]}", "flowvars", "lost_detail",
                                                 json_sprintf("%" PRIu64, h->lost_detail)));
    if (chain)
        json_array_append_new(json_object_get(json_object_get(o, "metadata"), "flowvars"), json_pack("{s:s}", "chain", chain));
}

int qpw_eve_line(const struct qpw_record *r, const struct qpw_log_chain *chain, char **ret_line, size_t *ret_length)
{
    char buf[40], next_text[QPW_LOG_CHAIN_TEXT], *line, *grown;
    const char *next = chain ? qpw_log_chain_text(chain, next_text) : NULL;
    json_t *o = json_object();
    size_t length;

    json_object_set_new(o, "timestamp", text(qpw_eve_time(r->seen_unix_ns, buf, sizeof(buf))));
    if (r->flow_id)
        json_object_set_new(o, "flow_id", json_integer(r->flow_id));
    json_object_set_new(o, "event_type",
                        json_string(!r->signature ? "stats" : r->signature->operational ? "engine" : "alert"));
    json_object_set_new(o, "host", text(r->host));
    if (!r->signature)
        stats(o, r->heartbeat, next);
    else if (r->signature->operational)
        engine(o, r, next);
    else
        alert(o, r, next);
    line = json_dumps(o, JSON_COMPACT);
    json_decref(o);
    if (!line)
        return -ENOMEM;
    length = strlen(line);
    grown = realloc(line, length + 2);
    if (!grown) {
        free(line);
        return -ENOMEM;
    }
    strcpy(grown + length, "\n");
    *ret_line = grown;
    *ret_length = length + 1;
    return 0;
}

const char *qpw_eve_fact(const json_t *record, const char *key)
{
    const json_t *metadata = json_object_get(json_object_get(record, "alert"), "metadata");
    const json_t *variables = json_object_get(json_object_get(record, "metadata"), "flowvars"), *one;
    const char *value = json_string_value(json_array_get(json_object_get(metadata, key), 0));
    size_t i;

    json_array_foreach(variables, i, one)
        if (!value)
            value = json_string_value(json_object_get(one, key));
    return value;
}
