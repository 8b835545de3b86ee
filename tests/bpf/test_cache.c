/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The per-CPU cache changes no count: any traffic gives the same meters with and without it, on one CPU or two, with
 * tables that evict and lines that collide.
 */
#include <bpf/bpf.h>
#include <criterion/criterion.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit.h"
#include "bpf/tag.h"
#include "cpu.h"
#include "thorough.h"

#define CLIENT "10.0.0.9"
#define IN QPW_DIR_INBOUND
#define OUT QPW_DIR_OUTBOUND
#define SYN PACKET_SYN
#define ACK PACKET_ACK
#define FIN PACKET_FIN
#define RST PACKET_RST

static struct audit a, b;
static struct packet p;

static void set_policy(struct audit *to, int which)
{
    static const char *const peers[] = {"10.0.1.2", NULL};

    if (which == 0)
        AUDIT_POLICY(to, NULL, {.name = "smb", .direction = IN, .protocol = 6, .first = 445},
                     {.name = "nfs-out", .direction = OUT, .protocol = 6, .first = 2049},
                     {.name = "nfs", .direction = IN, .protocol = 17, .first = 2049},
                     {.name = "dns", .direction = OUT, .protocol = 17, .first = 53},
                     {.name = "icmp", .protocol = 1, .first = 8, .verdict = QPW_VERDICT_INFRA});
    else
        AUDIT_POLICY(to, peers,
                     {.name = "nfs-out", .direction = OUT, .protocol = 6, .first = 2049},
                     {.name = "smb", .direction = IN, .protocol = 6, .first = 445, .from = "10.0.1.0/30"},
                     {.name = "dns", .direction = OUT, .protocol = 17, .first = 53});
}

/* ---- Any traffic: the same meters with and without the cache ---- */

static void assert_same_rows(int step)
{
    static struct audit_row with[2048], without[2048];
    size_t n = audit_rows(&a, with, 2048), m = audit_rows(&b, without, 2048);

    cr_assert_eq(n, m, "step %d: %zu rows with the cache, %zu without", step, n, m);
    for (size_t i = 0; i < n; i++) {
        const struct qpw_meter_key *k = &with[i].key;

        cr_assert(!memcmp(k, &without[i].key, sizeof(*k)), "step %d: row %zu", step, i);
        cr_assert(!memcmp(&with[i].counts, &without[i].counts, sizeof(with[i].counts)),
                  "step %d: protocol %u port %u direction %u verdict %u reason %u: connections %" PRId64 " and %" PRId64
                  ", rx %" PRIu64 " and %" PRIu64 ", tx %" PRIu64 " and %" PRIu64, step, k->protocol, k->port,
                  k->direction, k->verdict, k->reason, (int64_t)with[i].counts.connections,
                  (int64_t)without[i].counts.connections, (uint64_t)with[i].counts.rx_packets,
                  (uint64_t)without[i].counts.rx_packets, (uint64_t)with[i].counts.tx_packets,
                  (uint64_t)without[i].counts.tx_packets);
    }
}

static const uint16_t services[] = {445, 2049, 53, 7777};
static const char *const own_mac = "02:00:00:00:00:02", *const other_mac = "02:00:00:00:00:07",
                  *const group_mac = "03:bf:0a:00:00:4d";
#define UNLISTED "10.0.0.77"
#define SECOND "10.0.0.78" /* of the node, too */

static const char *random_remote(void)
{
    static const char *const remotes[] = {"10.0.1.1", "10.0.1.2", "10.0.1.9", SECOND};

    return remotes[random() % (random() % 8 ? 3 : 4)];
}

static const char *random_mac(void)
{
    const char *const macs[] = {own_mac, other_mac, group_mac};

    return macs[random() % 8 ? 0 : random() % 3];
}

static const char *random_node(void)
{
    return random() % 8 ? AUDIT_NODE : UNLISTED;
}

/* Use few tuples and few numbers, so that handshakes, and everything that may follow, occur by chance. */
static void make_random(enum audit_hook *ret_hook)
{
    static const uint8_t flags[] = {SYN, SYN | ACK, ACK, ACK, ACK, ACK, ACK, FIN | ACK, RST};
    const char *remote = random_remote(), *node = random_node(), *mac = random_mac();
    uint16_t service = services[random() % 4], other = (uint16_t)(900 + random() % 2);
    bool rx = random() % 2, node_serves = random() % 2;
    uint16_t local_port = node_serves ? service : other, remote_port = node_serves ? other : service;
    unsigned kind = (unsigned)random() % 10;

    if (kind > 0 && kind < 4)
        node = AUDIT_NODE; /* age() leaves the questions of datagrams as they are, and so who answers for which address */
    *ret_hook = rx ? random() % 2 ? AUDIT_XDP : AUDIT_TC : AUDIT_TX;
    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){.source = rx || mac == group_mac ? NULL : mac,
                                                  .destination = rx || mac == group_mac ? mac : NULL});
    packet_ipv4(&p, &(struct packet_ipv4){.source = rx ? remote : node, .destination = rx ? node : remote});
    if (kind == 0)
        packet_icmp(&p, &(struct packet_icmp){.type = random() % 2 ? 8 : 13, .payload_bytes = 10});
    else if (kind < 4)
        packet_udp(&p, &(struct packet_udp){.source = rx ? remote_port : local_port, .payload_bytes = 10,
                                            .destination = rx ? local_port : remote_port});
    else
        packet_tcp(&p, &(struct packet_tcp){.source = rx ? remote_port : local_port,
                                            .destination = rx ? local_port : remote_port,
                                            .flags = flags[random() % 9], .seq = (uint32_t)random() % 2,
                                            .ack = (uint32_t)random() % 3,
                                            .payload_bytes = (size_t)(random() % 2 * 7)});
    packet_finish(&p);
}

/* Return a tuple of the random traffic. */
static struct qpw_conn_key random_key(uint8_t protocol)
{
    uint16_t service = services[random() % 4], other = (uint16_t)(900 + random() % 2);
    bool node_serves = random() % 2;

    return audit_key(protocol, random_node(), node_serves ? service : other, random_remote(),
                     node_serves ? other : service);
}

static void both(void (*act)(struct audit *to, const struct qpw_conn_key *key, int value),
                 const struct qpw_conn_key *key, int value)
{
    act(&a, key, value);
    act(&b, key, value);
}

static void age(struct audit *to, const struct qpw_conn_key *key, int value)
{
    struct qpw_conn c;

    if (audit_conn(to, key, &c))
        audit_age(to, key, (uint64_t)value * 1000000000);
}

static void seed(struct audit *to, const struct qpw_conn_key *key, int value)
{
    audit_seed(to, key, value ? IN : OUT);
}

/* The card has a MAC and the host forwards, or not. */
static void set_host(struct audit *to, bool forwards)
{
    struct qpw_iface lo = {.ifindex = 1, .number = 1, .mac = {2, 0, 0, 0, 0, 2},
                           .flags = forwards ? QPW_IFACE_FORWARD4 | QPW_IFACE_SENDS4 : 0};

    cr_assert_eq(qpw_kernel_set_iface(&to->kernel, &lo), 0);
}

/* Open a with the cache, b without. */
static void open_both(const struct qpw_load_options *cached, bool forwards)
{
    struct qpw_load_options uncached = *cached;

    uncached.no_cache = true;
    audit_open(&a, cached);
    audit_open(&b, &uncached);
    for (int i = 0; i < 2; i++) {
        struct audit *each = i ? &b : &a;

        audit_window_over(each);
        set_policy(each, 0);
        set_host(each, forwards);
        audit_local(each, SECOND, true);
    }
}

static void feed_both(enum audit_hook hook, int times)
{
    for (int i = 0; i < times; i++) {
        audit_feed(&a, hook, &p);
        audit_feed(&b, hook, &p);
    }
}

static void random_traffic(unsigned start, int steps, const struct qpw_load_options *cached)
{
    open_both(cached, true);
    srandom(start);
    for (int i = 1; i <= steps; i++) {
        enum audit_hook hook;
        int repeat = random() % 4 ? 1 : 4;

        make_random(&hook);
        feed_both(hook, repeat);
        struct qpw_conn_key tcp = random_key(6), udp = random_key(17);

        if (i % 61 == 0)
            both(seed, &tcp, (int)(random() % 2));
        if (i % 67 == 0)
            both(age, &tcp, 700000);
        if (i % 71 == 0)
            both(age, &udp, 200);
        if (i % 1500 == 0) {
            set_policy(&a, i / 1500 & 1);
            set_policy(&b, i / 1500 & 1);
            set_host(&a, (i / 1500 & 2) == 0);
            set_host(&b, (i / 1500 & 2) == 0);
        }
        if (i % 250 == 0)
            assert_same_rows(i);
    }
    assert_same_rows(steps);
    audit_close(&b);
    audit_close(&a);
}

Test(cache, any_traffic_counts_the_same)
{
    random_traffic(thorough_seed(1), (int)thorough_rounds(10000, 200000), &(struct qpw_load_options){0});
}

Test(cache, any_traffic_counts_the_same_in_one_line)
{
    random_traffic(thorough_seed(2), (int)thorough_rounds(10000, 200000), &(struct qpw_load_options){.cache_lines = 1});
}

/* ---- Whose the packet is: the cache asks neither for the address nor for the MAC ---- */

/* Feed both a packet in the middle of a connection between port 445 of `node` and `remote`, `times` times. */
static void feed_midstream(enum audit_hook hook, const char *node, const char *remote, const char *mac, int times)
{
    bool rx = hook != AUDIT_TX;

    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){.source = rx ? NULL : mac, .destination = rx ? mac : NULL});
    packet_ipv4(&p, &(struct packet_ipv4){.source = rx ? remote : node, .destination = rx ? node : remote});
    packet_tcp(&p, &(struct packet_tcp){.source = rx ? 900 : 445, .destination = rx ? 445 : 900, .flags = ACK, .seq = 1,
                                        .ack = 1, .payload_bytes = 20});
    packet_finish(&p);
    feed_both(hook, times);
}

/* Open both; the socket table knows the connection of feed_midstream(). */
static void open_midstream(bool forwards, const char *node, const char *remote)
{
    struct qpw_conn_key key = audit_key(6, node, 445, remote, 900);

    open_both(&(struct qpw_load_options){0}, forwards);
    both(seed, &key, 1);
}

/* The cached copies of one packet do not serve another of the tuple that is in transit, as it is without them. */
static void assert_in_transit(enum qpw_reason reason, uint64_t packets)
{
    assert_same_rows(0);
    cr_assert_eq(AUDIT_PACKETS(&a, .verdict = AUDIT_IS(QPW_VERDICT_TRANSIT), .reason = AUDIT_IS(reason)), packets);
    audit_close(&b);
    audit_close(&a);
}

Test(cache, what_a_router_received_for_an_address_that_the_node_forged_is_in_transit)
{
    open_midstream(true, UNLISTED, CLIENT);
    feed_midstream(AUDIT_TX, UNLISTED, CLIENT, other_mac, 4);
    feed_midstream(AUDIT_TC, UNLISTED, CLIENT, own_mac, 3);
    assert_in_transit(QPW_REASON_NOT_LOCAL, 3);
}

Test(cache, an_answer_from_the_nodes_other_address_is_an_echo)
{
    open_midstream(false, AUDIT_NODE, SECOND);
    feed_midstream(AUDIT_TX, AUDIT_NODE, SECOND, own_mac, 4);
    feed_midstream(AUDIT_XDP, AUDIT_NODE, SECOND, own_mac, 3);
    assert_in_transit(QPW_REASON_ECHO, 3);
}

Test(cache, a_frame_for_another_card_is_in_transit)
{
    open_midstream(false, UNLISTED, CLIENT);
    feed_midstream(AUDIT_XDP, UNLISTED, CLIENT, own_mac, 4);
    feed_midstream(AUDIT_XDP, UNLISTED, CLIENT, other_mac, 3);
    assert_in_transit(QPW_REASON_NOT_LOCAL, 3);
}

Test(cache, a_frame_for_a_group_does_not_speak_for_one_card)
{
    open_midstream(false, UNLISTED, CLIENT);
    feed_midstream(AUDIT_XDP, UNLISTED, CLIENT, group_mac, 4);
    feed_midstream(AUDIT_XDP, UNLISTED, CLIENT, other_mac, 3);
    assert_in_transit(QPW_REASON_NOT_LOCAL, 3);
}

/* ---- Two CPUs ---- */

static void need_two_cpus(void)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof(set), &set) || !CPU_ISSET(0, &set) || !CPU_ISSET(1, &set))
        cr_skip_test("needs the CPUs 0 and 1");
}

#define ROUNDS 30000

struct feeder {
    struct audit audit; /* the same kernel side, with separate counts */
    struct packet packet;
    enum audit_hook hook;
    int cpu;
};

static void *feed_many(void *arg)
{
    struct feeder *f = arg;

    cr_assert(cpu_pin(f->cpu));
    for (int i = 0; i < ROUNDS; i++)
        audit_feed(&f->audit, f->hook, &f->packet);
    return NULL;
}

Test(cache, two_cpus_on_one_connection)
{
    static struct feeder feeders[2];
    pthread_t threads[2];

    need_two_cpus();
    audit_open(&a, NULL);
    set_policy(&a, 0);
    audit_handshake_in(&a, CLIENT, 900, 445);
    packet_make_tcp(&feeders[0].packet, CLIENT, 900, AUDIT_NODE, 445, SEGMENT(ACK, 1001, 5001, 100));
    packet_make_tcp(&feeders[1].packet, AUDIT_NODE, 445, CLIENT, 900, SEGMENT(ACK, 5001, 1001, 1000));
    for (int i = 0; i < 2; i++) {
        feeders[i].audit = a;
        feeders[i].hook = i ? AUDIT_TX : AUDIT_XDP;
        feeders[i].cpu = i;
        cr_assert_eq(pthread_create(&threads[i], NULL, feed_many, &feeders[i]), 0);
    }
    uint64_t frames = a.frames, bytes = a.bytes;

    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        a.frames += feeders[i].audit.frames - frames;
        a.bytes += feeders[i].audit.bytes - bytes;
    }
    struct qpw_counts sum = AUDIT_SUM(&a, .rule = "smb");

    cr_assert_eq(sum.rx_packets, ROUNDS + 2);
    cr_assert_eq(sum.tx_packets, ROUNDS + 1);
    cr_assert_eq(sum.connections, 1);
    cr_assert_eq(audit_tcp(&a, CLIENT, 900, 445).outcome, QPW_OUTCOME_DATA);
    audit_close(&a);
}

/* Random traffic from both CPUs at once on the same few tuples: nothing is lost, nothing counted twice. */
struct mixer {
    struct audit audit;
    unsigned start;
    int cpu;
};

static void *feed_mixed(void *arg)
{
    struct mixer *m = arg;
    struct random_data state = {0};
    struct packet *mine = malloc(sizeof(*mine));
    char buffer[64];
    int32_t r, flags[] = {SYN, SYN | ACK, ACK, ACK, FIN | ACK, RST};

    cr_assert(cpu_pin(m->cpu));
    initstate_r(m->start, buffer, sizeof(buffer), &state);
    for (int i = 0; mine && i < ROUNDS; i++) {
        random_r(&state, &r);
        bool rx = r & 1, tcp = r & 2;
        uint16_t local = r & 4 ? 445 : 7777, remote = r & 8 ? 900 : 901;

        if (tcp)
            packet_make_tcp(mine, rx ? CLIENT : AUDIT_NODE, rx ? remote : local, rx ? AUDIT_NODE : CLIENT,
                            rx ? local : remote,
                            SEGMENT((uint8_t)flags[(r >> 4) % 6], r >> 8 & 1, r >> 9 & 1, r >> 10 & 7));
        else
            packet_make_udp(mine, rx ? CLIENT : AUDIT_NODE, rx ? remote : local, rx ? AUDIT_NODE : CLIENT,
                            rx ? local : remote, 9);
        audit_feed(&m->audit, rx ? AUDIT_XDP : AUDIT_TX, mine);
    }
    free(mine);
    return NULL;
}

Test(cache, two_cpus_on_the_same_tuples)
{
    static struct mixer mixers[2];
    pthread_t threads[2];

    need_two_cpus();
    audit_open(&a, NULL);
    set_policy(&a, 0);
    for (int i = 0; i < 2; i++) {
        mixers[i] = (struct mixer){.audit = a, .start = (unsigned)i + 1, .cpu = i};
        cr_assert_eq(pthread_create(&threads[i], NULL, feed_mixed, &mixers[i]), 0);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        cr_assert_eq(mixers[i].audit.frames, ROUNDS);
        a.frames += mixers[i].audit.frames;
        a.bytes += mixers[i].audit.bytes;
    }
    audit_close(&a);
}

/*
 * A handshake ends on one CPU while the other one has the first payload, so the entry moves between tables meanwhile.
 */
#define HANDSHAKES 20000
static _Atomic int handshake; /* the one waiting for its last packet */

static void *feed_payload(void *arg)
{
    struct feeder *f = arg;

    cr_assert(cpu_pin(f->cpu));
    for (int i = 0; i < HANDSHAKES; i++) {
        packet_make_tcp(&f->packet, CLIENT, (uint16_t)(i + 1024), AUDIT_NODE, 445, SEGMENT(ACK, 1001, 5001, 100));
        while (handshake < i)
            ;
        audit_feed(&f->audit, AUDIT_XDP, &f->packet);
    }
    return NULL;
}

Test(cache, payload_while_the_connection_moves)
{
    static struct feeder other = {.cpu = 1};
    pthread_t thread;

    need_two_cpus();
    audit_open(&a, NULL);
    set_policy(&a, 0);
    cr_assert(cpu_pin(0));
    other.audit = a;
    handshake = -1;
    cr_assert_eq(pthread_create(&thread, NULL, feed_payload, &other), 0);
    for (int i = 0; i < HANDSHAKES; i++) {
        uint16_t port = (uint16_t)(i + 1024);

        audit_rx_tcp(&a, CLIENT, port, 445, SEGMENT(SYN, 1000));
        audit_tx_tcp(&a, CLIENT, port, 445, SEGMENT(SYN | ACK, 5000, 1001));
        packet_make_tcp(&p, CLIENT, port, AUDIT_NODE, 445, SEGMENT(ACK, 1001, 5001));
        handshake = i;
        audit_feed(&a, AUDIT_XDP, &p);
    }
    pthread_join(thread, NULL);
    a.frames += other.audit.frames;
    a.bytes += other.audit.bytes;
    cr_assert_eq(AUDIT_SUM(&a, .rule = "smb").connections, HANDSHAKES, "%" PRId64 " connections of %d",
                 (int64_t)AUDIT_SUM(&a, .rule = "smb").connections, HANDSHAKES);
    cr_assert_eq(audit_connections(&a, QPW_CLASS_EST), HANDSHAKES);
    cr_assert_eq(audit_connections(&a, QPW_CLASS_HALF), 0);
    audit_close(&a);
}

/* Make the CPU's cache answer for both directions of the tuple. */
static void warm(int cpu, uint16_t remote_port, uint16_t local_port)
{
    cr_assert(cpu_pin(cpu));
    for (int i = 0; i < 5; i++) {
        audit_rx_tcp(&a, CLIENT, remote_port, local_port, SEGMENT(ACK, 1001, 5001, 20));
        audit_tx_tcp(&a, CLIENT, remote_port, local_port, SEGMENT(ACK, 5001, 1001, 10));
    }
}

Test(cache, reopened_the_other_way_on_another_cpu)
{
    need_two_cpus();
    audit_open(&a, NULL);
    set_policy(&a, 0);
    cr_assert(cpu_pin(0));
    audit_handshake_in(&a, CLIENT, 2049, 445);
    warm(0, 2049, 445);
    warm(1, 2049, 445);
    uint64_t in = AUDIT_PACKETS(&a, .rule = "smb");

    cr_assert_eq(in, 23);
    audit_rx_tcp(&a, CLIENT, 2049, 445, SEGMENT(FIN | ACK, 2000, 6000)); /* on CPU 1 */
    audit_tx_tcp(&a, CLIENT, 2049, 445, SEGMENT(FIN | ACK, 6000, 2001));
    audit_tx_tcp(&a, CLIENT, 2049, 445, SEGMENT(SYN, 1000));
    cr_assert(cpu_pin(0));
    audit_rx_tcp(&a, CLIENT, 2049, 445, SEGMENT(SYN | ACK, 5000, 1001));
    audit_tx_tcp(&a, CLIENT, 2049, 445, SEGMENT(ACK, 1001, 5001));
    warm(0, 2049, 445);
    warm(1, 2049, 445);
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "smb", .direction = AUDIT_IS(IN)), in + 2);
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "nfs-out", .direction = AUDIT_IS(OUT)), 23);
    audit_close(&a);
}

Test(cache, expiry_and_better_evidence_reach_the_other_cpu)
{
    struct qpw_conn_key udp = audit_key(17, AUDIT_NODE, 5000, CLIENT, 6000);
    struct qpw_conn_key tcp = audit_key(6, AUDIT_NODE, 445, CLIENT, 2049);

    need_two_cpus();
    audit_open(&a, NULL);
    audit_window_over(&a);
    set_policy(&a, 0);
    for (int cpu = 0; cpu < 2; cpu++) {
        cr_assert(cpu_pin(cpu));
        for (int i = 0; i < 5; i++) {
            audit_rx_udp(&a, CLIENT, 6000, 5000);
            audit_tx_udp(&a, CLIENT, 6000, 5000);
        }
    }
    audit_age(&a, &udp, 400000000000ull);
    audit_age_questions(&a, 400000000000ull);
    cr_assert(cpu_pin(0));
    cr_assert_eq(qpw_conns_remove(&a.kernel, QPW_CLASS_DGRAM, &udp), 0); /* as the auditor does */
    audit_tx_udp(&a, CLIENT, 6000, 5000);
    cr_assert(cpu_pin(1));
    for (int i = 0; i < 4; i++)
        audit_rx_udp(&a, CLIENT, 6000, 5000);
    cr_assert_eq(AUDIT_PACKETS(&a, .protocol = AUDIT_IS(17), .direction = AUDIT_IS(OUT)), 5);

    /* Mid-stream with both ports listed: undecided until the socket table is read. */
    warm(0, 2049, 445);
    warm(1, 2049, 445);
    cr_assert_eq(AUDIT_PACKETS(&a, .protocol = AUDIT_IS(6), .direction = AUDIT_IS(QPW_DIR_UNKNOWN)), 20);
    audit_seed(&a, &tcp, OUT);
    warm(0, 2049, 445);
    warm(1, 2049, 445);
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "nfs-out", .direction = AUDIT_IS(OUT)), 20);
    audit_close(&a);
}

/* ---- Eviction ---- */

Test(cache, tables_that_evict_count_all_the_same)
{
    enum { CLIENTS = 3000 };
    char remote[16];

    audit_open(&a, &(struct qpw_load_options){.max_connections = 1024});
    audit_window_over(&a);
    set_policy(&a, 0);
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < CLIENTS; i++) {
            snprintf(remote, sizeof(remote), "10.7.%d.%d", i / 200, i % 200 + 1);
            if (round == 0)
                audit_handshake_in(&a, remote, 900, 445);
            audit_rx_tcp(&a, remote, 900, 445, SEGMENT(ACK, 1001, 5001, 20));
            audit_tx_tcp(&a, remote, 900, 445, SEGMENT(ACK, 5001, 1011, 10));
            audit_rx_udp(&a, remote, 901, 2049);
            audit_tx_udp(&a, remote, 901, 2049);
        }
    /* Evicted connections return as mid-stream, consistent with the rule; none is reversed. */
    cr_assert_gt(audit_stat(&a, QPW_LOSS_CONN_EST_FULL), 0);
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "smb"), CLIENTS * 9);
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "nfs"), CLIENTS * 6);
    cr_assert_eq(AUDIT_PACKETS(&a, .direction = AUDIT_IS(IN)), a.frames);
    cr_assert_eq(audit_connections(&a, QPW_CLASS_EST), 1024 + audit_held(&a));
    audit_close(&a);
}

/* Send the node's answer to a port that it does not serve. */
static void send_unreachable(const char *remote)
{
    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){0});
    packet_ipv4(&p, &(struct packet_ipv4){.source = AUDIT_NODE, .destination = remote});
    packet_icmp(&p, &(struct packet_icmp){.type = 3, .code = 3});
    packet_ipv4(&p, &(struct packet_ipv4){.source = remote, .destination = AUDIT_NODE});
    packet_udp(&p, &(struct packet_udp){.source = 1, .destination = 2});
    packet_finish(&p);
    audit_feed(&a, AUDIT_TX, &p);
}

Test(cache, a_flood_does_not_reach_what_the_node_opened)
{
    char remote[16];

    audit_open(&a, &(struct qpw_load_options){.max_connections = 1024});
    audit_window_over(&a);
    set_policy(&a, 0);
    for (uint16_t port = 1000; port < 1030; port++) {
        audit_tx_udp(&a, CLIENT, 53, port);
        audit_handshake_out(&a, CLIENT, 2049, port);
    }
    for (int i = 0; i < 20000; i++) {
        snprintf(remote, sizeof(remote), "11.%d.%d.%d", i >> 16 & 255, i >> 8 & 255, i & 255);
        audit_rx_tcp(&a, remote, 900, 445, SEGMENT(SYN, 1));
        audit_rx_udp(&a, remote, 900, 2049);
        audit_rx_udp(&a, remote, 900, 7777);
        send_unreachable(remote);
    }
    for (uint16_t port = 1000; port < 1030; port++) {
        audit_rx_udp(&a, CLIENT, 53, port);
        audit_rx_tcp(&a, CLIENT, 2049, port, SEGMENT(ACK, 5001, 1001, 10));
    }
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "dns", .verdict = AUDIT_IS(QPW_VERDICT_ALLOWED)), 60);
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "nfs-out", .verdict = AUDIT_IS(QPW_VERDICT_ALLOWED)), 120);
    audit_close(&a);
}

/* ---- Lines ---- */

static struct qpw_conn_key established_key(uint16_t remote_port)
{
    return audit_key(6, AUDIT_NODE, 445, CLIENT, remote_port);
}

/* Feed a replay's frame between two local ends, as sent, which is how a replay treats everything from a local end. */
static void feed_self(uint16_t source_port, uint16_t destination_port, uint8_t flags, uint32_t seq, uint32_t ack,
                      size_t payload)
{
    struct qpw_control *control = a.kernel.control;

    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){0});
    packet_ipv4(&p, &(struct packet_ipv4){.source = AUDIT_NODE, .destination = AUDIT_NODE});
    packet_tcp(&p, &(struct packet_tcp){.source = source_port, .destination = destination_port, .flags = flags,
                                        .seq = seq, .ack = ack, .payload_bytes = payload});
    packet_finish(&p);
    control->replay_now_ns += 1000;
    control->replay_bytes = control->replay_wire = control->replay_captured = p.length;
    audit_feed(&a, AUDIT_TX, &p);
    /* Give all buckets the same number of changes, so that an entry cached under the wrong bucket would still match. */
    for (size_t i = 0; i < QPW_INCARNATIONS; i++)
        a.kernel.incarnations->other[i] = 1000;
}

/*
 * The hook sees the sender as the local end, but the connection's key has the responder, which defines received and
 * sent.
 */
Test(cache, what_a_replayed_node_sends_itself_keeps_its_directions)
{
    struct qpw_counts sum;

    audit_open(&a, &(struct qpw_load_options){.replay = true, .no_counts = true});
    a.kernel.control->replay_now_ns = 1700000000000000000;
    set_policy(&a, 0);
    feed_self(900, 445, SYN, 0, 0, 0);
    feed_self(445, 900, SYN | ACK, 0, 1, 0);
    feed_self(900, 445, ACK, 1, 1, 5);
    feed_self(445, 900, ACK, 1, 6, 5);
    for (uint32_t i = 0; i < 10; i++) {
        feed_self(900, 445, ACK, 6 + i, 6, 1);
        feed_self(445, 900, ACK, 6, 7 + i, 0);
    }
    sum = AUDIT_SUM(&a, .protocol = AUDIT_IS(6), .port = AUDIT_IS(445), .direction = AUDIT_IS(IN));
    cr_expect_eq(sum.connections, 1);
    cr_expect_eq(sum.rx_packets, 12);
    cr_expect_eq(sum.tx_packets, 12);
    audit_close(&a);
}

/* Establish sixteen connections, the ways of a pair of lines, and make them known to the cache. */
enum { CONNECTIONS = 16 };
static void fill_two_lines(bool fixed_secret)
{
    audit_open(&a, &(struct qpw_load_options){.cache_lines = 2, .fixed_secret = fixed_secret});
    audit_window_over(&a);
    set_policy(&a, 0);
    cr_assert(cpu_stay());
    a.kernel.control->refresh_shift = 62; /* no copy expires meanwhile */
    for (unsigned port = 1; port <= CONNECTIONS; port++) {
        audit_handshake_in(&a, CLIENT, port, 445);
        for (int i = 0; i < 3; i++)
            audit_rx_tcp(&a, CLIENT, port, 445, SEGMENT(ACK, 1001, 5001, 20));
    }
}

static void assert_all_are_cached(void)
{
    for (unsigned port = 1; port <= CONNECTIONS; port++) { /* behind the cache's back */
        struct qpw_conn_key key = established_key(port);
        struct qpw_conn c = audit_tcp(&a, CLIENT, port, 445);

        c.last_ns -= 1000000000;
        audit_change(&a, &key, &c);
        audit_rx_tcp(&a, CLIENT, port, 445, SEGMENT(ACK, 1001, 5001, 20));
        cr_assert_eq(audit_tcp(&a, CLIENT, port, 445).last_ns, c.last_ns, "port %u took the slow path", port);
    }
}

/* They are all cached, whichever of the two lines is their own. */
Test(cache, a_pair_of_lines_is_used_whole)
{
    fill_two_lines(/* fixed_secret= */ false);
    assert_all_are_cached();
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "smb"), CONNECTIONS * 7);
    audit_close(&a);
}

/* A scan that is repeated, SYN by SYN, would have copies of these: they push out none of what is known. */
Test(cache, repeated_syns_push_out_nothing)
{
    enum { PORTS = 64, REPEATED = 4 };

    fill_two_lines(/* fixed_secret= */ true); /* none of them shares an incarnation with those */
    for (int i = 0; i < REPEATED; i++)
        for (unsigned port = 1; port <= PORTS; port++)
            audit_rx_tcp(&a, "10.0.3.3", 900, 5000 + port, SEGMENT(SYN, 7));
    assert_all_are_cached();
    cr_assert_eq(AUDIT_PACKETS(&a, .verdict = AUDIT_IS(QPW_VERDICT_UNEXPECTED)), PORTS * REPEATED);
    audit_close(&a);
}

/* ---- Many tuples: none is counted for another ---- */

Test(cache, tuples_never_share_a_count)
{
    enum { PORTS = 3000 };

    audit_open(&a, &(struct qpw_load_options){.cache_lines = 64, .fixed_secret = true});
    audit_window_over(&a);
    set_policy(&a, 0);
    for (int round = 0; round < 6; round++)
        for (unsigned port = 10000; port < 10000 + PORTS; port++)
            for (unsigned k = 0; k <= port % 3; k++)
                audit_rx_udp(&a, CLIENT, 901, port);
    for (unsigned port = 10000; port < 10000 + PORTS; port += 7)
        cr_assert_eq(AUDIT_PACKETS(&a, .port = AUDIT_IS(port)), 6 * (port % 3 + 1), "port %u", port);
    audit_close(&a);
}

/* ---- Where the initiator's tag is seen late ---- */

static void tagged(bool rx, uint16_t vlan, uint8_t flags, uint32_t seq, uint32_t ack, size_t payload)
{
    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){0});
    if (vlan)
        packet_vlan(&p, 0x8100, vlan);
    packet_ipv4(&p, &(struct packet_ipv4){.source = rx ? CLIENT : AUDIT_NODE, .destination = rx ? AUDIT_NODE : CLIENT});
    packet_tcp(&p, &(struct packet_tcp){.source = rx ? 900 : 8000, .destination = rx ? 8000 : 900, .flags = flags,
                                        .seq = seq, .ack = ack, .payload_bytes = payload});
    packet_finish(&p);
    audit_feed(&a, rx ? AUDIT_XDP : AUDIT_TX, &p);
    audit_feed(&b, rx ? AUDIT_XDP : AUDIT_TX, &p);
}

/* The tag of the initiator's first packet decides the verdict; what the cache has of the other end's is out of date. */
Test(cache, the_initiators_tag_is_seen_after_the_other_end_is_known)
{
    struct audit *const each[] = {&a, &b};

    audit_open(&a, NULL);
    audit_open(&b, &(struct qpw_load_options){.no_cache = true});
    for (int i = 0; i < 2; i++) {
        audit_window_over(each[i]);
        AUDIT_POLICY(each[i], NULL, {.name = "tagged", .direction = IN, .protocol = 6, .first = 8000, .vlan = 42});
    }
    tagged(false, 42, SYN | ACK, 5000, 1001, 0);
    for (uint32_t n = 0; n < 4; n++)
        tagged(false, 42, ACK, 5001 + 40 * n, 1001, 40);
    tagged(true, 0, ACK, 1001, 5001, 0);
    tagged(false, 42, ACK, 5161, 1001, 40);
    assert_same_rows(0);
    cr_assert_eq(AUDIT_SUM(&a, .rule = "tagged").tx_packets, 5);
    cr_assert_eq(AUDIT_SUM(&a, .verdict = AUDIT_IS(QPW_VERDICT_UNEXPECTED)).tx_packets, 1);
    cr_assert_eq(AUDIT_SUM(&a, .verdict = AUDIT_IS(QPW_VERDICT_UNEXPECTED)).rx_packets, 1);
    audit_close(&b);
    audit_close(&a);
}

/* The number of changes and the epoch of the last copy, where some SYN has been; there is one such place. */
static uint32_t syn_incarnation(void)
{
    uint32_t found = 0, n = 0;

    for (size_t i = 0; i < QPW_INCARNATIONS; i++)
        if (a.kernel.incarnations->open[i].syn) {
            found = a.kernel.incarnations->open[i].syn;
            n++;
        }
    cr_assert_leq(n, 1);
    return found;
}

static uint32_t epoch_now(void)
{
    return (uint32_t)(qpw_kernel_now_ns(&a.kernel) >> a.kernel.control->refresh_shift) & 15;
}

/*
 * A SYN that is repeated is known by a copy, which makes no other one out of date; one with another number does. Each
 * is looked for in the epoch of its copy only: in another one the bucket shows that there is none.
 */
Test(cache, the_copy_of_a_syn_is_of_its_epoch)
{
    uint32_t before, after, epoch;

    audit_open(&a, NULL);
    set_policy(&a, 0);
    audit_rx_tcp(&a, CLIENT, 900, 445, SEGMENT(SYN, 7));
    cr_assert_eq(syn_incarnation(), 0, "a SYN from outside that opens has no copies");
    do {
        epoch = epoch_now();
        audit_rx_tcp(&a, CLIENT, 900, 445, SEGMENT(SYN, 7));
        before = syn_incarnation();
        for (int i = 0; i < 3; i++)
            audit_rx_tcp(&a, CLIENT, 900, 445, SEGMENT(SYN, 7));
        after = syn_incarnation();
    } while (epoch_now() != epoch);
    cr_assert_eq(before, after);
    cr_assert_eq(before & 15, epoch);
    audit_rx_tcp(&a, CLIENT, 900, 445, SEGMENT(SYN, 8));
    cr_assert_gt(syn_incarnation() >> 4, before >> 4);
    audit_rx_tcp(&a, CLIENT, 900, 445, SEGMENT(SYN, 7));
    cr_assert_gt(syn_incarnation() >> 4, (before >> 4) + 1);
    cr_assert_eq(AUDIT_SUM(&a, .rule = "smb").connections, 1);
    audit_close(&a);
}
