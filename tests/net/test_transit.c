/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What leaves by the node's card and is none of its addresses: macvlans of other namespaces, frames made by hand, prefixes
 * that the routing table delivers to the node, destinations rewritten for a container; and a bridge's guests, who are others.
 */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "evelog.h"
#include "site.h"

#define POLICY "inbound tcp 445 SMB\noutbound udp 53 DNS name=dns\n"
#define SERVE(port) "exec socat TCP4-LISTEN:" port ",fork,reuseaddr EXEC:cat"
#define ASK(address, port) "echo x | timeout 20 socat -t 5 - TCP4:" address ":" port ",connect-timeout=5 | grep -q x"

static struct site n;
static struct netns guest;
static char eve[128];

static void setup(void)
{
    netns_need_root();
    site_make(&n);
    guest = netns_new();
    snprintf(eve, sizeof(eve), "%s/eve.json", n.dir);
}

TestSuite(transit, .init = setup, .timeout = NETNS_TIMEOUT_S);

static void serve(const struct netns *ns, const char *command, uint16_t port)
{
    char *argv[] = {"sh", "-c", (char *)command, NULL};

    netns_start(ns, NULL, argv);
    netns_until_port(ns, "tcp", port);
}

static void expect_told(unsigned port, unsigned severity, const char *direction, const char *reason)
{
    struct evelog log = {0};
    const json_t *record;

    EVELOG_UNTIL(eve, .port = port);
    evelog_add(&log, eve);
    record = evelog_last(&log, &(struct evelog_filter){.port = port});
    cr_expect_eq(json_integer_value(json_object_get(json_object_get(record, "alert"), "severity")), severity, "port %u", port);
    cr_expect_str_eq(evelog_fact(record, "verdict"), "unexpected", "port %u", port);
    cr_expect_str_eq(evelog_fact(record, "direction"), direction, "port %u", port);
    cr_expect_str_eq(evelog_fact(record, "reason"), reason, "port %u", port);
    evelog_clear(&log);
}

/* Another namespace's end of a link of the node. */
static void give(const char *ifname, const struct netns *to)
{
    netns_run(&n.ns, "ip link set %s netns /proc/%d/fd/%d", ifname, (int)getpid(), to->fd);
}

/* Asks until something was told of the port: routes and addresses are followed, not awaited by packets. */
static bool told_when_asked(void *command)
{
    struct evelog log = {0};
    bool told;

    netns_output(&n.far, NULL, 0, "%s", (const char *)command);
    evelog_add(&log, eve);
    told = evelog_last(&log, &(struct evelog_filter){.port = 4445}) != NULL;
    evelog_clear(&log);
    return told;
}

Test(transit, what_the_node_sends_is_its_own)
{
    site_attach(&n, POLICY, "--mode tc");

    netns_run(&n.ns, "ip link add mv0 link node0 type macvlan mode bridge");
    give("mv0", &guest);
    netns_run(&guest, "ip addr add 10.1.0.50/24 dev mv0; ip link set mv0 up");
    serve(&guest, SERVE("4444"), 4444);
    netns_run(&n.far, ASK("10.1.0.50", "4444"));
    expect_told(4444, 1, "inbound", "foreign-source");

    /* By a card that the node does not have, and by its own: to a port that a rule lists for the node. */
    netns_run(&n.ns, "/usr/bin/python3 -c 'from scapy.all import *; conf.verb=0\n"
                     "sendp(Ether(dst=\"02:00:00:00:00:09\")/IP(src=\"10.66.0.1\",dst=\"10.1.0.2\")/UDP(sport=4000,dport=53)/\"x\","
                     "iface=\"node0\")\n"
                     "sendp(Ether(src=\"02:00:00:00:00:77\",dst=\"02:00:00:00:00:09\")/IP(src=\"10.66.0.2\",dst=\"10.1.0.2\")/"
                     "TCP(sport=4000,dport=700),iface=\"node0\")'");
    expect_told(53, 2, "outbound", "foreign-source");
    expect_told(700, 2, "outbound", "foreign-source");

    /* On a host that forwards, what the routing table delivers to the node is the node's. */
    netns_run(&n.ns, "sysctl -qw net.ipv4.ip_forward=1; ip route add local 10.9.0.0/24 dev lo");
    netns_run(&n.far, "ip route add 10.9.0.0/24 via 10.1.0.1");
    serve(&n.ns, SERVE("4445"), 4445);
    cr_assert(netns_until(told_when_asked, ASK("10.9.0.7", "4445"), NETNS_DEADLINE_MS));
    expect_told(4445, 1, "inbound", "");
    netns_run(&n.ns, "ip route del local 10.9.0.0/24 dev lo");

    /* A port of the node that a container answers. */
    netns_run(&n.ns, "ip link add veth0 type veth peer name inside; ip addr add 172.31.0.1/24 dev veth0; ip link set veth0 up");
    give("inside", &guest);
    netns_run(&guest, "ip addr add 172.31.0.2/24 dev inside; ip link set inside up; ip route replace 10.1.0.2 via 172.31.0.1");
    netns_run(&n.ns, "nft add table ip nat; nft add chain ip nat pre '{ type nat hook prerouting priority -100; }'; "
                     "nft add rule ip nat pre tcp dport 8081 dnat to 172.31.0.2:4444");
    netns_run(&n.far, ASK("10.1.0.1", "8081"));
    expect_told(8081, 1, "inbound", "");
    site_detach(&n, SIGTERM);
    site_end(&n);
}

static bool has_note(json_t *report, const char *start)
{
    size_t i;
    json_t *note;

    json_array_foreach(json_object_get(json_object_get(report, "coverage"), "notes"), i, note)
        if (!strncmp(json_string_value(note), start, strlen(start)))
            return true;
    return false;
}

/* A guest's frames pass the card, which is a port of a bridge: they are not the node's, and no findings. */
Test(transit, guests_of_a_bridge_are_others)
{
    json_t *report;

    netns_run(&n.ns, "ip addr flush dev node0; ip link add br0 type bridge; ip link set br0 up; ip addr add 10.1.0.1/24 dev br0; "
                     "ip link set node0 master br0; ip link add tap0 type veth peer name inside; ip link set tap0 master br0 up");
    give("inside", &guest);
    netns_run(&guest, "ip addr add 10.1.0.60/24 dev inside; ip link set inside up");
    serve(&guest, SERVE("4444"), 4444);
    site_attach(&n, POLICY, "--mode tc");
    netns_run(&n.far, ASK("10.1.0.60", "4444"));
    report = site_report(&n);
    cr_expect_null(site_finding(report, "inbound", "tcp", 4444));
    cr_expect_null(site_finding(report, "outbound", "tcp", 4444));
    cr_expect(has_note(report, "br0 is a bridge on node0 and has carried "));
    cr_expect_geq(site_sum(report, &(struct site_filter){.verdict = "transit"}).tx_packets, 3);
    json_decref(report);
    site_detach(&n, SIGTERM);
    site_end(&n);
}
