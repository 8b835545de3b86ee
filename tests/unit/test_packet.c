/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The packet builder: known frames byte for byte, checksums by their own definition. */
#include <criterion/criterion.h>
#include <string.h>

#include "packet.h"

static unsigned get16(const uint8_t *at)
{
    return (unsigned)(at[0] << 8 | at[1]);
}

/* One's complement sum of 16-bit words, carries folded: 0xffff over anything with a right checksum in it. */
static unsigned complement_sum(const uint8_t *at, size_t bytes, unsigned start)
{
    unsigned sum = start;

    for (size_t i = 0; i < bytes; i += 2)
        sum += (unsigned)(at[i] << 8) | (i + 1 < bytes ? at[i + 1] : 0);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

Test(packet, tcp_syn_has_right_lengths_and_checksums)
{
    static struct packet p;

    packet_make_tcp(&p, "10.0.0.1", 40000, "10.0.0.2", 445, SEGMENT(PACKET_SYN, 7, 0, 3));
    cr_assert_eq(p.length, 14 + 20 + 20 + 3);
    cr_assert_eq(get16(p.data + 12), 0x0800);
    cr_assert_eq(get16(p.data + 16), 43);
    cr_assert_eq(p.data[14], 0x45);
    cr_assert_eq(p.data[23], 6);
    cr_assert_eq(complement_sum(p.data + 14, 20, 0), 0xffff);
    unsigned pseudo = complement_sum(p.data + 26, 8, 6 + 23);
    cr_assert_eq(complement_sum(p.data + 34, 23, pseudo), 0xffff);
    cr_assert_eq(get16(p.data + 34), 40000);
    cr_assert_eq(p.data[47], PACKET_SYN);
}

Test(packet, layers_announce_what_follows)
{
    static struct packet p;

    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){0});
    packet_vlan(&p, 0x88a8, 100);
    packet_vlan(&p, 0x8100, 200);
    packet_ipv6(&p, &(struct packet_ipv6){.source = "fd00::1", .destination = "fd00::2"});
    packet_extension(&p, &(struct packet_extension){.type = 0, .bytes = 16});
    packet_fragment6(&p, &(struct packet_fragment6){.offset = 0, .more = true, .id = 5});
    packet_udp(&p, &(struct packet_udp){.source = 1, .destination = 2, .payload_bytes = 10});
    packet_finish(&p);
    cr_assert_eq(get16(p.data + 12), 0x88a8);
    cr_assert_eq(get16(p.data + 14), 100);
    cr_assert_eq(get16(p.data + 16), 0x8100);
    cr_assert_eq(get16(p.data + 20), 0x86dd);
    uint8_t *ip = packet_at(&p, 3);
    cr_assert_eq(ip - p.data, 22);
    cr_assert_eq(get16(ip + 4), 16 + 8 + 18);
    cr_assert_eq(ip[6], 0);
    cr_assert_eq(ip[40], 44);
    cr_assert_eq(ip[41], 1);
    cr_assert_eq(ip[56], 17);
    cr_assert_eq(get16(ip + 58), 1);
    cr_assert_eq(get16(packet_at(&p, 6) + 4), 18);
}

Test(packet, lies_are_told_as_asked)
{
    static struct packet p;

    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){0});
    packet_ipv4(&p, &(struct packet_ipv4){.source = "1.2.3.4", .destination = "5.6.7.8", .ihl = PACKET_LIE(3),
                                          .length = PACKET_LIE(9)});
    packet_tcp(&p, &(struct packet_tcp){.doff = PACKET_LIE(2)});
    packet_finish(&p);
    cr_assert_eq(p.data[14], 0x43);
    cr_assert_eq(get16(p.data + 16), 9);
    cr_assert_eq(p.data[46], 0x20);
    packet_cut(&p, 30);
    cr_assert_eq(p.length, 30);
    packet_pad(&p, 60);
    cr_assert_eq(p.length, 60);
    cr_assert_eq(p.data[59], 0);
}

Test(packet, quoted_packet_and_llc)
{
    static struct packet p;

    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){0});
    packet_ipv4(&p, &(struct packet_ipv4){.source = "10.0.0.9", .destination = "10.0.0.1"});
    packet_icmp(&p, &(struct packet_icmp){.type = 3, .code = 3});
    packet_ipv4(&p, &(struct packet_ipv4){.source = "10.0.0.1", .destination = "10.0.0.9"});
    packet_udp(&p, &(struct packet_udp){.source = 5, .destination = 6});
    packet_finish(&p);
    cr_assert_eq(p.data[23], 1);
    cr_assert_eq(complement_sum(p.data + 34, p.length - 34, 0), 0xffff);
    cr_assert_eq(packet_at(&p, 3)[9], 17);

    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){.destination = "01:80:c2:00:00:00"});
    packet_llc(&p, 0x42, 0x42, 3);
    packet_bytes(&p, NULL, 35);
    packet_finish(&p);
    cr_assert_eq(get16(p.data + 12), 38);
}
