/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "sample.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/array.h"
#include "util/names.h"

struct qpw_meter_row *sample_meter(struct qpw_snapshot *s, struct sample_service service, enum qpw_verdict verdict, unsigned rule,
                                   unsigned peer)
{
    struct qpw_meter_row *m = QPW_ADD(s->meters, s->n_meters);

    if (!m)
        abort();
    s->n_meters++;
    m->key.kind = service.protocol == IPPROTO_ICMP || service.protocol == IPPROTO_ICMPV6 ? QPW_KIND_ICMP
                  : service.protocol == IPPROTO_GRE                                     ? QPW_KIND_PROTOCOL : QPW_KIND_PORT;
    m->key.protocol = (uint8_t)service.protocol;
    m->key.port = (uint16_t)service.port;
    m->key.direction = service.direction;
    m->key.verdict = verdict;
    m->key.rule = (uint16_t)rule;
    m->key.peer = (uint16_t)peer;
    m->key.scope = peer ? QPW_SCOPE_PEER : QPW_SCOPE_OTHER;
    m->key.iface = 1;
    m->first_unix_ns = SAMPLE_START_NS;
    return m;
}

struct qpw_finding_row *sample_finding(struct qpw_snapshot *s, struct sample_service service, const char *initiator,
                                       const char *responder, enum qpw_outcome outcome)
{
    struct qpw_finding_row *f = QPW_ADD(s->findings, s->n_findings);

    if (!f)
        abort();
    s->n_findings++;
    qpw_address_parse(initiator, f->key.initiator);
    qpw_address_parse(responder, f->key.responder);
    f->key.kind = service.protocol == IPPROTO_ICMP ? QPW_KIND_ICMP : QPW_KIND_PORT;
    f->key.protocol = (uint8_t)service.protocol;
    f->key.port = (uint16_t)service.port;
    f->key.direction = service.direction;
    f->key.verdict = QPW_VERDICT_UNEXPECTED;
    f->value.outcome = outcome;
    f->value.evidence = service.protocol == IPPROTO_TCP ? QPW_EVIDENCE_HANDSHAKE : QPW_EVIDENCE_FIRST;
    f->value.initiator_port = 40000;
    f->value.iface = 1;
    f->counts.connections = 1;
    f->counts.rx_packets = 10;
    f->counts.rx_bytes = 1000;
    f->first_unix_ns = SAMPLE_NOW_NS - 600000000000ull;
    f->last_unix_ns = SAMPLE_NOW_NS - 5000000000ull;
    f->flow_id = 1000 + s->n_findings;
    return f;
}

static void list_port(struct qpw_snapshot *s, bool outbound, unsigned protocol, unsigned port)
{
    unsigned place = protocol == IPPROTO_TCP ? 0 : protocol == IPPROTO_UDP ? 1 : 2;

    s->listed[QPW_LISTED_TABLE(outbound, place)].bits[port / 64] |= 1ull << port % 64;
}

/* List the ports as the compiler does for the statements below. */
static void list_ports(struct qpw_snapshot *s)
{
    s->listed = calloc(QPW_LISTED_TABLES, sizeof(*s->listed));
    list_port(s, false, IPPROTO_TCP, 445);
    for (unsigned protocol = 0; protocol < 2; protocol++) {
        list_port(s, false, protocol ? IPPROTO_TCP : IPPROTO_UDP, 111);
        list_port(s, false, protocol ? IPPROTO_TCP : IPPROTO_UDP, 2049);
    }
    for (unsigned port = 32768; port < 61000; port++)
        list_port(s, false, IPPROTO_TCP, port);
    list_port(s, true, IPPROTO_TCP, 389);
    list_port(s, true, IPPROTO_TCP, 636);
}

static void add_rules(struct qpw_snapshot *s)
{
    static const struct {
        const char *name, *text;
        enum qpw_direction direction;
        enum qpw_verdict verdict;
    } rules[SAMPLE_RULES] = {
        [SAMPLE_RULE_SMB] = {"in-tcp-445", "inbound tcp 445 SMB", QPW_DIR_INBOUND, QPW_VERDICT_ALLOWED},
        [SAMPLE_RULE_NFS] = {"nfs", "inbound tcp,udp 111,2049 \"NFS or MOUNT\" name=nfs", QPW_DIR_INBOUND,
                             QPW_VERDICT_ALLOWED},
        [SAMPLE_RULE_FTP] = {"ftp-passive", "inbound tcp 32768-60999 \"FTP passive mode\" weak", QPW_DIR_INBOUND,
                             QPW_VERDICT_WEAK},
        [SAMPLE_RULE_LDAP] = {"ldap", "outbound tcp 389,636 LDAP default name=ldap", QPW_DIR_OUTBOUND,
                              QPW_VERDICT_ALLOWED},
    };

    list_ports(s);
    s->rules = calloc(SAMPLE_RULES, sizeof(*s->rules));
    s->n_rules = SAMPLE_RULES;
    for (unsigned i = 1; i < SAMPLE_RULES; i++) {
        snprintf(s->rules[i].name, sizeof(s->rules[i].name), "%s", rules[i].name);
        snprintf(s->rules[i].text, sizeof(s->rules[i].text), "%s", rules[i].text);
        strcpy(s->rules[i].file, "site.policy");
        s->rules[i].line = 10 + i;
        s->rules[i].direction = rules[i].direction;
        s->rules[i].verdict = rules[i].verdict;
        s->rules[i].in_force = 1;
    }
    s->peers = calloc(SAMPLE_PEERS, sizeof(*s->peers));
    s->n_peers = SAMPLE_PEERS;
    strcpy(s->peers[SAMPLE_NODE2].name, "node2");
    strcpy(s->peers[SAMPLE_NODE3].name, "node3");
    s->peers[SAMPLE_NODE2].in_force = s->peers[SAMPLE_NODE3].in_force = 1;
}

static void frame(struct qpw_snapshot *s, unsigned tick)
{
    memset(s, 0, sizeof(*s));
    s->from_unix_ns = SAMPLE_START_NS;
    s->unix_ns = SAMPLE_NOW_NS + tick * 1000000000ull;
    s->mono_ns = 7200000000000ull + tick * 1000000000ull;
    strcpy(s->host, "node1");
    strcpy(s->meta.policy_name, "qumulo/on-prem");
    strcpy(s->meta.ifname[1], "eth0");
    s->control.heartbeat_ns = s->mono_ns - 500000000u;
    s->control.generation = 1;
    s->ifaces = calloc(1, sizeof(*s->ifaces));
    s->n_ifaces = 1;
    strcpy(s->ifaces[0].name, "eth0");
    s->ifaces[0].hook = QPW_HOOK_TCX;
    strcpy(s->ifaces[0].why, "driver mlx5_core may reset the link for XDP");
    s->ifaces[0].iface.number = 1;
    s->ifaces[0].attached = s->ifaces[0].up = true;
    s->meta.rx_hook[1] = s->meta.tx_hook[1] = QPW_HOOK_TCX;
    s->lock = QPW_LOCK_HELD;
    s->auditor = (struct qpw_pid){4711, 4711};
}

static void add_coverage(struct qpw_snapshot *s)
{
    s->coverage = calloc(2, sizeof(*s->coverage));
    s->n_coverage = 2;
    s->coverage[0] =
        (struct qpw_coverage){.unix_ns = SAMPLE_START_NS, .kind = QPW_COVERAGE_ATTACHED, .iface = 1, .text = "tc"};
    s->coverage[1] = (struct qpw_coverage){.unix_ns = SAMPLE_START_NS + 60000000000ull,
                                           .kind = QPW_COVERAGE_AUDITOR_GAP,
                                           .text = "12 s without an auditor"};
    qpw_snapshot_note(s, &(struct qpw_note){.kind = QPW_NOTE_RDMA, .count = 1234, .name = "mlx5_0", .detail = "1"});
    s->unwatched = calloc(1, sizeof(*s->unwatched));
    s->n_unwatched = 1;
    strcpy(s->unwatched[0].name, "eth1");
    s->unwatched[0].rx_packets = 77;
    s->tables[QPW_CLASS_EST] =
        (struct qpw_table_row){.name = "established", .entries = 12, .capacity = 65536, .opened = 40, .closed = 28};
    s->memory_bytes = 20 * 1048576;
}

void sample_snapshot(struct qpw_snapshot *ret, unsigned tick)
{
    struct qpw_meter_row *m;
    struct qpw_finding_row *f;

    frame(ret, tick);
    add_rules(ret);
    add_coverage(ret);
    m = sample_meter(ret, (struct sample_service){IPPROTO_TCP, 445, QPW_DIR_INBOUND}, QPW_VERDICT_ALLOWED, SAMPLE_RULE_SMB, 0);
    m->counts = (struct qpw_counts){4, 90000 + 1000 * tick, 9000000 + 125000ull * tick, 50000, 4000000};
    m = sample_meter(ret, (struct sample_service){IPPROTO_TCP, 2049, QPW_DIR_INBOUND}, QPW_VERDICT_ALLOWED, SAMPLE_RULE_NFS, 0);
    m->counts = (struct qpw_counts){2, 500, 50000, 400, 40000};
    m = sample_meter(ret, (struct sample_service){IPPROTO_TCP, 3712, QPW_DIR_INBOUND}, QPW_VERDICT_PEER, 0, SAMPLE_NODE2);
    m->counts = (struct qpw_counts){3, 8000 + 10 * tick, 800000 + 1000 * tick, 7000, 700000};
    m = sample_meter(ret, (struct sample_service){IPPROTO_TCP, 2049, QPW_DIR_INBOUND}, QPW_VERDICT_PEER, 0, SAMPLE_NODE2);
    m->counts = (struct qpw_counts){1, 100, 10000, 100, 10000};
    m = sample_meter(ret, (struct sample_service){IPPROTO_TCP, 4444, QPW_DIR_INBOUND}, QPW_VERDICT_UNEXPECTED, 0, 0);
    m->counts = (struct qpw_counts){1, 10, 1000, 8, 900};
    m = sample_meter(ret, (struct sample_service){IPPROTO_TCP, 0, QPW_DIR_UNKNOWN}, QPW_VERDICT_UNDECIDED, 0, 0);
    m->key.reason = QPW_REASON_MIDSTREAM;
    m->counts = (struct qpw_counts){0, 30, 3000, 0, 0};
    f = sample_finding(ret, (struct sample_service){IPPROTO_TCP, 8080, QPW_DIR_INBOUND}, "10.9.0.8", "10.1.0.11", QPW_OUTCOME_REFUSED);
    f->last_unix_ns -= 1000000000u;
    f = sample_finding(ret, (struct sample_service){IPPROTO_TCP, 4444, QPW_DIR_INBOUND}, "10.9.0.7", "10.1.0.11", QPW_OUTCOME_DATA);
    f->counts = (struct qpw_counts){3, 10 + tick, 1000 + 100 * tick, 8, 900};
    f = sample_finding(ret, (struct sample_service){IPPROTO_UDP, 5353, QPW_DIR_OUTBOUND}, "fd00::11", "fd00::99", QPW_OUTCOME_ATTEMPTED);
    f->value.vlan = 200;
}

void sample_many(struct qpw_snapshot *ret, size_t n, unsigned tick)
{
    frame(ret, tick);
    add_rules(ret);
    ret->meters = calloc(n, sizeof(*ret->meters));
    ret->n_meters = n;
    for (size_t i = 0; i < n; i++) {
        struct qpw_meter_row *m = &ret->meters[i];

        m->key = (struct qpw_meter_key){.kind = QPW_KIND_PORT, .protocol = i % 2 ? IPPROTO_UDP : IPPROTO_TCP,
                                        .direction = QPW_DIR_INBOUND, .scope = QPW_SCOPE_OTHER,
                                        .verdict = i % 3 ? QPW_VERDICT_ALLOWED : QPW_VERDICT_UNEXPECTED,
                                        .port = (uint16_t)(1 + i / 2), .rule = i % 3 ? SAMPLE_RULE_SMB : 0, .iface = 1};
        m->counts = (struct qpw_counts){i, 1000 + i * tick, 100000 + 100 * i * tick, i, i * 60};
        m->first_unix_ns = SAMPLE_START_NS;
    }
}
