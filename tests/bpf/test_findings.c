/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Outcomes and findings: how they rise, their limits, and that an answered one always finds a slot. */
#include <bpf/bpf.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "audit.h"

#define CLIENT "10.0.0.9"
#define CLIENT6 "fd00::9"
#define IN QPW_DIR_INBOUND
#define OUT QPW_DIR_OUTBOUND
#define UNEXPECTED .verdict = AUDIT_IS(QPW_VERDICT_UNEXPECTED)
#define SYN PACKET_SYN
#define ACK PACKET_ACK
#define RST PACKET_RST

static struct audit a;
static struct packet p;

static void open_with_policy(void)
{
    audit_open(&a, NULL);
    audit_window_over(&a);
    AUDIT_POLICY(&a, NULL, {.name = "smb", .direction = IN, .protocol = 6, .first = 445},
                 {.name = "icmp", .protocol = 1, .last = 255, .verdict = QPW_VERDICT_INFRA},
                 {.name = "icmp6", .protocol = 58, .last = 255, .verdict = QPW_VERDICT_INFRA});
}

static struct qpw_finding must_find(enum qpw_direction direction, uint8_t protocol, uint16_t port,
                                    const char *initiator, const char *responder)
{
    struct qpw_finding f;

    cr_assert(audit_finding(&a, (struct audit_sought){QPW_VERDICT_UNEXPECTED, direction, protocol, port, initiator, responder}, &f),
              "no finding on %u/%u from %s", protocol, port, initiator);
    return f;
}

Test(findings, outcome_rises_step_by_step)
{
    struct qpw_finding f;

    open_with_policy();
    audit_rx_tcp(&a, CLIENT, 5000, 7777, SEGMENT(SYN, 1000));
    f = must_find(IN, 6, 7777, CLIENT, AUDIT_NODE);
    cr_assert_eq(f.outcome, QPW_OUTCOME_ATTEMPTED);
    cr_assert_eq(f.evidence, QPW_EVIDENCE_HANDSHAKE);
    cr_assert_eq(f.initiator_port, 5000);
    cr_assert_eq(f.changes, 1);
    cr_assert_eq(audit_entries(&a, QPW_MAP_answered), 0);
    audit_tx_tcp(&a, CLIENT, 5000, 7777, SEGMENT(SYN | ACK, 5000, 1001));
    f = must_find(IN, 6, 7777, CLIENT, AUDIT_NODE);
    cr_assert_eq(f.outcome, QPW_OUTCOME_ANSWERED);
    cr_assert_eq(audit_entries(&a, QPW_MAP_answered), 1);
    audit_rx_tcp(&a, CLIENT, 5000, 7777, SEGMENT(ACK, 1001, 5001));
    cr_assert_eq(must_find(IN, 6, 7777, CLIENT, AUDIT_NODE).outcome, QPW_OUTCOME_ANSWERED);
    audit_rx_tcp(&a, CLIENT, 5000, 7777, SEGMENT(ACK, 1001, 5001, 10));
    f = must_find(IN, 6, 7777, CLIENT, AUDIT_NODE);
    cr_assert_eq(f.outcome, QPW_OUTCOME_DATA);
    cr_assert_eq(f.changes, 2);
    /* The same from another port of the client is the same finding, and its outcome stays. */
    audit_rx_tcp(&a, CLIENT, 5001, 7777, SEGMENT(SYN, 1000));
    cr_assert_eq(audit_entries(&a, QPW_MAP_findings), 1);
    cr_assert_eq(must_find(IN, 6, 7777, CLIENT, AUDIT_NODE).outcome, QPW_OUTCOME_DATA);
    struct qpw_counts sum = AUDIT_SUM(&a, UNEXPECTED, .port = AUDIT_IS(7777));

    cr_assert_eq(sum.connections, 2);
    cr_assert_eq(sum.rx_packets, 4);
    cr_assert_eq(sum.tx_packets, 1);
    audit_close(&a);
}

Test(findings, refused_by_a_reset)
{
    open_with_policy();
    audit_rx_tcp(&a, CLIENT, 5000, 7777, SEGMENT(SYN, 1000));
    audit_tx_tcp(&a, CLIENT, 5000, 7777, SEGMENT(RST | ACK, 0, 1001));
    cr_assert_eq(must_find(IN, 6, 7777, CLIENT, AUDIT_NODE).outcome, QPW_OUTCOME_REFUSED);
    audit_tx_tcp(&a, CLIENT, 8888, 5000, SEGMENT(SYN, 1000));
    audit_rx_tcp(&a, CLIENT, 8888, 5000, SEGMENT(RST | ACK, 0, 1001));
    cr_assert_eq(must_find(OUT, 6, 8888, AUDIT_NODE, CLIENT).outcome, QPW_OUTCOME_REFUSED);
    audit_close(&a);
}

struct quoted {
    const char *source;
    uint16_t source_port;
    const char *destination;
    uint16_t destination_port;
};

/* An ICMP error from source to destination that quotes the first bytes of a datagram of the other way. */
static void feed_unreachable(enum audit_hook hook, const char *source, const char *destination, uint8_t code, struct quoted quoted)
{
    bool v6 = strchr(source, ':');

    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){0});
    if (v6)
        packet_ipv6(&p, &(struct packet_ipv6){.source = source, .destination = destination});
    else
        packet_ipv4(&p, &(struct packet_ipv4){.source = source, .destination = destination});
    packet_icmp(&p, &(struct packet_icmp){.type = v6 ? 1 : 3, .code = code});
    if (v6)
        packet_ipv6(&p, &(struct packet_ipv6){.source = quoted.source, .destination = quoted.destination});
    else
        packet_ipv4(&p, &(struct packet_ipv4){.source = quoted.source, .destination = quoted.destination});
    packet_udp(&p, &(struct packet_udp){.source = quoted.source_port, .destination = quoted.destination_port});
    packet_finish(&p);
    audit_feed(&a, hook, &p);
}

Test(findings, refused_by_icmp)
{
    open_with_policy();
    audit_rx_udp(&a, CLIENT, 5000, 7777);
    feed_unreachable(AUDIT_TX, AUDIT_NODE, CLIENT, 3, (struct quoted){CLIENT, 5000, AUDIT_NODE, 7777});
    cr_assert_eq(must_find(IN, 17, 7777, CLIENT, AUDIT_NODE).outcome, QPW_OUTCOME_REFUSED);
    audit_rx_udp(&a, CLIENT6, 5000, 7777);
    feed_unreachable(AUDIT_TX, AUDIT_NODE6, CLIENT6, 4, (struct quoted){CLIENT6, 5000, AUDIT_NODE6, 7777});
    cr_assert_eq(must_find(IN, 17, 7777, CLIENT6, AUDIT_NODE6).outcome, QPW_OUTCOME_REFUSED);
    audit_tx_udp(&a, CLIENT, 8888, 5000);
    feed_unreachable(AUDIT_XDP, "10.0.0.254", AUDIT_NODE, 13, (struct quoted){AUDIT_NODE, 5000, CLIENT, 8888}); /* a router's firewall */
    cr_assert_eq(must_find(OUT, 17, 8888, AUDIT_NODE, CLIENT).outcome, QPW_OUTCOME_REFUSED);
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "icmp"), 2);
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "icmp6"), 1);
    audit_close(&a);
}

/* The quoted packet may have IP options; the error itself is counted by its own type. */
Test(findings, refused_by_icmp_that_quotes_options)
{
    static const uint8_t nops[40] = {[0 ... 39] = 1};

    open_with_policy();
    for (size_t bytes = 4; bytes <= sizeof(nops); bytes += 4) {
        uint16_t port = (uint16_t)(8000 + bytes);

        audit_tx_udp(&a, CLIENT, port, 5000);
        packet_start(&p);
        packet_ethernet(&p, &(struct packet_ethernet){0});
        packet_ipv4(&p, &(struct packet_ipv4){.source = "10.0.0.254", .destination = AUDIT_NODE});
        packet_icmp(&p, &(struct packet_icmp){.type = 3, .code = 1});
        packet_ipv4(&p, &(struct packet_ipv4){.source = AUDIT_NODE, .destination = CLIENT, .options = nops,
                                              .options_bytes = bytes});
        packet_udp(&p, &(struct packet_udp){.source = 5000, .destination = port});
        packet_finish(&p);
        audit_feed(&a, AUDIT_XDP, &p);
        cr_assert_eq(must_find(OUT, 17, port, AUDIT_NODE, CLIENT).outcome, QPW_OUTCOME_REFUSED,
                     "%zu bytes of options", bytes);
    }
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "icmp"), sizeof(nops) / 4);
    audit_close(&a);
}

/* A refused ping is a refused echo request if ICMP is not infrastructure. */
Test(findings, refused_ping)
{
    open_with_policy();
    AUDIT_POLICY(&a, NULL, {.name = "icmp", .protocol = 1, .first = 3, .verdict = QPW_VERDICT_INFRA});
    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){0});
    packet_ipv4(&p, &(struct packet_ipv4){.source = AUDIT_NODE, .destination = CLIENT});
    packet_icmp(&p, &(struct packet_icmp){.type = 8, .payload_bytes = 8});
    packet_finish(&p);
    audit_feed(&a, AUDIT_TX, &p);
    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){0});
    packet_ipv4(&p, &(struct packet_ipv4){.source = "10.0.0.254", .destination = AUDIT_NODE});
    packet_icmp(&p, &(struct packet_icmp){.type = 3, .code = 1});
    packet_ipv4(&p, &(struct packet_ipv4){.source = AUDIT_NODE, .destination = CLIENT});
    packet_icmp(&p, &(struct packet_icmp){.type = 8, .payload_bytes = 8});
    packet_finish(&p);
    audit_feed(&a, AUDIT_XDP, &p);
    cr_assert_eq(must_find(OUT, 1, 8, AUDIT_NODE, CLIENT).outcome, QPW_OUTCOME_REFUSED);
    cr_assert_eq(audit_entries(&a, QPW_MAP_findings), 1);
    audit_close(&a);
}

/* An empty packet of a protocol without ports is quoted completely by its IP header; for others that is not enough. */
Test(findings, refused_by_icmp_that_quotes_a_header_only)
{
    static const uint8_t protocols[] = {47, 17};
    struct packet inner;

    open_with_policy();
    for (int v6 = 0; v6 < 2; v6++)
        for (size_t i = 0; i < sizeof(protocols); i++) {
            const char *client = v6 ? CLIENT6 : CLIENT, *node = v6 ? AUDIT_NODE6 : AUDIT_NODE;

            packet_start(&inner);
            packet_ethernet(&inner, &(struct packet_ethernet){0});
            if (v6)
                packet_ipv6(&inner, &(struct packet_ipv6){.source = client, .destination = node,
                                                          .next = protocols[i]});
            else
                packet_ipv4(&inner, &(struct packet_ipv4){.source = client, .destination = node,
                                                          .protocol = protocols[i]});
            packet_finish(&inner);
            if (protocols[i] == 17)
                audit_rx_udp(&a, client, 0, 0);
            else
                audit_feed(&a, AUDIT_XDP, &inner);
            packet_start(&p);
            packet_ethernet(&p, &(struct packet_ethernet){0});
            if (v6)
                packet_ipv6(&p, &(struct packet_ipv6){.source = node, .destination = client});
            else
                packet_ipv4(&p, &(struct packet_ipv4){.source = node, .destination = client});
            packet_icmp(&p, &(struct packet_icmp){.type = v6 ? 1 : 3, .code = v6 ? 4 : 2});
            packet_bytes(&p, packet_at(&inner, 1), v6 ? 40 : 20);
            packet_finish(&p);
            audit_feed(&a, AUDIT_TX, &p);
            cr_assert_eq(must_find(IN, protocols[i], 0, client, node).outcome,
                         protocols[i] == 17 ? QPW_OUTCOME_ATTEMPTED : QPW_OUTCOME_REFUSED);
        }
    audit_close(&a);
}

Test(findings, icmp_that_refuses_nothing)
{
    open_with_policy();
    audit_tx_udp(&a, CLIENT, 8888, 5000);
    feed_unreachable(AUDIT_XDP, CLIENT, AUDIT_NODE, 4, (struct quoted){AUDIT_NODE, 5000, CLIENT, 8888}); /* path MTU discovery */
    cr_assert_eq(must_find(OUT, 17, 8888, AUDIT_NODE, CLIENT).outcome, QPW_OUTCOME_ATTEMPTED);
    feed_unreachable(AUDIT_XDP, CLIENT, AUDIT_NODE, 3, (struct quoted){AUDIT_NODE, 5001, CLIENT, 8888}); /* quotes another packet */
    cr_assert_eq(must_find(OUT, 17, 8888, AUDIT_NODE, CLIENT).outcome, QPW_OUTCOME_ATTEMPTED);
    /* From outside, about an exchange opened from outside: forged. */
    audit_rx_udp(&a, CLIENT, 5000, 7777);
    feed_unreachable(AUDIT_XDP, CLIENT, AUDIT_NODE, 3, (struct quoted){AUDIT_NODE, 7777, CLIENT, 5000});
    cr_assert_eq(must_find(IN, 17, 7777, CLIENT, AUDIT_NODE).outcome, QPW_OUTCOME_ATTEMPTED);
    /* After an answer it refuses nothing. */
    audit_rx_udp(&a, CLIENT, 8888, 5000);
    feed_unreachable(AUDIT_XDP, CLIENT, AUDIT_NODE, 3, (struct quoted){AUDIT_NODE, 5000, CLIENT, 8888});
    cr_assert_eq(must_find(OUT, 17, 8888, AUDIT_NODE, CLIENT).outcome, QPW_OUTCOME_DATA);
    /* A truncated quote is counted, but refuses nothing. */
    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){0});
    packet_ipv4(&p, &(struct packet_ipv4){.source = CLIENT, .destination = AUDIT_NODE});
    packet_icmp(&p, &(struct packet_icmp){.type = 3, .code = 3});
    packet_bytes(&p, NULL, 20);
    packet_finish(&p);
    audit_feed(&a, AUDIT_XDP, &p);
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "icmp"), 5);
    audit_close(&a);
}

Test(findings, events_tell_of_each_rise)
{
    open_with_policy();
    audit_handshake_in(&a, CLIENT, 5000, 7777);
    for (int i = 0; i < 50; i++)
        audit_rx_tcp(&a, CLIENT, 5000, 7777, SEGMENT(ACK, 1001, 5001, 10));
    /* attempted, answered, data: one event each, whatever follows */
    cr_assert_eq(audit_events(&a, QPW_EVENT_FINDING), 3);
    audit_close(&a);
}

/* Send SYNs to one port from that many addresses 11.x.y.z. */
static void flood(uint32_t first, uint32_t n, uint16_t port, bool answer)
{
    char source[16];

    for (uint32_t i = first; i < first + n; i++) {
        snprintf(source, sizeof(source), "11.%u.%u.%u", i >> 16 & 255, i >> 8 & 255, i & 255);
        audit_rx_tcp(&a, source, 5000, port, SEGMENT(SYN, 1000));
        if (answer)
            audit_tx_tcp(&a, source, 5000, port, SEGMENT(SYN | ACK, 5000, 1001));
    }
}

Test(findings, quotas_and_the_reserved_place)
{
    struct qpw_finding f;

    open_with_policy();
    flood(0, QPW_FINDING_SLOTS + 1000, 7777, false);
    cr_assert_eq(audit_entries(&a, QPW_MAP_findings), QPW_FINDING_SLOTS);
    cr_assert_eq(audit_stat(&a, QPW_LOSS_FINDING_QUOTA), 1000);
    cr_assert_eq(AUDIT_PACKETS(&a, UNEXPECTED, .port = AUDIT_IS(7777)), QPW_FINDING_SLOTS + 1000);
    cr_assert_gt(audit_entries(&a, QPW_MAP_details), 0, "counted by port and prefix");
    /* Recorded findings are not evicted, and answered ones have a table of their own. */
    audit_handshake_in(&a, CLIENT, 5000, 7778);
    cr_assert_eq(must_find(IN, 6, 7778, CLIENT, AUDIT_NODE).outcome, QPW_OUTCOME_ANSWERED);
    cr_assert(audit_finding(&a, (struct audit_sought){QPW_VERDICT_UNEXPECTED, IN, 6, 7777, "11.0.0.0", AUDIT_NODE}, &f));

    flood(100000, QPW_ANSWERED_SLOTS + 100, 7779, true);
    cr_assert_eq(audit_entries(&a, QPW_MAP_answered), QPW_ANSWERED_SLOTS);
    cr_assert_gt(audit_stat(&a, QPW_LOSS_ANSWERED_QUOTA), 0);
    cr_assert_eq(audit_entries(&a, QPW_MAP_reserved), 1, "port 7779, once");
    /* All tables are full, but the first answer on another port still raises its alert. */
    audit_events(&a, QPW_EVENT_FINDING);
    audit_handshake_in(&a, CLIENT, 5000, 7780);
    cr_assert(!audit_finding(&a, (struct audit_sought){QPW_VERDICT_UNEXPECTED, IN, 6, 7780, CLIENT, AUDIT_NODE}, &f));
    cr_assert_eq(audit_entries(&a, QPW_MAP_reserved), 2);
    cr_assert_eq(audit_events(&a, QPW_EVENT_FINDING), 1);
    audit_handshake_in(&a, CLIENT, 5001, 7780);
    cr_assert_eq(audit_events(&a, QPW_EVENT_FINDING), 0, "its first use alone");
    cr_assert_eq(audit_stat(&a, QPW_LOSS_RESERVED_FULL), 0);
    cr_assert_eq(audit_stat(&a, QPW_LOSS_METER_OVERFLOW), 0);
    audit_close(&a);
}

/* 65,535 ports, most of which the node refuses or ignores: totals stay exact whatever the tables hold. */
Test(findings, scan_of_all_ports)
{
    open_with_policy();
    audit_handshake_in(&a, "10.0.0.8", 900, 445);
    for (uint32_t port = 1; port < 65536; port++)
        audit_rx_tcp(&a, CLIENT, 40000, (uint16_t)port, SEGMENT(SYN, port));
    struct qpw_counts sum = AUDIT_SUM(&a, UNEXPECTED);

    cr_assert_eq(sum.rx_packets, 65534);
    cr_assert_eq(sum.rx_bytes, 65534 * 54);
    cr_assert_eq(sum.connections, 65534);
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "smb"), 4);
    cr_assert_eq(audit_entries(&a, QPW_MAP_meters), QPW_METER_SLOTS_OPEN + 1);
    cr_assert_eq(audit_stat(&a, QPW_LOSS_METER_OVERFLOW), 65534 - QPW_METER_SLOTS_OPEN);
    /* Rows explained by the policy have slots of their own, which a scan cannot take. */
    audit_rx_tcp(&a, "10.0.0.8", 900, 445, SEGMENT(ACK, 1001, 5001, 10));
    cr_assert_eq(AUDIT_SUM(&a, .rule = "smb").rx_packets, 4);
    cr_assert_eq(audit_tcp(&a, "10.0.0.8", 900, 445).state, QPW_STATE_ESTABLISHED);
    audit_close(&a);
}

/*
 * A wide range, weak or not, and a peer, which may use any port, have as many rows as ports are tried. They use no row
 * of a port that the policy lists.
 */
Test(findings, wide_ranges_leave_rows_for_listed_ports)
{
    static const char *const peers[] = {"10.0.0.70", NULL};

    audit_open(&a, NULL);
    audit_window_over(&a);
    AUDIT_POLICY(&a, peers, {.name = "smb", .direction = IN, .protocol = 6, .first = 445},
                 {.name = "ftp", .direction = IN, .protocol = 6, .first = 21},
                 {.name = "wide", .direction = IN, .protocol = 6, .first = 20000, .last = 28000},
                 {.name = "passive", .direction = IN, .protocol = 6, .first = 49152, .last = 65535,
                  .verdict = QPW_VERDICT_WEAK, .parent = "ftp"});
    for (uint32_t port = 20000; port < 24000; port++)
        audit_rx_tcp(&a, CLIENT, 40000, (uint16_t)port, SEGMENT(SYN, port));
    for (uint32_t port = 50000; port < 54000; port++)
        audit_rx_tcp(&a, CLIENT, 40000, (uint16_t)port, SEGMENT(SYN, port));
    for (uint32_t port = 1000; port < 5000; port++)
        audit_rx_tcp(&a, "10.0.0.70", 40000, (uint16_t)port, SEGMENT(SYN, port));
    cr_assert_eq(audit_stat(&a, QPW_LOSS_METER_OVERFLOW), 12000 - QPW_METER_SLOTS_OPEN);
    audit_handshake_in(&a, CLIENT, 900, 445);
    audit_handshake_in(&a, "10.0.0.70", 900, 21);
    cr_expect_eq(AUDIT_SUM(&a, .port = AUDIT_IS(445), .rule = "smb").connections, 1);
    cr_expect_eq(AUDIT_SUM(&a, .port = AUDIT_IS(21), .verdict = AUDIT_IS(QPW_VERDICT_PEER)).connections, 1);
    cr_expect_eq(AUDIT_SUM(&a, .verdict = AUDIT_IS(QPW_VERDICT_WEAK), .direction = AUDIT_IS(IN)).rx_packets, 4000);
    cr_assert_eq(audit_stat(&a, QPW_LOSS_METER_OVERFLOW), 12000 - QPW_METER_SLOTS_OPEN);
    audit_close(&a);
}

/* Nor does a client that has asked the port mapper and may then use a whole range. */
Test(findings, companions_of_a_row_leave_rows_for_listed_ports)
{
    enum { TRIED = 7000 };

    audit_open(&a, NULL);
    audit_window_over(&a);
    AUDIT_POLICY(&a, NULL, {.name = "smb", .direction = IN, .protocol = 6, .first = 445},
                 {.name = "rpc", .direction = IN, .protocol = 6, .first = 111},
                 {.name = "lock", .direction = IN, .protocol = 6, .first = 32768, .last = 65535,
                  .verdict = QPW_VERDICT_IMPLIED, .parent = "rpc"});
    audit_handshake_in(&a, CLIENT, 900, 111);
    for (uint32_t port = 40000; port < 40000 + TRIED; port++)
        audit_rx_tcp(&a, CLIENT, 40000, (uint16_t)port, SEGMENT(SYN, port));
    cr_assert_eq(audit_stat(&a, QPW_LOSS_METER_OVERFLOW), TRIED - QPW_METER_SLOTS_OPEN);
    audit_handshake_in(&a, CLIENT, 900, 445);
    cr_expect_eq(AUDIT_SUM(&a, .port = AUDIT_IS(445), .rule = "smb").connections, 1);
    cr_expect_eq(AUDIT_SUM(&a, .verdict = AUDIT_IS(QPW_VERDICT_IMPLIED)).rx_packets, TRIED);
    cr_assert_eq(audit_stat(&a, QPW_LOSS_METER_OVERFLOW), TRIED - QPW_METER_SLOTS_OPEN);
    audit_close(&a);
}

/* Companions, which clients of a listed service can multiply, take no slot of unexpected findings. */
Test(findings, implied_and_weak_have_quotas_of_their_own)
{
    struct qpw_finding f;
    uint64_t limited;

    audit_open(&a, NULL);
    audit_window_over(&a);
    AUDIT_POLICY(&a, NULL, {.name = "mountd", .direction = IN, .protocol = 6, .first = 20048, .from = "11.0.0.0/8",
                            .verdict = QPW_VERDICT_IMPLIED},
                 {.name = "passive", .direction = IN, .protocol = 6, .first = 30000, .from = "11.0.0.0/8",
                  .verdict = QPW_VERDICT_WEAK});
    flood(0, QPW_IMPLIED_SLOTS + 100, 20048, true);
    flood(10000, QPW_WEAK_SLOTS + 50, 30000, true);
    cr_expect_eq(audit_entries(&a, QPW_MAP_answered), QPW_IMPLIED_SLOTS + QPW_WEAK_SLOTS);
    cr_expect_eq(audit_stat(&a, QPW_LOSS_COMPANION_QUOTA), 150);
    cr_expect_eq(audit_stat(&a, QPW_LOSS_ANSWERED_QUOTA), 0);
    cr_expect_eq(audit_entries(&a, QPW_MAP_reserved), 2);
    audit_events(&a, QPW_EVENT_FINDING);
    audit_handshake_in(&a, CLIENT, 5000, 700);
    cr_assert(audit_finding(&a, (struct audit_sought){QPW_VERDICT_UNEXPECTED, IN, 6, 700, CLIENT, AUDIT_NODE}, &f));
    cr_expect_eq(f.outcome, QPW_OUTCOME_ANSWERED);

    /* Nor do they take the port's reserved slot: an unexpected answer on it is reported even if all tables are full. */
    flood(100000, QPW_ANSWERED_SLOTS, 7779, true);
    audit_events(&a, QPW_EVENT_FINDING);
    cr_expect_eq(audit_entries(&a, QPW_MAP_reserved), 3);
    limited = audit_stat(&a, QPW_LOSS_EVENT_RATE);
    audit_handshake_in(&a, CLIENT, 5001, 20048);
    audit_handshake_in(&a, CLIENT, 5002, 30000);
    cr_expect_eq(audit_entries(&a, QPW_MAP_reserved), 5);
    limited = audit_stat(&a, QPW_LOSS_EVENT_RATE) - limited;
    cr_expect_leq(limited, 2, "attempts alone need a token");
    cr_expect_eq(audit_events(&a, QPW_EVENT_FINDING) + limited, 4, "tried, and answered, of each");
    audit_close(&a);
}
