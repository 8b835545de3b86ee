/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Fragments: the first is counted by its ports, later ones belong to the same exchange, or are undecided. */
#include <bpf/bpf.h>
#include <criterion/criterion.h>
#include <string.h>

#include "audit.h"

#define CLIENT "10.0.0.9"
#define CLIENT6 "fd00::9"
#define IN QPW_DIR_INBOUND
#define OUT QPW_DIR_OUTBOUND
#define WITHOUT_FIRST .verdict = AUDIT_IS(QPW_VERDICT_UNDECIDED), .reason = AUDIT_IS(QPW_REASON_FRAGMENT), \
                      .direction = AUDIT_IS(QPW_DIR_UNKNOWN)

static struct audit a;
static struct packet p;

static void open_with_policy(void)
{
    audit_open(&a, NULL);
    audit_window_over(&a);
    AUDIT_POLICY(&a, NULL, {.name = "nfs", .direction = IN, .protocol = 17, .first = 2049},
                 {.name = "dns", .direction = OUT, .protocol = 17, .first = 53},
                 {.name = "icmp", .protocol = 1, .first = 8, .verdict = QPW_VERDICT_INFRA});
}

static void fragment4(const char *source, const char *destination, uint16_t id, bool first, uint16_t source_port,
                      uint16_t destination_port)
{
    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){0});
    packet_ipv4(&p, &(struct packet_ipv4){.source = source, .destination = destination, .id = id, .protocol = 17,
                                          .more_fragments = first, .fragment_offset = first ? 0 : 1480});
    if (first)
        packet_udp(&p, &(struct packet_udp){.source = source_port, .destination = destination_port,
                                            .payload_bytes = 1472, .length = PACKET_LIE(3000)});
    else
        packet_bytes(&p, NULL, 1000);
    packet_finish(&p);
}

Test(fragments, follow_their_first)
{
    open_with_policy();
    for (uint16_t id = 1; id <= 3; id++) {
        fragment4(CLIENT, AUDIT_NODE, id, true, 900, 2049);
        audit_feed(&a, AUDIT_XDP, &p);
        fragment4(CLIENT, AUDIT_NODE, id, false, 0, 0);
        audit_feed(&a, AUDIT_XDP, &p);
    }
    fragment4(AUDIT_NODE, CLIENT, 77, true, 2049, 900); /* the answer, too */
    audit_feed(&a, AUDIT_TX, &p);
    fragment4(AUDIT_NODE, CLIENT, 77, false, 0, 0);
    audit_feed(&a, AUDIT_TX, &p);
    struct qpw_counts sum = AUDIT_SUM(&a, .rule = "nfs", .verdict = AUDIT_IS(QPW_VERDICT_ALLOWED));

    cr_assert_eq(sum.rx_packets, 6);
    cr_assert_eq(sum.tx_packets, 2);
    cr_assert_eq(sum.connections, 1);
    cr_assert_eq(sum.rx_bytes, 3 * (1514 + 1034));
    audit_close(&a);
}

Test(fragments, without_their_first_are_undecided)
{
    open_with_policy();
    fragment4(CLIENT, AUDIT_NODE, 5, false, 0, 0); /* out of order: before its first */
    audit_feed(&a, AUDIT_XDP, &p);
    cr_assert_eq(AUDIT_PACKETS(&a, WITHOUT_FIRST), 1);
    fragment4(CLIENT, AUDIT_NODE, 5, true, 900, 2049);
    audit_feed(&a, AUDIT_XDP, &p);
    fragment4(CLIENT, AUDIT_NODE, 5, false, 0, 0);
    audit_feed(&a, AUDIT_XDP, &p);
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "nfs"), 2);
    /* Another identification, another sender, the opposite direction: not fragments of that datagram. */
    fragment4(CLIENT, AUDIT_NODE, 6, false, 0, 0);
    audit_feed(&a, AUDIT_XDP, &p);
    fragment4("10.0.0.10", AUDIT_NODE, 5, false, 0, 0);
    audit_feed(&a, AUDIT_XDP, &p);
    fragment4(AUDIT_NODE, CLIENT, 5, false, 0, 0);
    audit_feed(&a, AUDIT_TX, &p);
    cr_assert_eq(AUDIT_PACKETS(&a, WITHOUT_FIRST), 4);
    cr_assert_eq(audit_entries(&a, QPW_MAP_findings), 0);
    /* Expired. */
    struct qpw_frag_key key = {.id = 5, .protocol = 17};
    struct qpw_frag frag;

    audit_address(CLIENT, key.source);
    audit_address(AUDIT_NODE, key.destination);
    cr_assert_eq(bpf_map_lookup_elem(a.kernel.map_fd[QPW_MAP_frags], &key, &frag), 0);
    frag.seen_ns -= a.kernel.control->fragment_ns + 1000000000;
    cr_assert_eq(bpf_map_update_elem(a.kernel.map_fd[QPW_MAP_frags], &key, &frag, BPF_EXIST), 0);
    struct qpw_conn_key pair = audit_key(17, AUDIT_NODE, 0, CLIENT, 0);

    qpw_kernel_touch(&a.kernel, &pair); /* written without the cache's knowledge */
    fragment4(CLIENT, AUDIT_NODE, 5, false, 0, 0);
    audit_feed(&a, AUDIT_XDP, &p);
    cr_assert_eq(AUDIT_PACKETS(&a, WITHOUT_FIRST), 5);
    audit_close(&a);
}

Test(fragments, of_what_has_no_ports_need_no_first)
{
    open_with_policy();
    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){0});
    packet_ipv4(&p, &(struct packet_ipv4){.source = CLIENT, .destination = AUDIT_NODE, .id = 1, .protocol = 50,
                                          .fragment_offset = 1480});
    packet_bytes(&p, NULL, 100);
    packet_finish(&p);
    audit_feed(&a, AUDIT_XDP, &p);
    cr_assert_eq(AUDIT_PACKETS(&a, .verdict = AUDIT_IS(QPW_VERDICT_UNEXPECTED), .protocol = AUDIT_IS(50)), 1);
    audit_close(&a);
}

Test(fragments, of_icmp_keep_their_type)
{
    open_with_policy();
    for (int later = 0; later < 2; later++) {
        packet_start(&p);
        packet_ethernet(&p, &(struct packet_ethernet){0});
        packet_ipv4(&p, &(struct packet_ipv4){.source = CLIENT, .destination = AUDIT_NODE, .id = 1, .protocol = 1,
                                              .more_fragments = !later, .fragment_offset = later ? 1480 : 0});
        if (later)
            packet_bytes(&p, NULL, 100);
        else
            packet_icmp(&p, &(struct packet_icmp){.type = 8, .payload_bytes = 1472});
        packet_finish(&p);
        audit_feed(&a, AUDIT_XDP, &p);
    }
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "icmp", .port = AUDIT_IS(8)), 2);
    audit_close(&a);
}

static void fragment6(uint32_t id, bool first, uint8_t next, bool with_options)
{
    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){0});
    packet_ipv6(&p, &(struct packet_ipv6){.source = CLIENT6, .destination = AUDIT_NODE6});
    packet_fragment6(&p, &(struct packet_fragment6){.id = id, .more = first, .offset = first ? 0 : 1448,
                                                    .next = next});
    if (first && with_options)
        packet_extension(&p, &(struct packet_extension){.type = 60});
    if (first)
        packet_udp(&p, &(struct packet_udp){.source = 900, .destination = 2049, .payload_bytes = 1440,
                                            .length = PACKET_LIE(3000)});
    else
        packet_bytes(&p, NULL, 500);
    packet_finish(&p);
}

Test(fragments, of_ipv6)
{
    open_with_policy();
    fragment6(1, true, 17, false);
    audit_feed(&a, AUDIT_TC, &p);
    fragment6(1, false, 17, false);
    audit_feed(&a, AUDIT_TC, &p);
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "nfs"), 2);
    /* Only the first has options after the fragment header, but the later ones announce them as well. */
    fragment6(2, true, 60, true);
    audit_feed(&a, AUDIT_TC, &p);
    fragment6(2, false, 60, false);
    audit_feed(&a, AUDIT_TC, &p);
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "nfs"), 4);
    fragment6(3, false, 60, false);
    audit_feed(&a, AUDIT_TC, &p);
    fragment6(0x10001, false, 17, false); /* all 32 bits of the identification count */
    audit_feed(&a, AUDIT_TC, &p);
    cr_assert_eq(AUDIT_PACKETS(&a, WITHOUT_FIRST), 2);
    audit_close(&a);
}

Test(fragments, atomic_ones_are_whole)
{
    open_with_policy();
    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){0});
    packet_ipv6(&p, &(struct packet_ipv6){.source = CLIENT6, .destination = AUDIT_NODE6});
    packet_fragment6(&p, &(struct packet_fragment6){.id = 1});
    packet_udp(&p, &(struct packet_udp){.source = 900, .destination = 2049, .payload_bytes = 10});
    packet_finish(&p);
    audit_feed(&a, AUDIT_XDP, &p);
    audit_feed(&a, AUDIT_TC, &p);
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "nfs"), 2);
    cr_assert_eq(audit_entries(&a, QPW_MAP_frags), 0);
    audit_close(&a);
}

Test(fragments, a_flood_of_firsts_is_bounded)
{
    open_with_policy();
    for (uint32_t i = 0; i < 20000; i++) {
        fragment4(CLIENT, AUDIT_NODE, (uint16_t)i, true, 900, 2049);
        p.data[14 + 14] = (uint8_t)(i >> 8); /* 10.0.n.9 */
        audit_feed(&a, AUDIT_XDP, &p);
    }
    cr_assert_leq(audit_entries(&a, QPW_MAP_frags), 3072);
    fragment4(CLIENT, AUDIT_NODE, 60000, true, 900, 2049);
    audit_feed(&a, AUDIT_XDP, &p);
    fragment4(CLIENT, AUDIT_NODE, 60000, false, 0, 0);
    audit_feed(&a, AUDIT_XDP, &p);
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "nfs"), 20002);
    audit_close(&a);
}
