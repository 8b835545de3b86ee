/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Attacks by an intruder who knows these sources: a service on a port without a rule, reached and answered in such a
 * way that nothing, or too little, is reported. Each idea as packets, through XDP and TC ingress in turn, with
 * everything reported.
 */
#include <bpf/bpf.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit.h"
#include "bpf/tag.h"
#include "facts/severity.h"
#include "util/names.h"

#define CLIENT "10.0.0.9"
#define OTHER "10.0.0.8"
#define CLIENT6 "fd00::9"
#define IN QPW_DIR_INBOUND
#define OUT QPW_DIR_OUTBOUND
#define SYN PACKET_SYN
#define ACK PACKET_ACK
#define RST PACKET_RST
#define FIN PACKET_FIN
#define NODE_MAC "02:00:00:00:00:02"
#define CLIENT_MAC "02:00:00:00:00:09"
#define TIMEOUT (180 * 1000000000ull)

static struct audit a;
static struct packet p;

static const enum audit_hook receiving[] = {AUDIT_XDP, AUDIT_TC};
/* NOLINTNEXTLINE(bugprone-macro-parentheses): it declares the loop's variable */
#define EACH_HOOK(rx) (const enum audit_hook *rx = receiving; rx < receiving + 2; rx++)

static void open_with_policy(void)
{
    audit_open(&a, &(struct qpw_load_options){.no_cache = true});
    audit_window_over(&a);
    AUDIT_POLICY(&a, NULL, {.name = "smb", .direction = IN, .protocol = 6, .first = 445},
                 {.name = "nfs", .direction = IN, .protocol = 17, .first = 2049},
                 {.name = "dns", .direction = OUT, .protocol = 17, .first = 53},
                 {.name = "ldap", .direction = OUT, .protocol = 6, .first = 389});
}

/* ---- Everything that is reported ---- */

static int by_text(const void *x, const void *y)
{
    return strcmp(x, y);
}

/* Return "SEVERITY direction port outcome; " of every reported finding, in order; an answered one only once. */
static const char *reported(void)
{
    static const enum qpw_map maps[] = {QPW_MAP_answered, QPW_MAP_findings};
    static char lines[1024][80], text[1024 * 80];
    struct qpw_finding_row row = {0};
    size_t n = 0;

    for (size_t m = 0; m < 2; m++) {
        struct qpw_finding_key key, next;
        struct qpw_finding answered;
        void *from = NULL;

        while (bpf_map_get_next_key(a.kernel.map_fd[maps[m]], from, &next) == 0) {
            key = next;
            from = &key;
            if (m && bpf_map_lookup_elem(a.kernel.map_fd[QPW_MAP_answered], &key, &answered) == 0)
                continue;
            row.key = key;
            cr_assert_eq(bpf_map_lookup_elem(a.kernel.map_fd[maps[m]], &key, &row.value), 0);
            if (qpw_finding_concern(&row) == QPW_CONCERN_NONE)
                continue;
            cr_assert_lt(n, 1024u);
            snprintf(lines[n++], sizeof(*lines), "%s %s %u %s; ", qpw_severity_name(qpw_finding_severity(&row)),
                     qpw_direction_name(key.direction), key.port, qpw_outcome_name(row.value.outcome));
        }
    }
    qsort(lines, n, sizeof(*lines), by_text);
    text[0] = '\0';
    for (size_t i = 0; i < n; i++)
        strcat(text, lines[i]);
    return text;
}

#define ASSERT_TOLD(wanted) cr_assert_str_eq(reported(), (wanted), "told: %s", reported())

/* ---- Packets ---- */

static void tcp(enum audit_hook hook, uint16_t client_port, uint16_t port, uint8_t flags, size_t payload)
{
    bool tx = hook == AUDIT_TX;

    packet_make_tcp(&p, tx ? AUDIT_NODE : CLIENT, tx ? port : client_port, tx ? CLIENT : AUDIT_NODE,
                    tx ? client_port : port, SEGMENT(flags, 1000, 1001, payload));
    audit_feed(&a, hook, &p);
}

static void udp(enum audit_hook hook, const char *source, uint16_t from, const char *destination, uint16_t to)
{
    packet_make_udp(&p, source, from, destination, to, 20);
    audit_feed(&a, hook, &p);
}

static void sctp(enum audit_hook hook, uint16_t client_port, uint16_t port, uint8_t chunk, size_t bytes)
{
    bool tx = hook == AUDIT_TX;

    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){0});
    packet_ipv4(&p, &(struct packet_ipv4){.source = tx ? AUDIT_NODE : CLIENT, .destination = tx ? CLIENT : AUDIT_NODE});
    packet_sctp(&p, &(struct packet_sctp){.source = tx ? port : client_port, .destination = tx ? client_port : port,
                                          .chunk = chunk, .chunk_bytes = bytes});
    packet_finish(&p);
    audit_feed(&a, hook, &p);
}

/* An IPv4 packet of that protocol with payload, between client and node. */
static void protocol(enum audit_hook hook, uint8_t number)
{
    bool tx = hook == AUDIT_TX;

    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){0});
    packet_ipv4(&p, &(struct packet_ipv4){.source = tx ? AUDIT_NODE : CLIENT, .destination = tx ? CLIENT : AUDIT_NODE,
                                          .protocol = number});
    packet_bytes(&p, NULL, 40);
    packet_finish(&p);
    audit_feed(&a, hook, &p);
}

/* ---- TCP ---- */

/* The command in header fields only, the answer as payload of what looks like a refusal. */
Test(intruder, a_reset_that_carries_the_answer)
{
    for EACH_HOOK (rx) {
        open_with_policy();
        tcp(*rx, 5000, 4444, SYN, 0);
        tcp(AUDIT_TX, 5000, 4444, RST | ACK, 800);
        ASSERT_TOLD("high inbound 4444 answered; ");
        audit_close(&a);
    }
}

Test(intruder, a_syn_that_carries_the_answer)
{
    for EACH_HOOK (rx) {
        open_with_policy();
        tcp(*rx, 5000, 4444, SYN, 0);
        tcp(AUDIT_TX, 5000, 4444, SYN, 800);
        ASSERT_TOLD("high inbound 4444 answered; ");
        audit_close(&a);
    }
}

Test(intruder, no_flags_every_flag_or_urgent_data)
{
    static const uint8_t flags[] = {0, 0x29, 0x3f & ~SYN, 0xc0};

    for (size_t i = 0; i < sizeof(flags); i++) {
        open_with_policy();
        tcp(receiving[i % 2], 5000, 4444, flags[i], 9);
        tcp(AUDIT_TX, 5000, 4444, flags[i], 9);
        ASSERT_TOLD("medium unknown 0 data; ");
        audit_close(&a);
    }
}

/* From a remote port that is listed outbound, without a handshake: consistent with the rule, but reported. */
Test(intruder, segments_from_a_listed_port)
{
    for EACH_HOOK (rx) {
        open_with_policy();
        tcp(*rx, 389, 4444, ACK, 9);
        tcp(AUDIT_TX, 389, 4444, ACK, 9);
        ASSERT_TOLD("medium outbound 389 data; ");
        audit_close(&a);
    }
}

/* The node seems to refuse, but continues. */
Test(intruder, refused_and_served_all_the_same)
{
    for EACH_HOOK (rx) {
        open_with_policy();
        tcp(*rx, 5000, 4444, SYN, 0);
        tcp(AUDIT_TX, 5000, 4444, RST | ACK, 0);
        ASSERT_TOLD("low inbound 4444 refused; ");
        tcp(*rx, 5000, 4444, ACK, 9);
        tcp(AUDIT_TX, 5000, 4444, ACK, 9);
        ASSERT_TOLD("high inbound 4444 data; ");
        audit_close(&a);
    }
}

/* Both ends send a SYN: the first one decides who opened. */
Test(intruder, crossing_syns)
{
    for EACH_HOOK (rx) {
        open_with_policy();
        tcp(*rx, 389, 4444, SYN, 0);
        tcp(AUDIT_TX, 389, 4444, SYN, 0);
        tcp(AUDIT_TX, 389, 4444, SYN | ACK, 0);
        ASSERT_TOLD("high inbound 4444 answered; ");
        audit_close(&a);
    }
}

/* The request was evicted, or came another way; the answer shows whom it addresses. */
Test(intruder, a_syn_ack_whose_syn_was_not_seen)
{
    open_with_policy();
    tcp(AUDIT_TX, 389, 4444, SYN | ACK, 0);
    ASSERT_TOLD("high inbound 4444 answered; ");
    audit_close(&a);
}

/* ---- SCTP ---- */

Test(intruder, an_abort_that_carries_the_answer)
{
    for EACH_HOOK (rx) {
        open_with_policy();
        sctp(*rx, 5000, 4444, 1, 20);
        sctp(AUDIT_TX, 5000, 4444, 6, 4);
        ASSERT_TOLD("low inbound 4444 refused; ");
        sctp(AUDIT_TX, 5000, 4444, 6, 400);
        ASSERT_TOLD("high inbound 4444 answered; ");
        audit_close(&a);
    }
}

Test(intruder, heartbeats_that_carry_anything)
{
    for EACH_HOOK (rx) {
        open_with_policy();
        sctp(*rx, 5000, 4444, 4, 400);
        sctp(AUDIT_TX, 5000, 4444, 5, 400);
        ASSERT_TOLD("high inbound 4444 answered; ");
        audit_close(&a);
    }
}

/* ---- Other protocols ---- */

Test(intruder, protocols_that_nobody_lists)
{
    static const uint8_t numbers[] = {4, 41, 47, 50, 51, 33, 136, 253, 0, 255};
    char wanted[512] = "";

    open_with_policy();
    for (size_t i = 0; i < sizeof(numbers); i++) {
        protocol(receiving[i % 2], numbers[i]);
        protocol(AUDIT_TX, numbers[i]);
        strcat(wanted, "high inbound 0 data; ");
        ASSERT_TOLD(wanted);
    }
    audit_close(&a);
}

/* ---- Datagrams and questions ---- */

Test(intruder, port_0_on_either_end)
{
    for EACH_HOOK (rx) {
        open_with_policy();
        udp(*rx, CLIENT, 0, AUDIT_NODE, 4444);
        udp(AUDIT_TX, AUDIT_NODE, 4444, CLIENT, 0);
        udp(*rx, CLIENT, 5000, AUDIT_NODE, 0);
        udp(AUDIT_TX, AUDIT_NODE, 0, CLIENT, 5000);
        udp(*rx, OTHER, 0, AUDIT_NODE, 0);
        udp(AUDIT_TX, AUDIT_NODE, 0, OTHER, 0);
        ASSERT_TOLD("high inbound 0 data; high inbound 0 data; high inbound 4444 data; ");
        audit_close(&a);
    }
}

/* Requested at one port from a listed one, answered from port 0, which looks like "no port". */
Test(intruder, an_answer_from_port_0)
{
    for EACH_HOOK (rx) {
        open_with_policy();
        udp(*rx, CLIENT, 53, AUDIT_NODE, 4444);
        udp(AUDIT_TX, AUDIT_NODE, 0, CLIENT, 53);
        ASSERT_TOLD("high inbound 0 answered; high inbound 4444 answered; ");
        audit_close(&a);
    }
}

/* The requested port changes with each datagram, and so does the answering one: none repeats. */
Test(intruder, another_port_for_each_datagram)
{
    for EACH_HOOK (rx) {
        open_with_policy();
        for (uint16_t i = 0; i < 20; i++) {
            udp(*rx, CLIENT, 53, AUDIT_NODE, (uint16_t)(5000 + i));
            udp(AUDIT_TX, AUDIT_NODE, (uint16_t)(6000 + i), CLIENT, 53);
        }
        for (uint16_t i = 0; i < 20; i++) {
            struct qpw_finding f;

            cr_expect(audit_finding(
                &a, (struct audit_sought){QPW_VERDICT_UNEXPECTED, IN, 17, (uint16_t)(5000 + i), CLIENT, AUDIT_NODE},
                &f));
            cr_expect_eq(f.outcome, QPW_OUTCOME_ANSWERED, "%u", i);
            cr_expect(audit_finding(
                &a, (struct audit_sought){QPW_VERDICT_UNEXPECTED, IN, 17, (uint16_t)(6000 + i), CLIENT, AUDIT_NODE},
                &f));
            cr_expect_eq(f.outcome, QPW_OUTCOME_ANSWERED, "%u", i);
        }
        cr_expect_eq(AUDIT_PACKETS(&a, .direction = AUDIT_IS(OUT)), 0);
        audit_close(&a);
    }
}

/*
 * Requests to many addresses evict the record of an earlier one. Its answer must not look like one to a group, which is
 * hardly reported.
 */
Test(intruder, an_address_that_is_pushed_out_becomes_no_group)
{
    char group[24];

    for EACH_HOOK (rx) {
        open_with_policy();
        udp(*rx, CLIENT, 53, AUDIT_NODE, 4444);
        for (unsigned i = 0; i < 600; i++) {
            snprintf(group, sizeof(group), "239.7.%u.%u", i >> 8, i & 255);
            udp(*rx, OTHER, 5000, group, 1900);
        }
        udp(AUDIT_TX, AUDIT_NODE, 4445, CLIENT, 53);
        cr_assert_not_null(strstr(reported(), "high inbound 4445 answered; "), "told: %s", reported());
        audit_close(&a);
    }
}

/* Addressed to the node's card only, but to the broadcast address. */
Test(intruder, a_frame_for_one_card_to_a_broadcast_address)
{
    uint8_t broadcast[16];

    for EACH_HOOK (rx)
        for (int limited = 0; limited < 2; limited++) {
            const char *address = limited ? "255.255.255.255" : "10.0.0.255";

            open_with_policy();
            audit_address("10.0.0.255", broadcast);
            cr_assert_eq(qpw_kernel_set_local(&a.kernel, broadcast, 128, QPW_LOCAL_BROADCAST, true), 0);
            udp(*rx, CLIENT, 5000, address, 4444);
            udp(AUDIT_TX, AUDIT_NODE, 4444, CLIENT, 5000);
            ASSERT_TOLD("high inbound 4444 data; ");
            audit_close(&a);
        }
}

/* From the node's own address, like its own packet returning; with a port that would be allowed outbound. */
Test(intruder, from_the_nodes_own_address)
{
    for EACH_HOOK (rx) {
        open_with_policy();
        audit_local(&a, "10.0.0.2", true);
        udp(*rx, AUDIT_NODE, 53, AUDIT_NODE, 4444);
        udp(AUDIT_TX, AUDIT_NODE, 4444, AUDIT_NODE, 53);
        ASSERT_TOLD("high inbound 4444 answered; ");
        udp(*rx, "10.0.0.2", 53, AUDIT_NODE, 4445);
        udp(AUDIT_TX, AUDIT_NODE, 4445, "10.0.0.2", 53);
        ASSERT_TOLD("high inbound 4444 answered; high inbound 4445 answered; ");
        audit_close(&a);
    }
}

/* To an address that the node does not have, in a frame for the node. */
Test(intruder, to_an_address_that_the_node_does_not_have)
{
    for EACH_HOOK (rx) {
        open_with_policy();
        udp(*rx, CLIENT, 53, "10.9.9.9", 4444);
        udp(AUDIT_TX, AUDIT_NODE, 4444, CLIENT, 53);
        ASSERT_TOLD("high inbound 4444 data; ");
        audit_close(&a);
    }
}

/* Refused according to the node, but answered. */
Test(intruder, an_unreachable_first)
{
    for EACH_HOOK (rx) {
        open_with_policy();
        udp(*rx, CLIENT, 53, AUDIT_NODE, 4444);
        packet_start(&p);
        packet_ethernet(&p, &(struct packet_ethernet){0});
        packet_ipv4(&p, &(struct packet_ipv4){.source = AUDIT_NODE, .destination = CLIENT});
        packet_icmp(&p, &(struct packet_icmp){.type = 3, .code = 3});
        packet_ipv4(&p, &(struct packet_ipv4){.source = CLIENT, .destination = AUDIT_NODE});
        packet_udp(&p, &(struct packet_udp){.source = 53, .destination = 4444, .payload_bytes = 20});
        packet_finish(&p);
        audit_feed(&a, AUDIT_TX, &p);
        cr_assert_not_null(strstr(reported(), "low inbound 4444 refused; "), "told: %s", reported());
        udp(AUDIT_TX, AUDIT_NODE, 4444, CLIENT, 53);
        cr_assert_not_null(strstr(reported(), "high inbound 4444 data; "), "told: %s", reported());
        audit_close(&a);
    }
}

/* In the first minutes, when a datagram from a listed port may answer an earlier request. */
Test(intruder, soon_after_attaching)
{
    for EACH_HOOK (rx) {
        open_with_policy();
        a.kernel.control->window_end_ns = UINT64_MAX / 4;
        udp(*rx, CLIENT, 53, AUDIT_NODE, 4444);
        udp(AUDIT_TX, AUDIT_NODE, 4444, CLIENT, 53);
        ASSERT_TOLD("medium outbound 53 data; ");
        audit_close(&a);
    }
}

/* The node's own discovery opens a way in for ten seconds: for answers, not for an exchange. */
Test(intruder, behind_what_the_node_asks_of_a_group)
{
    for EACH_HOOK (rx) {
        open_with_policy();
        udp(AUDIT_TX, AUDIT_NODE, 4444, "239.255.255.250", 53);
        udp(*rx, CLIENT, 53, AUDIT_NODE, 4444);
        udp(AUDIT_TX, AUDIT_NODE, 4444, CLIENT, 53);
        ASSERT_TOLD("high inbound 4444 data; ");
        audit_close(&a);
    }
}

/* ---- Fragments ---- */

struct piece {
    uint16_t offset;
    bool more;
    uint16_t from, to; /* ports; 0: it has no UDP header */
    size_t bytes;
};

static void fragment(enum audit_hook hook, bool tx, uint16_t id, struct piece piece)
{
    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){0});
    packet_ipv4(&p, &(struct packet_ipv4){.source = tx ? AUDIT_NODE : CLIENT, .destination = tx ? CLIENT : AUDIT_NODE,
                                          .protocol = 17, .id = id, .fragment_offset = piece.offset, .more_fragments = piece.more});
    if (piece.offset || !piece.from)
        packet_bytes(&p, NULL, piece.bytes);
    else
        packet_udp(&p, &(struct packet_udp){.source = piece.from, .destination = piece.to, .payload_bytes = piece.bytes});
    packet_finish(&p);
    audit_feed(&a, tx ? AUDIT_TX : hook, &p);
}

/* No first fragment in either direction. */
Test(intruder, later_fragments_only)
{
    for EACH_HOOK (rx) {
        open_with_policy();
        fragment(*rx, false, 7, (struct piece){800, false, 0, 0, 64});
        fragment(*rx, true, 8, (struct piece){800, false, 0, 0, 64});
        ASSERT_TOLD("medium unknown 0 data; ");
        audit_close(&a);
    }
}

/* The first names a listed port, the second first fragment another one: which one counts is the host's choice. */
Test(intruder, two_first_fragments)
{
    for EACH_HOOK (rx) {
        open_with_policy();
        fragment(*rx, false, 7, (struct piece){0, true, 5000, 2049, 16});
        fragment(*rx, false, 7, (struct piece){0, true, 5000, 4444, 16});
        fragment(*rx, false, 7, (struct piece){24, false, 0, 0, 16});
        udp(AUDIT_TX, AUDIT_NODE, 4444, CLIENT, 5000);
        ASSERT_TOLD("high inbound 4444 data; ");
        audit_close(&a);
    }
}

/* Too short to contain the ports; the answer is an ordinary query to a listed server. */
Test(intruder, a_first_fragment_without_ports)
{
    for EACH_HOOK (rx) {
        open_with_policy();
        fragment(*rx, false, 7, (struct piece){0, true, 0, 0, 2});
        udp(AUDIT_TX, AUDIT_NODE, 4444, CLIENT, 53);
        ASSERT_TOLD("medium undecodable 0 data; ");
        audit_close(&a);
    }
}

/* ---- Headers ---- */

static void lying_udp(enum audit_hook hook, const char *client, uint16_t client_port, uint16_t port, uint16_t length)
{
    bool tx = hook == AUDIT_TX;

    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){0});
    packet_ipv4(&p, &(struct packet_ipv4){.source = tx ? AUDIT_NODE : client, .destination = tx ? client : AUDIT_NODE});
    packet_udp(&p, &(struct packet_udp){.source = tx ? port : client_port, .destination = tx ? client_port : port,
                                        .payload_bytes = 40, .length = PACKET_LIE(length)});
    packet_finish(&p);
    audit_feed(&a, hook, &p);
}

/* A length that no socket accepts, but a packet socket does: one way, both ways, and answered by a listed query. */
Test(intruder, lengths_that_lie)
{
    for EACH_HOOK (rx) {
        open_with_policy();
        lying_udp(*rx, CLIENT, 53, 4444, 5);
        ASSERT_TOLD("");
        udp(AUDIT_TX, AUDIT_NODE, 40000, CLIENT, 53);
        ASSERT_TOLD("medium undecodable 0 data; ");
        audit_close(&a);
        open_with_policy();
        lying_udp(*rx, CLIENT, 53, 4444, 900);
        lying_udp(AUDIT_TX, CLIENT, 53, 4444, 900);
        ASSERT_TOLD("medium undecodable 0 data; ");
        audit_close(&a);
    }
}

/* Exchange frames without readable addresses, made by `make`: reported by the two cards. */
static void between_cards(void (*make)(const char *source, const char *destination))
{
    for EACH_HOOK (rx) {
        open_with_policy();
        make(CLIENT_MAC, NODE_MAC);
        audit_feed(&a, *rx, &p);
        ASSERT_TOLD("");
        make(NODE_MAC, CLIENT_MAC);
        audit_feed(&a, AUDIT_TX, &p);
        cr_assert_not_null(strstr(reported(), "medium undecodable "), "told: %s", reported());
        cr_assert_not_null(strstr(reported(), " data; "), "told: %s", reported());
        audit_close(&a);
        open_with_policy();
        make(NODE_MAC, CLIENT_MAC);
        audit_feed(&a, AUDIT_TX, &p);
        cr_assert_not_null(strstr(reported(), " attempted; "), "told: %s", reported());
        make(CLIENT_MAC, NODE_MAC);
        audit_feed(&a, *rx, &p);
        cr_assert_not_null(strstr(reported(), " data; "), "told: %s", reported());
        audit_close(&a);
    }
}

static void make_three_tags(const char *source, const char *destination)
{
    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){.source = source, .destination = destination});
    for (uint16_t i = 1; i < 4; i++)
        packet_vlan(&p, 0x8100, i);
    packet_ipv4(&p, &(struct packet_ipv4){.source = CLIENT, .destination = AUDIT_NODE});
    packet_udp(&p, &(struct packet_udp){.source = 5000, .destination = 4444, .payload_bytes = 9});
    packet_finish(&p);
}
Test(intruder, three_tags) { between_cards(make_three_tags); }

static void make_version(const char *source, const char *destination)
{
    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){.source = source, .destination = destination});
    packet_ipv4(&p, &(struct packet_ipv4){.source = CLIENT, .destination = AUDIT_NODE, .version = PACKET_LIE(5)});
    packet_udp(&p, &(struct packet_udp){.source = 5000, .destination = 4444, .payload_bytes = 9});
    packet_finish(&p);
}
Test(intruder, an_ip_version_that_is_none) { between_cards(make_version); }

static void make_mapped(const char *source, const char *destination)
{
    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){.source = source, .destination = destination});
    packet_ipv6(&p, &(struct packet_ipv6){.source = "::ffff:" CLIENT, .destination = "::ffff:" AUDIT_NODE});
    packet_udp(&p, &(struct packet_udp){.source = 5000, .destination = 4444, .payload_bytes = 9});
    packet_finish(&p);
}
Test(intruder, mapped_addresses) { between_cards(make_mapped); }

/* After more headers than are followed; the answer is an ordinary query to a listed server. */
Test(intruder, behind_seventeen_headers)
{
    for EACH_HOOK (rx) {
        open_with_policy();
        packet_start(&p);
        packet_ethernet(&p, &(struct packet_ethernet){0});
        packet_ipv6(&p, &(struct packet_ipv6){.source = CLIENT6, .destination = AUDIT_NODE6});
        for (int i = 0; i < 17; i++)
            packet_extension(&p, &(struct packet_extension){.type = 60});
        packet_udp(&p, &(struct packet_udp){.source = 53, .destination = 4444, .payload_bytes = 9});
        packet_finish(&p);
        audit_feed(&a, *rx, &p);
        udp(AUDIT_TX, AUDIT_NODE6, 40000, CLIENT6, 53);
        ASSERT_TOLD("medium undecodable 0 data; ");
        audit_close(&a);
    }
}

/* ---- Below IP ---- */

static void frame(enum audit_hook hook, const char *source, const char *destination, uint16_t type)
{
    packet_opaque(&p, source, destination, type, 60);
    audit_feed(&a, hook, &p);
}

/* Frames with forged MACs use up the slots for frames from outside; those for frames of the node are separate. */
Test(intruder, frames_behind_a_flood_of_frames)
{
    char mac[24];

    open_with_policy();
    for (unsigned i = 0; i < QPW_FINDING_SLOTS + 10; i++) {
        snprintf(mac, sizeof(mac), "02:11:00:00:%02x:%02x", i >> 8, i & 255);
        frame(AUDIT_XDP, mac, NODE_MAC, 0x8915);
    }
    frame(AUDIT_XDP, CLIENT_MAC, NODE_MAC, 0x88b5);
    frame(AUDIT_TX, NODE_MAC, CLIENT_MAC, 0x88b5);
    frame(AUDIT_XDP, CLIENT_MAC, NODE_MAC, 0x88b5);
    struct qpw_finding_key key = {.kind = QPW_KIND_ETHERTYPE, .port = 0x88b5, .direction = QPW_DIR_NON_IP,
                                  .verdict = QPW_VERDICT_UNEXPECTED, .initiator = {[10] = 2, [15] = 2},
                                  .responder = {[10] = 2, [15] = 9}};
    struct qpw_finding f;

    cr_assert(audit_finding_by(&a, &key, &f), "what the node sent is told");
    cr_assert_eq(f.outcome, QPW_OUTCOME_DATA);
    audit_close(&a);
}
