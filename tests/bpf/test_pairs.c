/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The counts of a peer's packets as seen between two nodes: static addresses, floating ones and groups separately; and
 * who opens in its name.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "audit.h"
#include "snapshot/samples.h"

TestSuite(pairs, .timeout = 300);

#define PEER "10.0.0.2"
#define FLOATING "10.0.0.50"
static const char *const peers[] = {PEER, NULL};
#define SMB {"smb", QPW_DIR_INBOUND, 6, 445}

static void expect_rows(struct audit *a, enum qpw_apart apart, uint64_t rx, uint64_t tx)
{
    struct audit_row rows[64];
    size_t n = audit_rows(a, rows, 64);
    uint64_t got_rx = 0, got_tx = 0;

    for (size_t i = 0; i < n; i++)
        if (rows[i].key.peer && rows[i].key.apart == apart) {
            got_rx += rows[i].counts.rx_packets;
            got_tx += rows[i].counts.tx_packets;
            cr_expect_eq(qpw_meter_is_pair(&rows[i].key), apart == QPW_APART_NONE);
        }
    cr_expect_eq(got_rx, rx, "apart %u: rx %lu", apart, got_rx);
    cr_expect_eq(got_tx, tx, "apart %u: tx %lu", apart, got_tx);
}

static void feed_udp(struct audit *a, enum audit_hook hook, const char *from, const char *to)
{
    struct packet p;

    packet_make_udp(&p, from, 5000, to, 5001, 20);
    audit_feed(a, hook, &p);
}

Test(pairs, floating_addresses_and_groups_are_counted_apart)
{
    struct audit a;
    uint8_t floating[16];

    audit_open(&a, NULL);
    AUDIT_POLICY(&a, peers, SMB);
    audit_address(FLOATING, floating);
    cr_assert_eq(qpw_kernel_set_local(&a.kernel, floating, 128, QPW_LOCAL_ADDRESS | QPW_LOCAL_FLOATING, true), 0);
    cr_expect(qpw_local_floats(&a.kernel, floating));
    audit_handshake_in(&a, PEER, 40000, 445);
    audit_handshake_out(&a, PEER, 445, 40001);
    expect_rows(&a, QPW_APART_NONE, 3, 3);
    feed_udp(&a, AUDIT_XDP, PEER, FLOATING);
    feed_udp(&a, AUDIT_TX, FLOATING, PEER);
    feed_udp(&a, AUDIT_TX, FLOATING, PEER);
    expect_rows(&a, QPW_APART_FLOATING, 1, 2);
    feed_udp(&a, AUDIT_XDP, PEER, "224.0.0.251");
    feed_udp(&a, AUDIT_TX, AUDIT_NODE, "224.0.0.251"); /* to a group: the remote end is not a peer */
    expect_rows(&a, QPW_APART_GROUP, 1, 0);
    expect_rows(&a, QPW_APART_NONE, 3, 3);
    cr_assert_eq(qpw_kernel_set_local(&a.kernel, floating, 128, QPW_LOCAL_ADDRESS, true), 0);
    feed_udp(&a, AUDIT_XDP, PEER, FLOATING);
    expect_rows(&a, QPW_APART_NONE, 4, 3);
    audit_close(&a);
}

/* A frame for a group of cards with a unicast address does not move its connection; a multicast exchange has no other. */
Test(pairs, a_group_is_judged_again_with_its_connection)
{
    struct audit a;

    audit_open(&a, NULL);
    AUDIT_POLICY(&a, NULL, SMB);
    feed_udp(&a, AUDIT_XDP, PEER, "224.0.0.251");
    cr_expect_eq(AUDIT_SUM(&a, .verdict = AUDIT_IS(QPW_VERDICT_PEER)).connections, 0);
    AUDIT_POLICY(&a, peers, SMB);
    for (int i = 0; i < 2; i++)
        feed_udp(&a, AUDIT_XDP, PEER, "224.0.0.251");
    cr_expect_eq(AUDIT_SUM(&a, .verdict = AUDIT_IS(QPW_VERDICT_PEER)).connections, 1);
    cr_expect_eq(AUDIT_SUM(&a).connections, 1);
    expect_rows(&a, QPW_APART_GROUP, 2, 0);
    audit_close(&a);
}

Test(pairs, an_answer_to_a_group_is_sent_to_the_peer_alone)
{
    struct packet p;
    struct audit a;

    audit_open(&a, NULL);
    AUDIT_POLICY(&a, peers, SMB);
    audit_window_over(&a);
    feed_udp(&a, AUDIT_XDP, PEER, "224.0.0.251");
    packet_make_udp(&p, AUDIT_NODE, 5001, PEER, 5000, 20);
    audit_feed(&a, AUDIT_TX, &p);
    expect_rows(&a, QPW_APART_GROUP, 1, 0);
    expect_rows(&a, QPW_APART_NONE, 0, 1);
    audit_close(&a);
}

static void syn_from(struct audit *a, const char *mac, uint16_t port)
{
    struct packet p;

    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){.source = mac});
    packet_ipv4(&p, &(struct packet_ipv4){.source = PEER, .destination = AUDIT_NODE});
    packet_tcp(&p, &(struct packet_tcp){.source = port, .destination = 445, .flags = PACKET_SYN});
    packet_finish(&p);
    audit_feed(a, AUDIT_XDP, &p);
}

static unsigned noted(const struct qpw_openers *o, uint8_t last_byte)
{
    unsigned n = 0;

    for (size_t i = 0; i < QPW_OPENERS; i++)
        n += o->of[i].last_ns && o->of[i].mac[5] == last_byte;
    return n;
}

Test(pairs, four_macs_that_open_in_a_peers_name_are_kept)
{
    struct qpw_openers *openers;
    char mac[24];
    struct audit a;

    audit_open(&a, NULL);
    AUDIT_POLICY(&a, peers, SMB);
    for (unsigned i = 1; i <= 4; i++) {
        snprintf(mac, sizeof(mac), "02:00:00:00:01:%02x", i);
        syn_from(&a, mac, (uint16_t)(40000 + i));
        syn_from(&a, mac, (uint16_t)(41000 + i));
    }
    audit_rx_tcp(&a, "10.0.0.9", 40000, 445, SEGMENT(PACKET_SYN, 1)); /* no peer */
    cr_assert_eq(qpw_openers_read(&a.kernel, &openers), 0);
    for (uint8_t i = 1; i <= 4; i++)
        cr_expect_eq(noted(&openers[1], i), 1, "%u", i);
    free(openers);
    syn_from(&a, "02:00:00:00:01:05", 42000);
    cr_assert_eq(qpw_openers_read(&a.kernel, &openers), 0);
    cr_expect_eq(noted(&openers[1], 5), 1, "the oldest makes room");
    free(openers);
    audit_close(&a);
}
