/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Changes of a monitored interface: down, renamed, gone, back; addresses that come and go. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "auditor.h"
#include "packet.h"

TestSuite(attach_links, .timeout = NETNS_TIMEOUT_S);

Test(attach_links, down_and_up)
{
    struct node n;

    node_open(&n);
    node_attach(&n, "node0");
    netns_run(&n.client, "ip link set client0 down");
    node_until_coverage(&n, "interface-down");
    netns_run(&n.client, "ip link set client0 up");
    node_until_coverage(&n, "interface-up");
    netns_until_file(n.log, "node0: the link is up again", NETNS_DEADLINE_MS);
    node_stop(&n, SIGTERM);
    node_nothing_left(&n);
    node_close(&n);
}

Test(attach_links, renamed)
{
    struct node n;
    json_t *status;

    node_open(&n);
    node_attach(&n, "node0 --mode xdp");
    netns_run(&n.node, "ip link set node0 down && ip link set node0 name front && ip link set front up");
    node_until_coverage(&n, "interface-renamed");
    status = node_status(&n, NULL);
    cr_expect_eq(json_array_size(node_value(status, "interfaces")), 1);
    cr_expect_str_eq(node_text(status, "interfaces.0.name"), "front");
    cr_expect_str_eq(node_text(status, "interfaces.0.rx"), "XDP");
    json_decref(status);
    node_stop(&n, SIGTERM);
    cr_expect(bpfleft_gone(&n.left, NETNS_DEADLINE_MS));
    node_close(&n);
}

static void make_again(struct node *n)
{
    netns_veth(&n->node, "node0", &n->client, "client0");
    netns_address(&n->node, "node0", "10.7.0.1/24");
    netns_address(&n->client, "client0", "10.7.0.2/24");
}

Test(attach_links, gone_and_back)
{
    struct node n;
    static char text[1 << 16];
    json_t *status;
    int64_t before;

    node_open(&n);
    node_attach(&n, "node0 --mode xdp");
    netns_output(&n.client, NULL, 0, "nc -z -w 60 10.7.0.1 445");
    node_until_number(&n, "totals.by_verdict.allowed", 2);
    netns_run(&n.node, "ip link del node0");
    netns_until_file(n.log, "node0: the interface is gone", NETNS_DEADLINE_MS);
    /* There is no hook any more, but everything can still be read. */
    node_until_coverage(&n, "interface-gone");
    status = node_status(&n, NULL);
    cr_expect_eq(node_number(status, "totals.by_verdict.allowed"), 2);
    cr_expect_str_eq(node_text(status, "answer.state"), "BLIND");
    json_decref(status);
    cr_expect_eq(node_command(&n, text, sizeof(text), "report"), 0, "%s", text);
    cr_expect(strstr(text, "node0 interface gone from"), "%s", text);
    cr_expect_eq(node_command(&n, text, sizeof(text), "top --once"), 0, "%s", text);
    make_again(&n);
    node_until_coverage(&n, "interface-back");
    node_until_text(&n, "interfaces.0.rx", "XDP");
    status = node_status(&n, NULL);
    before = node_number(status, "totals.by_verdict.allowed");
    cr_expect_eq(before, 2, "what was counted before is still there");
    cr_expect_eq(json_array_size(node_value(status, "interfaces")), 1, "it is the same interface");
    json_decref(status);
    netns_output(&n.client, NULL, 0, "nc -z -w 60 10.7.0.1 445");
    node_until_number(&n, "totals.by_verdict.allowed", 4);
    node_stop(&n, SIGTERM);
    node_nothing_left(&n);
    node_close(&n);
}

/* Return the count of `what` after one more datagram to the removed address. */
static int64_t passed_by(struct node *n, const char *what)
{
    json_t *status;
    int64_t number;

    netns_run(&n->client, "echo x | nc -u -q 0 -s 10.7.0.2 -p 7003 10.7.0.9 2049");
    status = node_status(n, NULL);
    number = node_number(status, what);
    json_decref(status);
    return number;
}

static bool has_passed_by(void *node)
{
    return passed_by(node, "totals.by_direction.transit") > 0;
}

/*
 * A floating address: traffic to it before it is the node's, while it is, and after. Frames always go to the node's
 * MAC, as from a neighbour with an outdated cache.
 */
Test(attach_links, floating_address)
{
    struct node n;
    int64_t allowed;
    json_t *status;

    node_open(&n);
    netns_run(&n.client, "ip neigh replace 10.7.0.9 lladdr 02:00:00:00:00:01 dev client0");
    netns_run(&n.node, "ip neigh replace 10.7.0.2 lladdr 02:00:00:00:00:02 dev node0");
    node_attach(&n, "node0");
    /* To an address that the node does not have, but to its MAC: counted for the node, with a reason, never transit. */
    netns_run(&n.client, "echo x | nc -u -q 0 -s 10.7.0.2 -p 7001 10.7.0.9 2049");
    node_until_number(&n, "totals.by_verdict.allowed", 1);
    netns_run(&n.node, "ip addr add 10.7.0.9/24 dev node0");
    netns_run(&n.client, "echo x | nc -u -q 0 -s 10.7.0.2 -p 7002 10.7.0.9 2049");
    node_until_number(&n, "totals.by_verdict.allowed", 2);
    netns_run(&n.node, "ip addr del 10.7.0.9/24 dev node0");
    /* Now the address is elsewhere: a frame with another MAC is transit. */
    netns_run(&n.client, "ip neigh replace 10.7.0.9 lladdr 02:00:00:00:00:77 dev client0");
    cr_assert(netns_until(has_passed_by, &n, NETNS_DEADLINE_MS), "never transit");
    status = node_status(&n, NULL); /* it was the node's until the auditor was notified */
    allowed = node_number(status, "totals.by_verdict.allowed");
    json_decref(status);
    cr_expect_eq(passed_by(&n, "totals.by_verdict.allowed"), allowed);
    node_stop(&n, SIGTERM);
    node_nothing_left(&n);
    node_close(&n);
}

/* Send one unicast frame of RoCE v1, for which there is no rule, from the client to that MAC. */
static void send_roce(struct node *n, const char *to)
{
    struct packet p;

    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){
        .source = "02:00:00:00:00:02", .destination = to, .type = PACKET_LIE(0x8915)});
    packet_bytes(&p, NULL, 50);
    packet_finish(&p);
    netns_send(&n->client, "client0", p.data, p.length);
}

static bool is_passing_by(void *node)
{
    struct node *n = node;
    json_t *status;
    bool is;

    send_roce(n, "02:00:00:00:00:77");
    status = node_status(n, NULL);
    is = node_number(status, "totals.by_verdict.transit") > 0;
    json_decref(status);
    return is;
}

/* Non-IP frames for another card are transit, but not those for the node's own bridge, which has its own MAC. */
Test(attach_links, other_macs_of_the_node)
{
    struct node n;
    json_t *status;

    node_open(&n);
    netns_run(&n.node, "sysctl -qw net.ipv6.conf.default.disable_ipv6=1 && ip link add br0 type bridge && "
                       "ip link set br0 address 02:00:00:00:00:55 && ip link set node0 master br0");
    node_attach(&n, "node0");
    send_roce(&n, "02:00:00:00:00:55");
    node_until_number(&n, "totals.by_verdict.unexpected", 1);
    send_roce(&n, "02:00:00:00:00:01");
    node_until_number(&n, "totals.by_verdict.unexpected", 2);
    status = node_status(&n, NULL);
    cr_expect_eq(node_number(status, "totals.by_verdict.transit"), 0);
    json_decref(status);
    /* If the bridge has the port's MAC, frames for any other MAC are transit once the auditor was notified. */
    netns_run(&n.node, "ip link set br0 address 02:00:00:00:00:01");
    cr_expect(netns_until(is_passing_by, &n, NETNS_DEADLINE_MS));
    node_stop(&n, SIGTERM);
    node_nothing_left(&n);
    node_close(&n);
}
