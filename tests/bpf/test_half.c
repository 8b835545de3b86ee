/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The table of half-open connections: which entries its sets evict, which stay, and that two CPUs which open the same
 * connection at the same moment make one entry, for any kind of entry.
 */
#include <criterion/criterion.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit.h"
#include "cpu.h"
#include "bpf/tag.h"
#include "netns.h"

#define ACK PACKET_ACK
#define SYN PACKET_SYN
#define SECONDS 1000000000ull

static struct audit a;

static void open_small(bool fixed_secret)
{
    audit_open(&a, &(struct qpw_load_options){.max_connections = 1024, .fixed_secret = fixed_secret});
    audit_window_over(&a);
    AUDIT_POLICY(&a, NULL, {.name = "smb", .direction = QPW_DIR_INBOUND, .protocol = 6, .first = 445},
                 {.name = "nfs", .direction = QPW_DIR_INBOUND, .protocol = 17, .first = 2049});
}

static void flood(unsigned count)
{
    char remote[24];

    for (unsigned i = 0; i < count; i++) {
        snprintf(remote, sizeof(remote), "11.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
        audit_rx_tcp(&a, remote, 1000, 445, SEGMENT(SYN, i));
    }
}

/* Return the number of evicted entries: opened, less removed, less present. */
static uint64_t pushed_out(void)
{
    return audit_stat(&a, QPW_STAT_OPENED(QPW_CLASS_HALF)) - audit_stat(&a, QPW_STAT_CLOSED(QPW_CLASS_HALF)) -
           audit_connections(&a, QPW_CLASS_HALF);
}

Test(half, a_flood_pushes_out_only_what_has_no_place)
{
    uint64_t places;

    open_small(false);
    places = qpw_conns_capacity(&a.kernel, QPW_CLASS_HALF);
    cr_assert_eq(places, 1280);
    flood(100); /* 16 places a set, one entry a set on average */
    cr_assert_eq(audit_connections(&a, QPW_CLASS_HALF), 100);
    cr_assert_eq(pushed_out(), 0);
    flood(20000); /* the first hundred SYNs are repeated, or their entries were evicted meanwhile */
    cr_assert_eq(audit_connections(&a, QPW_CLASS_HALF), places, "every set is full");
    cr_assert_eq(audit_stat(&a, QPW_STAT_OPENED(QPW_CLASS_HALF)), 20000);
    cr_assert_eq(pushed_out(), 20000 - places);
    cr_assert_eq(AUDIT_SUM(&a, .rule = "smb").connections, 20000);
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "smb"), 20100);
    audit_close(&a);
}

/* Wait until the programs' clock, which is that of ticks, has moved on: what comes within a tick is of the same age. */
static void next_tick(void)
{
    uint64_t until = qpw_kernel_now_ns(&a.kernel) + 10000000;

    while (qpw_kernel_now_ns(&a.kernel) < until)
        ;
}

/* The oldest of four is evicted, so a recent entry survives almost as many new ones as fill a set. */
Test(half, a_handshake_survives_a_flood)
{
    char remote[16];

    open_small(false);
    flood(20000);
    for (unsigned i = 0; i < 200; i++) { /* between a SYN and its answer come 60 others: less than one per set */
        next_tick(); /* else this flood turns over the whole of the small table in one */
        snprintf(remote, sizeof(remote), "10.9.0.%u", i + 1);
        audit_rx_tcp(&a, remote, 900, 445, SEGMENT(SYN, 1000));
        for (unsigned n = 0; n < 60; n++) {
            char other[16];

            snprintf(other, sizeof(other), "12.0.%u.%u", i, n);
            audit_rx_tcp(&a, other, 1000, 445, SEGMENT(SYN, n));
        }
        audit_tx_tcp(&a, remote, 900, 445, SEGMENT(SYN | ACK, 5000, 1001));
        audit_rx_tcp(&a, remote, 900, 445, SEGMENT(ACK, 1001, 5001));
        cr_assert_eq(audit_tcp(&a, remote, 900, 445).state, QPW_STATE_ESTABLISHED, "%s", remote);
        cr_assert_eq(audit_tcp(&a, remote, 900, 445).evidence, QPW_EVIDENCE_HANDSHAKE);
    }
    cr_assert_eq(audit_connections(&a, QPW_CLASS_EST), 200);
    cr_assert_eq(AUDIT_SUM(&a, .rule = "smb").connections, 20000 + 200 * 61);
    cr_assert_eq(AUDIT_PACKETS(&a, .direction = AUDIT_IS(QPW_DIR_INBOUND)), a.frames);
    audit_close(&a);
}

/* Replacing an expired entry is not a loss. */
Test(half, expired_ones_are_not_pushed_out)
{
    enum { EXPIRED = 240 }; /* three a set on average: with 500, one set in 5,000 receives more than its 16 */
    struct qpw_conn_key key = audit_key(6, AUDIT_NODE, 445, "11.0.0.0", 1000);
    char remote[16];

    open_small(false);
    flood(EXPIRED);
    cr_assert_eq(pushed_out(), 0);
    for (unsigned i = 0; i < EXPIRED; i++) {
        snprintf(remote, sizeof(remote), "11.0.%u.%u", i >> 8, i & 255);
        key = audit_key(6, AUDIT_NODE, 445, remote, 1000);
        audit_age(&a, &key, 76 * SECONDS);
    }
    for (unsigned i = 0; i < 20000; i++) {
        snprintf(remote, sizeof(remote), "13.0.%u.%u", i >> 8, i & 255);
        audit_rx_tcp(&a, remote, 1000, 445, SEGMENT(SYN, i));
    }
    cr_assert_eq(audit_stat(&a, QPW_STAT_CLOSED(QPW_CLASS_HALF)), EXPIRED, "all had expired, and were the oldest");
    cr_assert_eq(pushed_out(), 20000 - 1280);
    audit_close(&a);
}

/* An expired entry is evicted before a live one that has been silent for longer, such as an idle TCP connection. */
Test(half, what_goes_on_outlives_what_has_expired)
{
    enum { IDLE = 40 };
    struct qpw_conn_key key;
    char remote[16];

    open_small(true); /* the same sets in each run; at random, one with four idle ones would lose one */
    for (unsigned i = 0; i < IDLE; i++) {
        snprintf(remote, sizeof(remote), "10.9.0.%u", i + 1);
        audit_rx_tcp(&a, remote, 900, 7777, SEGMENT(ACK, 1, 1, 10)); /* mid-stream, undecided */
        key = audit_key(6, AUDIT_NODE, 7777, remote, 900);
        audit_age(&a, &key, 3600 * SECONDS);
    }
    for (unsigned i = 0; i < 10000; i++) {
        snprintf(remote, sizeof(remote), "11.0.%u.%u", i >> 8, i & 255);
        audit_rx_tcp(&a, remote, 1000, 445, SEGMENT(SYN, i));
        key = audit_key(6, AUDIT_NODE, 445, remote, 1000);
        audit_age(&a, &key, 76 * SECONDS);
    }
    cr_assert_eq(audit_connections(&a, QPW_CLASS_HALF), 1280, "every set is full");
    for (unsigned i = 0; i < IDLE; i++) {
        snprintf(remote, sizeof(remote), "10.9.0.%u", i + 1);
        cr_assert_eq(audit_tcp(&a, remote, 900, 7777).state, QPW_STATE_MIDSTREAM);
    }
    cr_assert_eq(pushed_out(), 0);
    audit_close(&a);
}

/* The node reports to the sender of a datagram that nobody listens on that port. */
static void send_unreachable(const char *remote, uint16_t port)
{
    static struct packet p;

    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){0});
    packet_ipv4(&p, &(struct packet_ipv4){.source = AUDIT_NODE, .destination = remote});
    packet_icmp(&p, &(struct packet_icmp){.type = 3, .code = 3});
    packet_ipv4(&p, &(struct packet_ipv4){.source = remote, .destination = AUDIT_NODE});
    packet_udp(&p, &(struct packet_udp){.source = port, .destination = port});
    packet_finish(&p);
    audit_feed(&a, AUDIT_TX, &p);
}

/* An ICMP error may quote an exchange that has expired, but not one that is over. */
Test(half, an_entry_that_is_over_decides_nothing)
{
    struct qpw_conn_key late = audit_key(17, AUDIT_NODE, 7777, "10.0.0.9", 7777);
    struct qpw_conn_key over = audit_key(17, AUDIT_NODE, 7778, "10.0.0.9", 7778);

    open_small(false);
    audit_rx_udp(&a, "10.0.0.9", 7777, 7777);
    audit_rx_udp(&a, "10.0.0.9", 7778, 7778);
    audit_age(&a, &late, 200 * SECONDS);
    audit_age(&a, &over, 400 * SECONDS);
    send_unreachable("10.0.0.9", 7777);
    send_unreachable("10.0.0.9", 7778);
    cr_assert_eq(audit_udp(&a, "10.0.0.9", 7777, 7777).outcome, QPW_OUTCOME_REFUSED);
    cr_assert_eq(audit_udp(&a, "10.0.0.9", 7778, 7778).outcome, QPW_OUTCOME_ATTEMPTED);
    audit_close(&a);
}

/* User space must not write a set while the programs may, because its copy would undo their changes. */
Test(half, live_entries_are_left_to_the_programs)
{
    struct qpw_conn_key key = audit_key(6, AUDIT_NODE, 445, "11.0.0.0", 1000), none = key;
    struct qpw_conn conn;

    open_small(false);
    flood(1);
    none.remote_port++;
    cr_assert_eq(qpw_conns_find(&a.kernel, QPW_CLASS_HALF, &key, &conn), 0);
    cr_assert_eq(conn.state, QPW_STATE_SYN);
    cr_assert_eq(qpw_conns_find(&a.kernel, QPW_CLASS_HALF, &none, &conn), -ENOENT);
    cr_assert_eq(qpw_conns_remove(&a.kernel, QPW_CLASS_HALF, &key), -EBUSY);
    cr_assert_eq(audit_connections(&a, QPW_CLASS_HALF), 1);
    audit_close(&a);
}

/* ---- Established connections in their sets ---- */

/* Let the established connection of that client become older than it may be in its set; its next packet moves it. */
static void grow(const char *remote, uint16_t port)
{
    struct qpw_conn_key key = audit_key(6, AUDIT_NODE, 445, remote, port);

    audit_age(&a, &key, QPW_HELD_NS + SECONDS);
    audit_rx_tcp(&a, remote, port, 445, SEGMENT(ACK, 1001, 5001, 0));
}

static const char *client(unsigned i)
{
    static char remote[24];

    snprintf(remote, sizeof(remote), "10.9.%u.%u", i >> 8, i & 255);
    return remote;
}

static uint64_t opened_and_closed(enum qpw_conn_class conn_class, int64_t *ret_difference)
{
    uint64_t opened = audit_stat(&a, QPW_STAT_OPENED(conn_class));

    *ret_difference = (int64_t)(opened - audit_stat(&a, QPW_STAT_CLOSED(conn_class)));
    return opened;
}

/* A flood pushes none of them out, and has room in each set for all that: at most one of a sample of four is held. */
Test(half, what_is_established_in_its_set_makes_no_room)
{
    enum { CLIENTS = 1200 };
    struct qpw_half set;
    unsigned held;

    open_small(false);
    for (unsigned i = 0; i < CLIENTS; i++)
        audit_handshake_in(&a, client(i), 900, 445);
    held = audit_held(&a);
    cr_assert_gt(held, 250);
    cr_assert_eq(audit_stat(&a, QPW_LOSS_CONN_EST_FULL), 0);
    flood(30000);
    cr_assert_eq(audit_held(&a), held);
    cr_assert_eq(audit_connections(&a, QPW_CLASS_EST), CLIENTS);
    cr_assert_eq(audit_connections(&a, QPW_CLASS_HALF), 1280 - held, "the flood has the rest of each set");
    for (unsigned i = 0; i < CLIENTS; i++)
        cr_assert_eq(audit_tcp(&a, client(i), 900, 445).evidence, QPW_EVIDENCE_HANDSHAKE, "client %u", i);
    for (uint32_t n = 0; n < a.kernel.config.half_sets; n++) {
        cr_assert_eq(bpf_map_lookup_elem(a.kernel.map_fd[QPW_MAP_conns_half], &n, &set), 0);
        for (unsigned first = 0; first < QPW_HALF_WAYS / QPW_HALF_SAMPLE; first++)
            cr_assert_leq(__builtin_popcount(set.held >> first & 0x1111), 1, "set %u", n);
    }
    cr_assert_eq(AUDIT_SUM(&a, .rule = "smb").connections, audit_stat(&a, QPW_STAT_OPENED(QPW_CLASS_HALF)));
    audit_close(&a);
}

/* What is no short connection moves, as the same entry; where there is no place for it, it stays, and nothing is lost. */
Test(half, what_lives_longer_moves_to_the_established)
{
    int64_t open;
    uint64_t opened;
    unsigned i;

    open_small(false);
    for (i = 0; i < 4; i++)
        audit_handshake_in(&a, client(i), 900, 445);
    cr_assert_eq(audit_held(&a), 4);
    opened = opened_and_closed(QPW_CLASS_EST, &open);
    cr_assert_eq(open, 4);
    for (i = 0; i < 4; i++)
        grow(client(i), 900);
    cr_assert_eq(audit_held(&a), 0);
    cr_assert_eq(audit_connections(&a, QPW_CLASS_EST), 4);
    cr_assert_eq(opened_and_closed(QPW_CLASS_EST, &open), opened);
    cr_assert_eq(open, 4);
    cr_assert_eq(audit_tcp(&a, client(0), 900, 445).evidence, QPW_EVIDENCE_HANDSHAKE);
    for (i = 4; audit_stat(&a, QPW_LOSS_CONN_EST_FULL) == 0; i++)
        audit_handshake_in(&a, client(i), 900, 445);
    opened = audit_held(&a);
    grow(client(4), 900);
    cr_assert_eq(audit_held(&a), opened, "the table is full");
    cr_assert_eq(audit_stat(&a, QPW_LOSS_CONN_EST_FULL), 1);
    cr_assert_eq(audit_tcp(&a, client(4), 900, 445).state, QPW_STATE_ESTABLISHED);
    cr_assert_eq(AUDIT_SUM(&a, .rule = "smb").connections, i);
    audit_close(&a);
}

/* Enter the connection where it is to move, too, as another CPU has that is held up before it takes it out of its set. */
static void move_halfway(const char *remote)
{
    struct qpw_conn_key key = audit_key(6, AUDIT_NODE, 445, remote, 900);
    struct qpw_conn conn = audit_tcp(&a, remote, 900, 445);
    struct qpw_incarnations *all = malloc(sizeof(*all));
    uint32_t zero = 0;

    cr_assert(all);
    cr_assert_eq(bpf_map_lookup_elem(a.kernel.map_fd[QPW_MAP_incarnations], &zero, all), 0);
    for (uint32_t i = 0; i < QPW_INCARNATIONS; i++)
        all->open[i].live = 0x01010101;
    for (uint32_t i = 0; i < QPW_PAIRS; i++)
        all->pair_live[i] = 1;
    cr_assert_eq(bpf_map_update_elem(a.kernel.map_fd[QPW_MAP_incarnations], &zero, all, BPF_ANY), 0);
    free(all);
    conn.conn_class = QPW_CLASS_EST;
    cr_assert_eq(bpf_map_update_elem(a.kernel.map_fd[QPW_MAP_conns_est], &key, &conn, BPF_NOEXIST), 0);
}

/* Else the other CPU takes out the tail when it goes on, and a later packet opens a second connection. */
Test(half, what_ends_while_it_moves_leaves_its_tail)
{
    int64_t open;

    open_small(false);
    audit_handshake_in(&a, client(0), 900, 445);
    cr_assert_eq(audit_held(&a), 1);
    move_halfway(client(0));
    audit_rx_tcp(&a, client(0), 900, 445, SEGMENT(PACKET_FIN | ACK, 1001, 5001, 0));
    audit_tx_tcp(&a, client(0), 900, 445, SEGMENT(PACKET_FIN | ACK, 5001, 1002, 0));
    cr_assert_eq(audit_held(&a), 0);
    cr_assert_eq(audit_tcp(&a, client(0), 900, 445).state, QPW_STATE_CLOSED);
    cr_assert_eq(audit_tcp(&a, client(0), 900, 445).conn_class, QPW_CLASS_HALF);
    opened_and_closed(QPW_CLASS_EST, &open);
    cr_assert_eq(open, 0);
    opened_and_closed(QPW_CLASS_HALF, &open);
    cr_assert_eq(open, 1);
    audit_rx_tcp(&a, client(0), 900, 445, SEGMENT(ACK, 1002, 5002, 0));
    cr_assert_eq(AUDIT_SUM(&a, .rule = "smb").connections, 1);
    audit_close(&a);
}

/* What has ended makes room like any other; a forged RST ends nothing that the node continues. */
Test(half, what_ends_in_its_set_is_let_go_of)
{
    int64_t open;

    open_small(false);
    audit_handshake_in(&a, client(0), 900, 445);
    cr_assert_eq(audit_held(&a), 1);
    audit_rx_tcp(&a, client(0), 900, 445, SEGMENT(PACKET_RST, 1001, 0, 0));
    cr_assert_eq(audit_held(&a), 0);
    cr_assert_eq(audit_tcp(&a, client(0), 900, 445).conn_class, QPW_CLASS_HALF);
    audit_tx_tcp(&a, client(0), 900, 445, SEGMENT(ACK, 5001, 1001, 10));
    cr_assert_eq(audit_held(&a), 1);
    cr_assert_eq(audit_tcp(&a, client(0), 900, 445).state, QPW_STATE_ESTABLISHED);
    audit_rx_tcp(&a, client(0), 900, 445, SEGMENT(PACKET_FIN | ACK, 1001, 5011, 0));
    audit_tx_tcp(&a, client(0), 900, 445, SEGMENT(PACKET_FIN | ACK, 5011, 1002, 0));
    cr_assert_eq(audit_held(&a), 0);
    opened_and_closed(QPW_CLASS_EST, &open);
    cr_assert_eq(open, 0);
    opened_and_closed(QPW_CLASS_HALF, &open);
    cr_assert_eq(open, 1);
    flood(20000);
    cr_assert_gt(pushed_out(), 0);
    cr_assert_eq(AUDIT_SUM(&a, .rule = "smb").connections, audit_stat(&a, QPW_STAT_OPENED(QPW_CLASS_HALF)) - 2,
                 "it was closed twice");
    audit_close(&a);
}

/* A connection whose end was not seen keeps its place for as long as the time-out of an established one. */
Test(half, what_has_expired_in_its_set_makes_room)
{
    struct qpw_conn_key key = audit_key(6, AUDIT_NODE, 445, client(0), 900);
    int64_t open;

    open_small(false);
    audit_handshake_in(&a, client(0), 900, 445);
    audit_age(&a, &key, a.kernel.control->tcp_ns + SECONDS);
    flood(20000);
    cr_assert_eq(audit_held(&a), 0);
    cr_assert_eq(opened_and_closed(QPW_CLASS_EST, &open), 1);
    cr_assert_eq(open, 0);
    cr_assert_eq(audit_stat(&a, QPW_STAT_EXPIRED(QPW_CLASS_NONE)), 1);
    audit_close(&a);
}

/*
 * A connection that user space removed is new when it is seen again: the live count of its bucket shows that it is
 * gone.
 */
Test(half, what_user_space_removed_is_opened_anew)
{
    struct qpw_conn_key key = audit_key(6, AUDIT_NODE, 445, "10.0.0.9", 900);

    open_small(false);
    audit_handshake_in(&a, "10.0.0.9", 900, 445);
    cr_assert_eq(qpw_conns_remove(&a.kernel, QPW_CLASS_EST, &key), -EBUSY, "it is in its set, as half-open ones are");
    grow("10.0.0.9", 900);
    cr_assert_eq(qpw_conns_remove(&a.kernel, QPW_CLASS_EST, &key), 0);
    cr_assert_eq(qpw_conns_remove(&a.kernel, QPW_CLASS_EST, &key), -ENOENT);
    audit_handshake_in(&a, "10.0.0.9", 900, 445);
    cr_assert_eq(audit_tcp(&a, "10.0.0.9", 900, 445).state, QPW_STATE_ESTABLISHED);
    cr_assert_eq(AUDIT_SUM(&a, .rule = "smb").connections, 2);
    audit_close(&a);
}

/* ---- The count that lets a packet skip other tables ---- */

/* Both counts are of the same entries. */
static uint64_t live_in_all(void)
{
    uint64_t sum = 0, of_pairs = 0;

    for (unsigned place = 0; place < QPW_INCARNATIONS; place++)
        for (unsigned shift = 0; shift < 32; shift += 8)
            sum += a.kernel.incarnations->open[place].live >> shift & 0xff;
    for (unsigned pair = 0; pair < QPW_PAIRS; pair++) {
        cr_assert_lt(a.kernel.incarnations->pair_live[pair], 1u << 31, "more were taken out than entered");
        of_pairs += a.kernel.incarnations->pair_live[pair];
    }
    cr_assert_eq(of_pairs, sum);
    return sum;
}

static uint64_t entries_of_other_tables(void)
{
    return audit_connections(&a, QPW_CLASS_EST) - audit_held(&a) + audit_connections(&a, QPW_CLASS_OUT) +
           audit_connections(&a, QPW_CLASS_DGRAM);
}

/*
 * However entries come and go, the count is right: inserted, refused by a full table, moved, closed, replaced, removed.
 */
Test(half, the_count_of_live_entries_is_that_of_the_tables)
{
    enum { CLIENTS = 2500, SOME = 30 };
    struct qpw_conn_key key;
    unsigned held;
    char remote[16];

    open_small(false);
    for (unsigned i = 0; i < CLIENTS; i++) {
        snprintf(remote, sizeof(remote), "10.9.%u.%u", i >> 8, i & 255);
        audit_handshake_in(&a, remote, 900, 445);
    }
    held = audit_held(&a);
    cr_assert_eq(audit_stat(&a, QPW_LOSS_CONN_EST_FULL), CLIENTS - 1024 - held);
    cr_assert_eq(live_in_all(), 1024);
    for (unsigned i = 0; i < SOME; i++) {
        snprintf(remote, sizeof(remote), "10.9.0.%u", i);
        audit_rx_udp(&a, remote, 900, 2049);
        audit_tx_udp(&a, remote, 900, 2049);
        audit_tx_udp(&a, remote, 53, 901);
        audit_handshake_out(&a, remote, 2049, 902); /* no room in the table of established ones */
        audit_tx_tcp(&a, remote, 2049, 903, SEGMENT(SYN, 1));
    }
    cr_assert_eq(live_in_all(), 1024 + 4 * SOME);
    cr_assert_eq(live_in_all(), entries_of_other_tables());
    for (unsigned i = 0; i < SOME; i++) {
        snprintf(remote, sizeof(remote), "10.9.0.%u", i);
        audit_rx_tcp(&a, remote, 900, 445, SEGMENT(PACKET_RST, 1001));
        audit_rx_tcp(&a, remote, 2049, 903, SEGMENT(PACKET_RST | ACK, 0, 2));
        key = audit_key(17, AUDIT_NODE, 2049, remote, 900);
        cr_assert_eq(qpw_conns_remove(&a.kernel, QPW_CLASS_DGRAM, &key), 0);
        cr_assert_eq(qpw_conns_remove(&a.kernel, QPW_CLASS_DGRAM, &key), -ENOENT);
    }
    held -= audit_held(&a); /* so many of those that were closed stood in their sets */
    cr_assert_eq(live_in_all(), 1024 + SOME + held);
    cr_assert_eq(live_in_all(), entries_of_other_tables());
    for (unsigned i = 0; i < SOME; i++) {
        snprintf(remote, sizeof(remote), "10.9.0.%u", i);
        audit_handshake_in(&a, remote, 900, 445);
        key = audit_key(17, AUDIT_NODE, 901, remote, 53);
        audit_age(&a, &key, 400 * SECONDS);
        audit_tx_udp(&a, remote, 53, 901); /* the expired one is removed, another one added */
    }
    cr_assert_eq(live_in_all(), 1024 + 2 * SOME);
    cr_assert_eq(live_in_all(), entries_of_other_tables());
    audit_close(&a);
}

/* ---- Two CPUs ---- */

#define TUPLES 4000u

struct tuple {
    char remote[24];
    uint16_t port; /* the node's */
};

struct sender {
    pthread_t thread;
    int cpu, prog;
    const struct tuple *tuples; /* TUPLES of them */
    atomic_uint *arrived;       /* counts both senders, tuple by tuple */
    int failed;
};

/* Send the SYN of each tuple once, all from one CPU, each at the same moment as the other sender's. */
static void *send_all(void *argument)
{
    struct sender *s = argument;
    struct packet *p = malloc(sizeof(*p));
    LIBBPF_OPTS(bpf_test_run_opts, run, .repeat = 1);

    s->failed = !cpu_pin(s->cpu);
    for (unsigned i = 0; i < TUPLES; i++) {
        packet_make_tcp(p, s->tuples[i].remote, 1000, AUDIT_NODE, s->tuples[i].port, SEGMENT(SYN, i));
        run.data_in = p->data;
        run.data_size_in = p->length;
        atomic_fetch_add(s->arrived, 1);
        while (atomic_load(s->arrived) < 2 * (i + 1)) /* spins, because waking up would take different times */
            sched_yield();
        s->failed |= bpf_prog_test_run_opts(s->prog, &run) < 0;
    }
    free(p);
    return NULL;
}

static void send_from_two_cpus(const struct tuple *first, const struct tuple *second)
{
    struct sender senders[2] = {{.tuples = first}, {.tuples = second}};
    atomic_uint arrived = 0;
    int cpus[2];

    cpu_need_two(cpus);
    for (int i = 0; i < 2; i++) {
        senders[i].cpu = cpus[i];
        senders[i].prog = audit_program(&a, AUDIT_XDP);
        senders[i].arrived = &arrived;
        cr_assert_eq(pthread_create(&senders[i].thread, NULL, send_all, &senders[i]), 0);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(senders[i].thread, NULL);
        cr_assert_eq(senders[i].failed, 0);
    }
    a.frames += 2 * TUPLES;
    a.bytes += 2 * TUPLES * 54;
}

static void open_for_two(bool weakly_ordered)
{
    audit_open(&a, &(struct qpw_load_options){.weakly_ordered = weakly_ordered});
    audit_window_over(&a);
    AUDIT_POLICY(&a, NULL, {.name = "smb", .direction = QPW_DIR_INBOUND, .protocol = 6, .first = 445});
}

Test(half, a_tuple_is_entered_once, .timeout = NETNS_TIMEOUT_S)
{
    static struct tuple tuples[TUPLES];

    for (unsigned i = 0; i < TUPLES; i++) {
        snprintf(tuples[i].remote, sizeof(tuples[i].remote), "11.1.%u.%u", i >> 8, i & 255);
        tuples[i].port = 445;
    }
    open_for_two(false);
    send_from_two_cpus(tuples, tuples);
    cr_assert_eq(audit_connections(&a, QPW_CLASS_HALF), TUPLES);
    cr_assert_eq(audit_stat(&a, QPW_STAT_OPENED(QPW_CLASS_HALF)), TUPLES);
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "smb"), 2 * TUPLES);
    cr_assert_eq(AUDIT_SUM(&a, .rule = "smb").connections, TUPLES);
    audit_close(&a);
}

static uint32_t set_of(const struct qpw_conn_key *key)
{
    struct qpw_tag t = qpw_tag_pair(a.kernel.config.secret, key->local, key->remote, 0);

    qpw_tag_exchange(&t, a.kernel.config.secret, key->local_port, key->remote_port, key->protocol);
    return qpw_tag_half_set(&t, a.kernel.config.secret, a.kernel.config.half_sets);
}

/* For TUPLES sets, find a tuple for each port that belongs there; no two from one address. */
static void pair_by_set(struct tuple *first, struct tuple *second)
{
    enum { PORTS = 2 };
    static const uint16_t ports[PORTS] = {445, 7777};
    struct tuple *found = calloc(a.kernel.config.half_sets, PORTS * sizeof(*found));
    unsigned pairs = 0;

    for (unsigned i = 0; pairs < TUPLES; i++) {
        struct tuple t = {.port = ports[i % PORTS]};
        struct qpw_conn_key key;
        struct tuple *here;

        snprintf(t.remote, sizeof(t.remote), "12.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
        key = audit_key(6, AUDIT_NODE, t.port, t.remote, 1000);
        here = &found[set_of(&key) * PORTS];
        if (here[i % PORTS].port)
            continue;
        here[i % PORTS] = t;
        if (!here[0].port || !here[1].port)
            continue;
        first[pairs] = here[0];
        second[pairs++] = here[1];
    }
    free(found);
}

/* Two connections that open at the same moment in the same set get a slot each, with their own verdicts. */
static void open_in_the_same_sets(bool weakly_ordered)
{
    static struct tuple allowed[TUPLES], unexpected[TUPLES];

    open_for_two(weakly_ordered);
    pair_by_set(allowed, unexpected);
    send_from_two_cpus(allowed, unexpected);
    cr_expect_eq(audit_connections(&a, QPW_CLASS_HALF), TUPLES * 2);
    cr_expect_eq(audit_stat(&a, QPW_STAT_OPENED(QPW_CLASS_HALF)), TUPLES * 2);
    for (unsigned i = 0; i < TUPLES; i++) {
        cr_expect_eq(audit_tcp(&a, allowed[i].remote, 1000, 445).verdict, QPW_VERDICT_ALLOWED);
        cr_expect_eq(audit_tcp(&a, unexpected[i].remote, 1000, 7777).verdict, QPW_VERDICT_UNEXPECTED);
    }
    cr_assert_eq(AUDIT_SUM(&a, .rule = "smb").connections, TUPLES);
    audit_close(&a);
}

Test(half, a_place_is_given_once, .timeout = NETNS_TIMEOUT_S)
{
    open_in_the_same_sets(false);
}

Test(half, a_place_is_given_once_where_finding_takes_the_lock, .timeout = NETNS_TIMEOUT_S)
{
    open_in_the_same_sets(true);
}

/* ---- Two CPUs without room ---- */

/* Both CPUs see the same new port when findings are full: its overflow row counts both, and is not a loss. */
Test(half, a_lost_findings_row_is_made_once, .timeout = NETNS_TIMEOUT_S)
{
    static struct tuple tuples[TUPLES];
    struct qpw_detail_key key;
    struct qpw_detail row;
    char remote[16];

    open_for_two(false);
    for (unsigned i = 0; i < QPW_FINDING_SLOTS + 1; i++) {
        snprintf(remote, sizeof(remote), "11.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
        audit_rx_tcp(&a, remote, 1000, 7777, SEGMENT(SYN, i));
    }
    cr_assert_eq(audit_stat(&a, QPW_LOSS_FINDING_QUOTA), 1);
    for (unsigned i = 0; i < TUPLES; i++) {
        snprintf(tuples[i].remote, sizeof(tuples[i].remote), "12.0.0.1");
        tuples[i].port = (uint16_t)(20000 + i);
    }
    send_from_two_cpus(tuples, tuples);
    cr_expect_eq(audit_stat(&a, QPW_LOSS_DETAIL_TABLE), 0);
    for (unsigned i = 0; i < TUPLES; i++) {
        key = (struct qpw_detail_key){.kind = QPW_KIND_PORT, .protocol = 6, .direction = QPW_DIR_INBOUND,
                                      .port = tuples[i].port};
        cr_assert_eq(bpf_map_lookup_elem(a.kernel.map_fd[QPW_MAP_details], &key, &row), 0, "port %u", key.port);
        cr_expect_eq(row.packets, 2, "port %u: %u", key.port, (unsigned)row.packets);
    }
    audit_close(&a);
}
