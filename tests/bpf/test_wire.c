/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A merged buffer counts as the frames that it represents, on the slow path and from the cache. */
#include <criterion/criterion.h>

#include "audit.h"

#define CLIENT "10.0.0.9"
#define HEADERS 54u

static struct audit a;
static struct packet p;

static void open_with_connection(void)
{
    audit_open(&a, NULL);
    AUDIT_POLICY(&a, NULL, {.name = "smb", .direction = QPW_DIR_INBOUND, .protocol = 6, .first = 445},
                 {.name = "nfs", .direction = QPW_DIR_INBOUND, .protocol = 17, .first = 2049});
    audit_handshake_in(&a, CLIENT, 900, 445);
    audit_rx_tcp(&a, CLIENT, 900, 445, SEGMENT(PACKET_ACK, 1001, 5001, 1));
}

/* Feed it four times, so that the cache answers for the last ones. */
static void feed_merged(enum audit_hook hook, struct audit_merged m)
{
    for (int i = 0; i < 4; i++)
        audit_feed_merged(&a, hook, &p, &m);
}

Test(wire, sent_buffers_by_the_hooks_own_figures)
{
    open_with_connection();
    packet_make_tcp(&p, AUDIT_NODE, 445, CLIENT, 900, SEGMENT(PACKET_ACK, 5001, 1002, 2500));
    feed_merged(AUDIT_TX, (struct audit_merged){.gso_size = 1000, .gso_segs = 3, .wire_len = 2500 + 3 * HEADERS,
                                                .frames = 3, .bytes = 2500 + 3 * HEADERS});
    struct qpw_counts sum = AUDIT_SUM(&a, .rule = "smb");

    cr_assert_eq(sum.tx_packets, 1 + 4 * 3);
    cr_assert_eq(sum.tx_bytes, 54 + 4 * (2500 + 3 * HEADERS));
    audit_close(&a);
}

Test(wire, received_buffers_by_segments)
{
    open_with_connection();
    packet_make_tcp(&p, CLIENT, 900, AUDIT_NODE, 445, SEGMENT(PACKET_ACK, 1002, 5001, 2500));
    feed_merged(AUDIT_TC, (struct audit_merged){.gso_size = 1000, .gso_segs = 3, .frames = 3,
                                                .bytes = 2500 + 3 * HEADERS});
    audit_close(&a);
}

Test(wire, received_buffers_that_do_not_say_how_many)
{
    open_with_connection();
    packet_make_tcp(&p, CLIENT, 900, AUDIT_NODE, 445, SEGMENT(PACKET_ACK, 1002, 5001, 2500));
    feed_merged(AUDIT_TC, (struct audit_merged){.gso_size = 1000, .frames = 3, .bytes = 2500 + 3 * HEADERS});
    packet_make_tcp(&p, CLIENT, 900, AUDIT_NODE, 445, SEGMENT(PACKET_ACK, 3502, 5001, 2000));
    feed_merged(AUDIT_TC, (struct audit_merged){.gso_size = 1000, .frames = 2, .bytes = 2000 + 2 * HEADERS});
    packet_make_tcp(&p, CLIENT, 900, AUDIT_NODE, 445, SEGMENT(PACKET_ACK, 5502, 5001, 1));
    feed_merged(AUDIT_TC, (struct audit_merged){.gso_size = 1000, .frames = 1, .bytes = 1 + HEADERS});
    audit_close(&a);
}

Test(wire, options_tags_and_udp)
{
    static const uint8_t nops[12] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};

    open_with_connection();
    packet_start(&p); /* tag, TCP options: each segment has them */
    packet_ethernet(&p, &(struct packet_ethernet){0});
    packet_vlan(&p, 0x8100, 200);
    packet_ipv4(&p, &(struct packet_ipv4){.source = CLIENT, .destination = AUDIT_NODE});
    packet_tcp(&p, &(struct packet_tcp){.source = 900, .destination = 445, .flags = PACKET_ACK, .seq = 1002,
                                        .ack = 5001, .options = nops, .options_bytes = 12, .payload_bytes = 2800});
    packet_finish(&p);
    feed_merged(AUDIT_TC, (struct audit_merged){.gso_size = 1400, .gso_segs = 2, .frames = 2,
                                                .bytes = 2800 + 2 * (HEADERS + 4 + 12)});
    packet_make_udp(&p, CLIENT, 900, AUDIT_NODE, 2049, 3000);
    feed_merged(AUDIT_TC, (struct audit_merged){.gso_size = 1000, .gso_segs = 3, .frames = 3, .bytes = 3000 + 3 * 42});
    cr_assert_eq(AUDIT_PACKETS(&a, .direction = AUDIT_IS(QPW_DIR_UNDECODABLE)), 0);
    audit_close(&a);
}

Test(wire, ordinary_frames_count_what_they_are)
{
    open_with_connection();
    for (size_t payload = 1; payload < 1460; payload += 97) {
        packet_make_tcp(&p, CLIENT, 900, AUDIT_NODE, 445, SEGMENT(PACKET_ACK, 1002, 5001, payload));
        audit_feed(&a, AUDIT_XDP, &p);
        audit_feed(&a, AUDIT_TC, &p);
        packet_make_tcp(&p, AUDIT_NODE, 445, CLIENT, 900, SEGMENT(PACKET_ACK, 5001, 1002, payload));
        audit_feed(&a, AUDIT_TX, &p);
    }
    packet_make_tcp(&p, CLIENT, 900, AUDIT_NODE, 445, SEGMENT(PACKET_ACK, 1002, 5001, 1));
    packet_pad(&p, 1200); /* as the hook sees it: padding after the IP packet was on the wire, too */
    audit_feed(&a, AUDIT_XDP, &p);
    audit_close(&a);
}
