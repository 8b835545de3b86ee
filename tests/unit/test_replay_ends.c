/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Finding the node's end of a frame, and duplicate frames. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "packet.h"
#include "replay/dedup.h"
#include "replay/ends.h"

static struct packet p;
static struct qpw_ends ends;
static struct qpw_error err;

static bool is_tx(enum qpw_capture_direction said)
{
    struct qpw_ends_packet packet;

    qpw_ends_parse(p.data, (uint32_t)p.length, (uint32_t)p.length, &packet);
    return qpw_ends_is_tx(&ends, &packet, said);
}

Test(ends, addresses_come_before_what_the_capture_says)
{
    cr_assert_eq(qpw_ends_add(&ends, "10.0.0.0/24", &err), 0);
    cr_assert_eq(qpw_ends_add(&ends, "fd00::2", &err), 0);
    packet_make_udp(&p, "10.0.0.7", 1, "10.0.1.1", 2, 0);
    cr_assert(is_tx(QPW_CAPTURE_UNSAID));
    cr_assert(is_tx(QPW_CAPTURE_RX));
    packet_make_udp(&p, "10.0.1.1", 1, "10.0.0.255", 2, 0);
    cr_assert_not(is_tx(QPW_CAPTURE_TX));
    packet_make_udp(&p, "fd00::2", 1, "fd00::3", 2, 0);
    cr_assert(is_tx(QPW_CAPTURE_UNSAID));
    packet_make_udp(&p, "fd00::3", 1, "fd00::4", 2, 0);
    cr_assert_not(is_tx(QPW_CAPTURE_UNSAID));
    cr_assert(is_tx(QPW_CAPTURE_TX));
    cr_assert_eq(ends.n_talkers, 2);
}

Test(ends, bad_locals_are_refused)
{
    cr_assert_eq(qpw_ends_add(&ends, "10.0.0.1/24", &err), -EINVAL);
    cr_assert_eq(qpw_ends_add(&ends, "10.0.0.0/33", &err), -EINVAL);
    cr_assert_eq(qpw_ends_add(&ends, "node1", &err), -EINVAL);
    for (unsigned i = 0; i < QPW_ENDS_MAX_LOCALS; i++)
        cr_assert_eq(qpw_ends_add(&ends, "10.0.0.1", &err), 0);
    cr_assert_eq(qpw_ends_add(&ends, "10.0.0.1", &err), -E2BIG);
}

static void arp(const char *source_mac)
{
    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){.source = source_mac, .destination = "ff:ff:ff:ff:ff:ff"});
    packet_arp(&p, &(struct packet_arp){.sender = "10.0.0.7", .target = "10.0.0.8"});
    packet_finish(&p);
}

Test(ends, frames_without_addresses_by_the_cards_that_the_node_used)
{
    qpw_ends_add(&ends, "10.0.0.7", &err);
    arp("02:00:00:00:00:01");
    cr_assert_not(is_tx(QPW_CAPTURE_UNSAID));
    packet_make_udp(&p, "10.0.0.7", 1, "10.0.1.1", 2, 0); /* from 02:00:00:00:00:01 */
    cr_assert(is_tx(QPW_CAPTURE_UNSAID));
    arp("02:00:00:00:00:01");
    cr_assert(is_tx(QPW_CAPTURE_UNSAID));
    arp("02:00:00:00:00:09");
    cr_assert_not(is_tx(QPW_CAPTURE_UNSAID));
    packet_make_udp(&p, "0.0.0.0", 68, "255.255.255.255", 67, 0);
    cr_assert(is_tx(QPW_CAPTURE_UNSAID));
    /* The card also sends for others, as a router does, so it no longer identifies the node. */
    packet_make_udp(&p, "10.5.0.1", 1, "10.6.0.1", 2, 0);
    cr_assert_not(is_tx(QPW_CAPTURE_UNSAID));
    arp("02:00:00:00:00:01");
    cr_assert_not(is_tx(QPW_CAPTURE_UNSAID));
}

Test(ends, network_header_is_found_behind_tags)
{
    struct qpw_ends_packet packet;

    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){0});
    packet_vlan(&p, 0x88a8, 5);
    packet_vlan(&p, 0x8100, 6);
    packet_ipv4(&p, &(struct packet_ipv4){.source = "10.0.0.1", .destination = "10.0.0.2"});
    packet_udp(&p, &(struct packet_udp){.source = 1, .destination = 2});
    packet_finish(&p);
    qpw_ends_parse(p.data, (uint32_t)p.length, (uint32_t)p.length, &packet);
    cr_assert_eq(packet.network_offset, 22);
    cr_assert(packet.has_addresses);
    for (uint32_t cut = 0; cut < 22 + 20; cut++) { /* no reads out of bounds (sanitizers) */
        uint8_t *exact = malloc(cut ? cut : 1);

        memcpy(exact, p.data, cut);
        qpw_ends_parse(exact, cut, (uint32_t)p.length, &packet);
        cr_assert_not(packet.has_addresses, "cut at %u", cut);
        free(exact);
    }
}

Test(dedup, copies_within_a_millisecond_only)
{
    static struct qpw_dedup d;
    uint8_t ip[60] = {0x45};

    cr_assert_not(qpw_dedup_is_copy(&d, ip, 60, 60, 1000000000));
    cr_assert(qpw_dedup_is_copy(&d, ip, 60, 60, 1000900000));
    cr_assert_not(qpw_dedup_is_copy(&d, ip, 60, 60, 1002000000));
    cr_assert(qpw_dedup_is_copy(&d, ip, 60, 60, 1001999000)); /* the other interface's clock was read earlier */
    cr_assert_not(qpw_dedup_is_copy(&d, ip, 60, 61, 1002000000));
    ip[59] = 1;
    cr_assert_not(qpw_dedup_is_copy(&d, ip, 60, 60, 1002000000));
    cr_assert_not(qpw_dedup_suspicious(&d));
    for (unsigned i = 0; i < 100; i++) {
        ip[4] = (uint8_t)i;
        qpw_dedup_is_copy(&d, ip, 60, 60, 2000000000ull + i * 5000000ull);
        qpw_dedup_is_copy(&d, ip, 60, 60, 2000000000ull + i * 5000000ull + 10000);
    }
    cr_assert_eq(d.copies, 102);
    cr_assert(qpw_dedup_suspicious(&d));
}
