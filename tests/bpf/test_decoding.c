/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Headers that an attacker inserts to hide a packet: what follows them is judged, in both hooks. */
#include <criterion/criterion.h>

#include "audit.h"

#define PEER "10.0.0.70"
#define CLIENT "fd00::9"
#define IN QPW_DIR_INBOUND
#define OUT QPW_DIR_OUTBOUND

static struct audit a;
static struct packet p;

static const enum audit_hook receiving[] = {AUDIT_XDP, AUDIT_TC};

static void open_with_policy(void)
{
    static const char *const peers[] = {PEER, NULL};

    audit_open(&a, NULL);
    audit_window_over(&a);
    AUDIT_POLICY(&a, peers, {.name = "nfs", .direction = IN, .protocol = 17, .first = 2049},
                 {.name = "mobility", .direction = IN, .protocol = 135},
                 {.name = "icmp6", .protocol = 58, .first = 1, .last = 4, .verdict = QPW_VERDICT_INFRA});
}

static void udp_behind(const char *source, const char *destination, unsigned extensions, size_t bytes,
                       uint16_t source_port, uint16_t destination_port)
{
    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){0});
    packet_ipv6(&p, &(struct packet_ipv6){.source = source, .destination = destination});
    for (unsigned i = 0; i < extensions; i++)
        packet_extension(&p, &(struct packet_extension){.type = 60, .bytes = bytes});
    packet_udp(&p, &(struct packet_udp){.source = source_port, .destination = destination_port, .payload_bytes = 9});
    packet_finish(&p);
}

/* A server that answers through any of these is found, and the answer is not taken for a request. */
Test(decoding, extension_headers_hide_no_answer)
{
    static const struct {
        unsigned extensions;
        size_t bytes;
    } chains[] = {{0, 8}, {2, 8}, {3, 8}, {9, 8}, {16, 8}, {1, 448}, {1, 1024}, {16, 64}, {2, 512}};
    uint16_t port = 4444;

    open_with_policy();
    for (size_t hook = 0; hook < 2; hook++)
        for (size_t i = 0; i < sizeof(chains) / sizeof(*chains); i++, port++) {
            struct qpw_finding f;

            udp_behind(CLIENT, AUDIT_NODE6, chains[i].extensions, chains[i].bytes, 5000, port);
            audit_feed(&a, receiving[hook], &p);
            packet_make_udp(&p, AUDIT_NODE6, port, CLIENT, 5000, 9);
            audit_feed(&a, AUDIT_TX, &p);
            cr_assert(audit_finding(&a, (struct audit_sought){QPW_VERDICT_UNEXPECTED, IN, 17, port, CLIENT, AUDIT_NODE6}, &f),
                      "%u headers of %zu bytes", chains[i].extensions, chains[i].bytes);
            cr_expect_eq(f.outcome, QPW_OUTCOME_DATA);
        }
    cr_expect_eq(AUDIT_PACKETS(&a, .direction = AUDIT_IS(QPW_DIR_UNDECODABLE)), 0);
    audit_close(&a);
}

/* Beyond the limit nothing is followed, and the reason is given. */
Test(decoding, what_lies_further_is_undecodable)
{
    open_with_policy();
    for (size_t hook = 0; hook < 2; hook++) {
        udp_behind(CLIENT, AUDIT_NODE6, 17, 8, 5000, 4444);
        audit_feed(&a, receiving[hook], &p);
        udp_behind(CLIENT, AUDIT_NODE6, 2, 520, 5000, 4444);
        audit_feed(&a, receiving[hook], &p);
    }
    cr_expect_eq(AUDIT_PACKETS(&a, .direction = AUDIT_IS(QPW_DIR_UNDECODABLE),
                               .reason = AUDIT_IS(QPW_REASON_EXT_DEPTH)), 2);
    cr_expect_eq(AUDIT_PACKETS(&a, .direction = AUDIT_IS(QPW_DIR_UNDECODABLE),
                               .reason = AUDIT_IS(QPW_REASON_HEADER_OFFSET)), 2);
    audit_close(&a);
}

/* Mobility, HIP and Shim6 are protocols: a rule for one matches, and without it they are unexpected as such. */
Test(decoding, headers_that_are_protocols)
{
    static const uint8_t types[] = {135, 139, 140};

    open_with_policy();
    for (size_t hook = 0; hook < 2; hook++)
        for (size_t i = 0; i < sizeof(types); i++) {
            packet_start(&p);
            packet_ethernet(&p, &(struct packet_ethernet){0});
            packet_ipv6(&p, &(struct packet_ipv6){.source = CLIENT, .destination = AUDIT_NODE6});
            packet_extension(&p, &(struct packet_extension){.type = 60});
            packet_extension(&p, &(struct packet_extension){.type = types[i], .next = 17, .bytes = 16});
            packet_bytes(&p, NULL, 16);
            packet_finish(&p);
            audit_feed(&a, receiving[hook], &p);
        }
    cr_expect_eq(AUDIT_PACKETS(&a, .rule = "mobility", .protocol = AUDIT_IS(135)), 2);
    cr_expect_eq(AUDIT_PACKETS(&a, .protocol = AUDIT_IS(139), .verdict = AUDIT_IS(QPW_VERDICT_UNEXPECTED)), 2);
    cr_expect_eq(AUDIT_PACKETS(&a, .protocol = AUDIT_IS(140), .verdict = AUDIT_IS(QPW_VERDICT_UNEXPECTED)), 2);
    /* No other header follows these, so a later fragment is judged without its first. */
    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){0});
    packet_ipv6(&p, &(struct packet_ipv6){.source = CLIENT, .destination = AUDIT_NODE6});
    packet_fragment6(&p, &(struct packet_fragment6){.id = 9, .offset = 800, .next = 135});
    packet_bytes(&p, NULL, 40);
    packet_finish(&p);
    audit_feed(&a, AUDIT_XDP, &p);
    cr_expect_eq(AUDIT_PACKETS(&a, .rule = "mobility", .protocol = AUDIT_IS(135)), 3);
    audit_close(&a);
}

/* ::ffff:a.b.c.d in an IPv6 header is not a valid address: neither a peer's, nor a client's, nor the node's. */
Test(decoding, mapped_addresses_are_nobodys)
{
    static const struct {
        enum audit_hook hook;
        const char *source, *destination;
    } ways[] = {
        {AUDIT_XDP, "::ffff:" PEER, AUDIT_NODE6}, {AUDIT_TC, "::ffff:" PEER, AUDIT_NODE6},
        {AUDIT_XDP, "::ffff:" PEER, "::ffff:" AUDIT_NODE}, {AUDIT_TC, CLIENT, "::ffff:" AUDIT_NODE},
        {AUDIT_TX, AUDIT_NODE6, "::ffff:" PEER}, {AUDIT_TX, "::ffff:" AUDIT_NODE, CLIENT},
    };

    open_with_policy();
    audit_rx_udp(&a, PEER, 5000, 4444);
    for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
        udp_behind(ways[i].source, ways[i].destination, 0, 8, 5000, 4444);
        audit_feed(&a, ways[i].hook, &p);
        udp_behind(ways[i].source, ways[i].destination, 3, 8, 5000, 4444);
        audit_feed(&a, ways[i].hook, &p);
    }
    cr_expect_eq(AUDIT_PACKETS(&a, .direction = AUDIT_IS(QPW_DIR_UNDECODABLE), .reason = AUDIT_IS(QPW_REASON_MAPPED),
                               .verdict = AUDIT_IS(QPW_VERDICT_UNDECIDED), .scope = AUDIT_IS(QPW_SCOPE_OTHER)),
                 2 * sizeof(ways) / sizeof(*ways));
    cr_expect_eq(AUDIT_PACKETS(&a, .verdict = AUDIT_IS(QPW_VERDICT_PEER)), 1, "the one over IPv4");
    audit_close(&a);
}

/* Nor may an ICMPv6 error about such a packet refuse the IPv4 exchange with the same addresses. */
Test(decoding, a_quoted_mapped_address_refuses_nothing)
{
    struct qpw_finding f;

    open_with_policy();
    audit_tx_udp(&a, "10.0.0.9", 8888, 5000);
    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){0});
    packet_ipv6(&p, &(struct packet_ipv6){.source = CLIENT, .destination = AUDIT_NODE6});
    packet_icmp(&p, &(struct packet_icmp){.type = 1, .code = 4});
    packet_ipv6(&p, &(struct packet_ipv6){.source = "::ffff:" AUDIT_NODE, .destination = "::ffff:10.0.0.9"});
    packet_udp(&p, &(struct packet_udp){.source = 5000, .destination = 8888});
    packet_finish(&p);
    for (size_t hook = 0; hook < 2; hook++)
        audit_feed(&a, receiving[hook], &p);
    cr_assert(audit_finding(&a, (struct audit_sought){QPW_VERDICT_UNEXPECTED, OUT, 17, 8888, AUDIT_NODE, "10.0.0.9"}, &f));
    cr_expect_eq(f.outcome, QPW_OUTCOME_ATTEMPTED);
    audit_close(&a);
}

/* A first fragment that ends within the options of its TCP header opens a connection as any SYN does. */
Test(decoding, the_syn_of_a_fragment_is_a_syn)
{
    open_with_policy();
    for (size_t hook = 0; hook < 2; hook++) {
        uint16_t port = (uint16_t)(4444 + hook);

        packet_start(&p);
        packet_ethernet(&p, &(struct packet_ethernet){0});
        packet_ipv4(&p, &(struct packet_ipv4){.source = "10.0.0.9", .destination = AUDIT_NODE, .id = 7,
                                              .more_fragments = true});
        packet_tcp(&p, &(struct packet_tcp){.source = 5000, .destination = port, .flags = PACKET_SYN, .seq = 1000,
                                            .doff = PACKET_LIE(10)});
        packet_finish(&p);
        audit_feed(&a, receiving[hook], &p);
        audit_tx_tcp(&a, "10.0.0.9", 5000, port, SEGMENT(PACKET_SYN | PACKET_ACK, 5000, 1001));
        audit_rx_tcp(&a, "10.0.0.9", 5000, port, SEGMENT(PACKET_ACK, 1001, 5001));
        cr_expect_eq(audit_tcp(&a, "10.0.0.9", 5000, port).state, QPW_STATE_ESTABLISHED);
    }
    audit_close(&a);
}
