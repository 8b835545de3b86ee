/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * An exchange stays one exchange whatever tags, interfaces, segments or frames carry it: it is judged and reported
 * once.
 */
#include <criterion/criterion.h>

#include "audit.h"
#include "netns.h"

#define CLIENT "10.0.0.9"
#define IN QPW_DIR_INBOUND
#define OUT QPW_DIR_OUTBOUND
#define SYN PACKET_SYN
#define ACK PACKET_ACK
#define RST PACKET_RST
#define FIN PACKET_FIN
#define UNEXPECTED .verdict = AUDIT_IS(QPW_VERDICT_UNEXPECTED)

static struct audit a;
static struct packet p;

/* Add another interface, monitored as number 2. Returns its index. */
static uint32_t second_interface(uint8_t flags)
{
    struct netns here = netns_here();
    struct qpw_iface second = {.number = 2, .mac = {2, 0, 0, 0, 0, 2}, .flags = flags};

    netns_veth(&here, "v0", &here, "v1");
    second.ifindex = netns_ifindex(&here, "v0");
    netns_close(&here);
    cr_assert_eq(qpw_kernel_set_iface(&a.kernel, &second), 0);
    return second.ifindex;
}

static const enum audit_hook receiving[] = {AUDIT_XDP, AUDIT_TC};

static void open_with(const struct qpw_load_options *options)
{
    audit_open(&a, options);
    audit_window_over(&a);
    AUDIT_POLICY(&a, NULL, {.name = "smb", .direction = IN, .protocol = 6, .first = 445, .vlan = 200},
                 {.name = "nfs", .direction = IN, .protocol = 17, .first = 2049, .vlan = AUDIT_UNTAGGED},
                 {.name = "s3", .direction = IN, .protocol = 6, .first = 9000, .ifindex = 1});
}

/* ---- VLAN: the tag of the initiator's first packet ---- */

/* rx from the client, tx to it; vlan 0: untagged. */
static void tagged(enum audit_hook hook, uint16_t vlan, bool tcp, uint16_t client_port, uint16_t port, struct packet_segment segment)
{
    bool tx = hook == AUDIT_TX;
    uint16_t from = tx ? port : client_port, to = tx ? client_port : port;

    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){0});
    if (vlan)
        packet_vlan(&p, 0x8100, vlan);
    packet_ipv4(&p, &(struct packet_ipv4){.source = tx ? AUDIT_NODE : CLIENT,
                                          .destination = tx ? CLIENT : AUDIT_NODE});
    if (tcp)
        packet_tcp(&p, &(struct packet_tcp){.source = from, .destination = to, .flags = segment.flags, .seq = segment.seq,
                                            .ack = segment.ack, .payload_bytes = segment.payload});
    else
        packet_udp(&p, &(struct packet_udp){.source = from, .destination = to, .payload_bytes = segment.payload});
    packet_finish(&p);
    audit_feed(&a, hook, &p);
}

/* 200 packets each way, the tag in one direction only. */
static void one_connection(enum audit_hook hook, uint16_t in, uint16_t out, uint16_t client_port)
{
    tagged(hook, in, true, client_port, 445, SEGMENT(SYN, 1000));
    tagged(AUDIT_TX, out, true, client_port, 445, SEGMENT(SYN | ACK, 5000, 1001));
    for (uint32_t i = 0; i < 200; i++) {
        tagged(hook, in, true, client_port, 445, SEGMENT(ACK, 1001 + i, 5001 + i, 1));
        tagged(AUDIT_TX, out, true, client_port, 445, SEGMENT(ACK, 5001 + i, 1002 + i, 1));
    }
}

Test(identity, a_tag_in_one_direction_is_one_connection)
{
    for (int cached = 0; cached < 2; cached++)
        for (size_t hook = 0; hook < 2; hook++) {
            struct qpw_counts sum;

            open_with(&(struct qpw_load_options){.no_cache = !cached});
            one_connection(receiving[hook], 200, 0, 5000);
            sum = AUDIT_SUM(&a, .rule = "smb", .verdict = AUDIT_IS(QPW_VERDICT_ALLOWED));
            cr_expect_eq(sum.connections, 1);
            cr_expect_eq(sum.rx_packets, 201);
            cr_expect_eq(sum.tx_packets, 201);
            cr_expect_eq(audit_entries(&a, QPW_MAP_findings) + audit_entries(&a, QPW_MAP_answered), 0);

            one_connection(receiving[hook], 0, 200, 5001); /* the initiator's has none */
            sum = AUDIT_SUM(&a, UNEXPECTED);
            cr_expect_eq(sum.connections, 1);
            cr_expect_eq(sum.rx_packets + sum.tx_packets, 402);
            audit_close(&a);
        }
}

Test(identity, a_finding_of_mixed_tags_stays_open)
{
    struct qpw_finding f;

    open_with(NULL);
    one_connection(AUDIT_XDP, 0, 200, 5000);
    cr_assert(audit_finding(&a, (struct audit_sought){QPW_VERDICT_UNEXPECTED, IN, 6, 445, CLIENT, AUDIT_NODE}, &f));
    cr_expect_eq(f.flags & QPW_FINDING_SUPERSEDED, 0);
    cr_expect_eq(f.outcome, QPW_OUTCOME_DATA);
    cr_expect_eq(f.vlan, 0);
    audit_close(&a);
}

/* The node's answer is seen before the request: its tag does not count. */
Test(identity, an_answer_first_does_not_name_the_tag)
{
    open_with(NULL);
    tagged(AUDIT_TX, 0, true, 5000, 445, SEGMENT(SYN | ACK, 5000, 1001));
    tagged(AUDIT_XDP, 200, true, 5000, 445, SEGMENT(ACK, 1001, 5001));
    tagged(AUDIT_XDP, 200, true, 5000, 445, SEGMENT(ACK, 1001, 5001, 9));
    tagged(AUDIT_TX, 0, true, 5000, 445, SEGMENT(ACK, 5001, 1010, 9));
    cr_expect_eq(audit_tcp(&a, CLIENT, 5000, 445).verdict, QPW_VERDICT_ALLOWED);
    cr_expect_eq(audit_tcp(&a, CLIENT, 5000, 445).vlan, 200);
    cr_expect_eq(AUDIT_SUM(&a, .rule = "smb").connections, 1);
    cr_expect_eq(AUDIT_SUM(&a, UNEXPECTED).connections, 0);
    audit_close(&a);
}

Test(identity, datagrams_by_the_tag_of_the_question)
{
    open_with(NULL);
    for (int i = 0; i < 20; i++) {
        tagged(AUDIT_XDP, 0, false, 5000, 2049, SEGMENT(0, 0, 0, 9));
        tagged(AUDIT_TX, 77, false, 5000, 2049, SEGMENT(0, 0, 0, 9));
    }
    struct qpw_counts sum = AUDIT_SUM(&a, .rule = "nfs", .verdict = AUDIT_IS(QPW_VERDICT_ALLOWED));

    cr_expect_eq(sum.connections, 1);
    cr_expect_eq(sum.rx_packets, 20);
    cr_expect_eq(sum.tx_packets, 20);
    audit_close(&a);
}

/* Received on one interface and sent on another: the same connection. Packets count where they were seen. */
Test(identity, an_answer_by_another_interface_is_one_connection)
{
    uint32_t second;

    open_with(NULL);
    second = second_interface(0);
    packet_make_tcp(&p, CLIENT, 5000, AUDIT_NODE, 9000, SEGMENT(SYN, 1000));
    audit_feed(&a, AUDIT_TC, &p);
    packet_make_tcp(&p, AUDIT_NODE, 9000, CLIENT, 5000, SEGMENT(SYN | ACK, 5000, 1001));
    audit_feed_on(&a, AUDIT_TX, second, &p);
    for (uint32_t i = 0; i < 20; i++) {
        packet_make_tcp(&p, CLIENT, 5000, AUDIT_NODE, 9000, SEGMENT(ACK, 1001 + i, 5001 + i, 1));
        audit_feed(&a, AUDIT_TC, &p);
        packet_make_tcp(&p, AUDIT_NODE, 9000, CLIENT, 5000, SEGMENT(ACK, 5001 + i, 1002 + i, 1));
        audit_feed_on(&a, AUDIT_TX, second, &p);
    }
    struct qpw_counts sum = AUDIT_SUM(&a, .rule = "s3", .verdict = AUDIT_IS(QPW_VERDICT_ALLOWED));

    cr_expect_eq(sum.connections, 1);
    cr_expect_eq(sum.rx_packets, 21);
    cr_expect_eq(sum.tx_packets, 21);
    cr_expect_eq(AUDIT_SUM(&a, .rule = "s3", .iface = AUDIT_IS(2)).tx_packets, 21);
    cr_expect_eq(AUDIT_SUM(&a, UNEXPECTED).connections, 0);
    audit_close(&a);
}

/* ---- EtherTypes: outcome by the pair of MAC addresses ---- */

#define NODE_MAC "02:00:00:00:00:02"
#define OTHER_MAC "02:00:00:00:00:09"

static void frame(enum audit_hook hook, const char *source, const char *destination, uint16_t type)
{
    packet_opaque(&p, source, destination, type, 60);
    audit_feed(&a, hook, &p);
}

static bool find_ethertype(uint16_t type, uint8_t initiator, uint8_t responder, struct qpw_finding *ret)
{
    struct qpw_finding_key key = {.kind = QPW_KIND_ETHERTYPE, .port = type, .direction = QPW_DIR_NON_IP,
                                  .verdict = QPW_VERDICT_UNEXPECTED, .initiator = {[10] = 2, [15] = initiator},
                                  .responder = {[10] = 2, [15] = responder}};

    return audit_finding_by(&a, &key, ret);
}

Test(identity, ethertypes_both_ways_are_an_exchange)
{
    struct qpw_finding f;

    open_with(NULL);
    for (size_t hook = 0; hook < 2; hook++) {
        uint16_t type = (uint16_t)(0x8915 + hook);

        for (int i = 0; i < 3; i++)
            frame(receiving[hook], OTHER_MAC, NODE_MAC, type);
        cr_assert(find_ethertype(type, 9, 2, &f));
        cr_expect_eq(f.outcome, QPW_OUTCOME_ATTEMPTED);
        frame(AUDIT_TX, NODE_MAC, OTHER_MAC, type);
        cr_assert(find_ethertype(type, 9, 2, &f));
        cr_expect_eq(f.outcome, QPW_OUTCOME_DATA);
        cr_expect(!find_ethertype(type, 2, 9, &f), "one finding, of whoever sent first");
        frame(AUDIT_TX, NODE_MAC, OTHER_MAC, (uint16_t)(type + 0x10)); /* now the node first */
        frame(receiving[hook], OTHER_MAC, NODE_MAC, (uint16_t)(type + 0x10));
        cr_assert(find_ethertype((uint16_t)(type + 0x10), 2, 9, &f));
        cr_expect_eq(f.outcome, QPW_OUTCOME_DATA);
    }
    /* A broadcast does not answer anybody; another pair, or another type, is another exchange. */
    frame(AUDIT_XDP, OTHER_MAC, "ff:ff:ff:ff:ff:ff", 0x8847);
    frame(AUDIT_TX, NODE_MAC, "ff:ff:ff:ff:ff:ff", 0x8847);
    frame(AUDIT_XDP, OTHER_MAC, NODE_MAC, 0x8848);
    frame(AUDIT_TX, NODE_MAC, "02:00:00:00:00:0a", 0x8848);
    frame(AUDIT_TX, NODE_MAC, OTHER_MAC, 0x8849);
    cr_assert(find_ethertype(0x8848, 9, 2, &f));
    cr_expect_eq(f.outcome, QPW_OUTCOME_ATTEMPTED);
    cr_expect_eq(audit_entries(&a, QPW_MAP_answered), 4);
    audit_close(&a);
}

/* A device without MAC addresses: received and sent are the two ends. */
Test(identity, protocols_of_a_layer_3_device_both_ways)
{
    uint32_t second;

    open_with(NULL);
    second = second_interface(QPW_IFACE_L3);
    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){.type = PACKET_LIE(0x8847), .source = "00:00:00:00:00:00",
                                                  .destination = "00:00:00:00:00:00"});
    packet_bytes(&p, NULL, 60);
    packet_finish(&p);
    audit_feed_on(&a, AUDIT_TC, second, &p);
    audit_feed_on(&a, AUDIT_TC, second, &p);
    cr_expect_eq(audit_entries(&a, QPW_MAP_answered), 0);
    audit_feed_on(&a, AUDIT_TX, second, &p);
    cr_expect_eq(audit_entries(&a, QPW_MAP_answered), 1);
    cr_expect_eq(audit_entries(&a, QPW_MAP_findings), 1);
    audit_close(&a);
}

/* ---- TCP: payload both ways without a handshake ---- */

Test(identity, payload_without_a_handshake_is_a_finding)
{
    static const struct {
        uint8_t in, out;
        size_t in_payload, out_payload;
        bool found;
    } ways[] = {
        {RST, RST, 9, 9, true}, {FIN | ACK, FIN | ACK, 9, 9, true}, {SYN | ACK, RST, 0, 9, true},
        {ACK, ACK, 9, 0, true}, {ACK, ACK, 0, 9, true}, {FIN | ACK, RST | ACK, 9, 9, true},
        {SYN | ACK, RST, 0, 0, false}, {SYN | ACK, RST, 9, 0, false}, {ACK, RST, 9, 0, false},
        {FIN | ACK, RST, 0, 0, false}, {RST, RST, 0, 0, false},
    };

    for (int cached = 0; cached < 2; cached++) {
        size_t wanted = 0;

        open_with(&(struct qpw_load_options){.no_cache = !cached});
        for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++)
            for (size_t hook = 0; hook < 2; hook++) {
                uint16_t port = (uint16_t)(7000 + 2 * i + hook);

                for (int k = 0; k < 3; k++) {
                    packet_make_tcp(&p, CLIENT, port, AUDIT_NODE, port, SEGMENT(ways[i].in, 5, 5, ways[i].in_payload));
                    audit_feed(&a, receiving[hook], &p);
                    packet_make_tcp(&p, AUDIT_NODE, port, CLIENT, port, SEGMENT(ways[i].out, 5, 5, ways[i].out_payload));
                    audit_feed(&a, AUDIT_TX, &p);
                }
                cr_expect_eq(audit_tcp(&a, CLIENT, port, port).outcome == QPW_OUTCOME_DATA, ways[i].found, "way %zu", i);
                wanted += ways[i].found;
            }
        cr_expect_eq(wanted, 12);
        cr_expect_eq(audit_entries(&a, QPW_MAP_answered), 1, "between these two: one, whatever the ports");
        cr_expect_eq(audit_entries(&a, QPW_MAP_findings), 0);
        audit_close(&a);
    }
}

/* A port that refuses, but receives payload nevertheless. */
Test(identity, payload_of_refused_connections_counts)
{
    struct qpw_finding f;

    open_with(NULL);
    for (size_t hook = 0; hook < 2; hook++) {
        uint16_t port = (uint16_t)(7000 + hook);

        packet_make_tcp(&p, CLIENT, 5000, AUDIT_NODE, port, SEGMENT(SYN, 1000, 0, 9));
        audit_feed(&a, receiving[hook], &p);
        packet_make_tcp(&p, AUDIT_NODE, port, CLIENT, 5000, SEGMENT(RST | ACK, 0, 1001));
        audit_feed(&a, AUDIT_TX, &p);
        cr_assert(audit_finding(&a, (struct audit_sought){QPW_VERDICT_UNEXPECTED, IN, 6, port, CLIENT, AUDIT_NODE}, &f));
        cr_expect_eq(f.outcome, QPW_OUTCOME_REFUSED);
        packet_make_tcp(&p, AUDIT_NODE, port, CLIENT, 5000, SEGMENT(RST | ACK, 0, 1001, 9));
        audit_feed(&a, AUDIT_TX, &p);
        cr_assert(audit_finding(&a, (struct audit_sought){QPW_VERDICT_UNEXPECTED, IN, 6, port, CLIENT, AUDIT_NODE}, &f));
        cr_expect_eq(f.outcome, QPW_OUTCOME_DATA);
    }
    audit_close(&a);
}
