/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Nodes of one cluster, each with auditor and serve, and what happens to them: who says what, and that nobody says more. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auditor.h"
#include "evelog.h"
#include "nodes.h"

TestSuite(cluster_scenes, .timeout = 3600);

#define PROGRAM QPW_BUILD "/qportwatch"
#define PATIENCE_MS 900000
#define ONLY(c, ...) nodes_expect_only((c), (const char *const[]){__VA_ARGS__ __VA_OPT__(,) NULL})

static void begin(struct nodes *c, size_t n)
{
    nodes_open(c, n);
    nodes_start(c);
    nodes_talk(c);
    for (size_t i = 0; i < n; i++)
        nodes_until_good(c, i, n - 1);
}

static void until_count_each(const struct nodes *c, size_t from, size_t to, const char *signature, size_t count)
{
    for (size_t i = from; i < to; i++)
        nodes_until_count(c, i, signature, count);
}

static void expect_text(const struct nodes *c, size_t i, const char *signature, const char *text)
{
    struct evelog log = {0};
    const json_t *record;
    char path[160];
    bool found = false;

    evelog_add(&log, nodes_path(c, i, "eve.json", path));
    for (size_t r = 0; r < log.n; r++) {
        record = log.records[r];
        if (!strcmp(evelog_name(record), signature) && strstr(evelog_fact(record, "text"), text))
            found = true;
    }
    cr_expect(found, "node%zu: %s says no '%s'", i + 1, signature, text);
    evelog_clear(&log);
}

static const char *fact(const struct nodes *c, size_t i, const char *signature, const char *key, char ret[256])
{
    struct evelog log = {0};
    const json_t *record;
    char path[160];

    *ret = '\0';
    evelog_add(&log, nodes_path(c, i, "eve.json", path));
    record = evelog_last(&log, &(struct evelog_filter){.name = signature});
    if (record)
        snprintf(ret, 256, "%s", evelog_fact(record, key));
    evelog_clear(&log);
    return ret;
}

/* The auditor of node1 and the serve of node2 are killed, and come back. */
Test(cluster_scenes, one_auditor_and_one_serve_are_killed)
{
    struct nodes c;

    begin(&c, 5);
    nodes_kill(&c.auditor[0]);
    nodes_kill(&c.serve[1]);
    until_count_each(&c, 2, 5, "cluster-stale", 2);
    nodes_until_count(&c, 1, "cluster-uncompared", 1); /* node2 itself: its nodes are compared no more */
    for (size_t i = 2; i < 5; i++) {
        cr_expect_eq(nodes_count(&c, i, "cluster-stale"), 2, "one record a node");
        expect_text(&c, i, "cluster-stale", "no statement of node1 for 2");
        expect_text(&c, i, "cluster-stale", "no statement of node2 for 2");
        expect_text(&c, i, "cluster-stale", "its auditor or its serve has ended");
    }
    nodes_attach(&c, 0);
    nodes_serve(&c, 1);
    until_count_each(&c, 2, 5, "cluster-over", 2);
    nodes_until_count(&c, 1, "cluster-over", 1);
    ONLY(&c, "cluster-stale", "cluster-over", "cluster-uncompared");
    nodes_close(&c);
}

/* Move bridge ports to another bridge. */
static void move(const struct nodes *c, size_t from, size_t to, const char *bridge)
{
    for (size_t i = from; i < to; i++)
        netns_run(&c->bridge, "ip link set port%zu master %s", i, bridge);
}

static void scan(const struct nodes *c, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        netns_run(&c->outside, "nc -z -w 1 10.88.0.%zu 7000-7014 || true", i + 1);
}

static size_t count_from(const struct nodes *c, size_t from, size_t to, const char *signature)
{
    size_t n = 0;

    for (size_t i = from; i < to; i++)
        n += nodes_count(c, i, signature);
    return n;
}

struct scanned {
    const struct nodes *c;
    size_t from, to;
};

static bool is_scanned(void *argument)
{
    const struct scanned *s = argument;

    return count_from(s->c, s->from, s->to, "cluster-scan") > 0;
}

/* Three and three nodes, and a scan that both sides see; then they are together again. */
Test(cluster_scenes, a_partition_and_its_end)
{
    char id[2][256] = {"", ""};
    struct nodes c;

    begin(&c, 6);
    netns_run(&c.bridge, "ip link add br1 type bridge mcast_snooping 0 && ip link set br1 up");
    move(&c, 4, 7, "br1");
    until_count_each(&c, 0, 6, "cluster-down", 3);
    cr_expect_eq(nodes_count_all(&c, "cluster-down"), 6 * 3, "one record a node and peer");
    expect_text(&c, 0, "cluster-down", "no statement of node4");
    expect_text(&c, 0, "cluster-down", "or on the other side of a partition");
    expect_text(&c, 5, "cluster-down", "no statement of node1");
    scan(&c, 0, 3);
    netns_run(&c.bridge, "ip link set port99 master br1");
    scan(&c, 3, 6);
    cr_expect(netns_until(is_scanned, &(struct scanned){&c, 0, 3}, NETNS_DEADLINE_MS), "no scan on one side");
    cr_expect(netns_until(is_scanned, &(struct scanned){&c, 3, 6}, NETNS_DEADLINE_MS), "no scan on the other");
    for (size_t i = 0; i < 6; i++)
        if (nodes_count(&c, i, "cluster-scan"))
            fact(&c, i, "cluster-scan", "cluster_id", id[i / 3]);
    cr_expect_str_eq(id[0], id[1], "of the same id");
    move(&c, 4, 7, "br0");
    netns_run(&c.bridge, "ip link set port99 master br0");
    until_count_each(&c, 0, 6, "cluster-over", 3);
    cr_expect_eq(count_from(&c, 0, 3, "cluster-scan"), 1, "%zu", count_from(&c, 0, 3, "cluster-scan"));
    cr_expect_eq(count_from(&c, 3, 6, "cluster-scan"), 1, "%zu", count_from(&c, 3, 6, "cluster-scan"));
    cr_expect_eq(nodes_count_all(&c, "cluster-down"), 6 * 3);
    ONLY(&c, "cluster-down", "cluster-over", "cluster-scan");
    nodes_close(&c);
}

/* The link of one node is down and comes back: nobody receives anything from it, and it receives nothing from anybody. */
Test(cluster_scenes, a_link_is_down)
{
    struct nodes c;

    begin(&c, 5);
    netns_run(&c.bridge, "ip link set port3 down");
    for (size_t i = 0; i < 5; i++)
        if (i != 2)
            nodes_until_count(&c, i, "cluster-down", 1);
    nodes_until_count(&c, 2, "cluster-down", 1);
    expect_text(&c, 0, "cluster-down", "no statement of node3");
    expect_text(&c, 0, "cluster-down", "no node that can be asked receives anything from it");
    expect_text(&c, 2, "cluster-down", "no statement of any of 4 peers");
    expect_text(&c, 2, "cluster-down", "this node is cut off from the cluster");
    netns_run(&c.bridge, "ip link set port3 up");
    until_count_each(&c, 0, 5, "cluster-over", 1);
    cr_expect_eq(nodes_count_all(&c, "cluster-down"), 5, "one record a node");
    ONLY(&c, "cluster-down", "cluster-over");
    nodes_close(&c);
}

static pid_t receive(const struct netns *ns)
{
    static char script[] = "import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\ns.bind(('', 9000))\n"
                           "while True: s.recv(2000)\n";
    pid_t pid = netns_start(ns, NULL, (char *[]){"python3", "-c", script, NULL});

    netns_until_port(ns, "udp", 9000);
    return pid;
}

Test(cluster_scenes, somebody_sends_as_a_peer)
{
    pid_t sink, sender;
    struct nodes c;

    begin(&c, 3);
    sink = receive(&c.ns[1]);
    netns_run(&c.outside, "ip addr add 10.88.0.1/32 dev e0 && ip route replace 10.88.0.2/32 dev e0 src 10.88.0.1 && "
                          "ip neigh replace 10.88.0.2 lladdr 02:00:00:00:00:02 dev e0");
    sender = netns_send_udp(&c.outside, "10.88.0.2", 200);
    nodes_until_count(&c, 1, "cluster-forged", 1);
    nodes_until_count(&c, 0, "cluster-forged", 1);
    expect_text(&c, 1, "cluster-forged", "someone else sends as node1");
    expect_text(&c, 1, "cluster-forged", "02:00:00:00:00:63");
    cr_expect_eq(nodes_count(&c, 2, "cluster-forged"), 0, "it concerns two nodes, which say so");
    ONLY(&c, "cluster-forged");
    netns_stop(sender, SIGKILL);
    netns_stop(sink, SIGKILL);
    nodes_close(&c);
}

Test(cluster_scenes, a_second_link_that_one_end_does_not_monitor)
{
    char command[256];
    pid_t sink, sender;
    struct nodes c;

    nodes_open(&c, 3);
    netns_veth_pair(&(struct netns_end){&c.ns[0], "e1", "02:00:00:00:02:01"}, &(struct netns_end){&c.ns[1], "e1", "02:00:00:00:02:02"});
    netns_run(&c.ns[1], "sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.e1.rp_filter=0");
    c.devices[0] = "e1";
    nodes_start(&c);
    for (size_t i = 0; i < 3; i++)
        nodes_until_good(&c, i, 2);
    sink = receive(&c.ns[1]);
    netns_run(&c.ns[0], "ip route add 10.88.0.2/32 dev e1 && ip neigh replace 10.88.0.2 lladdr 02:00:00:00:02:02 dev e1");
    sender = netns_send_udp(&c.ns[0], "10.88.0.2", 3000);
    nodes_until_count(&c, 1, "cluster-blind", 1);
    expect_text(&c, 1, "cluster-blind", "node2 is blind on e1");
    cr_expect_str_eq(fact(&c, 1, "cluster-blind", "command", command), "on node2: qportwatch attach e0 e1");
    ONLY(&c, "cluster-blind", "cluster-coverage", "cluster-drift");
    netns_stop(sender, SIGKILL);
    netns_stop(sink, SIGKILL);
    nodes_close(&c);
}

/* An address moves twice: nothing to say; then two nodes hold it. */
Test(cluster_scenes, an_address_moves_and_is_then_held_by_two)
{
    struct nodes c;

    begin(&c, 4);
    for (size_t i = 0; i < 3; i++) {
        if (i)
            netns_run(&c.ns[i - 1], "ip addr del 10.88.0.50/32 dev e0");
        netns_address(&c.ns[i], "e0", "10.88.0.50/32");
        /* every node has heard a statement of it */
        netns_run(&c.bridge, "for i in $(seq 1200); do [ $(grep -l '\"10.88.0.50\"' %s/node[1-4]/state/peers/node%zu.json | wc -l) = 3 ] && "
                             "exit 0; sleep 0.1; done; exit 1", c.folder, i + 1);
    }
    cr_expect_eq(nodes_count_all(&c, "cluster-address-twice"), 0, "it moved");
    netns_address(&c.ns[0], "e0", "10.88.0.50/32");
    nodes_until_count(&c, 0, "cluster-address-twice", 1);
    nodes_until_count(&c, 2, "cluster-address-twice", 1);
    expect_text(&c, 0, "cluster-address-twice", "10.88.0.50 is an address of node1 and node3 at the same time");
    expect_text(&c, 2, "cluster-address-twice", "10.88.0.50 is an address of node3 and node1 at the same time");
    cr_expect_eq(nodes_count_all(&c, "cluster-address-twice"), 2, "by the two that hold it");
    netns_run(&c.ns[2], "ip addr del 10.88.0.50/32 dev e0");
    nodes_until_count(&c, 0, "cluster-over", 1);
    ONLY(&c, "cluster-address-twice", "cluster-over");
    nodes_close(&c);
}

/* Whether both neighbours have fetched the last lie. */
static bool is_told(void *argument)
{
    const struct nodes *c = argument;

    return netns_output(&c->bridge, NULL, 0, "[ $(grep '^before ' %s/node3/told | sort -u | wc -l) = 2 ]", c->folder) == 0;
}

/* Fail if a record of node i about the cluster names that node. */
static void expect_silence_about(const struct nodes *c, size_t i, const char *name)
{
    struct evelog log = {0};
    char path[160];

    evelog_add(&log, nodes_path(c, i, "eve.json", path));
    for (size_t r = 0; r < log.n; r++)
        if (!strncmp(evelog_name(log.records[r]), "cluster-", strlen("cluster-")))
            cr_expect(!strstr(evelog_fact(log.records[r], "text"), name), "node%zu: %s", i + 1, evelog_fact(log.records[r], "text"));
    evelog_clear(&log);
}

/*
 * A node with the right key tells one lie after the other. It can lie about itself only: no neighbour says anything about the
 * other one, nothing fills their disks, and what one of them finds in the midst of it, the other one knows.
 */
Test(cluster_scenes, a_peer_with_the_right_key_lies)
{
    char address[32] = "10.88.0.3", keys[160], told[160], log[160], serve_log[160];
    struct nodes c;

    nodes_open(&c, 3);
    for (size_t i = 0; i < 3; i++)
        nodes_attach(&c, i);
    nodes_serve(&c, 0);
    nodes_serve(&c, 1);
    nodes_talk(&c);
    netns_stop(c.talker[2], SIGKILL);
    c.talker[2] = netns_start(&c.ns[2], nodes_path(&c, 2, "liar.log", log),
                              (char *[]){(char *)"tests/all/liar", (char *)PROGRAM, address, (char *)nodes_path(&c, 2, "keys", keys),
                                         (char *)nodes_path(&c, 2, "told", told), (char *)"25", NULL});
    if (!netns_until(is_told, &c, PATIENCE_MS)) {
        char out[8192];

        netns_output(&c.bridge, out, sizeof(out), "tail -n 20 %s %s %s", told, log, nodes_path(&c, 0, "serve.log", serve_log));
        cr_assert(false, "%s", out);
    }
    netns_run(&c.ns[0], "(echo answer | timeout 20 nc -l -N 7003) >/dev/null 2>&1 & for i in $(seq 200); do ss -Hltn sport = 7003 | "
                        "grep -q . && exit 0; sleep 0.02; done; exit 1");
    netns_run(&c.outside, "echo x | timeout 5 nc -N 10.88.0.1 7003");
    netns_run(&c.bridge, "for i in $(seq 600); do grep -q '\"dest_port\":7003.*answered' %s/node2/state/events/node1 && exit 0; sleep 0.05; "
                         "done; exit 1", c.folder);
    expect_silence_about(&c, 0, "node2");
    expect_silence_about(&c, 1, "node1");
    for (size_t i = 0; i < 2; i++) {
        netns_run(&c.bridge, "[ $(du -sk %s/node%zu/state | cut -f1) -le 6144 ] || { du -ak %s/node%zu/state; exit 1; }", c.folder, i + 1,
                  c.folder, i + 1);
        cr_expect_leq(netns_process_number(c.serve[i], "RssAnon", 10), 16384u);
    }
    ONLY(&c, "cluster-address-twice", "cluster-bypassed", "cluster-clock", "cluster-direction", "cluster-drift", "cluster-forged",
         "cluster-log", "cluster-lost", "cluster-over", "cluster-stale");
    nodes_close(&c);
}

static unsigned number_of(const char *name, unsigned usual)
{
    const char *text = getenv(name);

    return text ? (unsigned)strtoul(text, NULL, 10) : usual;
}

/* SCENES_MINUTES of traffic at SCENES_RATE datagrams a second between all nodes, groups, and clocks 5 s ahead and behind. */
Test(cluster_scenes, clocks_are_skewed_and_nothing_else_is_said)
{
    static char groups[] = "import socket, time\n"
                           "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                           "while True:\n"
                           "    s.sendto(b'x' * 60, ('224.0.0.251', 5353))\n"
                           "    s.sendto(b'x' * 60, ('239.1.2.3', 9001))\n"
                           "    time.sleep(0.05)\n";
    unsigned seconds = number_of("SCENES_MINUTES", 3) * 60, rate = number_of("SCENES_RATE", 500);
    pid_t sink[5], sender[5], group[5];
    struct nodes c;

    if (!nodes_can_skew())
        cr_skip_test("libfaketime is not installed");
    nodes_open(&c, 5);
    c.skew_s[1] = 5;
    c.skew_s[3] = -5;
    for (size_t i = 0; i < 5; i++) {
        netns_run(&c.ns[i], "ip route add 224.0.0.0/4 dev e0");
        sink[i] = receive(&c.ns[i]);
    }
    nodes_start(&c);
    nodes_talk(&c);
    for (size_t i = 0; i < 5; i++) {
        char address[32];

        snprintf(address, sizeof(address), "10.88.0.%zu", (i + 2) % 5 + 1);
        sender[i] = netns_send_udp(&c.ns[i], address, rate);
        group[i] = netns_start(&c.ns[i], NULL, (char *[]){"python3", "-c", groups, NULL});
    }
    for (size_t i = 0; i < 5; i++)
        nodes_until_count(&c, i, "cluster-clock", i == 1 || i == 3 ? 4 : 2); /* of those whose clock is another */
    netns_run(&c.bridge, "sleep %u", seconds);
    expect_text(&c, 0, "cluster-clock", "the clock of node2 is 5");
    expect_text(&c, 0, "cluster-clock", "ahead of this node's");
    expect_text(&c, 0, "cluster-clock", "the clock of node4 is ");
    expect_text(&c, 0, "cluster-clock", "behind this node's");
    expect_text(&c, 1, "cluster-clock", "the clock of node4 is ");
    for (size_t i = 0; i < 5; i++)
        fprintf(stderr, "node%zu: %lu packets received\n", i + 1, (unsigned long)netns_statistics(&c.ns[i], "e0").rx_packets);
    cr_expect_eq(nodes_count_all(&c, "cluster-clock"), 3 * 2 + 2 * 4);
    ONLY(&c, "cluster-clock");
    for (size_t i = 0; i < 5; i++) {
        netns_stop(sender[i], SIGKILL);
        netns_stop(group[i], SIGKILL);
        netns_stop(sink[i], SIGKILL);
    }
    nodes_close(&c);
}
