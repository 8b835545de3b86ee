/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Five nodes on one bridge with an auditor each: comparing their statements. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auditor.h"

TestSuite(cluster, .timeout = NETNS_TIMEOUT_S);

#define PROGRAM QPW_BUILD "/qportwatch"
#define MOST 5

struct cluster {
    struct netns bridge, outside, ns[MOST];
    pid_t auditor[MOST], talker[MOST];
    size_t n;
    char dir[64];
};

static char output[1 << 20];

static void make(struct cluster *c, size_t n)
{
    netns_need_root();
    c->n = n;
    snprintf(c->dir, sizeof(c->dir), "/tmp/qportwatch-cluster.XXXXXX");
    cr_assert(mkdtemp(c->dir));
    c->bridge = netns_new();
    if (netns_output(&c->bridge, output, sizeof(output), "ip link add br0 type bridge mcast_snooping 0 && ip link set br0 up"))
        cr_skip_test("no bridge: %s", output);
    for (unsigned i = 0; i < n; i++) {
        c->ns[i] = netns_new();
        netns_plug(&c->bridge, &c->ns[i], "10.88.0", (unsigned)i + 1);
    }
    c->outside = netns_new();
    netns_plug(&c->bridge, &c->outside, "10.88.0", 99);
    for (unsigned i = 0; i < n; i++) /* each is the other's neighbour from now on */
        for (unsigned j = 1; j <= n; j++)
            netns_run(&c->ns[i], "ping -q -c 1 10.88.0.%u", j);
}

/* Start a node. policy: for this node instead of the common one; "" for the common one. */
static void start(struct cluster *c, unsigned node, const char *devices, const char *policy)
{
    char command[512], path[96], log[96], *argv[24], *save = NULL;
    size_t n = 0;
    FILE *file;

    snprintf(path, sizeof(path), "%s/policy%u", c->dir, node + 1);
    file = fopen(path, "w");
    cr_assert(file);
    fprintf(file, "policy test/cluster\ninbound tcp 445 SMB\n%s", policy);
    for (unsigned i = 1; i <= c->n; i++)
        fprintf(file, "peer node%u 10.88.0.%u\n", i, i);
    fclose(file);
    snprintf(log, sizeof(log), "%s/log%u", c->dir, node + 1);
    snprintf(command, sizeof(command), PROGRAM " attach %s --mode tc --no-tui --no-alerts --no-history --policy %s", devices, path);
    for (char *word = strtok_r(command, " ", &save); word; word = strtok_r(NULL, " ", &save))
        argv[n++] = word;
    argv[n] = NULL;
    c->auditor[node] = netns_start(&c->ns[node], log, argv);
    netns_until_file(log, "attached", NETNS_DEADLINE_MS);
}

static void start_all(struct cluster *c)
{
    for (unsigned i = 0; i < c->n; i++)
        start(c, i, "e0", "");
}

/* The number of samples of pairs in the node's kernel side, for a test to wait for. */
struct wait {
    struct cluster *c;
    unsigned node, samples;
};

static bool has_samples(void *argument)
{
    struct wait *w = argument;
    json_t *d;
    bool ret;

    if (netns_output(&w->c->ns[w->node], output, sizeof(output), PROGRAM " statement --samples 2>/dev/null") != 0)
        return false;
    d = json_loads(output, 0, NULL);
    ret = json_array_size(json_object_get(json_object_get(d, "samples"), "at")) >= w->samples;
    json_decref(d);
    return ret;
}

static void until_samples(struct cluster *c, unsigned node, unsigned samples)
{
    cr_assert(netns_until(has_samples, &(struct wait){c, node, samples}, NETNS_DEADLINE_MS), "node%u: no samples", node + 1);
}

/* Let each node ping the next one until the end, and wait until all have 12 s of samples. */
static void talk(struct cluster *c)
{
    for (unsigned i = 0; i < c->n; i++) {
        char address[32];
        char *argv[] = {"ping", "-q", "-i", "0.2", address, NULL};

        snprintf(address, sizeof(address), "10.88.0.%u", (i + 1) % (unsigned)c->n + 1);
        c->talker[i] = netns_start(&c->ns[i], NULL, argv);
    }
    for (unsigned i = 0; i < c->n; i++)
        until_samples(c, i, 12);
}

static void state(struct cluster *c, unsigned node, const char *name)
{
    netns_run(&c->ns[node], PROGRAM " statement --samples >%s/%s", c->dir, name);
}

/* Validate the document by its schema, if python3 has jsonschema. */
static void check_schema(void)
{
    static const char validator[] = "import json, sys\n"
                                    "try: import jsonschema\nexcept ImportError: sys.exit(0)\n"
                                    "jsonschema.Draft202012Validator(json.load(open(sys.argv[1]))).validate(json.load(sys.stdin))\n";
    FILE *python = setenv("VALIDATOR", validator, 1) == 0 ? popen("python3 -c \"$VALIDATOR\" user/dist/schemas/cluster-compare.json", "w") : NULL;

    cr_assert(python);
    fputs(output, python);
    cr_expect_eq(pclose(python), 0);
}

/* Return the document that compares all nodes' current statements and `more` (file names); the caller releases it. */
static json_t *compare(struct cluster *c, const char *more, int status)
{
    struct netns here = netns_here();
    json_t *d;

    for (unsigned i = 0; i < c->n; i++) {
        char name[32];

        snprintf(name, sizeof(name), "node%u.json", i + 1);
        state(c, i, name);
    }
    cr_expect_eq(netns_output(&here, output, sizeof(output), "cd %s && " PROGRAM " cluster compare --json node*.json %s", c->dir, more),
                 status, "%.3000s", output);
    d = json_loads(output, 0, NULL);
    cr_assert(d, "%.2000s", output);
    check_schema();
    netns_close(&here);
    return d;
}

static json_t *difference(json_t *document, const char *what)
{
    json_t *d;
    size_t i;

    json_array_foreach (json_object_get(document, "differences"), i, d)
        if (!strcmp(node_text(d, "what"), what))
            return d;
    return NULL;
}

/* Return the only difference between pairs, which must be that one (NULL: there must be none). */
static json_t *only_pair(json_t *document, const char *what)
{
    json_t *d, *found = NULL;
    size_t i;

    json_array_foreach (json_object_get(document, "differences"), i, d) {
        if (strcmp(node_text(d, "kind"), "pair"))
            continue;
        cr_expect(what && !strcmp(node_text(d, "what"), what), "%s", node_text(d, "text"));
        found = d;
    }
    cr_assert_eq(found != NULL, what != NULL, "no %s", what);
    return found;
}

static void finish(struct cluster *c)
{
    for (unsigned i = 0; i < c->n; i++) {
        if (c->talker[i])
            netns_stop(c->talker[i], SIGKILL);
        if (c->auditor[i])
            netns_stop(c->auditor[i], SIGINT);
        netns_close(&c->ns[i]);
    }
    cr_assert(!strncmp(c->dir, "/tmp/qportwatch-cluster.", 24));
    netns_run(&c->bridge, "rm -rf %s", c->dir);
    netns_close(&c->outside);
    netns_close(&c->bridge);
}

/* Send so many datagrams a second until the end, and wait until the first ones have come out of that device. */
static pid_t send_udp(const struct netns *from, const struct netns *to, const char *device, const char *address, unsigned rate)
{
    uint64_t before = netns_statistics(to, device).rx_packets;
    pid_t pid = netns_send_udp(from, address, rate);

    netns_until_rx(to, device, before + 60);
    return pid;
}

static void receive(struct cluster *c, unsigned node, pid_t *ret)
{
    static char script[] = "import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\ns.bind(('', 9000))\n"
                           "while True: s.recv(2000)\n";
    char *argv[] = {"python3", "-c", script, NULL};

    *ret = netns_start(&c->ns[node], NULL, argv);
    netns_until_port(&c->ns[node], "udp", 9000);
}

static void serve_tcp(struct cluster *c, unsigned node, pid_t *ret)
{
    char *argv[] = {"ncat", "-l", "-k", "445", NULL};

    *ret = netns_start(&c->ns[node], NULL, argv);
    netns_until_port(&c->ns[node], "tcp", 445);
}

/* Send as iperf does: in large buffers, so that offloads can merge. */
static void send_tcp(struct cluster *c, unsigned from, unsigned to, unsigned megabytes)
{
    netns_run(&c->ns[from], "head -c %uM /dev/zero | timeout 60 ncat --send-only 10.88.0.%u 445", megabytes, to + 1);
}

/* Send datagrams to a group, and unicast answers from each member. */
static void send_groups(struct cluster *c)
{
    for (unsigned i = 0; i < c->n; i++)
        netns_run(&c->ns[i], "ip route replace 224.0.0.0/4 dev e0; python3 -c \"import socket\n"
                             "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                             "s.bind(('', 5353))\n"
                             "for i in range(300): s.sendto(b'm' * 60, ('224.0.0.251', 5353))\n\"");
}

Test(cluster, honest_nodes_differ_in_nothing)
{
    struct cluster c = {0};
    pid_t server, sink, sender;
    json_t *d;
    size_t conserved = 0, i;
    json_t *pair;

    make(&c, MOST);
    start_all(&c);
    serve_tcp(&c, 1, &server);
    receive(&c, 2, &sink);
    sender = send_udp(&c.ns[0], &c.ns[2], "e0", "10.88.0.3", 2000);
    send_tcp(&c, 0, 1, 40); /* offloads on: buffers of 64 kB */
    send_groups(&c);
    netns_run(&c.ns[0], "ethtool -K e0 tso off gso off gro off tx off rx off; ping -q -i 0.01 -c 200 10.88.0.4");
    netns_run(&c.ns[1], "ethtool -K e0 tso off gso off gro off tx off rx off");
    send_tcp(&c, 0, 1, 10); /* and with offloads off */
    send_tcp(&c, 3, 1, 10);
    talk(&c);
    d = compare(&c, "", 0);
    cr_expect_eq(json_array_size(node_value(d, "differences")), 0u, "%s", output);
    json_array_foreach (node_value(d, "pairs"), i, pair)
        conserved += !strcmp(node_text(pair, "state"), "conserved") && node_number(pair, "sent") > 1000;
    cr_expect_geq(conserved, 4u, "packets were compared: %s", output);
    json_decref(d);
    netns_stop(sender, SIGKILL);
    netns_stop(sink, SIGKILL);
    netns_stop(server, SIGKILL);
    finish(&c);
}

Test(cluster, a_second_link_that_one_end_does_not_monitor)
{
    struct cluster c = {0};
    pid_t sink, sender;
    json_t *d;

    make(&c, 2);
    netns_veth_pair(&(struct netns_end){&c.ns[0], "e1", "02:00:00:00:02:01"}, &(struct netns_end){&c.ns[1], "e1", "02:00:00:00:02:02"});
    netns_run(&c.ns[0], "ip route add 10.88.0.2/32 dev e1 && ip neigh replace 10.88.0.2 lladdr 02:00:00:00:02:02 dev e1");
    netns_run(&c.ns[1], "sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.e1.rp_filter=0");
    start(&c, 0, "e0 e1", "");
    start(&c, 1, "e0", "");
    receive(&c, 1, &sink);
    sender = send_udp(&c.ns[0], &c.ns[1], "e1", "10.88.0.2", 3000);
    talk(&c);
    d = compare(&c, "", 3);
    cr_expect_str_eq(node_text(only_pair(d, "blind-device"), "subject"), "e1");
    cr_expect_str_eq(node_text(only_pair(d, "blind-device"), "nodes.1"), "node2");
    cr_expect_str_eq(node_text(only_pair(d, "blind-device"), "command"), "on node2: qportwatch attach e0 e1");
    json_decref(d);
    netns_stop(sender, SIGKILL);
    netns_stop(sink, SIGKILL);
    finish(&c);
}

Test(cluster, somebody_sends_as_a_peer)
{
    struct cluster c = {0};
    pid_t sink, sender;
    json_t *d, *forged;

    make(&c, 3);
    start_all(&c);
    receive(&c, 1, &sink);
    netns_run(&c.outside, "ip addr add 10.88.0.1/32 dev e0 && ip route replace 10.88.0.2/32 dev e0 src 10.88.0.1 && "
                          "ip neigh replace 10.88.0.2 lladdr 02:00:00:00:00:02 dev e0");
    sender = send_udp(&c.outside, &c.ns[1], "e0", "10.88.0.2", 200);
    talk(&c);
    d = compare(&c, "", 3);
    forged = only_pair(d, "forged");
    cr_expect_str_eq(node_text(forged, "nodes.0"), "node1");
    cr_expect_str_eq(node_text(forged, "nodes.1"), "node2");
    cr_expect_str_eq(node_text(forged, "subject"), "02:00:00:00:00:63");
    json_decref(d);
    netns_stop(sender, SIGKILL);
    netns_stop(sink, SIGKILL);
    finish(&c);
}

/* Losses in the network and in the sender's own queue: each is reported as such, and no node as blind. */
Test(cluster, what_is_lost_is_said_to_be_lost)
{
    struct cluster c = {0};
    pid_t sink[2], sender[2];
    json_t *d;

    make(&c, 3);
    if (netns_output(&c.bridge, output, sizeof(output), "nft 'add table bridge t; add chain bridge t c { type filter hook forward "
                     "priority 0; }; add rule bridge t c oifname \"port2\" udp dport 9000 numgen inc mod 4 0 drop'") || /* every fourth */
        netns_output(&c.ns[0], output, sizeof(output), "tc qdisc replace dev e0 root tbf rate 1mbit burst 10kb latency 10ms")) {
        finish(&c);
        cr_skip_test("nothing here can lose packets: %s", output);
    }
    start_all(&c);
    receive(&c, 1, &sink[0]);
    receive(&c, 2, &sink[1]);
    sender[0] = send_udp(&c.ns[2], &c.ns[1], "e0", "10.88.0.2", 3000);
    sender[1] = send_udp(&c.ns[0], &c.ns[2], "e0", "10.88.0.3", 3000);
    talk(&c);
    d = compare(&c, "", 3);
    cr_assert(difference(d, "lost-between"), "%s", output);
    cr_expect_str_eq(node_text(difference(d, "lost-between"), "nodes.1"), "node2");
    cr_expect_float_eq((double)node_number(difference(d, "lost-between"), "count") / (double)node_number(difference(d, "lost-between"), "of"),
                       0.25, 0.02, "%s", output);
    cr_assert(difference(d, "lost-by-sender"), "%s", output);
    cr_expect_str_eq(node_text(difference(d, "lost-by-sender"), "nodes.0"), "node1");
    cr_expect_eq(json_array_size(node_value(d, "differences")), 2u, "nobody is said to be blind: %s", output);
    json_decref(d);
    for (unsigned i = 0; i < 2; i++) {
        netns_stop(sender[i], SIGKILL);
        netns_stop(sink[i], SIGKILL);
    }
    finish(&c);
}

Test(cluster, addresses_policies_and_scans)
{
    struct cluster c = {0};
    json_t *d;

    make(&c, 4);
    for (unsigned i = 0; i < 3; i++)
        start(&c, i, "e0", "");
    start(&c, 3, "e0", "inbound tcp 3260 iSCSI\n");
    netns_address(&c.ns[1], "e0", "10.88.0.50/32");
    netns_run(&c.outside, "ping -q -c 1 10.88.0.50");
    state(&c, 1, "before.json");
    netns_run(&c.ns[1], "ip addr del 10.88.0.50/32 dev e0");
    netns_address(&c.ns[2], "e0", "10.88.0.50/32");
    for (unsigned i = 1; i <= 4; i++)
        netns_run(&c.outside, "nc -z -w 1 10.88.0.%u 7000-7008 || true", i);
    d = compare(&c, "before.json", 3);
    cr_expect_str_eq(node_text(d, "addresses.0.address"), "10.88.0.50");
    cr_expect_str_eq(node_text(d, "addresses.0.holder"), "node3");
    cr_expect_eq(node_number(d, "addresses.0.moves"), 1);
    cr_expect(!difference(d, "held-twice"), "%s", output);
    cr_assert(difference(d, "other-policy"), "%s", output);
    cr_expect_str_eq(node_text(difference(d, "other-policy"), "nodes.0"), "node4");
    cr_assert(difference(d, "scanned"), "%s", output);
    cr_expect_str_eq(node_text(difference(d, "scanned"), "subject"), "10.88.0.99");
    cr_expect_eq(json_array_size(node_value(difference(d, "scanned"), "nodes")), 4u);
    cr_expect_eq(node_number(difference(d, "scanned"), "count"), 9);
    json_decref(d);
    netns_address(&c.ns[1], "e0", "10.88.0.50/32");
    d = compare(&c, "", 3);
    cr_assert(difference(d, "held-twice"), "%s", output);
    cr_expect_str_eq(node_text(difference(d, "held-twice"), "subject"), "10.88.0.50");
    cr_expect_eq(json_array_size(node_value(difference(d, "held-twice"), "nodes")), 2u);
    json_decref(d);
    finish(&c);
}
