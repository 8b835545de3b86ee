/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The node's answers leave by an interface that is not monitored: an answered exchange is reported as answered, with
 * that interface; refused and blind attempts stay attempts.
 */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "auditor.h"
#include "evelog.h"
#include "packet.h"
#include "traffic.h"

#define ONE_BY_ONE \
    "--alert scan_targets=0 --alert slow_scan_targets=0 --alert flood=0 --alert initiators=0 --alert neighbour=0 " \
    "--alert cap=1000000"

static struct node n;
static char eve[128];

/*
 * Add a second link: the node's packets to the client's other addresses use it, while the client sends over the first.
 */
static void setup(void)
{
    static const char no_filter[] = "sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 && "
                                    "for f in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 >$f; done";

    netns_need_root();
    node_open(&n);
    snprintf(eve, sizeof(eve), "%s/eve.json", n.folder);
    netns_veth(&n.node, "node1", &n.client, "client1");
    netns_address(&n.node, "node1", "10.8.0.1/24");
    netns_address(&n.node, "node1", "fd08::1/64");
    netns_address(&n.client, "client1", "10.8.0.2/24");
    netns_address(&n.client, "client1", "fd08::2/64");
    netns_address(&n.client, "lo", "10.9.0.2/32");
    netns_address(&n.client, "lo", "fd09::2/128");
    /* Neighbours are not resolved from an address of another link. */
    netns_run(&n.node, "%s; ip route add 10.9.0.0/24 via 10.8.0.2; ip -6 route add fd09::/64 via fd08::2; "
              "ip neigh replace fd08::2 lladdr 02:00:00:00:00:02 dev node1", no_filter);
    netns_run(&n.client, "%s; ip neigh replace fd07::1 lladdr 02:00:00:00:00:01 dev client0", no_filter);
}

static void teardown(void)
{
    node_close(&n);
}

TestSuite(unseen, .init = setup, .fini = teardown, .timeout = NETNS_TIMEOUT_S);

static int be_silent(void *argument)
{
    int listener, fd;
    char c;

    prctl(PR_SET_NAME, "silent");
    listener = traffic_bound(&n.node, SOCK_STREAM, argument, 5555);
    listen(listener, 4);
    fd = accept(listener, NULL, NULL);
    return read(fd, &c, 1) != 0; /* until the other end closes */
}

static const json_t *find(struct evelog *log, const char *name, unsigned port)
{
    return evelog_last(log, &(struct evelog_filter){.name = name, .port = port});
}

static void expect_said(struct evelog *log, const char *name, unsigned port, const char *process)
{
    const json_t *record = find(log, name, port);
    char *text = record ? json_dumps(record, 0) : NULL;

    cr_assert(text, "no %s on port %u", name, port);
    cr_expect(strstr(text, ", through node1, which is not monitored"), "%s", text);
    cr_expect(!strstr(text, "no answer was seen"), "%s", text);
    cr_expect_str_eq(evelog_fact(record, "witness"), "socket-table");
    if (process)
        cr_expect_str_eq(evelog_fact(record, "process"), process, "%s", text);
    free(text);
}

/* Ask over two wires: 4444 answers, 5555 accepts and stays silent, 6666 refuses. */
static void over_two_wires(const char *mode, const char *to, const char *from)
{
    struct traffic_tcp talk = {.address = to, .port = 4444, .local_address = from, .up = 1000, .down = 5000};
    struct traffic_tcp silent = {.address = to, .port = 5555, .local_address = from};
    struct sockaddr_storage end;
    socklen_t size;
    pid_t server = traffic_serve_tcp(&n.node, to, 4444), mute = netns_fork(&n.node, be_silent, (void *)to);
    struct evelog log = {0};
    struct netns here = netns_here();
    int fd;

    netns_until_port(&n.node, "tcp", 5555);
    node_attach(&n, "node0 --mode %s --alerts %s " ONE_BY_ONE, mode, eve);
    traffic_tcp(&n.client, &talk);
    EVELOG_UNTIL(eve, .name = "inbound-data", .port = 4444);

    netns_enter(&n.client);
    size = traffic_endpoint(from, 0, &end);
    fd = socket(end.ss_family, SOCK_STREAM, 0);
    cr_assert_eq(bind(fd, (struct sockaddr *)&end, size), 0);
    traffic_endpoint(silent.address, silent.port, &end);
    cr_assert_eq(connect(fd, (struct sockaddr *)&end, size), 0);
    EVELOG_UNTIL(eve, .name = "inbound-answered", .port = 5555);
    close(fd);
    fd = socket(end.ss_family, SOCK_STREAM, 0);
    size = traffic_endpoint(from, 0, &end);
    cr_assert_eq(bind(fd, (struct sockaddr *)&end, size), 0);
    traffic_endpoint(to, 6666, &end);
    cr_assert_eq(connect(fd, (struct sockaddr *)&end, size), -1, "nobody listens there");
    close(fd);
    netns_enter(&here);
    EVELOG_UNTIL(eve, .port = 6666);
    cr_assert_eq(netns_wait(mute, NETNS_DEADLINE_MS), 0);
    node_stop(&n, SIGINT);

    evelog_add(&log, eve);
    expect_said(&log, "inbound-data", 4444, NULL);
    expect_said(&log, "inbound-answered", 5555, "silent");
    cr_expect(find(&log, "inbound-attempted", 6666), "refused where nobody saw it: an attempt");
    cr_expect_eq(EVELOG_COUNT(&log, .name = "inbound-answered", .port = 6666), 0);
    cr_expect_str_eq(evelog_fact(find(&log, "inbound-attempted", 6666), "witness"), "");
    evelog_clear(&log);
    netns_stop(server, SIGKILL);
    netns_close(&here);
    node_nothing_left(&n);
}

Test(unseen, answers_leave_by_another_interface_xdp) { over_two_wires("xdp", "10.7.0.1", "10.9.0.2"); }
Test(unseen, answers_leave_by_another_interface_tc) { over_two_wires("tc", "10.7.0.1", "10.9.0.2"); }
Test(unseen, answers_leave_by_another_interface_v6) { over_two_wires("tc", "fd07::1", "fd09::2"); }
Test(unseen, answers_leave_by_another_interface_v6_xdp) { over_two_wires("xdp", "fd07::1", "fd09::2"); }

/* Send unsolicited segments to a port without and to one with a listener. */
static void send_blindly(uint16_t port, uint8_t flags, uint32_t seq, uint32_t ack)
{
    static struct packet p;

    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){0});
    packet_ipv4(&p, &(struct packet_ipv4){.source = "10.9.0.77", .destination = "10.7.0.1"});
    packet_tcp(&p, &(struct packet_tcp){.source = 40000, .destination = port, .flags = flags, .seq = seq, .ack = ack});
    packet_finish(&p);
    netns_send(&n.client, "client0", p.data, p.length);
}

Test(unseen, blind_acknowledgements_are_nobodys_answer)
{
    struct evelog log = {0};

    cr_assert_eq(listen(traffic_bound(&n.node, SOCK_STREAM, "10.7.0.1", 4444), 1), 0);
    node_attach(&n, "node0 --mode xdp --alerts %s " ONE_BY_ONE, eve);
    send_blindly(6666, PACKET_SYN, 1000, 0);
    for (uint32_t i = 0; i < 50; i++) {
        send_blindly(6666, PACKET_ACK, 1001, 5001 + 100 * i);
        send_blindly(4444, PACKET_ACK, 1001, 5001 + 100 * i); /* without a SYN */
    }
    EVELOG_UNTIL(eve, .port = 6666);
    node_stop(&n, SIGINT); /* everything due has been written by then */
    evelog_add(&log, eve);
    cr_expect(find(&log, "inbound-attempted", 6666));
    for (unsigned port = 4444; port <= 6666; port += 2222) {
        cr_expect_eq(EVELOG_COUNT(&log, .name = "inbound-answered", .port = port), 0);
        cr_expect_eq(EVELOG_COUNT(&log, .name = "inbound-data", .port = port), 0);
    }
    evelog_clear(&log);
    node_nothing_left(&n);
}
