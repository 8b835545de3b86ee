/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The fast path changes no count: the same frames through it and through the whole parser, of every form and deformed
 * in every way, whole or in parts, merged or not, at every hook. And it is used for the packets for which it was made.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit.h"
#include "thorough.h"

#define CLIENT "8.0.0.9" /* on devices without an Ethernet header a test run takes the EtherType from these bytes */
#define NODE "8.0.0.1"
#define CLIENT6 "fd00::9"
#define MOST_ROWS 4096

static struct audit a, b;
static struct packet p;

static void open_one(struct audit *to, bool no_fast_path)
{
    audit_open(to, &(struct qpw_load_options){.no_fast_path = no_fast_path, .fixed_secret = true});
    audit_window_over(to);
    audit_local(to, NODE, true);
    AUDIT_POLICY(to, NULL, {.name = "smb", .direction = QPW_DIR_INBOUND, .protocol = 6, .first = 445},
                 {.name = "nfs", .direction = QPW_DIR_INBOUND, .protocol = 17, .first = 2049},
                 {.name = "tagged", .direction = QPW_DIR_INBOUND, .protocol = 6, .first = 8000, .vlan = 42});
}

static void assert_same_rows(uint64_t step)
{
    static struct audit_row with[MOST_ROWS], without[MOST_ROWS];
    size_t n = audit_rows(&a, with, MOST_ROWS), m = audit_rows(&b, without, MOST_ROWS);

    cr_assert_eq(n, m, "step %" PRIu64 ": %zu rows with the fast path, %zu without", step, n, m);
    for (size_t i = 0; i < n; i++) {
        const struct qpw_meter_key *k = &with[i].key;

        cr_assert(!memcmp(k, &without[i].key, sizeof(*k)), "step %" PRIu64 ": row %zu", step, i);
        cr_assert(!memcmp(&with[i].counts, &without[i].counts, sizeof(with[i].counts)),
                  "step %" PRIu64 ": protocol %u port %u verdict %u reason %u: rx %" PRIu64 " and %" PRIu64 ", %" PRIu64
                  " and %" PRIu64 " bytes, tx %" PRIu64 " and %" PRIu64,
                  step, k->protocol, k->port, k->verdict, k->reason, (uint64_t)with[i].counts.rx_packets,
                  (uint64_t)without[i].counts.rx_packets, (uint64_t)with[i].counts.rx_bytes,
                  (uint64_t)without[i].counts.rx_bytes, (uint64_t)with[i].counts.tx_packets,
                  (uint64_t)without[i].counts.tx_packets);
    }
}

/* ---- Is the fast path used? ---- */

static uint8_t *work_area(struct audit *of, size_t *ret_bytes)
{
    struct bpf_map_info info = {0};
    uint32_t size = sizeof(info), zero = 0;
    int fd = of->kernel.map_fd[QPW_MAP_scratch];
    uint8_t *value;

    cr_assert_eq(bpf_obj_get_info_by_fd(fd, &info, &size), 0);
    *ret_bytes = (size_t)((info.value_size + 7) & ~7u) * (size_t)libbpf_num_possible_cpus();
    value = malloc(*ret_bytes);
    cr_assert(value && bpf_map_lookup_elem(fd, &zero, value) == 0);
    return value;
}

/* The whole parser overwrites the packet description in the work area; the fast path does not. */
static bool is_taken(enum audit_hook hook)
{
    static struct packet other;
    uint8_t *before, *after;
    bool same;
    size_t n;

    packet_opaque(&other, "02:00:00:00:00:01", "02:00:00:00:00:02", 0x88b5, 50);
    audit_feed(&a, hook, &other);
    before = work_area(&a, &n);
    audit_feed(&a, hook, &p);
    after = work_area(&a, &n);
    same = !memcmp(before, after, n);
    free(before);
    free(after);
    return same;
}

static void make(bool v6, int tags, uint8_t protocol, bool rx, uint8_t flags, size_t payload)
{
    const char *remote = v6 ? CLIENT6 : CLIENT, *node = v6 ? AUDIT_NODE6 : NODE;

    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){0});
    for (int i = 0; i < tags; i++)
        packet_vlan(&p, i < tags - 1 ? 0x88a8 : 0x8100, 42);
    if (v6)
        packet_ipv6(&p, &(struct packet_ipv6){.source = rx ? remote : node, .destination = rx ? node : remote});
    else
        packet_ipv4(&p, &(struct packet_ipv4){.source = rx ? remote : node, .destination = rx ? node : remote});
    if (protocol == 17)
        packet_udp(&p, &(struct packet_udp){.source = rx ? 900 : 2049, .destination = rx ? 2049 : 900,
                                            .payload_bytes = payload});
    else
        packet_tcp(&p, &(struct packet_tcp){.source = rx ? 40000 : 445, .destination = rx ? 445 : 40000, .flags = flags,
                                            .seq = rx ? 1001 : 5001, .ack = rx ? 5001 : 1001, .payload_bytes = payload});
    packet_finish(&p);
}

/* Feed a packet of an exchange in which every kind has gone both ways. */
static void expect_taken(bool v6, int tags, uint8_t protocol, bool rx, enum audit_hook hook, bool wanted)
{
    for (int i = 0; i < 6; i++) {
        make(v6, tags, protocol, i % 2 == 0, PACKET_ACK, 40);
        audit_feed(&a, i % 2 ? AUDIT_TX : rx ? hook : AUDIT_TC, &p);
    }
    make(v6, tags, protocol, rx, PACKET_ACK, 40);
    audit_feed(&a, hook, &p);
    cr_expect_eq(is_taken(hook), wanted, "IPv%d, protocol %u, %d tags, %s at hook %d", v6 ? 6 : 4, protocol, tags,
                 rx ? "received" : "sent", hook);
}

Test(fast, it_is_taken_for_what_it_was_made_for)
{
    open_one(&a, false);
    for (int v6 = 0; v6 < 2; v6++)
        for (int tags = 0; tags < 4; tags++)
            for (int tcp = 0; tcp < 2; tcp++) {
                expect_taken(v6, tags, tcp ? 6 : 17, true, AUDIT_XDP, tags < 3);
                expect_taken(v6, tags, tcp ? 6 : 17, true, AUDIT_TC, tags < 3);
                expect_taken(v6, tags, tcp ? 6 : 17, false, AUDIT_TX, tags < 3);
            }
    make(false, 0, 6, true, PACKET_FIN | PACKET_ACK, 0);
    cr_expect_not(is_taken(AUDIT_XDP), "what closes a connection");
    audit_close(&a);
}

/* extension: bytes of a header of that type, 0: there is none; fragment: its offset. Always from the client. */
static void make_other(bool v6, uint8_t type, size_t extension, int fragment)
{
    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){0});
    if (v6) {
        packet_ipv6(&p, &(struct packet_ipv6){.source = CLIENT6, .destination = AUDIT_NODE6});
        if (extension)
            packet_extension(&p, &(struct packet_extension){.type = type, .bytes = extension});
        if (fragment >= 0)
            packet_fragment6(&p, &(struct packet_fragment6){.offset = (uint16_t)fragment, .more = !fragment, .id = 0x70007});
    } else {
        packet_ipv4(&p, &(struct packet_ipv4){.source = CLIENT, .destination = NODE, .id = 7, .more_fragments = !fragment,
                                              .fragment_offset = (uint16_t)fragment});
    }
    packet_udp(&p, &(struct packet_udp){.source = 900, .destination = 2049, .payload_bytes = 104});
    packet_finish(&p);
}

static void expect_other_taken(bool v6, uint8_t type, size_t extension, int fragment, bool wanted)
{
    static const enum audit_hook hooks[] = {AUDIT_XDP, AUDIT_TC};

    for (size_t i = 0; i < sizeof(hooks) / sizeof(*hooks); i++) {
        if (fragment > 0) {
            make_other(v6, type, extension, 0);
            audit_feed(&a, hooks[i], &p);
        }
        make_other(v6, type, extension, fragment);
        for (int repeat = 0; repeat < 3; repeat++)
            audit_feed(&a, hooks[i], &p);
        cr_expect_eq(is_taken(hooks[i]), wanted, "IPv%d, header %u of %zu bytes, fragment %d, hook %d", v6 ? 6 : 4, type,
                     extension, fragment, hooks[i]);
    }
}

Test(fast, it_is_taken_for_an_extension_header_and_for_later_fragments)
{
    open_one(&a, false);
    expect_taken(true, 0, 17, true, AUDIT_XDP, true); /* both ends have sent */
    expect_other_taken(true, IPPROTO_HOPOPTS, 8, -1, true);
    expect_other_taken(true, IPPROTO_DSTOPTS, 64, -1, true);
    expect_other_taken(true, IPPROTO_DSTOPTS, 72, -1, false);
    expect_other_taken(true, 0, 0, 112, true);
    expect_other_taken(true, 0, 0, 0, false);
    expect_other_taken(true, IPPROTO_DSTOPTS, 8, 112, false);
    expect_taken(false, 0, 17, true, AUDIT_XDP, true);
    expect_other_taken(false, 0, 0, 112, true);
    expect_other_taken(false, 0, 0, 0, false);
    audit_close(&a);
}

Test(fast, it_is_not_taken_where_the_test_says_so)
{
    open_one(&a, true);
    expect_taken(false, 0, 17, true, AUDIT_XDP, false);
    audit_close(&a);
}

/* ---- The same counts ---- */

static uint32_t one_of(uint32_t n)
{
    return (uint32_t)random() % n;
}

static bool rarely(void)
{
    return one_of(12) == 0;
}

/* Return a length that is too long, too short, or right. */
static struct packet_lie lie(uint32_t about)
{
    static const int by[] = {-1, 1, -8, 8, 100, -40};

    if (!rarely())
        return (struct packet_lie){0};
    return PACKET_LIE(rarely() ? 0 : about + (uint32_t)by[one_of(6)]);
}

static void random_network(bool rx, bool v6)
{
    const char *remote = v6 ? CLIENT6 : CLIENT, *node = v6 ? AUDIT_NODE6 : NODE;
    static const uint8_t options[8] = {1, 1, 1, 1, 1, 1, 1, 0};

    if (v6) {
        packet_ipv6(&p, &(struct packet_ipv6){.source = rx ? remote : rarely() ? "::ffff:8.0.0.1" : node,
                                              .destination = rx ? node : remote, .length = lie(60)});
        if (one_of(5) == 0)
            packet_extension(&p, &(struct packet_extension){.type = one_of(2) ? 0 : 60, .bytes = 8 * (1 + one_of(10)),
                                                            .length = rarely() ? PACKET_LIE(one_of(16)) : (struct packet_lie){0}});
        if (one_of(5) == 0)
            packet_fragment6(&p, &(struct packet_fragment6){.offset = one_of(2) * 8, .more = one_of(2), .id = 7});
    } else {
        bool in_parts = one_of(5) == 0;

        packet_ipv4(&p, &(struct packet_ipv4){.source = rx ? remote : node, .destination = rx ? node : remote, .id = 7,
                                              .more_fragments = in_parts && one_of(2),
                                              .fragment_offset = (uint16_t)(in_parts ? one_of(2) * 8 : 0),
                                              .dont_fragment = one_of(2), .options = options,
                                              .options_bytes = rarely() ? 8 : 0, .length = lie(80),
                                              .ihl = rarely() ? PACKET_LIE(one_of(16)) : (struct packet_lie){0},
                                              .version = rarely() ? PACKET_LIE(one_of(16)) : (struct packet_lie){0}});
    }
}

static void random_transport(bool rx)
{
    static const uint8_t flags[] = {PACKET_SYN, PACKET_SYN | PACKET_ACK, PACKET_FIN | PACKET_ACK, PACKET_RST};
    static const uint16_t services[] = {445, 2049, 8000, 7777};
    uint16_t service = services[one_of(4)], client = (uint16_t)(900 + one_of(2));
    size_t payload = one_of(3) ? one_of(64) : one_of(2) ? 0 : 400 + one_of(1000);

    if (one_of(2))
        packet_udp(&p, &(struct packet_udp){.source = rx ? client : service, .destination = rx ? service : client,
                                            .payload_bytes = payload, .length = lie((uint32_t)payload + 8)});
    else
        packet_tcp(&p, &(struct packet_tcp){.source = rx ? client : service, .destination = rx ? service : client,
                                            .flags = one_of(8) ? PACKET_ACK : flags[one_of(4)], .seq = one_of(2),
                                            .ack = one_of(2), .payload_bytes = payload,
                                            .doff = rarely() ? PACKET_LIE(one_of(16)) : (struct packet_lie){0}});
}

/* Make a frame of one of a few exchanges, mostly valid. */
static void make_random(enum audit_hook hook)
{
    bool l3 = hook == AUDIT_TC_L3 || hook == AUDIT_TX_L3, rx = hook != AUDIT_TX && hook != AUDIT_TX_L3;

    packet_start(&p);
    if (!l3)
        packet_ethernet(&p, &(struct packet_ethernet){0});
    for (uint32_t tags = l3 || one_of(3) ? 0 : one_of(4); tags; tags--)
        packet_vlan(&p, one_of(2) ? 0x8100 : 0x88a8, (uint16_t)(one_of(2) << 13 | (one_of(3) ? 42 : one_of(4096))));
    random_network(rx, !l3 && one_of(2));
    random_transport(rx);
    packet_finish(&p);
    if (one_of(4) == 0)
        packet_pad(&p, p.length + one_of(80));
    if (rarely())
        packet_cut(&p, 20 + one_of((uint32_t)p.length - 20));
    if (rarely())
        p.data[one_of(p.length < 60 ? (uint32_t)p.length : 60)] ^= (uint8_t)(1u << one_of(8));
    if (l3) { /* otherwise it would be for another device */
        p.data[12] = 8;
        p.data[13] = 0;
    }
}

/*
 * Choose the length of the linear part: as a card does that splits off headers or fills its buffers; and anywhere, if
 * the frame ends with the packet or the hook knows the whole length.
 */
static size_t random_linear(enum audit_hook hook)
{
    if (hook == AUDIT_TC && one_of(2))
        return 34 + 20 + one_of(60);
    return one_of(2) ? 14 + one_of(50) : 512 + 64 * one_of(8);
}

static void feed_both(enum audit_hook hook, int how, size_t linear, const struct audit_merged *merged)
{
    struct audit *const each[] = {&a, &b};

    for (int i = 0; i < 2; i++)
        if (how == 1)
            cr_assert(audit_feed_linear(each[i], hook, &p, linear));
        else if (how == 2)
            audit_feed_merged(each[i], hook, &p, merged);
        else
            audit_feed(each[i], hook, &p);
}

/* Return whether a test run accepts the length; the minimum depends on the EtherType. */
static bool is_possible(enum audit_hook hook)
{
    unsigned type = (unsigned)(p.data[12] << 8 | p.data[13]);

    return p.length >= (hook == AUDIT_XDP ? 14u : type == 0x0800 ? 34u : type == 0x86dd ? 54u : 14u);
}

static bool knows_linear_parts(enum audit_hook hook)
{
    make(false, 0, 17, true, 0, 100);
    return audit_feed_linear(&a, hook, &p, 60) && audit_feed_linear(&b, hook, &p, 60);
}

/* steps: frames for each of the two. */
static void random_frames(unsigned start, uint64_t steps)
{
    bool linear_xdp, linear_tc;

    open_one(&a, false);
    open_one(&b, true);
    linear_xdp = knows_linear_parts(AUDIT_XDP);
    linear_tc = knows_linear_parts(AUDIT_TC);
    srandom(start);
    for (uint64_t i = 1; i <= steps; i++) {
        enum audit_hook hook = (enum audit_hook)one_of(5);
        size_t linear;
        int how = 0;

        make_random(hook);
        if (!is_possible(hook))
            continue;
        linear = random_linear(hook);
        if (linear < p.length && one_of(4) == 0 && ((hook == AUDIT_XDP && linear_xdp) || (hook == AUDIT_TC && linear_tc)) &&
            (hook == AUDIT_XDP || linear >= 54))
            how = 1;
        for (int repeat = one_of(4) ? 1 : 4; repeat; repeat--)
            feed_both(hook, how, linear, NULL);
        if (i % 4096 == 0)
            assert_same_rows(i);
    }
    assert_same_rows(steps);
    audit_close(&b);
    audit_close(&a);
}

Test(fast, any_frame_counts_the_same)
{
    random_frames(thorough_seed(1), thorough_rounds(30000, 3000000));
}

/* ---- Merged buffers ---- */

Test(fast, merged_buffers_count_the_same)
{
    static const size_t payloads[] = {100, 1448, 1500, 2896, 2900};

    open_one(&a, false);
    open_one(&b, true);
    for (int i = 0; i < 400; i++) {
        bool rx = i % 2 == 0, v6 = i / 2 % 2, by_count = i / 4 % 2;
        size_t payload = payloads[one_of(5)], headers;
        struct audit_merged m = {.gso_size = 1448};
        enum audit_hook hook = rx ? AUDIT_TC : AUDIT_TX;

        make(v6, i / 8 % 2, 6, rx, PACKET_ACK, payload);
        headers = p.length - payload;
        m.frames = (payload + 1447) / 1448;
        m.gso_segs = by_count ? (uint32_t)m.frames : 0;
        m.bytes = p.length + (m.frames - 1) * headers;
        m.wire_len = (uint32_t)m.bytes;
        feed_both(hook, 2, 0, &m);
    }
    assert_same_rows(400);
    audit_close(&b);
    audit_close(&a);
}
