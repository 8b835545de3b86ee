/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The verdicts in the order in which they are judged, and what changes them on a live connection. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <string.h>

#include "audit.h"
#include "netns.h"

#define CLIENT "10.0.0.9"
#define OTHER "10.0.0.77"
#define IN QPW_DIR_INBOUND
#define OUT QPW_DIR_OUTBOUND
#define VERDICT(v) .verdict = AUDIT_IS(QPW_VERDICT_##v)
#define OWN_MAC "02:00:00:00:00:02"
#define OTHER_MAC "02:00:00:00:00:03"

static struct audit a;
static struct packet p;

#define SMB {.name = "smb", .direction = IN, .protocol = 6, .first = 445}

static void make_syn(const char *source, const char *destination, const char *mac, uint16_t port)
{
    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){.destination = mac});
    if (strchr(source, ':'))
        packet_ipv6(&p, &(struct packet_ipv6){.source = source, .destination = destination});
    else
        packet_ipv4(&p, &(struct packet_ipv4){.source = source, .destination = destination});
    packet_tcp(&p, &(struct packet_tcp){.source = 40000, .destination = port, .flags = PACKET_SYN});
    packet_finish(&p);
}

static void make_protocol(const char *source, const char *destination, uint8_t protocol)
{
    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){0});
    if (strchr(source, ':'))
        packet_ipv6(&p, &(struct packet_ipv6){.source = source, .destination = destination, .next = protocol});
    else
        packet_ipv4(&p, &(struct packet_ipv4){.source = source, .destination = destination, .protocol = protocol});
    packet_bytes(&p, NULL, 40);
    packet_finish(&p);
}

static void make_sent(const char *source, const char *mac)
{
    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){.source = mac});
    packet_ipv4(&p, &(struct packet_ipv4){.source = source, .destination = CLIENT});
    packet_tcp(&p, &(struct packet_tcp){.source = 40000, .destination = 88, .flags = PACKET_SYN});
    packet_finish(&p);
    audit_feed(&a, AUDIT_TX, &p);
}

/* ---- transit ---- */

Test(verdicts, transit_by_its_reasons)
{
    audit_open(&a, NULL);
    AUDIT_POLICY(&a, NULL, SMB);
    make_syn(CLIENT, OTHER, OTHER_MAC, 445);
    audit_feed(&a, AUDIT_XDP, &p);
    audit_feed(&a, AUDIT_TC, &p);
    cr_assert_eq(AUDIT_PACKETS(&a, VERDICT(TRANSIT), .reason = AUDIT_IS(QPW_REASON_NOT_LOCAL)), 2);
    make_syn(AUDIT_NODE, CLIENT, OTHER_MAC, 445); /* its own packet, returned */
    audit_feed(&a, AUDIT_XDP, &p);
    make_syn(AUDIT_NODE, AUDIT_NODE, OWN_MAC, 445);
    audit_feed(&a, AUDIT_XDP, &p);
    cr_assert_eq(AUDIT_PACKETS(&a, VERDICT(TRANSIT), .reason = AUDIT_IS(QPW_REASON_ECHO)), 2);
    make_syn("fd00::9", "fd00::77:ffff:ffff", OTHER_MAC, 445);
    audit_feed(&a, AUDIT_XDP, &p);
    cr_assert_eq(AUDIT_PACKETS(&a, .direction = AUDIT_IS(QPW_DIR_TRANSIT)), 5);
    cr_assert_eq(audit_connections(&a, QPW_CLASS_HALF), 0, "what is not ours takes no place");
    audit_close(&a);
}

Test(verdicts, own_mac_is_the_node_unless_the_host_forwards)
{
    struct qpw_iface lo = {.ifindex = 1, .number = 1, .flags = QPW_IFACE_FORWARD4 | QPW_IFACE_SENDS4, .mac = {2, 0, 0, 0, 0, 2}};

    audit_open(&a, NULL);
    AUDIT_POLICY(&a, NULL, SMB);
    make_syn(CLIENT, OTHER, OWN_MAC, 445);
    audit_feed(&a, AUDIT_XDP, &p);
    cr_assert_eq(AUDIT_PACKETS(&a, VERDICT(ALLOWED), .reason = AUDIT_IS(QPW_REASON_UNLISTED_LOCAL)), 1);
    /* The address becomes the node's while its traffic flows: the same connection, no longer of an unlisted address. */
    audit_local(&a, OTHER, true);
    audit_feed(&a, AUDIT_XDP, &p);
    cr_assert_eq(AUDIT_PACKETS(&a, VERDICT(ALLOWED), .reason = AUDIT_IS(QPW_REASON_NONE)), 1);
    cr_assert_eq(AUDIT_SUM(&a, VERDICT(ALLOWED)).connections, 1);
    /* After its removal, it is another host as a sender. */
    audit_local(&a, OTHER, false);
    make_syn(OTHER, AUDIT_NODE, OWN_MAC, 445);
    audit_feed(&a, AUDIT_XDP, &p);
    cr_assert_eq(AUDIT_PACKETS(&a, VERDICT(TRANSIT)), 0);

    /*
     * A packet that the node sends from a foreign address is unexpected, whatever rules list and whatever MAC it has.
     */
    make_sent("10.0.0.79", OWN_MAC);
    cr_assert_eq(AUDIT_PACKETS(&a, VERDICT(UNEXPECTED), .reason = AUDIT_IS(QPW_REASON_FOREIGN_SOURCE)), 1);
    make_sent("10.0.0.80", OTHER_MAC);
    cr_assert_eq(AUDIT_PACKETS(&a, VERDICT(UNEXPECTED), .reason = AUDIT_IS(QPW_REASON_FOREIGN_SOURCE)), 2);
    /* Once the address is its own it is not; but a bridge sends the frames of others. */
    audit_local(&a, "10.0.0.79", true);
    make_sent("10.0.0.79", OWN_MAC);
    cr_assert_eq(AUDIT_PACKETS(&a, VERDICT(UNEXPECTED), .reason = AUDIT_IS(QPW_REASON_FOREIGN_SOURCE)), 2);
    audit_local(&a, "10.0.0.79", false);
    lo.flags = QPW_IFACE_BRIDGED;
    cr_assert_eq(qpw_kernel_set_iface(&a.kernel, &lo), 0);
    make_sent("10.0.0.81", OTHER_MAC);
    cr_assert_eq(AUDIT_PACKETS(&a, VERDICT(TRANSIT), .reason = AUDIT_IS(QPW_REASON_NOT_LOCAL)), 1);
    lo.flags = QPW_IFACE_FORWARD4 | QPW_IFACE_SENDS4;

    cr_assert_eq(qpw_kernel_set_iface(&a.kernel, &lo), 0);
    make_syn(CLIENT, "10.0.0.78", OWN_MAC, 445);
    audit_feed(&a, AUDIT_XDP, &p);
    make_sent("10.0.0.79", OWN_MAC);
    cr_assert_eq(AUDIT_PACKETS(&a, VERDICT(TRANSIT), .reason = AUDIT_IS(QPW_REASON_NOT_LOCAL)), 2);
    cr_assert_eq(AUDIT_PACKETS(&a, VERDICT(TRANSIT), .reason = AUDIT_IS(QPW_REASON_ROUTE_UNKNOWN)), 1, "it is being asked");
    audit_close(&a);
}

static bool route_of(const char *source, struct qpw_route_key *ret_key, struct qpw_route *ret)
{
    memset(ret_key, 0, sizeof(*ret_key));
    audit_address(source, ret_key->source);
    ret_key->ifindex = 1;
    return bpf_map_lookup_elem(a.kernel.map_fd[QPW_MAP_routes], ret_key, ret) == 0;
}

/* Write the routing table's result for that prefix, as user space does. */
static void say_route(const char *source, enum qpw_route_word word, uint64_t older_ns)
{
    struct qpw_route_key key;
    struct qpw_route route;

    cr_assert(route_of(source, &key, &route), "%s was not asked about", source);
    route.word = word;
    route.since_ns -= older_ns;
    cr_assert_eq(bpf_map_update_elem(a.kernel.map_fd[QPW_MAP_routes], &key, &route, BPF_EXIST), 0);
}

#define SENT(v, r) AUDIT_PACKETS(&a, VERDICT(v), .reason = AUDIT_IS(QPW_REASON_##r))

/* On a forwarding host the routing table's result for a source's prefix decides, together with the frame's MAC. */
Test(verdicts, what_is_forwarded_has_the_word_of_the_routing_table)
{
    struct qpw_iface lo = {.ifindex = 1, .number = 1, .flags = QPW_IFACE_FORWARD4 | QPW_IFACE_SENDS4, .mac = {2, 0, 0, 0, 0, 2}};
    struct qpw_route_key key;
    struct qpw_route route;

    audit_open(&a, NULL);
    AUDIT_POLICY(&a, NULL, SMB);
    cr_assert_eq(qpw_kernel_set_iface(&a.kernel, &lo), 0);
    a.kernel.control->heartbeat_ns = qpw_kernel_now_ns(&a.kernel);

    /*
     * One request per prefix; unanswered ones are counted, and reported if they stay so; without an auditor there are
     * none.
     */
    make_sent("10.7.0.5", OWN_MAC);
    make_sent("10.7.0.6", OWN_MAC);
    cr_assert_eq(SENT(TRANSIT, ROUTE_UNKNOWN), 2);
    say_route("10.7.0.0", QPW_ROUTE_ASKED, QPW_ROUTE_WAIT_NS);
    make_sent("10.7.0.7", OWN_MAC);
    cr_assert_eq(SENT(UNEXPECTED, ROUTE_UNKNOWN), 1);
    a.kernel.control->heartbeat_ns -= QPW_AUDITOR_STALE_NS + 1000000000;
    make_sent("10.7.0.8", OWN_MAC);
    cr_assert_eq(SENT(TRANSIT, ROUTE_UNKNOWN), 3);
    a.kernel.control->heartbeat_ns = qpw_kernel_now_ns(&a.kernel);

    say_route("10.7.0.0", QPW_ROUTE_ELSEWHERE, 0);
    make_sent("10.7.0.9", OWN_MAC);
    cr_assert_eq(SENT(TRANSIT, NOT_LOCAL), 1);
    make_sent("10.7.0.10", OTHER_MAC); /* whatever is there: the node forwards with its own MAC */
    cr_assert_eq(SENT(UNEXPECTED, FOREIGN_SOURCE), 1);
    say_route("10.7.0.0", QPW_ROUTE_NOWHERE, 0);
    make_sent("10.7.0.11", OWN_MAC);
    cr_assert_eq(SENT(UNEXPECTED, ROUTE_UNKNOWN), 2);

    /* By the outgoing interface: only if that interface receives packets for others. */
    say_route("10.7.0.0", QPW_ROUTE_SAME, 0);
    make_sent("10.7.0.12", OWN_MAC);
    cr_assert_eq(SENT(UNEXPECTED, FOREIGN_SOURCE), 2);
    make_syn("10.7.0.13", "10.8.0.1", OTHER_MAC, 445); /* for another card */
    audit_feed(&a, AUDIT_XDP, &p);
    make_sent("10.7.0.14", OWN_MAC);
    cr_assert_eq(SENT(UNEXPECTED, FOREIGN_SOURCE), 3);
    make_syn("10.7.0.13", "10.8.0.1", OWN_MAC, 445);
    audit_feed(&a, AUDIT_XDP, &p);
    make_sent("10.7.0.15", OWN_MAC);
    cr_assert_eq(SENT(TRANSIT, NOT_LOCAL), 4);

    /* Families are separate: IPv6 is not forwarded. */
    make_syn("fd07::5", "fd00::9", OWN_MAC, 445);
    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){.source = OWN_MAC});
    packet_ipv6(&p, &(struct packet_ipv6){.source = "fd07::5", .destination = "fd00::9"});
    packet_tcp(&p, &(struct packet_tcp){.source = 40000, .destination = 88, .flags = PACKET_SYN});
    packet_finish(&p);
    audit_feed(&a, AUDIT_TX, &p);
    cr_assert_eq(SENT(UNEXPECTED, FOREIGN_SOURCE), 4);
    lo.flags = QPW_IFACE_SENDS6; /* received by another interface */
    cr_assert_eq(qpw_kernel_set_iface(&a.kernel, &lo), 0);
    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){.source = OWN_MAC});
    packet_ipv6(&p, &(struct packet_ipv6){.source = "fd07::1:0:0:0:6", .destination = "fd00::9"});
    packet_tcp(&p, &(struct packet_tcp){.source = 40000, .destination = 88, .flags = PACKET_SYN});
    packet_finish(&p);
    audit_feed(&a, AUDIT_TX, &p);
    cr_assert_eq(SENT(TRANSIT, ROUTE_UNKNOWN), 4);
    cr_assert_not(route_of("fd07::1:0:0:0:6", &key, &route), "asked by address");
    cr_assert(route_of("fd07:0:0:1::", &key, &route) && route.word == QPW_ROUTE_ASKED);
    audit_close(&a);
}

Test(verdicts, broadcast_multicast_and_no_address_are_the_node)
{
    uint8_t broadcast[16];

    audit_open(&a, NULL);
    AUDIT_POLICY(&a, NULL, {.name = "discovery", .direction = IN, .protocol = 6, .first = 445},
                 {.name = "dhcp", .direction = OUT, .protocol = 6, .first = 67});
    audit_address("10.0.0.255", broadcast);
    cr_assert_eq(qpw_kernel_set_local(&a.kernel, broadcast, 128, QPW_LOCAL_BROADCAST, true), 0);
    const char *to[] = {"255.255.255.255", "10.0.0.255", "224.0.0.251", "239.1.2.3"};

    for (int i = 0; i < 4; i++) {
        make_syn(CLIENT, to[i], OTHER_MAC, 445);
        audit_feed(&a, AUDIT_XDP, &p);
    }
    make_syn("fd00::9", "ff02::fb", OTHER_MAC, 445);
    audit_feed(&a, AUDIT_TC, &p);
    make_syn(CLIENT, OTHER, "ff:ff:ff:ff:ff:ff", 445);
    audit_feed(&a, AUDIT_XDP, &p);
    make_syn("10.0.0.255", AUDIT_NODE, OWN_MAC, 445); /* no host's address: forged, and not an echo */
    audit_feed(&a, AUDIT_XDP, &p);
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "discovery"), 7);
    make_syn("0.0.0.0", "255.255.255.255", "ff:ff:ff:ff:ff:ff", 67);
    audit_feed(&a, AUDIT_TX, &p);
    make_syn("::", "ff02::1", "33:33:00:00:00:01", 67);
    audit_feed(&a, AUDIT_TX, &p);
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "dhcp"), 2);
    cr_assert_eq(AUDIT_PACKETS(&a, VERDICT(TRANSIT)), 0);
    audit_close(&a);
}

/* ---- peer ---- */

Test(verdicts, peer_whatever_the_port_direction_or_fragment)
{
    const char *const peers[] = {"10.0.0.2", "10.1.0.0/28", "fd00::2", NULL};

    audit_open(&a, NULL);
    AUDIT_POLICY(&a, peers, SMB);
    audit_handshake_in(&a, "10.0.0.2", 50000, 7777);
    audit_handshake_out(&a, "10.1.0.5", 3712, 50001);
    audit_rx_udp(&a, "fd00::2", 5, 6);
    audit_rx_tcp(&a, "10.0.0.2", 1, 2, SEGMENT(PACKET_ACK, 1, 1, 5)); /* direction unknown */
    make_protocol("10.0.0.2", AUDIT_NODE, 50);
    audit_feed(&a, AUDIT_XDP, &p);
    packet_start(&p); /* a later fragment without its first */
    packet_ethernet(&p, &(struct packet_ethernet){0});
    packet_ipv4(&p, &(struct packet_ipv4){.source = "10.0.0.2", .destination = AUDIT_NODE, .protocol = 17,
                                          .fragment_offset = 1480, .id = 4});
    packet_bytes(&p, NULL, 100);
    packet_finish(&p);
    audit_feed(&a, AUDIT_XDP, &p);
    packet_make_tcp(&p, "10.0.0.2", 1, AUDIT_NODE, 2, SEGMENT(PACKET_SYN, 1));
    p.data[46] = 0x10; /* data offset of 4 */
    audit_feed(&a, AUDIT_XDP, &p);
    cr_assert_eq(AUDIT_PACKETS(&a, VERDICT(PEER), .scope = AUDIT_IS(QPW_SCOPE_PEER)), a.frames);
    cr_assert_eq(AUDIT_PACKETS(&a, .peer = "10.1.0.0/28"), 3);
    cr_assert_eq(AUDIT_PACKETS(&a, .peer = "10.0.0.2", .direction = AUDIT_IS(QPW_DIR_UNDECODABLE)), 1);
    cr_assert_eq(AUDIT_PACKETS(&a, .peer = "10.0.0.2", .direction = AUDIT_IS(QPW_DIR_UNKNOWN)), 2);
    cr_assert_eq(audit_entries(&a, QPW_MAP_findings) + audit_entries(&a, QPW_MAP_answered), 0);
    audit_handshake_in(&a, "10.1.0.16", 50000, 7777); /* just outside the prefix */
    cr_assert_eq(AUDIT_PACKETS(&a, VERDICT(UNEXPECTED)), 3);
    audit_close(&a);
}

/* ---- allowed and its conditions ---- */

Test(verdicts, from_and_to)
{
    audit_open(&a, NULL);
    AUDIT_POLICY(&a, NULL,
                 {.name = "partner", .direction = IN, .protocol = 6, .first = 3712, .from = "10.9.0.0/16"},
                 {.name = "floating", .direction = IN, .protocol = 6, .first = 445, .to = "10.0.0.5"},
                 {.name = "dc", .direction = OUT, .protocol = 6, .first = 389, .to = "fd00:d::/64"},
                 {.name = "from-me", .direction = OUT, .protocol = 6, .first = 88, .from = AUDIT_NODE});
    audit_local(&a, "10.0.0.5", true);
    audit_handshake_in(&a, "10.9.255.1", 1000, 3712);
    audit_handshake_in(&a, "10.10.0.1", 1000, 3712);
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "partner"), 3);
    audit_handshake_in(&a, CLIENT, 1000, 445);
    make_syn(CLIENT, "10.0.0.5", OWN_MAC, 445);
    audit_feed(&a, AUDIT_XDP, &p);
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "floating"), 1);
    audit_handshake_out(&a, "fd00:d::1", 389, 1000);
    audit_handshake_out(&a, "fd00:e::1", 389, 1000);
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "dc"), 3);
    audit_handshake_out(&a, CLIENT, 88, 1000);
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "from-me", VERDICT(ALLOWED)), 3);
    cr_assert_eq(AUDIT_PACKETS(&a, VERDICT(UNEXPECTED)), 9);
    /* A rule's direction is that of the exchange, not of the packet. */
    audit_handshake_in(&a, CLIENT, 1000, 389);
    cr_assert_eq(AUDIT_PACKETS(&a, VERDICT(UNEXPECTED)), 12);
    audit_close(&a);
}

static void feed_tagged(uint16_t vlan, uint16_t source_port)
{
    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){0});
    if (vlan)
        packet_vlan(&p, 0x8100, vlan);
    packet_ipv4(&p, &(struct packet_ipv4){.source = CLIENT, .destination = AUDIT_NODE});
    packet_tcp(&p, &(struct packet_tcp){.source = source_port, .destination = 445, .flags = PACKET_SYN});
    packet_finish(&p);
    audit_feed(&a, AUDIT_XDP, &p);
}

Test(verdicts, vlan_and_interface)
{
    struct netns here;
    struct qpw_iface second = {.number = 2, .mac = {2, 0, 0, 0, 0, 2}};

    audit_open(&a, NULL);
    here = netns_here();
    netns_veth(&here, "v0", &here, "v1");
    second.ifindex = netns_ifindex(&here, "v0");
    cr_assert_eq(qpw_kernel_set_iface(&a.kernel, &second), 0);
    AUDIT_POLICY(&a, NULL, {.name = "tagged", .direction = IN, .protocol = 6, .first = 445, .vlan = 200},
                 {.name = "plain", .direction = IN, .protocol = 6, .first = 446, .vlan = AUDIT_UNTAGGED},
                 {.name = "second", .direction = IN, .protocol = 6, .first = 447, .ifindex = second.ifindex});
    feed_tagged(200, 1);
    feed_tagged(201, 2);
    feed_tagged(0, 3);
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "tagged"), 1);
    cr_assert_eq(audit_tcp(&a, CLIENT, 1, 445).vlan, 200);
    cr_assert_eq(AUDIT_PACKETS(&a, VERDICT(UNEXPECTED)), 2);
    make_syn(CLIENT, AUDIT_NODE, OWN_MAC, 446);
    audit_feed(&a, AUDIT_XDP, &p);
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "plain"), 1);
    make_syn(CLIENT, AUDIT_NODE, OWN_MAC, 447);
    audit_feed_on(&a, AUDIT_TC, second.ifindex, &p);
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "second", .iface = AUDIT_IS(2)), 1);
    /* The same connection by another way stays the same, and is counted by interface. */
    audit_feed_on(&a, AUDIT_TC, 1, &p);
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "second", .iface = AUDIT_IS(1)), 1);
    cr_assert_eq(AUDIT_SUM(&a, .port = AUDIT_IS(447)).connections, 1);
    audit_feed_on(&a, AUDIT_TC, second.ifindex, &p);
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "second", .iface = AUDIT_IS(2)), 2);
    netns_close(&here);
    audit_close(&a);
}

Test(verdicts, initiator_port)
{
    audit_open(&a, NULL);
    AUDIT_POLICY(&a, NULL, {.name = "active", .direction = OUT, .protocol = 6, .first = 40000, .last = 50000,
                            .initiator_port = 20});
    audit_handshake_out(&a, CLIENT, 45000, 20);
    audit_handshake_out(&a, CLIENT, 45000, 21);
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "active"), 3);
    cr_assert_eq(AUDIT_PACKETS(&a, VERDICT(UNEXPECTED)), 3);
    audit_close(&a);
}

/* ---- weak, implied: with and without a live parent ---- */

static void age_parent(const char *remote, const char *rule, uint64_t ns)
{
    struct qpw_parent_key key = {.rule = audit_rule_id(&a, rule)};
    struct qpw_parent parent;

    audit_address(remote, key.remote);
    cr_assert_eq(bpf_map_lookup_elem(a.kernel.map_fd[QPW_MAP_parents], &key, &parent), 0, "no such parent");
    parent.last_ns -= ns;
    cr_assert_eq(bpf_map_update_elem(a.kernel.map_fd[QPW_MAP_parents], &key, &parent, BPF_EXIST), 0);
}

#define FTP_POLICY \
    {.name = "ftp", .direction = IN, .protocol = 6, .first = 21}, \
        {.name = "passive", .direction = IN, .protocol = 6, .first = 32768, .last = 60999, \
         .verdict = QPW_VERDICT_WEAK, .parent = "ftp"}, \
        {.name = "rpc", .direction = OUT, .protocol = 6, .first = 135}, \
        {.name = "dynamic", .direction = OUT, .protocol = 6, .first = 49152, .last = 65535, \
         .verdict = QPW_VERDICT_IMPLIED, .parent = "rpc"}, \
        {.name = "gc", .direction = OUT, .protocol = 6, .first = 3268, .verdict = QPW_VERDICT_IMPLIED}

Test(verdicts, weak_needs_an_answered_parent)
{
    struct qpw_finding f;

    audit_open(&a, NULL);
    AUDIT_POLICY(&a, NULL, FTP_POLICY);
    audit_handshake_in(&a, CLIENT, 5000, 40000);
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "passive", VERDICT(WEAK)), 3);
    cr_assert(audit_finding(&a, (struct audit_sought){QPW_VERDICT_WEAK, IN, 6, 40000, CLIENT, AUDIT_NODE}, &f));
    /* An attempt on the parent rule is not enough. */
    audit_rx_tcp(&a, CLIENT, 5001, 21, SEGMENT(PACKET_SYN, 1));
    audit_rx_tcp(&a, CLIENT, 5002, 21, SEGMENT(PACKET_ACK, 1, 1, 9));
    audit_handshake_in(&a, CLIENT, 5003, 40001);
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "passive", VERDICT(WEAK)), 6);
    /* Once answered, it vouches for the same client only. */
    audit_handshake_in(&a, CLIENT, 5004, 21);
    audit_handshake_in(&a, CLIENT, 5005, 40002);
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "passive", VERDICT(ALLOWED)), 3);
    audit_handshake_in(&a, "10.0.0.10", 5006, 40002);
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "passive", VERDICT(WEAK)), 9);
    age_parent(CLIENT, "ftp", 599000000000ull);
    audit_handshake_in(&a, CLIENT, 5007, 40003);
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "passive", VERDICT(ALLOWED)), 6);
    age_parent(CLIENT, "ftp", 2000000000ull);
    audit_handshake_in(&a, CLIENT, 5008, 40004);
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "passive", VERDICT(ALLOWED)), 6, "ten minutes are over");
    audit_close(&a);
}

/* A lock manager within FTP's passive range: weak, unless the port mapper was asked or a control connection exists. */
Test(verdicts, weak_only_where_no_live_parent_vouches)
{
    audit_open(&a, NULL);
    AUDIT_POLICY(&a, NULL, {.name = "ftp", .direction = IN, .protocol = 6, .first = 21},
                 {.name = "rpc", .direction = IN, .protocol = 6, .first = 111},
                 {.name = "ndmp", .direction = IN, .protocol = 6, .first = 10000},
                 {.name = "wide", .direction = IN, .protocol = 6, .first = 30000, .last = 50000,
                  .verdict = QPW_VERDICT_WEAK, .parent = "ndmp"},
                 {.name = "passive", .direction = IN, .protocol = 6, .first = 32768, .last = 60999,
                  .verdict = QPW_VERDICT_WEAK, .parent = "ftp"},
                 {.name = "always", .direction = IN, .protocol = 6, .first = 40000, .last = 40010,
                  .verdict = QPW_VERDICT_IMPLIED},
                 {.name = "lock", .direction = IN, .protocol = 6, .first = 32768, .last = 65535,
                  .verdict = QPW_VERDICT_IMPLIED, .parent = "rpc"});
    audit_handshake_in(&a, CLIENT, 5000, 40000);
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "wide", VERDICT(WEAK)), 3, "what nobody vouches for stays weak");
    audit_handshake_in(&a, CLIENT, 5001, 111);
    audit_handshake_in(&a, CLIENT, 5002, 40000);
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "lock", VERDICT(IMPLIED)), 3);
    audit_handshake_in(&a, CLIENT, 5003, 30001);
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "wide", VERDICT(WEAK)), 6, "nothing else speaks of that port");
    audit_handshake_in(&a, CLIENT, 5004, 21);
    audit_handshake_in(&a, CLIENT, 5005, 40000);
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "passive", VERDICT(ALLOWED)), 3, "the second weak rule's parent lives");
    audit_handshake_in(&a, CLIENT, 5006, 10000);
    audit_handshake_in(&a, CLIENT, 5007, 40000);
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "wide", VERDICT(ALLOWED)), 3);
    audit_close(&a);
}

Test(verdicts, implied_with_and_without_a_parent)
{
    struct qpw_finding f;

    audit_open(&a, NULL);
    AUDIT_POLICY(&a, NULL, FTP_POLICY);
    audit_handshake_out(&a, CLIENT, 3268, 5000);
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "gc", VERDICT(IMPLIED)), 3);
    audit_handshake_out(&a, CLIENT, 49200, 5001);
    cr_assert_eq(AUDIT_PACKETS(&a, VERDICT(UNEXPECTED), .port = AUDIT_IS(49200)), 3);
    audit_handshake_out(&a, CLIENT, 135, 5002);
    audit_handshake_out(&a, CLIENT, 49201, 5003);
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "dynamic", VERDICT(IMPLIED)), 3);
    cr_assert(audit_finding(&a, (struct audit_sought){QPW_VERDICT_IMPLIED, OUT, 6, 49201, AUDIT_NODE, CLIENT}, &f));
    cr_assert_eq(f.rule, audit_rule_id(&a, "dynamic"));
    audit_handshake_in(&a, CLIENT, 49202, 49203); /* not for the opposite direction */
    cr_assert_eq(AUDIT_PACKETS(&a, VERDICT(WEAK)), 3);
    audit_close(&a);
}

/* ---- Owners of companions: decided by user space, or not yet ---- */

/* Make an answered companion and, once it is decided, its next packet. Returns its connection. */
static struct qpw_conn companion(uint16_t remote_port, uint16_t port, uint32_t word)
{
    audit_handshake_in(&a, CLIENT, remote_port, port);
    if (word)
        audit_vouch(&a, "ftp", port, false, word);
    audit_rx_tcp(&a, CLIENT, remote_port, port, SEGMENT(PACKET_ACK, 1001, 5001, 9));
    return audit_tcp(&a, CLIENT, remote_port, port);
}

Test(verdicts, companions_are_judged_by_their_owner)
{
    struct qpw_finding f;
    struct qpw_conn c;

    audit_open(&a, NULL);
    AUDIT_POLICY(&a, NULL, FTP_POLICY);
    audit_handshake_in(&a, CLIENT, 5000, 21);
    audit_events(&a, QPW_EVENT_ASK_OWNER);

    c = companion(5001, 40001, QPW_VOUCH_NONE);
    cr_assert_eq(c.verdict, QPW_VERDICT_ALLOWED, "provisionally");
    cr_assert(c.vlan & QPW_CONN_PROVISIONAL);
    cr_assert(c.end[1] & QPW_END_OWNER_ASKED);
    cr_assert_eq(audit_events(&a, QPW_EVENT_ASK_OWNER), 1, "asked once, with the node's first packet");

    c = companion(5002, 40002, QPW_VOUCH_FITS);
    cr_assert_eq(c.verdict, QPW_VERDICT_ALLOWED);
    cr_assert_not(c.vlan & QPW_CONN_PROVISIONAL);
    cr_assert(c.end[1] & QPW_END_VOUCHED);
    cr_assert_not(audit_finding(&a, (struct audit_sought){QPW_VERDICT_UNEXPECTED, IN, 6, 40002, CLIENT, AUDIT_NODE}, &f));

    c = companion(5003, 40003, QPW_VOUCH_OTHER);
    cr_assert_eq(c.verdict, QPW_VERDICT_UNEXPECTED);
    cr_assert(audit_finding(&a, (struct audit_sought){QPW_VERDICT_UNEXPECTED, IN, 6, 40003, CLIENT, AUDIT_NODE}, &f));
    cr_assert_eq(f.reason, QPW_REASON_OTHER_OWNER);
    cr_assert_eq(f.rule, audit_rule_id(&a, "passive"));
    audit_handshake_in(&a, CLIENT, 5013, 40003); /* known by now: decided from the node's first packet on */
    cr_assert_eq(audit_tcp(&a, CLIENT, 5013, 40003).verdict, QPW_VERDICT_UNEXPECTED);

    c = companion(5004, 40004, QPW_VOUCH_UNKNOWN);
    cr_assert_eq(c.verdict, QPW_VERDICT_IMPLIED);
    cr_assert(audit_finding(&a, (struct audit_sought){QPW_VERDICT_IMPLIED, IN, 6, 40004, CLIENT, AUDIT_NODE}, &f));
    cr_assert_eq(f.reason, QPW_REASON_OWNER_UNKNOWN);
    cr_assert_eq(f.provisional, 0);
    audit_vouch(&a, "ftp", 40004, false, QPW_VOUCH_FITS); /* now it is known */
    audit_rx_tcp(&a, CLIENT, 5004, 40004, SEGMENT(PACKET_FIN | PACKET_ACK, 1010, 5001));
    cr_assert_eq(audit_tcp(&a, CLIENT, 5004, 40004).verdict, QPW_VERDICT_ALLOWED);
    cr_assert(audit_finding(&a, (struct audit_sought){QPW_VERDICT_IMPLIED, IN, 6, 40004, CLIENT, AUDIT_NODE}, &f));
    cr_assert(f.flags & QPW_FINDING_SUPERSEDED);

    a.kernel.control->heartbeat_ns = 0; /* no auditor: nobody decides */
    c = companion(5005, 40005, QPW_VOUCH_NONE);
    cr_assert_eq(c.verdict, QPW_VERDICT_IMPLIED);
    cr_assert_eq(c.reason, QPW_REASON_OWNER_UNKNOWN);
    audit_close(&a);
}

/* Once vouched for, a companion stays so, whatever is reloaded and however old the parent is. */
Test(verdicts, companions_once_vouched_for_stay_so)
{
    struct qpw_conn c;

    audit_open(&a, NULL);
    AUDIT_POLICY(&a, NULL, FTP_POLICY);
    audit_handshake_in(&a, CLIENT, 5000, 21);
    audit_handshake_out(&a, CLIENT, 135, 5100);
    companion(5001, 40001, QPW_VOUCH_FITS);
    companion(5002, 40002, QPW_VOUCH_NONE);
    audit_vouch(&a, "rpc", 5101, true, QPW_VOUCH_FITS);
    audit_handshake_out(&a, CLIENT, 49200, 5101);
    age_parent(CLIENT, "ftp", 700000000000ull);
    age_parent(CLIENT, "rpc", 700000000000ull);
    AUDIT_POLICY(&a, NULL, FTP_POLICY, {.name = "new", .direction = IN, .protocol = 6, .first = 445});
    audit_rx_tcp(&a, CLIENT, 5001, 40001, SEGMENT(PACKET_ACK, 1010, 5001, 9));
    cr_assert_eq(audit_tcp(&a, CLIENT, 5001, 40001).verdict, QPW_VERDICT_ALLOWED);
    audit_rx_tcp(&a, CLIENT, 49200, 5101, SEGMENT(PACKET_ACK, 5001, 1001, 9));
    cr_assert_eq(audit_tcp(&a, CLIENT, 49200, 5101).verdict, QPW_VERDICT_IMPLIED);
    audit_events(&a, QPW_EVENT_ASK_OWNER);
    audit_tx_tcp(&a, CLIENT, 5002, 40002, SEGMENT(PACKET_ACK, 5001, 1010, 9)); /* not decided yet: requested again */
    c = audit_tcp(&a, CLIENT, 5002, 40002);
    cr_assert_eq(c.verdict, QPW_VERDICT_ALLOWED);
    cr_assert(c.vlan & QPW_CONN_PROVISIONAL);
    cr_assert_eq(audit_events(&a, QPW_EVENT_ASK_OWNER), 1);
    audit_handshake_in(&a, CLIENT, 5003, 40003); /* a new one has no parent */
    cr_assert_eq(audit_tcp(&a, CLIENT, 5003, 40003).verdict, QPW_VERDICT_WEAK);
    /* Without the rule it is unexpected like any other. */
    AUDIT_POLICY(&a, NULL, {.name = "ftp", .direction = IN, .protocol = 6, .first = 21});
    audit_rx_tcp(&a, CLIENT, 5001, 40001, SEGMENT(PACKET_ACK, 1019, 5001, 9));
    cr_assert_eq(audit_tcp(&a, CLIENT, 5001, 40001).verdict, QPW_VERDICT_UNEXPECTED);
    audit_close(&a);
}

/* ---- infra, unexpected ---- */

Test(verdicts, infra_groups_and_link_local_multicast)
{
    audit_open(&a, NULL);
    AUDIT_POLICY(&a, NULL,
                 {.name = "arp", .protocol = AUDIT_ETHERTYPE, .first = 0x0806, .verdict = QPW_VERDICT_INFRA},
                 {.name = "icmp", .protocol = 1, .last = 255, .verdict = QPW_VERDICT_INFRA},
                 {.name = "nd", .protocol = 58, .first = 133, .last = 137, .verdict = QPW_VERDICT_INFRA},
                 {.name = "vrrp", .direction = IN, .protocol = 112, .verdict = QPW_VERDICT_INFRA, .rx_multicast = true},
                 {.name = "stp", .protocol = AUDIT_ETHERTYPE, .first = 0x42, .verdict = QPW_VERDICT_UNEXPECTED});
    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){.destination = "ff:ff:ff:ff:ff:ff"});
    packet_arp(&p, &(struct packet_arp){.sender = CLIENT, .target = AUDIT_NODE});
    packet_finish(&p);
    audit_feed(&a, AUDIT_XDP, &p);
    audit_feed(&a, AUDIT_TX, &p);
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "arp", VERDICT(INFRA), .direction = AUDIT_IS(QPW_DIR_NON_IP)), 2);
    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){.destination = "01:80:c2:00:00:00"});
    packet_llc(&p, 0x42, 0x42, 3);
    packet_bytes(&p, NULL, 43);
    packet_finish(&p);
    audit_feed(&a, AUDIT_XDP, &p);
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "stp", VERDICT(UNEXPECTED)), 1, "a group switched off");
    make_protocol(CLIENT, "224.0.0.18", 112);
    audit_feed(&a, AUDIT_XDP, &p);
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "vrrp"), 1);
    make_protocol(CLIENT, AUDIT_NODE, 112); /* unicast */
    audit_feed(&a, AUDIT_XDP, &p);
    make_protocol(CLIENT, "239.0.0.18", 112); /* not link-local */
    audit_feed(&a, AUDIT_XDP, &p);
    make_protocol(AUDIT_NODE, "224.0.0.18", 112); /* the node does not speak it */
    audit_feed(&a, AUDIT_TX, &p);
    cr_assert_eq(AUDIT_PACKETS(&a, VERDICT(UNEXPECTED), .protocol = AUDIT_IS(112)), 3);
    audit_close(&a);
}

Test(verdicts, icmp_by_type)
{
    audit_open(&a, NULL);
    AUDIT_POLICY(&a, NULL, {.name = "echo", .protocol = 1, .first = 8, .verdict = QPW_VERDICT_INFRA},
                 {.name = "reply", .protocol = 1, .first = 0, .verdict = QPW_VERDICT_INFRA});
    for (int type = 0; type < 20; type++) {
        packet_start(&p);
        packet_ethernet(&p, &(struct packet_ethernet){0});
        packet_ipv4(&p, &(struct packet_ipv4){.source = CLIENT, .destination = AUDIT_NODE});
        packet_icmp(&p, &(struct packet_icmp){.type = (uint8_t)type, .payload_bytes = 8});
        packet_finish(&p);
        audit_feed(&a, AUDIT_XDP, &p);
        audit_feed(&a, AUDIT_XDP, &p);
    }
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "echo", .port = AUDIT_IS(8)), 2);
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "reply", .port = AUDIT_IS(0)), 2);
    for (int type = 1; type < 20; type++)
        if (type != 8)
            cr_assert_eq(AUDIT_PACKETS(&a, VERDICT(UNEXPECTED), .port = AUDIT_IS(type)), 2, "type %d", type);
    audit_close(&a);
}

Test(verdicts, what_nothing_speaks_of_is_unexpected)
{
    static const uint8_t protocols[] = {132, 47, 50, 51, 4, 41, 89, 255};
    static const uint16_t types[] = {0x8915, 0x8906, 0x8864, 0x8847, 0x88b5};
    struct qpw_finding f;

    audit_open(&a, NULL);
    AUDIT_POLICY(&a, NULL, SMB);
    for (size_t i = 0; i < sizeof(protocols); i++) {
        make_protocol(CLIENT, AUDIT_NODE, protocols[i]);
        audit_feed(&a, AUDIT_XDP, &p);
        cr_assert_eq(AUDIT_PACKETS(&a, VERDICT(UNEXPECTED), .direction = AUDIT_IS(IN),
                                   .protocol = AUDIT_IS(protocols[i])), 1, "protocol %u", protocols[i]);
    }
    cr_assert(audit_finding(&a, (struct audit_sought){QPW_VERDICT_UNEXPECTED, IN, 50, 0, CLIENT, AUDIT_NODE}, &f));
    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
        packet_start(&p);
        packet_ethernet(&p, &(struct packet_ethernet){.type = PACKET_LIE(types[i])});
        packet_bytes(&p, NULL, 50);
        packet_finish(&p);
        audit_feed(&a, AUDIT_XDP, &p);
        cr_assert_eq(AUDIT_PACKETS(&a, VERDICT(UNEXPECTED), .direction = AUDIT_IS(QPW_DIR_NON_IP),
                                   .port = AUDIT_IS(types[i])), 1);
    }
    cr_assert_eq(audit_entries(&a, QPW_MAP_findings), sizeof(protocols) + sizeof(types) / sizeof(*types));
    audit_close(&a);
}

Test(verdicts, unknown_ethertypes_for_another_card_are_transit)
{
    static const char *const to[] = {OTHER_MAC, OWN_MAC, "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01"};

    audit_open(&a, NULL);
    AUDIT_POLICY(&a, NULL,
                 {.name = "arp", .protocol = AUDIT_ETHERTYPE, .first = 0x0806, .verdict = QPW_VERDICT_INFRA});
    for (size_t i = 0; i < sizeof(to) / sizeof(*to); i++) {
        packet_start(&p);
        packet_ethernet(&p, &(struct packet_ethernet){.destination = to[i], .type = PACKET_LIE(0x8915)});
        packet_bytes(&p, NULL, 50);
        packet_finish(&p);
        audit_feed(&a, i % 2 ? AUDIT_TC : AUDIT_XDP, &p);
    }
    cr_assert_eq(AUDIT_PACKETS(&a, VERDICT(TRANSIT), .direction = AUDIT_IS(QPW_DIR_NON_IP),
                               .reason = AUDIT_IS(QPW_REASON_NOT_LOCAL)), 1);
    cr_assert_eq(AUDIT_PACKETS(&a, VERDICT(UNEXPECTED), .direction = AUDIT_IS(QPW_DIR_NON_IP)), 3);
    cr_assert_eq(audit_entries(&a, QPW_MAP_findings), 3);
    packet_start(&p); /* a packet sent by the node is its own, whatever its source */
    packet_ethernet(&p, &(struct packet_ethernet){.source = OTHER_MAC, .type = PACKET_LIE(0x8915)});
    packet_bytes(&p, NULL, 50);
    packet_finish(&p);
    audit_feed(&a, AUDIT_TX, &p);
    cr_assert_eq(AUDIT_PACKETS(&a, VERDICT(UNEXPECTED), .direction = AUDIT_IS(QPW_DIR_NON_IP)), 4);
    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){.destination = OTHER_MAC});
    packet_arp(&p, &(struct packet_arp){.sender = CLIENT, .target = AUDIT_NODE});
    packet_finish(&p);
    audit_feed(&a, AUDIT_XDP, &p);
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "arp", VERDICT(INFRA)), 1);
    audit_close(&a);
}

/* ---- judged again ---- */

Test(verdicts, another_policy_judges_live_connections_anew)
{
    struct qpw_finding f;

    audit_open(&a, NULL);
    AUDIT_POLICY(&a, NULL, SMB);
    audit_handshake_in(&a, CLIENT, 5000, 445);
    audit_rx_tcp(&a, CLIENT, 5000, 445, SEGMENT(PACKET_ACK, 1001, 5001, 10));
    audit_rx_tcp(&a, CLIENT, 5000, 445, SEGMENT(PACKET_ACK, 1011, 5001, 10));
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "smb", VERDICT(ALLOWED)), 5);
    AUDIT_POLICY(&a, NULL, {.name = "nfs", .direction = IN, .protocol = 6, .first = 2049});
    audit_rx_tcp(&a, CLIENT, 5000, 445, SEGMENT(PACKET_ACK, 1021, 5001, 10));
    cr_assert_eq(AUDIT_PACKETS(&a, VERDICT(UNEXPECTED)), 1);
    cr_assert(audit_finding(&a, (struct audit_sought){QPW_VERDICT_UNEXPECTED, IN, 6, 445, CLIENT, AUDIT_NODE}, &f));
    cr_assert_eq(f.outcome, QPW_OUTCOME_DATA);
    cr_assert_eq(f.flags & QPW_FINDING_SUPERSEDED, 0);
    AUDIT_POLICY(&a, NULL, SMB);
    audit_rx_tcp(&a, CLIENT, 5000, 445, SEGMENT(PACKET_ACK, 1031, 5001, 10));
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "smb", VERDICT(ALLOWED)), 6);
    cr_assert(audit_finding(&a, (struct audit_sought){QPW_VERDICT_UNEXPECTED, IN, 6, 445, CLIENT, AUDIT_NODE}, &f));
    cr_assert(f.flags & QPW_FINDING_SUPERSEDED);
    cr_assert_eq(AUDIT_SUM(&a, .rule = "smb").connections, 1);
    cr_assert_eq(AUDIT_SUM(&a, VERDICT(UNEXPECTED)).connections, 0);
    /* And back: the finding counts again. */
    AUDIT_POLICY(&a, NULL, {.name = "nfs", .direction = IN, .protocol = 6, .first = 2049});
    audit_rx_tcp(&a, CLIENT, 5000, 445, SEGMENT(PACKET_ACK, 1041, 5001, 10));
    cr_assert(audit_finding(&a, (struct audit_sought){QPW_VERDICT_UNEXPECTED, IN, 6, 445, CLIENT, AUDIT_NODE}, &f));
    cr_assert_eq(f.flags & QPW_FINDING_SUPERSEDED, 0);
    audit_close(&a);
}

/* The matching weak rule changes: the same finding, by the rule in force, and closed with the last one. */
Test(verdicts, a_finding_follows_its_rule_and_is_closed_with_the_last)
{
    struct qpw_finding f;

    audit_open(&a, NULL);
    AUDIT_POLICY(&a, NULL, {.name = "old", .direction = IN, .protocol = 6, .first = 5000, .last = 6000,
                            .verdict = QPW_VERDICT_WEAK});
    audit_handshake_in(&a, CLIENT, 5000, 5001);
    cr_assert(audit_finding(&a, (struct audit_sought){QPW_VERDICT_WEAK, IN, 6, 5001, CLIENT, AUDIT_NODE}, &f));
    cr_assert_eq(f.rule, audit_rule_id(&a, "old"));
    AUDIT_POLICY(&a, NULL, {.name = "new", .direction = IN, .protocol = 6, .first = 4000, .last = 6000,
                            .verdict = QPW_VERDICT_WEAK});
    audit_rx_tcp(&a, CLIENT, 5000, 5001, SEGMENT(PACKET_ACK, 1001, 5001, 10));
    cr_assert(audit_finding(&a, (struct audit_sought){QPW_VERDICT_WEAK, IN, 6, 5001, CLIENT, AUDIT_NODE}, &f));
    cr_assert_eq(f.rule, audit_rule_id(&a, "new"));
    cr_assert_eq(f.flags & QPW_FINDING_SUPERSEDED, 0);
    cr_assert_eq(AUDIT_SUM(&a, .rule = "old").rx_packets, 2, "counted where they were judged");
    cr_assert_eq(AUDIT_SUM(&a, .rule = "new").rx_packets, 1);
    AUDIT_POLICY(&a, NULL, SMB);
    audit_rx_tcp(&a, CLIENT, 5000, 5001, SEGMENT(PACKET_ACK, 1011, 5001, 10));
    cr_assert(audit_finding(&a, (struct audit_sought){QPW_VERDICT_WEAK, IN, 6, 5001, CLIENT, AUDIT_NODE}, &f));
    cr_assert(f.flags & QPW_FINDING_SUPERSEDED);
    cr_assert_eq(AUDIT_PACKETS(&a, VERDICT(UNEXPECTED)), 1);
    audit_close(&a);
}

/* Requested on one interface, answered on another: one finding with one connection. */
Test(verdicts, a_finding_over_two_interfaces_is_one_connection)
{
    struct qpw_iface second = {.number = 2, .mac = {2, 0, 0, 0, 0, 2}};
    struct qpw_counts counts[libbpf_num_possible_cpus()][QPW_COUNTS_BLOCK];
    uint64_t connections = 0;
    struct qpw_finding f;
    struct netns here;
    __u32 block;

    audit_open(&a, NULL);
    here = netns_here();
    netns_veth(&here, "v0", &here, "v1");
    second.ifindex = netns_ifindex(&here, "v0");
    cr_assert_eq(qpw_kernel_set_iface(&a.kernel, &second), 0);
    AUDIT_POLICY(&a, NULL, SMB);
    for (int i = 0; i < 6; i++) { /* always on the slow path, because each one changes the interface */
        packet_start(&p);
        packet_ethernet(&p, &(struct packet_ethernet){0});
        packet_ipv4(&p, &(struct packet_ipv4){.source = CLIENT, .destination = AUDIT_NODE});
        packet_udp(&p, &(struct packet_udp){.source = 900, .destination = 6001, .payload_bytes = 10});
        packet_finish(&p);
        audit_feed_on(&a, AUDIT_TC, i % 2 ? second.ifindex : 1, &p);
    }
    cr_assert(audit_finding(&a, (struct audit_sought){QPW_VERDICT_UNEXPECTED, IN, 17, 6001, CLIENT, AUDIT_NODE}, &f));
    block = f.slot / QPW_COUNTS_BLOCK;
    cr_assert_eq(bpf_map_lookup_elem(a.kernel.map_fd[QPW_MAP_counters], &block, counts), 0);
    for (int cpu = 0; cpu < libbpf_num_possible_cpus(); cpu++)
        connections += counts[cpu][f.slot % QPW_COUNTS_BLOCK].connections;
    cr_assert_eq(connections, 1);
    cr_assert_eq(AUDIT_SUM(&a, .port = AUDIT_IS(6001)).connections, 1);
    cr_assert_eq(AUDIT_SUM(&a, .port = AUDIT_IS(6001), .iface = AUDIT_IS(1)).rx_packets, 3);
    cr_assert_eq(AUDIT_SUM(&a, .port = AUDIT_IS(6001), .iface = AUDIT_IS(2)).rx_packets, 3);
    netns_close(&here);
    audit_close(&a);
}

Test(verdicts, a_new_peer_ends_what_was_unexpected)
{
    const char *const peers[] = {CLIENT, NULL};
    struct qpw_finding f;

    audit_open(&a, NULL);
    AUDIT_POLICY(&a, NULL, SMB);
    audit_handshake_in(&a, CLIENT, 5000, 3712);
    AUDIT_POLICY(&a, peers, SMB);
    audit_rx_tcp(&a, CLIENT, 5000, 3712, SEGMENT(PACKET_ACK, 1001, 5001, 10));
    cr_assert_eq(AUDIT_PACKETS(&a, VERDICT(PEER)), 1);
    cr_assert(audit_finding(&a, (struct audit_sought){QPW_VERDICT_UNEXPECTED, IN, 6, 3712, CLIENT, AUDIT_NODE}, &f));
    cr_assert(f.flags & QPW_FINDING_SUPERSEDED);
    audit_close(&a);
}

Test(verdicts, without_a_policy_nothing_is_lost)
{
    audit_open(&a, NULL);
    audit_handshake_in(&a, CLIENT, 5000, 445);
    cr_assert_eq(AUDIT_PACKETS(&a, .direction = AUDIT_IS(IN)), 3);
    cr_assert_eq(audit_stat(&a, QPW_LOSS_POLICY_MISSING), 3);
    audit_close(&a);
}

/* A policy is obeyed from the next packet on: who was a peer a moment ago, in the same tick, may be none by now. */
Test(verdicts, a_peer_is_one_as_the_policy_says)
{
    static const char *const first[] = {CLIENT, NULL}, *const second[] = {OTHER, NULL};

    audit_open(&a, NULL);
    for (uint16_t i = 0; i < 100; i++) {
        bool client = i % 3 == 0;

        if (i % 3 != 2) /* and one more under the same policy */
            AUDIT_POLICY(&a, client ? first : second, SMB);
        audit_rx_tcp(&a, CLIENT, 1000 + i, 99, SEGMENT(PACKET_SYN, 1));
        audit_rx_tcp(&a, OTHER, 1000 + i, 99, SEGMENT(PACKET_SYN, 1));
        cr_assert_eq(audit_tcp(&a, CLIENT, 1000 + i, 99).verdict,
                     client ? QPW_VERDICT_PEER : QPW_VERDICT_UNEXPECTED, "packet %u", i);
        cr_assert_eq(audit_tcp(&a, OTHER, 1000 + i, 99).verdict,
                     client ? QPW_VERDICT_UNEXPECTED : QPW_VERDICT_PEER, "packet %u", i);
    }
    audit_close(&a);
}

/* ---- devices without an Ethernet header ---- */

/* A test run takes the EtherType from bytes 12 and 13, where the source address begins: 8.0.x.x for IPv4. */
static void feed_layer_3(enum audit_hook hook, const char *source, const char *destination, uint16_t source_port,
                         uint16_t destination_port)
{
    packet_start(&p);
    packet_ipv4(&p, &(struct packet_ipv4){.source = source, .destination = destination});
    packet_udp(&p, &(struct packet_udp){.source = source_port, .destination = destination_port, .payload_bytes = 40});
    packet_finish(&p);
    audit_feed(&a, hook, &p);
}

Test(verdicts, layer_3_devices)
{
    struct qpw_iface tun = {.ifindex = 1, .number = 1, .flags = QPW_IFACE_L3};

    audit_open(&a, &(struct qpw_load_options){.programs = ~0u});
    cr_assert_eq(qpw_kernel_set_iface(&a.kernel, &tun), 0);
    audit_local(&a, "8.0.0.1", true);
    AUDIT_POLICY(&a, NULL, {.name = "nfs", .direction = IN, .protocol = 17, .first = 2049});
    feed_layer_3(AUDIT_TC_L3, "8.0.0.9", "8.0.0.1", 900, 2049);
    feed_layer_3(AUDIT_TX_L3, "8.0.0.1", "8.0.0.9", 2049, 900);
    struct qpw_counts sum = AUDIT_SUM(&a, .rule = "nfs", .direction = AUDIT_IS(IN));

    cr_assert_eq(sum.rx_packets, 1);
    cr_assert_eq(sum.tx_bytes, 68, "no Ethernet header to count");
    feed_layer_3(AUDIT_TC_L3, "8.0.0.9", "8.0.0.77", 900, 2049); /* without a MAC that shows that it is another's */
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "nfs", .reason = AUDIT_IS(QPW_REASON_UNLISTED_LOCAL)), 1);
    audit_close(&a);
}
