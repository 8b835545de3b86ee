/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Comparing statements: conservation of packets, and each difference with its explanation. */
#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "facts/compare.h"
#include "util/names.h"
#include "words/difference.h"

#define SECOND_US 1000000u
#define DAY_NS 86400000000000ull
#define NOW_NS 1767225600000000000ull
#define SAMPLES 61u /* a minute */

/* ---- Conservation ---- */

TestSuite(conservation);

/* Two counters, each read every second; the receiver's half a second later by a clock that is `offset` ahead. */
static struct {
    uint64_t at[2][SAMPLES], reading[2][SAMPLES], count[2][SAMPLES];
} flows;

static void make_flows(uint64_t rate, double arriving, int64_t offset_us)
{
    for (uint64_t i = 0; i < SAMPLES; i++) {
        flows.at[0][i] = (1000 + i) * SECOND_US;
        flows.at[1][i] = (uint64_t)((int64_t)((1000 + i) * SECOND_US + SECOND_US / 2) + offset_us);
        flows.reading[0][i] = flows.reading[1][i] = 100;
        flows.count[0][i] = 5000 + rate * i;
        flows.count[1][i] = 777 + (uint64_t)(arriving * (double)rate * ((double)i + 0.5));
    }
}

static struct qpw_balance balance(const struct qpw_clocks *clocks, bool inexact)
{
    struct qpw_flow sender = {flows.at[0], flows.reading[0], flows.count[0], SAMPLES};
    struct qpw_flow receiver = {flows.at[1], flows.reading[1], flows.count[1], SAMPLES};
    struct qpw_balance ret;

    qpw_balance_of(&sender, &receiver, clocks, inexact, &ret);
    return ret;
}

Test(conservation, is_what_left_against_what_arrived_at_the_same_moments)
{
    struct qpw_balance b;

    make_flows(1000, 1.0, 0);
    b = balance(&(struct qpw_clocks){0, 0}, false);
    cr_expect_eq(b.word, QPW_FLOW_CONSERVED);
    cr_expect_eq(b.from_us, 1000 * SECOND_US + SECOND_US / 2, "from the first moment that both have read");
    cr_expect_eq(b.to_us, 1060 * SECOND_US);
    cr_expect_eq(b.sent, 59500u);
    cr_expect_eq(b.received, 59500u);
    cr_expect_eq(b.tolerance, 2u * 1000 * 50100 / SECOND_US, "2 x peak x (reading + 50 ms): %lu", b.tolerance);
}

Test(conservation, clocks_that_differ_are_the_same_moments_too)
{
    struct qpw_balance b;
    static const int64_t offsets[] = {5000000, -5000000, 86400000000, -999000000};

    for (size_t i = 0; i < sizeof(offsets) / sizeof(*offsets); i++) {
        make_flows(100000, 1.0, offsets[i]);
        b = balance(&(struct qpw_clocks){offsets[i], 0}, false);
        cr_expect_eq(b.word, QPW_FLOW_CONSERVED, "%ld", offsets[i]);
        cr_expect_eq(b.sent, b.received, "%ld: %lu and %lu", offsets[i], b.sent, b.received);
    }
    make_flows(100000, 1.0, 5000000); /* an unknown offset of five seconds, within the clock's error */
    b = balance(&(struct qpw_clocks){0, 5000000}, false);
    cr_expect_eq(b.word, QPW_FLOW_CONSERVED);
    cr_expect_eq(b.tolerance, 2ull * 100000 * 5050100 / SECOND_US);
}

Test(conservation, thresholds_are_those_that_are_documented)
{
    static const struct {
        uint64_t rate;
        double arriving;
        enum qpw_conserved word;
    } cases[] = {
        {10000, 0.99, QPW_FLOW_MISSING},   /* 1 % of 595,000: more than 4 x 1,002 */
        {10000, 0.994, QPW_FLOW_CONSERVED},/* 3,570: less than that */
        {100, 0.5, QPW_FLOW_MISSING},      /* 2,975 of 5,950 */
        {20, 0.2, QPW_FLOW_CONSERVED},     /* 952 packets: not more than 1,000 */
        {20, 1.2, QPW_FLOW_EXCESS},        /* 238 more: more than 100, and than 4 x 2 */
        {20, 1.05, QPW_FLOW_CONSERVED},    /* 59 more: not more than 100 */
        {0, 1.0, QPW_FLOW_CONSERVED},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct qpw_balance b;

        make_flows(cases[i].rate, cases[i].arriving, 0);
        b = balance(&(struct qpw_clocks){0, 0}, false);
        cr_expect_eq(b.word, cases[i].word, "%zu: %s, %lu against %lu, tolerance %lu", i, qpw_conserved_name(b.word), b.sent, b.received,
                     b.tolerance);
    }
    make_flows(10000, 0.985, 0);
    cr_expect_eq(balance(&(struct qpw_clocks){0, 0}, true).word, QPW_FLOW_CONSERVED, "an end that merges: 4 x (1 % more)");
}

Test(conservation, a_burst_that_is_over_is_not_said)
{
    make_flows(10000, 1.0, 0);
    for (size_t i = 10; i < SAMPLES; i++)
        flows.count[1][i] -= 9000; /* lost in one second */
    cr_expect_eq(balance(&(struct qpw_clocks){0, 0}, false).word, QPW_FLOW_CONSERVED, "it does not grow any more");
}

Test(conservation, too_little_in_common_says_nothing)
{
    struct qpw_clocks clocks = {0, 0};

    make_flows(10000, 0.5, 0);
    for (size_t i = 0; i < SAMPLES; i++)
        flows.at[1][i] += 56 * SECOND_US;
    cr_expect_eq(balance(&clocks, false).word, QPW_FLOW_SHORT);
    clocks.offset_us = INT64_MIN / 2;
    cr_expect_eq(balance(&clocks, false).word, QPW_FLOW_SHORT);
    clocks.offset_us = INT64_MAX / 2;
    cr_expect_eq(balance(&clocks, false).word, QPW_FLOW_SHORT);
}

/* ---- Statements ---- */

#define MOST 8
static struct qpw_statement s[MOST];
static struct qpw_comparison c;
static struct qpw_stated_series pair_series[MOST][MOST], device_series[MOST][2];
static struct qpw_stated_pair pairs[MOST][MOST];
static struct qpw_stated_device devices[MOST][2], unwatched[MOST][2];
static struct qpw_stated_local locals[MOST][4];
static struct qpw_stated_neighbour neighbours[MOST][MOST];
static struct qpw_stated_by by[MOST][MOST][4];
static struct qpw_stated_port ports[MOST][4];
static struct qpw_stated_listener listeners[MOST][4];
static struct qpw_stated_scan scans[MOST][2];
static size_t nodes;

static void address(uint8_t ret[16], unsigned node)
{
    char text[32];

    snprintf(text, sizeof(text), "10.0.0.%u", node + 1);
    qpw_address_parse(text, ret);
}

static void set_rate(unsigned from, unsigned to, uint64_t sent, uint64_t received)
{
    for (size_t t = 0; t < SAMPLES; t++) {
        pair_series[from][to < from ? to : to - 1].tx[t] = sent * t;
        pair_series[to][from < to ? from : from - 1].rx[t] = received * t;
    }
    pairs[from][to < from ? to : to - 1].tx.packets = sent * (SAMPLES - 1);
    pairs[to][from < to ? from : from - 1].rx.packets = received * (SAMPLES - 1);
}

/* Make n nodes on one link, each monitoring eth0, each pair with 1,000 packets a second in each direction. */
static void make_nodes(size_t n)
{
    nodes = n;
    for (unsigned i = 0; i < n; i++) {
        size_t peer = 0;

        snprintf(s[i].node, sizeof(s[i].node), "node%u", i + 1);
        snprintf(s[i].epoch, sizeof(s[i].epoch), "boot-%u:1", i);
        s[i].at_unix_ns = NOW_NS;
        s[i].since_unix_ns = NOW_NS - 2 * DAY_NS;
        s[i].uptime_us = (5000 + 1000 * i) * SECOND_US; /* clocks that begin at different times */
        s[i].clock_error_us = 1000;
        s[i].exact = true;
        strcpy(s[i].version, "0.1.0");
        strcpy(s[i].policy.digest, "sha256:aa");
        strcpy(s[i].answer, "CLEAN");
        s[i].devices = devices[i];
        s[i].n_devices = 1;
        devices[i][0] = (struct qpw_stated_device){.name = "eth0", .mode = "tc", .mac = {2, 0, 0, 0, 0, (uint8_t)i}};
        s[i].unwatched = unwatched[i];
        s[i].local = locals[i];
        s[i].n_local = 1;
        locals[i][0] = (struct qpw_stated_local){.dev = "eth0", .mac = {2, 0, 0, 0, 0, (uint8_t)i}};
        address(locals[i][0].addr, i);
        s[i].pairs = pairs[i];
        s[i].neigh = neighbours[i];
        s[i].samples.pairs = pair_series[i];
        s[i].samples.devices = device_series[i];
        s[i].samples.n_devices = 1;
        strcpy(device_series[i][0].name, "eth0");
        s[i].samples.n = SAMPLES;
        for (size_t t = 0; t < SAMPLES; t++)
            s[i].samples.boot_us[t] = s[i].uptime_us - (SAMPLES - 1 - t) * SECOND_US;
        for (unsigned j = 0; j < n; j++) {
            if (i == j)
                continue;
            snprintf(pairs[i][peer].peer, sizeof(pairs[i][peer].peer), "node%u", j + 1);
            snprintf(pair_series[i][peer].name, sizeof(pair_series[i][peer].name), "node%u", j + 1);
            pairs[i][peer].by = by[i][peer];
            address(neighbours[i][peer].addr, j);
            peer++;
        }
        s[i].n_pairs = s[i].n_neigh = s[i].samples.n_pairs = peer;
    }
    for (unsigned i = 0; i < n; i++)
        for (unsigned j = 0; j < n; j++)
            if (i != j)
                set_rate(i, j, 1000, 1000);
}

static void end(void)
{
    qpw_comparison_clear(&c);
}

TestSuite(compare, .fini = end);

static void compare(void)
{
    qpw_comparison_clear(&c);
    cr_assert_eq(qpw_compare(s, nodes, NOW_NS, &c), 0);
}

/* Expect exactly one difference, with that text and that command. */
static void expect_one(enum qpw_difference_what what, const char *text, const char *command)
{
    char got[QPW_DIFFERENCE_BYTES], do_this[400];

    compare();
    for (size_t i = 0; i < c.n_differences && c.n_differences != 1; i++)
        cr_log_warn("%s", qpw_words_difference(&c.differences[i], got));
    cr_assert_eq(c.n_differences, 1u, "%zu for %s", c.n_differences, text);
    cr_expect_str_eq(qpw_words_difference(&c.differences[0], got), text);
    cr_expect_eq(c.differences[0].what, what);
    cr_expect_str_eq(qpw_words_difference_command(&c.differences[0], do_this, sizeof(do_this)), command);
}

Test(compare, honest_nodes_differ_in_nothing)
{
    make_nodes(5);
    compare();
    cr_expect_eq(c.n_differences, 0u);
    cr_expect_eq(c.n_nodes, 5u);
    cr_expect_eq(c.by_state[QPW_PAIR_COMPARED], 20u);
}

/* ---- Less arrived than was sent ---- */

#define MISSING "30,000 of 60,000 packets (50.0 %) in 1 min"

static void lose_half(void)
{
    make_nodes(2);
    set_rate(0, 1, 1000, 500);
}

static void count_device(unsigned node, const char *name, uint64_t tx, uint64_t rx)
{
    strcpy(device_series[node][1].name, name);
    for (size_t t = 0; t < SAMPLES; t++) {
        device_series[node][1].tx[t] = tx * t;
        device_series[node][1].rx[t] = rx * t;
    }
    s[node].samples.n_devices = 2;
    unwatched[node][0] = (struct qpw_stated_device){.name = "eth1", .mac = {2, 0, 0, 0, 1, (uint8_t)node}};
    s[node].n_unwatched = 1;
}

Test(compare, an_unmonitored_device_that_received_as_much_is_where_it_is_blind)
{
    lose_half();
    count_device(1, "eth1", 0, 500);
    expect_one(QPW_DIFFERS_BLIND_DEVICE,
               "node2 is blind on eth1: it did not see " MISSING " that node1 sent to it, and eth1, which it does not monitor, "
               "received as much", "on node2: qportwatch attach eth0 eth1");
    count_device(1, "eth1", 500, 400); /* it carried less: not this */
    expect_one(QPW_DIFFERS_LOST_BETWEEN, MISSING " from node1 to node2 were lost in the network, or something in between answers for node2",
               "");
}

Test(compare, what_a_queue_or_a_card_dropped_is_loss_there)
{
    lose_half();
    for (size_t t = 0; t < SAMPLES; t++)
        device_series[0][0].tx_lost[t] = 500 * t;
    expect_one(QPW_DIFFERS_SENDER_LOSS, "node1 lost " MISSING " on the way to node2 in its own queue or driver", "");
    lose_half();
    memset(device_series[0][0].tx_lost, 0, sizeof(device_series[0][0].tx_lost));
    for (size_t t = 0; t < SAMPLES; t++)
        device_series[1][0].rx_lost[t] = 500 * t;
    expect_one(QPW_DIFFERS_RECEIVER_LOSS,
               "node2 lost " MISSING " from node1 in its own card: they are counted there as missed, dropped or damaged", "");
}

/* ---- More arrived than was sent ---- */

#define MORE "60,000 of 120,000 packets (50.0 %) in 1 min"

Test(compare, a_mac_that_is_none_of_its_opens_in_its_name)
{
    make_nodes(2);
    set_rate(0, 1, 1000, 2000);
    pairs[1][0].mac[0] = (struct qpw_stated_mac){{2, 0, 0, 0, 0, 0}, NOW_NS};
    pairs[1][0].mac[1] = (struct qpw_stated_mac){{2, 0, 0, 9, 9, 9}, NOW_NS - 5};
    pairs[1][0].n_macs = 2;
    expect_one(QPW_DIFFERS_FORGED, "someone else sends as node1: node2 received " MORE " in its name that it did not send, and "
               "02:00:00:09:09:09, which is none of its MACs, opens exchanges as node1", "");
    pairs[1][0].mac[1].last_unix_ns = NOW_NS - DAY_NS; /* long ago: unrelated to these packets */
    expect_one(QPW_DIFFERS_MORE_ARRIVED, "node2 received " MORE " from node1 that it did not see itself send: someone else sends as "
               "node1, or its audit is bypassed; undecided", "");
    pairs[1][0].mac[1].last_unix_ns = NOW_NS; /* through a router: its MAC proves nothing */
    s[0].n_neigh = s[1].n_neigh = 0;
    expect_one(QPW_DIFFERS_MORE_ARRIVED, "node2 received " MORE " from node1 that it did not see itself send: someone else sends as "
               "node1, or its audit is bypassed; undecided", "");
}

Test(compare, what_leaves_around_the_hooks_is_a_bypass)
{
    make_nodes(2);
    set_rate(0, 1, 1000, 2000);
    count_device(0, "eth1", 1000, 0);
    pairs[1][0].mac[0] = (struct qpw_stated_mac){{2, 0, 0, 0, 1, 0}, NOW_NS}; /* of its own other device */
    pairs[1][0].n_macs = 1;
    expect_one(QPW_DIFFERS_BYPASS_DEVICE, "the audit of node1 is bypassed: node2 received " MORE " from it that it did not see itself "
               "send, and its eth1, which it does not monitor, sent as much", "on node1: qportwatch attach eth0 eth1");
    s[0].n_unwatched = 0;
    s[0].samples.n_devices = 1;
    pairs[1][0].n_macs = 0;
    s[0].rdma = 7;
    expect_one(QPW_DIFFERS_BYPASS, "the audit of node1 is bypassed: node2 received " MORE " from it that it did not see itself send; it "
               "uses RDMA", "");
    s[0].rdma = 0;
    s[0].xdp_sockets = true;
    expect_one(QPW_DIFFERS_BYPASS, "the audit of node1 is bypassed: node2 received " MORE " from it that it did not see itself send; it "
               "uses AF_XDP", "");
}

static enum qpw_pair_state state_of(const char *from, const char *to)
{
    for (size_t i = 0; i < c.n_pairs; i++)
        if (!strcmp(c.pairs[i].from->node, from) && !strcmp(c.pairs[i].to->node, to))
            return c.pairs[i].state;
    return QPW_PAIR_STATE_COUNT;
}

Test(compare, what_cannot_be_compared_is_said)
{
    struct qpw_stated_blind blind = {NOW_NS - 30000000000ull, NOW_NS - 20000000000ull, "hook-lost", false};

    lose_half();
    s[1].blind = &blind;
    s[1].n_blind = 1;
    compare();
    cr_expect_eq(c.n_differences, 0u, "it says itself that it was blind");
    cr_expect_eq(state_of("node1", "node2"), QPW_PAIR_BLIND);
    blind.unaudited = true; /* but it continued to count */
    compare();
    cr_expect_eq(state_of("node1", "node2"), QPW_PAIR_COMPARED);
    s[1].n_blind = 0;
    s[0].samples.n = 0;
    compare();
    cr_expect_eq(state_of("node1", "node2"), QPW_PAIR_NO_SAMPLES);
    s[0].samples.n = SAMPLES;
    strcpy(pair_series[0][0].name, "other");
    s[0].samples.left_out = 1;
    compare();
    cr_expect_eq(state_of("node1", "node2"), QPW_PAIR_NOT_SAMPLED);
    strcpy(pairs[0][0].peer, "other");
    compare();
    cr_expect_eq(state_of("node1", "node2"), QPW_PAIR_NOT_NAMED);
}

/* ---- Directions ---- */

static void open_service(unsigned node, unsigned peer, const char *direction, int port, uint64_t opened)
{
    struct qpw_stated_pair *p = &pairs[node][peer < node ? peer : peer - 1];

    by[node][peer < node ? peer : peer - 1][p->n_by++] =
        (struct qpw_stated_by){{"tcp", port, ""}, opened, 10 * opened, 10 * opened};
    strcpy(by[node][peer < node ? peer : peer - 1][p->n_by - 1].service.direction, direction);
}

Test(compare, what_one_end_opened_the_other_has_seen_opened)
{
    char text[QPW_DIFFERENCE_BYTES];

    make_nodes(2);
    open_service(0, 1, "outbound", 3712, 50);
    open_service(1, 0, "inbound", 3712, 50);
    compare();
    cr_expect_eq(c.n_differences, 0u);
    cr_expect_eq(c.pairs[0].opened, 50u);
    cr_expect_eq(c.pairs[0].agreed, 50u);
    by[1][0][0].opened = 20;
    expect_one(QPW_DIFFERS_FEWER_OPENINGS, "node2 saw 20 of the 50 exchanges with it opened that node1 did", "");
    by[0][0][0].tx += 30; /* lost on the way: what asked in vain for 30 exchanges */
    compare();
    cr_expect_eq(c.n_differences, 0u);
    s[0].at_unix_ns -= 10000000000ull; /* and there was as much else since that statement */
    s[0].uptime_us -= 10 * SECOND_US;
    by[1][0][0].rx += 9000;
    compare();
    cr_expect_eq(c.n_differences, 0u);
    s[0].at_unix_ns += 10000000000ull;
    s[0].uptime_us += 10 * SECOND_US;
    by[0][0][0].tx -= 30;
    by[1][0][0].rx -= 9000;
    strcpy(by[1][0][0].service.direction, "unknown");
    compare();
    cr_assert_eq(c.n_differences, 2u);
    cr_expect_str_eq(qpw_words_difference(&c.differences[0], text),
                     "node1 opened tcp/3712 to node2, which answered and saw no such exchange opened to it");
    strcpy(by[1][0][0].service.direction, "inbound");
    strcpy(by[0][0][0].service.direction, "unknown");
    s[1].at_unix_ns--; /* the earlier one says what the later one has to have seen */
    compare();
    cr_assert_eq(c.n_differences, 2u);
    cr_expect_str_eq(qpw_words_difference(&c.differences[0], text), "node2 saw node1 open tcp/3712 to it, which node1 has not seen itself do");
    s[0].since_unix_ns = NOW_NS; /* its counting began later */
    compare();
    cr_expect_eq(c.n_differences, 0u);
}

/* ---- Silence ---- */

Test(compare, silent_to_all_is_down_and_to_some_a_partition)
{
    make_nodes(4);
    nodes = 3; /* there is no statement of node4 */
    expect_one(QPW_DIFFERS_NO_STATEMENT, "no statement of node4, from which node1, node2 and node3 received packets: its auditor is dead or "
               "cut off, or its file was not given", "on node4: qportwatch status");
    for (unsigned i = 0; i < 3; i++)
        set_rate(3, i, 0, 0);
    expect_one(QPW_DIFFERS_DOWN, "node4 is silent to all and has no statement: it is down, or was never there", "");
    nodes = 4;
    for (unsigned i = 0; i < 3; i++)
        set_rate(i, 3, 0, 0);
    compare();
    cr_expect_eq(c.n_differences, 0u, "it states something: idle");
    for (unsigned i = 0; i < 3; i += 2) {
        set_rate(3, i, 1000, 1000);
        set_rate(i, 3, 1000, 1000);
    }
    set_rate(3, 1, 2, 0); /* too few to be missing packets */
    expect_one(QPW_DIFFERS_PARTITION, "node2 received nothing of what node4 sent to it, and others hear it: a partition between them", "");
    set_rate(3, 1, 0, 0);
    for (size_t t = SAMPLES - 2; t < SAMPLES; t++) /* as they begin to talk: the last readings of two nodes are not one moment */
        pair_series[3][1].tx[t] = 30 * (t + 3 - SAMPLES);
    compare();
    cr_expect_eq(c.n_differences, 0u, "what was sent just now may still arrive");
    set_rate(3, 1, 0, 0);
    set_rate(1, 3, 1000, 1000);
    compare();
    cr_expect_eq(c.n_differences, 0u, "it has sent nothing back: one-way traffic is no silence");
}

/* ---- Addresses ---- */

static void hold(unsigned node, const char *text, bool floating)
{
    struct qpw_stated_local *l = &locals[node][s[node].n_local++];

    *l = locals[node][0];
    qpw_address_parse(text, l->addr);
    l->floating = floating;
}

Test(compare, an_address_moves_and_is_not_held_by_two)
{
    make_nodes(4);
    s[3] = s[2]; /* node3, some minutes ago */
    s[3].at_unix_ns -= 300000000000ull;
    s[3].local = locals[3];
    locals[3][0] = locals[2][0];
    hold(3, "10.0.0.50", true);
    hold(0, "10.0.0.50", true);
    pairs[0][2].rx.packets = 0;
    s[0].n_pairs = s[1].n_pairs = s[2].n_pairs = s[3].n_pairs = 2; /* of node1 to node3 */
    compare();
    cr_expect_eq(c.n_nodes, 3u);
    cr_expect_eq(c.older, 1u);
    cr_expect_eq(c.n_differences, 0u);
    cr_assert_eq(c.n_addresses, 1u);
    cr_expect_str_eq(c.addresses[0].holder, "node1");
    cr_expect_eq(c.addresses[0].moves, 1u);
    hold(2, "10.0.0.50", true);
    expect_one(QPW_DIFFERS_HELD_TWICE, "10.0.0.50 is an address of node3 and node1 at the same time", "");
    s[2].n_local = 1;
    hold(2, "fe80::1", false);
    hold(0, "fe80::1", false);
    compare();
    cr_expect_eq(c.n_differences, 0u, "each link has its own");
}

/* ---- Settings and coverage that differ ---- */

Test(compare, what_a_node_has_otherwise_than_most)
{
    make_nodes(4);
    strcpy(s[2].policy.digest, "sha256:bb");
    expect_one(QPW_DIFFERS_OTHER_POLICY, "node3 has another policy in force (sha256:bb) than most others (sha256:aa)",
               "on node3: qportwatch policy diff");
    strcpy(s[2].policy.digest, "sha256:aa");
    strcpy(s[0].version, "0.2.0");
    expect_one(QPW_DIFFERS_OTHER_VERSION, "node1 runs qportwatch 0.2.0, most others 0.1.0", "");
    strcpy(s[0].version, "0.1.0");
    strcpy(devices[1][0].mode, "xdp");
    expect_one(QPW_DIFFERS_MODE, "eth0: monitored by xdp on node2, by tc on most others", "");
    strcpy(devices[1][0].mode, "tc");
    devices[1][0].blind = true;
    expect_one(QPW_DIFFERS_BLIND, "node2 is blind on eth0: its programs are missing from there", "on node2: qportwatch attach eth0");
    devices[1][0].blind = false;
    s[3].at_unix_ns += 5000000000ull;
    s[3].uptime_us += 5000000; /* the measured facts are the same */
    for (size_t t = 0; t < SAMPLES; t++)
        s[3].samples.boot_us[t] += 5000000;
    compare();
    cr_assert_eq(c.n_differences, 1u);
    cr_expect_eq(c.differences[0].what, QPW_DIFFERS_AHEAD);
}

Test(compare, a_device_that_most_monitor_or_that_leads_to_a_node)
{
    make_nodes(3);
    for (unsigned i = 0; i < 2; i++) {
        devices[i][1] = (struct qpw_stated_device){.name = "eth1", .mode = "tc"};
        s[i].n_devices = 2;
    }
    unwatched[2][0] = (struct qpw_stated_device){.name = "eth1", .rx = 5000, .tx = 5000};
    s[2].n_unwatched = 1;
    expect_one(QPW_DIFFERS_NOT_MONITORED, "node3 does not monitor eth1, which most others do; it has carried 10,000 packets",
               "on node3: qportwatch attach eth0 eth1");
    s[0].n_devices = s[1].n_devices = 1;
    compare();
    cr_expect_eq(c.n_differences, 0u, "nobody knows where it leads");
    locals[2][1] = (struct qpw_stated_local){.dev = "eth1"};
    qpw_address_parse("192.0.2.3", locals[2][1].addr);
    s[2].n_local = 2;
    memcpy(neighbours[0][1].addr, locals[2][1].addr, 16);
    expect_one(QPW_DIFFERS_OPEN_LINK, "node3 does not monitor eth1, by which other nodes reach it; it has carried 10,000 packets",
               "on node3: qportwatch attach eth0 eth1");
}

/* ---- Services ---- */

static void answer(unsigned node, int port, const char *verdict)
{
    struct qpw_stated_port *p = &ports[node][s[node].n_ports++];

    s[node].ports = ports[node];
    *p = (struct qpw_stated_port){.service = {"tcp", port, "inbound"}, .outcome = "data"};
    strcpy(p->verdict, verdict);
}

Test(compare, a_service_of_one_node_alone_or_of_all_but_one)
{
    make_nodes(4);
    for (unsigned i = 0; i < 4; i++)
        answer(i, 445, "allowed");
    compare();
    cr_expect_eq(c.n_differences, 0u);
    answer(1, 4444, "unexpected");
    expect_one(QPW_DIFFERS_ONLY_ONE, "inbound tcp/4444 is answered on node2 alone (unexpected there)", "");
    s[1].listen = listeners[1]; /* on a floating address: it moves with that */
    s[1].n_listen = 1;
    hold(1, "10.0.0.50", true);
    listeners[1][0] = (struct qpw_stated_listener){.service = {"tcp", 4444, "inbound"}};
    memcpy(listeners[1][0].addr, locals[1][1].addr, 16);
    compare();
    cr_expect_eq(c.n_differences, 0u);
    s[1].n_ports = 1;
    s[3].n_ports = 0;
    expect_one(QPW_DIFFERS_MISSING_ONE, "inbound tcp/445 (allowed) is answered on all nodes but node4", "");
    s[3].since_unix_ns = NOW_NS - DAY_NS / 2; /* three nodes of a day: too few */
    compare();
    cr_expect_eq(c.n_differences, 0u);
}

Test(compare, a_port_that_one_pair_alone_uses)
{
    make_nodes(4);
    for (unsigned i = 0; i < 4; i++)
        for (unsigned j = 0; j < 4; j++)
            if (i != j) {
                open_service(i, j, "inbound", 3712, 10);
                open_service(i, j, "outbound", 3712, 10);
            }
    compare();
    cr_expect_eq(c.n_differences, 0u);
    open_service(0, 2, "inbound", 9999, 10);
    open_service(2, 0, "outbound", 9999, 10);
    s[0].listen = listeners[0];
    s[0].n_listen = 1;
    listeners[0][0] = (struct qpw_stated_listener){.service = {"tcp", 9999, "inbound"}, .exe = "/usr/bin/ncat"};
    expect_one(QPW_DIFFERS_ONE_PAIR, "tcp/9999 between nodes is used by node1 and node3 alone; node1 serves it with /usr/bin/ncat", "");
}

Test(compare, one_scan_of_three_nodes_is_one)
{
    make_nodes(5);
    for (unsigned i = 0; i < 3; i++) {
        s[i].scans = scans[i];
        s[i].n_scans = 1;
        scans[i][0] = (struct qpw_stated_scan){.ports = 83 + i, .first_unix_ns = NOW_NS - DAY_NS + i, .last_unix_ns = NOW_NS - DAY_NS + i};
        qpw_address_parse("10.0.0.99", scans[i][0].addr);
    }
    compare();
    cr_assert_eq(c.n_differences, 1u);
    cr_expect_eq(c.differences[0].what, QPW_DIFFERS_SCANNED);
    cr_expect_eq(c.differences[0].n_nodes, 3u);
    cr_expect_eq(c.differences[0].count, 85u);
    cr_expect_eq(strlen(c.differences[0].value), 16u);
    scans[2][0].first_unix_ns = scans[2][0].last_unix_ns += 3600000000000ull;
    compare();
    cr_expect_eq(c.n_differences, 0u, "two, and an hour later a third");
}

Test(compare, a_rule_is_unused_where_no_node_uses_it)
{
    static char first[2][QPW_NAME_LEN] = {"nfs", "ftp"}, second[1][QPW_NAME_LEN] = {"ftp"};

    make_nodes(2);
    s[0].policy.unused = first;
    s[0].policy.n_unused = 2;
    s[1].policy.unused = second;
    s[1].policy.n_unused = 1;
    compare();
    cr_expect_eq(c.n_differences, 0u);
    cr_assert_eq(c.n_unused, 1u);
    cr_expect_str_eq(c.unused[0], "ftp");
    s[1].since_unix_ns = NOW_NS - DAY_NS / 2;
    compare();
    cr_expect_eq(c.n_unused, 0u, "half a day is too short");
}

Test(compare, two_nodes_of_one_name_are_not_taken_for_one)
{
    const struct qpw_statement *a = NULL, *b = NULL;

    make_nodes(3);
    cr_expect_not(qpw_namesakes(s, 3, &a, &b));
    strcpy(s[2].node, "node1");
    cr_assert(qpw_namesakes(s, 3, &a, &b));
    cr_expect(a == &s[0] && b == &s[2]);
    s[2].since_unix_ns = NOW_NS + 1; /* attached again since */
    s[2].at_unix_ns = NOW_NS + 2;
    cr_expect_not(qpw_namesakes(s, 3, &a, &b));
    s[2] = s[0];
    s[2].at_unix_ns += 5; /* of the same attachment, later */
    cr_expect_not(qpw_namesakes(s, 3, &a, &b));
}

Test(compare, nothing_and_one_node_are_no_error)
{
    make_nodes(1);
    compare();
    cr_expect_eq(c.n_differences, 0u);
    nodes = 0;
    compare();
    cr_expect_eq(c.n_differences, 0u);
}
