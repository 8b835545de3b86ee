/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From bytes to struct qpw_pkt: each vector complete, truncated at every byte, and with every length of the linear
 * part. Each input is a block of exactly its size, so that the sanitizer detects an access one byte too far.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/parse.h"
#include "vectors.h"

static struct packet p;

/* Parse the first n bytes of p, of which `linear` are directly readable. 1: more bytes are needed. */
static int parse_direct(struct qpw_pkt *ret, size_t n, size_t linear, size_t wire)
{
    uint8_t *block = malloc(linear ? linear : 1);
    struct qpw_frame f = {.data = block, .end = block + linear, .length = (uint32_t)n, .wire = (uint32_t)wire};
    int more;

    cr_assert(block != NULL);
    memcpy(block, p.data, linear);
    memset(ret, 0, sizeof(*ret));
    more = qpw_parse(&f, ret, 1);
    free(block);
    return more;
}

/* The same through a copy, as in the programs. */
static void parse_copy(struct qpw_pkt *ret, size_t n, size_t wire)
{
    uint8_t *block = malloc(QPW_HEADER_BYTES);
    struct qpw_frame f = {.data = block, .length = (uint32_t)n, .wire = (uint32_t)wire};

    cr_assert(block != NULL);
    memset(block, 0xa5, QPW_HEADER_BYTES);
    memcpy(block, p.data, n < QPW_HEADER_BYTES ? n : QPW_HEADER_BYTES);
    memset(ret, 0, sizeof(*ret));
    cr_assert_eq(qpw_parse(&f, ret, 0), 0, "a copy is all there is");
    free(block);
}

static void assert_same(const struct qpw_pkt *x, const struct qpw_pkt *y, const char *name, size_t n)
{
    cr_assert_eq(x->kind, y->kind, "%s at %zu: kind %u and %u", name, n, x->kind, y->kind);
    cr_assert_eq(x->reason, y->reason, "%s at %zu: reason %u and %u", name, n, x->reason, y->reason);
    cr_assert(!memcmp(x, y, sizeof(*x)), "%s at %zu", name, n);
}

Test(parse, whole_vectors)
{
    struct qpw_pkt pkt;

    for (size_t i = 0; i < n_vectors; i++) {
        const struct vector *v = &vectors[i];

        vector_build(i, &p);
        cr_assert_eq(parse_direct(&pkt, p.length, p.length, p.length), 0, "%s", v->name);
        cr_assert_eq(pkt.kind, v->kind, "%s: kind %u, reason %u", v->name, pkt.kind, pkt.reason);
        cr_assert_eq(pkt.reason, v->reason, "%s: reason %u", v->name, pkt.reason);
        if (v->kind == QPW_PKT_NON_IP)
            cr_assert_eq(pkt.ethertype, v->what, "%s: %#x", v->name, pkt.ethertype);
        if (v->kind == QPW_PKT_UNDECODABLE)
            continue;
        cr_assert_eq(pkt.vlan, v->vlan, "%s: VLAN %u", v->name, pkt.vlan);
        if (v->kind != QPW_PKT_IP)
            continue;
        cr_assert_eq(pkt.protocol, v->what, "%s: protocol %u", v->name, pkt.protocol);
        cr_assert_eq(pkt.destination_port, v->destination_port, "%s: port %u", v->name, pkt.destination_port);
        cr_assert_eq(pkt.fragment, v->fragment, "%s", v->name);
        cr_assert_eq(pkt.has_addresses, 1);
        cr_assert_eq(pkt.source[15], 9);
        cr_assert_eq(pkt.destination[15], 1);
    }
}

/* A truncated frame is never parsed as the complete one, nor as anything else. */
Test(parse, cut_at_every_byte)
{
    struct qpw_pkt whole, direct, copy;

    for (size_t i = 0; i < n_vectors; i++) {
        vector_build(i, &p);
        parse_direct(&whole, p.length, p.length, p.length);
        for (size_t n = 0; n < p.length; n++) {
            cr_assert_eq(parse_direct(&direct, n, n, n), 0, "%s at %zu: there is no more", vectors[i].name, n);
            parse_copy(&copy, n, n);
            assert_same(&direct, &copy, vectors[i].name, n);
            cr_assert_neq(direct.kind, QPW_PKT_NONE);
            cr_assert_eq(direct.kind == QPW_PKT_UNDECODABLE, direct.reason != QPW_REASON_NONE);
            if (n < 14)
                cr_assert_eq(direct.reason, QPW_REASON_SHORT_ETHERNET);
            if (direct.kind == QPW_PKT_IP) /* only if nothing but padding is missing */
                assert_same(&direct, &whole, vectors[i].name, n);
            if (direct.kind == QPW_PKT_NON_IP)
                cr_assert_eq(direct.ethertype, whole.ethertype);
        }
    }
}

/* A snaplen does not make the header wrong: parse what was captured, report the rest as truncated. */
Test(parse, captured_shorter_than_the_wire)
{
    struct qpw_pkt whole, direct, copy;

    for (size_t i = 0; i < n_vectors; i++) {
        bool read = false;

        vector_build(i, &p);
        parse_direct(&whole, p.length, p.length, p.length);
        for (size_t n = 0; n <= p.length; n++) {
            cr_assert_eq(parse_direct(&direct, n, n, p.length), 0);
            parse_copy(&copy, n, p.length);
            assert_same(&direct, &copy, vectors[i].name, n);
            if (direct.kind != QPW_PKT_UNDECODABLE) {
                if (!direct.sctp_chunk) /* not needed for the ports */
                    direct.sctp_chunk = whole.sctp_chunk;
                if (!direct.form) { /* nor for the EtherType */
                    direct.form = whole.form;
                    if (direct.kind == QPW_PKT_NON_IP) {
                        memcpy(direct.source, whole.source, sizeof(direct.source));
                        memcpy(direct.destination, whole.destination, sizeof(direct.destination));
                    }
                }
                assert_same(&direct, &whole, vectors[i].name, n);
                read = true;
            } else if (read) {
                cr_assert_fail("%s: read with fewer bytes, but not with %zu", vectors[i].name, n);
            }
            if (direct.reason == QPW_REASON_IP_LENGTH || direct.reason == QPW_REASON_UDP_LENGTH)
                cr_assert_eq(direct.reason, whole.reason, "%s at %zu: the length did not lie", vectors[i].name, n);
        }
    }
}

/* With any linear length the result is the same, at once or after the copy. */
Test(parse, any_linear_part)
{
    struct qpw_pkt whole, direct, copy;

    for (size_t i = 0; i < n_vectors; i++) {
        vector_build(i, &p);
        parse_direct(&whole, p.length, p.length, p.length);
        parse_copy(&copy, p.length, p.length);
        assert_same(&whole, &copy, vectors[i].name, p.length);
        for (size_t linear = 0; linear < p.length; linear++)
            if (!parse_direct(&direct, p.length, linear, p.length))
                assert_same(&direct, &whole, vectors[i].name, linear);
    }
}

/* Random bytes after a valid start: no crash, always a kind, the same result both ways. */
Test(parse, noise)
{
    struct qpw_pkt direct, copy;

    srandom(1);
    for (int i = 0; i < 60000; i++) {
        vector_build((size_t)random() % n_vectors, &p);
        for (int k = (int)(random() % 6); k >= 0; k--)
            p.data[12 + (size_t)random() % (p.length - 12)] = (uint8_t)random();
        size_t n = (size_t)random() % (p.length + 1);

        if (parse_direct(&direct, p.length, n, p.length))
            parse_copy(&direct, p.length, p.length);
        parse_copy(&copy, p.length, p.length);
        assert_same(&direct, &copy, "noise", n);
        cr_assert_neq(direct.kind, QPW_PKT_NONE);
        cr_assert_eq(direct.kind == QPW_PKT_UNDECODABLE, direct.reason != QPW_REASON_NONE);
        cr_assert_lt(direct.reason, QPW_REASON_COUNT);
    }
}

Test(parse, transport_fields)
{
    struct qpw_pkt pkt;

    packet_make_tcp(&p, "10.0.0.9", 1, "10.0.0.1", 65535, SEGMENT(PACKET_SYN | PACKET_ACK, 0xfffffffe, 0x80000001, 77));
    parse_direct(&pkt, p.length, p.length, p.length);
    cr_assert_eq(pkt.source_port, 1);
    cr_assert_eq(pkt.destination_port, 65535);
    cr_assert_eq(pkt.seq, 0xfffffffe);
    cr_assert_eq(pkt.ack, 0x80000001);
    cr_assert_eq(pkt.tcp_flags, PACKET_SYN | PACKET_ACK);
    cr_assert_eq(pkt.payload, 77);
    cr_assert_eq(pkt.l4_offset, 34);
    packet_pad(&p, 1000);
    parse_direct(&pkt, p.length, p.length, p.length);
    cr_assert_eq(pkt.payload, 77, "padding is no payload");
}

Test(parse, layer_3_devices_and_tags_in_the_metadata)
{
    struct qpw_frame f = {.l3 = 1, .ethertype = 0x0800};
    struct qpw_pkt pkt = {0};

    packet_make_udp(&p, "10.0.0.9", 40000, "10.0.0.1", 53, 4);
    f.data = p.data + 14;
    f.end = p.data + p.length;
    f.length = f.wire = (uint32_t)p.length - 14;
    cr_assert_eq(qpw_parse(&f, &pkt, 1), 0);
    cr_assert_eq(pkt.kind, QPW_PKT_IP);
    cr_assert_eq(pkt.destination_port, 53);
    f.ethertype = 0x86dd;
    memset(&pkt, 0, sizeof(pkt));
    qpw_parse(&f, &pkt, 1);
    cr_assert_eq(pkt.reason, QPW_REASON_IP_TRUNCATED, "32 bytes are no IPv6 header");

    vector_build(0, &p); /* tcp4 */
    f = (struct qpw_frame){.data = p.data, .end = p.data + p.length, .length = (uint32_t)p.length,
                           .wire = (uint32_t)p.length, .vlan_present = 1, .vlan_tci = 0xe000 | 300};
    memset(&pkt, 0, sizeof(pkt));
    qpw_parse(&f, &pkt, 1);
    cr_assert_eq(pkt.vlan, 300);
    cr_assert_eq(pkt.kind, QPW_PKT_IP);
}

Test(parse, merged_buffers)
{
    struct qpw_frame f = {.merged = 1};
    struct qpw_pkt pkt = {0};

    /* A merged buffer longer than IP can express: the length field is zero. */
    packet_make_tcp(&p, "10.0.0.9", 1, "10.0.0.1", 445, SEGMENT(PACKET_ACK, 1, 1, 69000));
    p.data[16] = p.data[17] = 0;
    f.data = p.data;
    f.end = p.data + p.length;
    f.length = f.wire = (uint32_t)p.length;
    cr_assert_eq(qpw_parse(&f, &pkt, 1), 0);
    cr_assert_eq(pkt.kind, QPW_PKT_IP);
    cr_assert_eq(pkt.payload, 69000);
    /* UDP segmentation: the header has the length of one segment. */
    packet_make_udp(&p, "10.0.0.9", 1, "10.0.0.1", 2049, 2000);
    p.data[38] = 0;
    p.data[39] = 108;
    f.length = f.wire = (uint32_t)p.length;
    f.end = p.data + p.length;
    memset(&pkt, 0, sizeof(pkt));
    cr_assert_eq(qpw_parse(&f, &pkt, 1), 0);
    cr_assert_eq(pkt.kind, QPW_PKT_IP);
    cr_assert_eq(pkt.payload, 2000);
}

/* In a capture of buffers to be segmented by the card, length zero means "to the end of the frame". */
static int parse_offloaded(struct qpw_pkt *ret, bool offloaded, size_t wire)
{
    struct qpw_frame f = {.data = p.data, .end = p.data + p.length, .length = (uint32_t)p.length,
                          .wire = (uint32_t)wire, .offloaded = offloaded};

    memset(ret, 0, sizeof(*ret));
    return qpw_parse(&f, ret, 1);
}

Test(parse, length_zero_is_to_the_end_in_a_replay_alone)
{
    struct qpw_pkt pkt;

    packet_make_tcp(&p, "10.0.0.9", 1, "10.0.0.1", 445, SEGMENT(PACKET_ACK, 1, 1, 300));
    p.data[16] = p.data[17] = 0;
    cr_assert_eq(parse_offloaded(&pkt, true, p.length), 0);
    cr_expect_eq(pkt.kind, QPW_PKT_IP);
    cr_expect_eq(pkt.payload, 300);
    cr_assert_eq(parse_offloaded(&pkt, true, p.length + 4000), 0);
    cr_expect_eq(pkt.payload, 4300, "the capture's snaplen cut it");
    cr_assert_eq(parse_offloaded(&pkt, false, p.length), 0);
    cr_expect_eq(pkt.reason, QPW_REASON_IP_LENGTH, "no host takes such a packet from the wire");

    packet_make_tcp(&p, "fd00::9", 1, "fd00::1", 445, SEGMENT(PACKET_ACK, 1, 1, 300));
    p.data[18] = p.data[19] = 0;
    cr_assert_eq(parse_offloaded(&pkt, true, p.length), 0);
    cr_expect_eq(pkt.kind, QPW_PKT_IP);
    cr_expect_eq(pkt.payload, 300);
    cr_assert_eq(parse_offloaded(&pkt, false, p.length), 0);
    cr_expect_eq(pkt.reason, QPW_REASON_L4_TRUNCATED);
    cr_assert_eq(parse_offloaded(&pkt, false, 70000), 0);
    cr_expect_eq(pkt.payload, 70000 - 74, "BIG TCP without a hop-by-hop header: longer than the field can say");
}

/* After "no next header" there is only padding. */
Test(parse, length_zero_before_nothing)
{
    struct qpw_pkt pkt;

    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){0});
    packet_ipv6(&p, &(struct packet_ipv6){.source = "fd00::9", .destination = "fd00::1", .next = 59});
    packet_finish(&p);
    packet_pad(&p, 60);
    cr_assert_eq(parse_offloaded(&pkt, true, p.length), 0);
    cr_expect_eq(pkt.kind, QPW_PKT_IP);
    cr_expect_eq(pkt.payload, 0);
}

/* The SYN of a first fragment counts; its payload is in the other fragments. */
Test(parse, first_fragment_within_options)
{
    static const uint8_t nops[4] = {1, 1, 1, 1};
    struct qpw_pkt pkt;

    for (uint32_t words = 5; words < 16; words++) {
        packet_start(&p);
        packet_ethernet(&p, &(struct packet_ethernet){0});
        packet_ipv4(&p, &(struct packet_ipv4){.source = "10.0.0.9", .destination = "10.0.0.1", .id = 1,
                                              .more_fragments = true});
        packet_tcp(&p, &(struct packet_tcp){.source = 4, .destination = 445, .flags = PACKET_SYN, .seq = 77,
                                            .options = nops, .options_bytes = 4, .doff = PACKET_LIE(words)});
        packet_finish(&p);
        parse_direct(&pkt, p.length, p.length, p.length);
        cr_expect_eq(pkt.kind, QPW_PKT_IP, "%u words", words);
        cr_expect_eq(pkt.seq, 77);
        cr_expect_eq(pkt.payload, words == 5 ? 4 : 0, "%u words", words);
    }
}

Test(parse, first_chunk_of_sctp)
{
    struct qpw_pkt pkt;

    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){0});
    packet_ipv6(&p, &(struct packet_ipv6){.source = "fd00::9", .destination = "fd00::1"});
    packet_sctp(&p, &(struct packet_sctp){.source = 4, .destination = 3868, .chunk = 6});
    packet_finish(&p);
    parse_direct(&pkt, p.length, p.length, p.length);
    cr_expect_eq(pkt.sctp_chunk, 7);
    cr_expect_eq(parse_direct(&pkt, p.length, p.length - 4, p.length), 1, "it is behind the linear part");
    parse_direct(&pkt, p.length - 4, p.length - 4, p.length);
    cr_expect_eq(pkt.kind, QPW_PKT_IP);
    cr_expect_eq(pkt.sctp_chunk, 0, "the capture ends before it");
}
