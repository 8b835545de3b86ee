/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A node compared with its peers again and again: what lasts is found, what passes is not. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "facts/live.h"
#include "words/live.h"

#define SECOND_US 1000000ull
#define SECOND_NS 1000000000ull
#define T0_NS 1767225600000000000ull
#define BOOT_US (5000 * SECOND_US)
#define NODES 4

TestSuite(live);

/* Nodes that exchange packets with node1: from it and to it, a second. */
static struct {
    double sent, arrived; /* of node1's packets to this node, and of these to it */
    int64_t wall_us;      /* the node's wall clock is ahead by so much */
    int64_t boot_us;      /* and its boot clock */
    bool silent;          /* no new statement */
    double gone;          /* the second of the last packet; 0: there are more and more */
    uint64_t chain;
    bool scanned;
    bool holds;           /* 10.0.0.50 */
    const char *digest;
} node[NODES];

static struct qpw_statement s[NODES];
static struct qpw_stated_pair pairs[NODES][NODES];
static struct qpw_stated_series series[NODES][NODES];
static struct qpw_stated_scan scan[NODES];
static struct qpw_stated_device device[NODES];
static struct qpw_stated_local local[NODES];
static struct qpw_live_peer peers[NODES];
static struct qpw_live live;
static size_t n_nodes;

static void begin(size_t n)
{
    memset(node, 0, sizeof(node));
    memset(peers, 0, sizeof(peers));
    live = (struct qpw_live){0};
    n_nodes = n;
    for (size_t i = 0; i < n; i++) {
        node[i].sent = 1000;
        node[i].arrived = 1;
        node[i].digest = "sha256:aa";
        node[i].chain = 10;
    }
}

static uint64_t at_wall(size_t i, uint64_t second)
{
    return T0_NS + second * SECOND_NS + (uint64_t)(node[i].wall_us * 1000);
}

static void add_pair(size_t from, size_t to, uint64_t second)
{
    struct qpw_statement *st = &s[from];
    struct qpw_stated_series *one = &series[from][st->n_pairs];
    struct qpw_stated_pair *pair = &pairs[from][st->n_pairs];
    size_t other = from ? from : to;

    *pair = (struct qpw_stated_pair){0};
    snprintf(pair->peer, sizeof(pair->peer), "node%zu", to + 1);
    snprintf(one->name, sizeof(one->name), "node%zu", to + 1);
    for (size_t t = 0; t < st->samples.n; t++) {
        double seconds = (double)(second - (st->samples.n - 1) + t);

        if (node[other].gone > 0 && seconds > node[other].gone)
            seconds = node[other].gone;
        one->tx[t] = from && to ? 0 : (uint64_t)(node[other].sent * seconds);
        one->rx[t] = from && to ? 0 : (uint64_t)(node[other].sent * (from ? node[other].arrived : 1) * seconds);
    }
    pair->tx.packets = one->tx[st->samples.n - 1];
    pair->rx.packets = one->rx[st->samples.n - 1];
    st->n_pairs++;
    st->samples.n_pairs++;
}

static void make(size_t i, uint64_t second)
{
    s[i] = (struct qpw_statement){.at_unix_ns = at_wall(i, second), .since_unix_ns = at_wall(i, 0), .clock_error_us = 1000, .exact = true,
                                  .uptime_us = BOOT_US + second * SECOND_US + (uint64_t)node[i].boot_us, .pairs = pairs[i],
                                  .chain_seq = node[i].chain, .scans = &scan[i], .n_scans = node[i].scanned,
                                  .devices = &device[i], .n_devices = 1, .local = &local[i], .n_local = node[i].holds};
    device[i] = (struct qpw_stated_device){.name = "e0", .mode = "tc"};
    local[i] = (struct qpw_stated_local){.addr = {[10] = 0xff, 0xff, 10, 0, 0, 50}, .dev = "e0", .floating = true};
    snprintf(s[i].node, sizeof(s[i].node), "node%zu", i + 1);
    snprintf(s[i].epoch, sizeof(s[i].epoch), "boot%zu:1", i + 1);
    snprintf(s[i].version, sizeof(s[i].version), "1");
    snprintf(s[i].policy.digest, sizeof(s[i].policy.digest), "%s", node[i].digest);
    snprintf(s[i].chain_sha256, sizeof(s[i].chain_sha256), "%064x", (unsigned)node[i].chain);
    scan[i] = (struct qpw_stated_scan){.addr = {[10] = 0xff, 0xff, 10, 0, 0, 9}, .ports = 9, .first_unix_ns = at_wall(i, 1),
                                       .last_unix_ns = at_wall(i, 9)};
    s[i].samples.n = QPW_SAMPLES;
    s[i].samples.pairs = series[i];
    for (size_t t = 0; t < QPW_SAMPLES; t++) {
        s[i].samples.boot_us[t] = s[i].uptime_us - (QPW_SAMPLES - 1 - t) * SECOND_US;
        s[i].samples.reading_us[t] = 100;
    }
    for (size_t j = 0; j < n_nodes; j++)
        if (j != i)
            add_pair(i, j, second);
}

/* Poll and compare every ten seconds, from so many seconds on. */
static void run(uint64_t from, uint64_t to)
{
    for (uint64_t second = from; second < to; second += 10) {
        make(0, second);
        for (size_t i = 1; i < n_nodes; i++) {
            struct qpw_live_peer *p = &peers[i - 1];

            if (!node[i].silent)
                make(i, second);
            snprintf(p->name, sizeof(p->name), "node%zu", i + 1);
            p->since_unix_ns = p->since_unix_ns ? p->since_unix_ns : at_wall(0, second);
            p->trouble = node[i].silent ? "connection refused" : NULL;
            if (!node[i].silent) {
                p->statement = &s[i];
                p->got_unix_ns = at_wall(0, second);
                p->has_offset = true;
                p->offset_us = node[i].boot_us - node[0].boot_us;
                p->offset_error_us = 500;
            }
        }
        cr_assert_eq(qpw_live_compare(&live, &s[0], peers, n_nodes - 1, at_wall(0, second)), 0);
    }
}

/* Return "lost-between node1 node2, stale node3": what counts. Static. */
static const char *reported(void)
{
    static char text[1024];
    size_t used = 0;

    *text = '\0';
    for (size_t i = 0; i < live.n_items; i++) {
        const struct qpw_live_item *item = &live.items[i];

        if (!item->reported)
            continue;
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", used ? ", " : "",
                                 item->kind ? qpw_live_kind_name(item->kind) : qpw_difference_name(item->difference.what));
        for (size_t k = 0; k < item->n_nodes && k < 8; k++)
            used += (size_t)snprintf(text + used, sizeof(text) - used, " %s", item->nodes[k]);
    }
    return text;
}

static const char *sentence(size_t item, uint64_t second)
{
    static char text[QPW_DIFFERENCE_BYTES];

    return qpw_words_live(&live.items[item], at_wall(0, second), text);
}

Test(live, honest_nodes_differ_in_nothing)
{
    begin(4);
    node[1].boot_us = 86400000000; /* another clock altogether */
    node[2].boot_us = -4000000000;
    run(200, 1200);
    cr_expect_str_eq(reported(), "");
    qpw_live_clear(&live);
}

Test(live, clocks_five_seconds_apart_are_said_and_nothing_else)
{
    begin(3);
    for (size_t i = 0; i < 3; i++)
        node[i].sent = 100000;
    node[1].wall_us = 5000000;
    node[2].wall_us = -5000000;
    run(200, 800);
    cr_expect_str_eq(reported(), "clocks node2, clocks node3");
    cr_expect_eq(live.items[0].difference.count, 5000000u);
    cr_expect_str_eq(sentence(0, 800), "the clock of node2 is 5 s ahead of this node's");
    cr_expect_str_eq(sentence(1, 800), "the clock of node3 is 5 s behind this node's");
    node[1].wall_us = 0;
    run(800, 900);
    cr_expect_str_eq(reported(), "clocks node3");
    qpw_live_clear(&live);
}

Test(live, a_loss_too_small_for_two_minutes_shows_in_ten)
{
    begin(2);
    node[1].sent = 1000;
    node[1].arrived = 0.996; /* 480 packets in two minutes, of which 4 x 100 may be the edges; 2,400 in ten */
    run(200, 300);
    cr_expect_str_eq(reported(), "");
    run(300, 1000);
    cr_expect_str_eq(reported(), "lost-between node1 node2");
    cr_expect_geq(live.items[0].difference.balance.to_us - live.items[0].difference.balance.from_us, 500 * SECOND_US);
    qpw_live_clear(&live);
}

Test(live, a_loss_is_said_in_the_third_statement)
{
    begin(2);
    node[1].arrived = 0.5;
    run(200, 220);
    cr_expect_str_eq(reported(), "", "two statements");
    run(220, 240);
    cr_expect_str_eq(reported(), "lost-between node1 node2");
    qpw_live_clear(&live);
}

Test(live, more_than_was_sent_is_said)
{
    begin(2);
    node[1].arrived = 1.5;
    run(200, 240);
    cr_expect_str_eq(reported(), "more-arrived node1 node2");
    qpw_live_clear(&live);
}

Test(live, a_peer_without_statements_is_stale_after_two_minutes)
{
    begin(3);
    run(200, 300);
    node[2].silent = true;
    run(300, 410);
    cr_expect_str_eq(reported(), "");
    run(410, 450);
    cr_expect_str_eq(reported(), "stale node3");
    cr_expect_str_eq(sentence(0, 410), "no statement of node3 for 2 min (connection refused), while 1 of 2 nodes receive packets from it: its "
                                       "auditor or its serve has ended, or is cut off");
    cr_expect_eq(live.items[0].since_unix_ns, at_wall(0, 290));
    node[2].silent = false;
    run(450, 520);
    cr_expect_str_eq(reported(), "");
    qpw_live_clear(&live);
}

/* A late peer's old statement says the same each time. */
Test(live, one_statement_judged_again_is_no_further_evidence)
{
    begin(2);
    node[0].holds = node[1].holds = true;
    run(200, 210);
    node[1].silent = true;
    run(210, 250);
    cr_expect_str_eq(reported(), "");
    node[1].silent = false;
    run(250, 280);
    cr_expect_str_eq(reported(), "held-twice node2 node1");
    node[1].holds = false;
    run(280, 290);
    node[1].silent = true;
    run(290, 330);
    cr_expect_str_eq(reported(), "held-twice node2 node1", "nor is it evidence of its end");
    node[1].silent = false;
    run(330, 390);
    cr_expect_str_eq(reported(), "");
    qpw_live_clear(&live);
}

static void all_others(bool silent, double gone)
{
    for (size_t i = 1; i < n_nodes; i++) {
        node[i].silent = silent;
        node[i].gone = gone;
    }
}

Test(live, a_node_that_has_lost_all_others_is_cut_off_itself)
{
    begin(4);
    run(200, 300);
    node[1].silent = true; /* its last statement is the oldest */
    run(300, 310);
    all_others(true, 305);
    run(310, 420);
    cr_expect_str_eq(reported(), "", "the last of them was heard of less than two minutes ago");
    run(420, 450);
    cr_expect_str_eq(reported(), "alone node1");
    cr_expect_str_eq(sentence(0, 430), "no statement of any of 3 peers for 2 min 10 s, and no packets from them: this node is cut off from the "
                                       "cluster, or all of them are down");
    all_others(false, 0);
    node[1].silent = true; /* comes back last */
    run(450, 480);
    cr_expect_str_eq(reported(), "alone node1");
    node[1].silent = false;
    run(480, 560);
    cr_expect_str_eq(reported(), "");
    qpw_live_clear(&live);
}

/* Packets of a peer show that this node is not cut off; that none answers is still not what is wrong with each of them. */
Test(live, a_node_that_is_late_itself_names_no_peer)
{
    begin(3);
    run(200, 300);
    all_others(true, 305);
    node[2].gone = 0;
    run(300, 450);
    cr_expect_str_eq(reported(), "alone node1");
    cr_expect_str_eq(sentence(0, 430), "no statement of any of 2 peers for 2 min 20 s, although packets of 1 arrive: this node does not ask "
                                       "them in time, or no serve answers");
    qpw_live_clear(&live);
}

Test(live, a_scan_of_three_is_reported_by_one_of_them)
{
    unsigned by = 0;

    begin(4);
    for (size_t i = 0; i < 4; i++)
        node[i].scanned = true;
    for (size_t self = 0; self < 4; self++) {
        struct qpw_live own = {0};
        struct qpw_live_peer others[3];
        size_t n = 0;

        for (size_t i = 0; i < 4; i++)
            make(i, 200);
        for (size_t i = 0; i < 4; i++)
            if (i != self) {
                others[n] = (struct qpw_live_peer){.statement = &s[i], .got_unix_ns = at_wall(0, 200)};
                snprintf(others[n++].name, sizeof(others->name), "node%zu", i + 1);
            }
        cr_assert_eq(qpw_live_compare(&own, &s[self], others, n, at_wall(0, 200)), 0);
        cr_assert_eq(own.n_items, 1);
        cr_expect_eq(own.items[0].n_nodes, 4);
        by += !own.items[0].elsewhere;
        qpw_live_clear(&own);
    }
    cr_expect_eq(by, 1u);
}

Test(live, a_shorter_or_other_log_of_a_peer_is_noticed)
{
    begin(3);
    run(200, 240);
    node[1].chain = 20;
    run(240, 260);
    cr_expect_str_eq(reported(), "");
    node[1].chain = 3;
    run(260, 280);
    cr_expect_str_eq(reported(), "log-cut node2");
    cr_expect_str_eq(sentence(0, 280), "the alert log of node2 had 20 records, and now has 3");
    run(280, 400);
    cr_expect_str_eq(reported(), "log-cut node2", "an event does not end");
    qpw_live_clear(&live);
}

Test(live, a_policy_that_is_being_rolled_out_is_no_drift)
{
    begin(4);
    node[0].digest = "sha256:bb"; /* this node is the first to have the new one */
    run(200, 400);
    cr_expect_str_eq(reported(), "");
    run(400, 600);
    cr_expect_str_eq(reported(), "other-policy node1");
    qpw_live_clear(&live);
}

/* Its packets of before do not count for it. */
Test(live, a_peer_that_nobody_receives_from_is_down_or_apart)
{
    begin(3);
    run(200, 300);
    node[2].silent = true;
    node[2].gone = 305;
    run(300, 450);
    cr_expect_str_eq(reported(), "stale node3");
    cr_expect_eq(live.items[0].difference.what, QPW_DIFFERS_DOWN);
    cr_expect_str_eq(sentence(0, 410), "no statement of node3 for 2 min (connection refused), and no node that can be asked receives anything "
                                       "from it: it is down, or on the other side of a partition");
    qpw_live_clear(&live);
}

Test(live, another_key_is_said_at_once_and_is_not_stale_too)
{
    begin(2);
    run(200, 240);
    peers[0].wrong_key = true;
    node[1].silent = true;
    run(240, 500);
    cr_expect_str_eq(reported(), "key node2");
    qpw_live_clear(&live);
}
