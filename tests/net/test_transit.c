/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Packets through the node's card with foreign addresses: macvlans of other namespaces, frames made by hand, prefixes
 * that the routing table delivers to the node, destinations rewritten for a container; and guests of a bridge, which
 * are other hosts.
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
/* A server on addresses that the table "local" lacks: 4447 over IPv4, 4448 over IPv6. */
#define TRANSPARENT \
    "exec /usr/bin/python3 -c '\n" \
    "import socket,threading\n" \
    "def serve(family,level,option,port):\n" \
    "    s=socket.socket(family); s.setsockopt(1,2,1); s.setsockopt(level,option,1)\n" \
    "    if level==41: s.setsockopt(41,26,1)\n" \
    "    s.bind((\"\",port)); s.listen(5)\n" \
    "    while 1: c,_=s.accept(); c.sendall(c.recv(99)); c.close()\n" \
    "threading.Thread(target=serve,args=(10,41,75,4448)).start()\n" \
    "serve(2,0,19,4447)'"
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

/* Move the other end of a link of the node to another namespace. */
static void give(const char *ifname, const struct netns *to)
{
    netns_run(&n.ns, "ip link set %s netns /proc/%d/fd/%d", ifname, (int)getpid(), to->fd);
}

struct asked {
    unsigned port;
    const struct netns *by;
    const char *command;
};

/* Connect until an exchange with the port is reported, because routes and addresses are updated asynchronously. */
static bool told_when_asked(void *argument)
{
    const struct asked *asked = argument;
    struct evelog log = {0};
    bool reported;

    netns_output(asked->by, NULL, 0, "%s", asked->command);
    evelog_add(&log, eve);
    reported = evelog_last(&log, &(struct evelog_filter){.port = asked->port, .outcome = "data"}) != NULL;
    evelog_clear(&log);
    return reported;
}

#define EXPECT_TOLD_WHEN_ASKED(port, by, what) \
    cr_expect(netns_until(told_when_asked, &(struct asked){port, by, what}, NETNS_DEADLINE_MS), "nothing told of port %u", port)

/* Return whether an address of that prefix is in a finding. */
static bool in_findings(json_t *report, const char *prefix)
{
    size_t i;
    json_t *f;

    json_array_foreach(json_object_get(report, "findings"), i, f)
        if (!strncmp(json_string_value(json_object_get(f, "initiator")), prefix, strlen(prefix)) ||
            !strncmp(json_string_value(json_object_get(f, "responder")), prefix, strlen(prefix)))
            return true;
    return false;
}

/* Send frames out of node0 with its own MAC from a foreign address; TCP to that port. */
#define SEND_RAW(ip, port) \
    "sendp(Ether(src=\"02:00:00:00:00:01\",dst=\"02:00:00:00:00:09\")/" ip "/TCP(sport=4000,dport=" port "),iface=\"node0\")\n"

#define CONNECT_FROM_NEW(port) "/usr/bin/python3 -c 'import socket; s=socket.socket(); s.bind((\"10.1.0.9\",0)); " \
                               "s.connect_ex((\"10.1.0.2\"," port "))'"

/* The kernel uses an address at once; the auditor hears of it when it is given a processor. */
Test(transit, an_address_is_the_nodes_before_the_auditor_has_heard_of_it)
{
    struct evelog log = {0};
    json_t *report, *finding;

    site_attach(&n, "outbound tcp 800 OUT\n", "--mode tc");
    kill(n.auditor, SIGSTOP);
    netns_run(&n.ns, "ip addr add 10.1.0.9/24 dev node0");
    netns_run(&n.ns, CONNECT_FROM_NEW("800"));
    netns_run(&n.ns, CONNECT_FROM_NEW("700"));
    kill(n.auditor, SIGCONT);
    expect_told(700, 3, "outbound", ""); /* refused; no rule lists it, whoever sends it */
    report = site_report(&n);
    finding = site_finding(report, "outbound", "tcp", 800);
    cr_expect(!finding || json_is_true(json_object_get(finding, "superseded")));
    json_decref(report);
    evelog_add(&log, eve);
    cr_expect_null(evelog_last(&log, &(struct evelog_filter){.port = 800}));
    evelog_clear(&log);
}

Test(transit, what_the_node_sends_is_its_own)
{
    json_t *report;

    site_attach(&n, POLICY, "--mode tc");

    netns_run(&n.ns, "ip link add mv0 link node0 type macvlan mode bridge");
    give("mv0", &guest);
    netns_run(&guest, "ip addr add 10.1.0.50/24 dev mv0; ip link set mv0 up");
    serve(&guest, SERVE("4444"), 4444);
    netns_run(&n.far, ASK("10.1.0.50", "4444"));
    expect_told(4444, 1, "inbound", "foreign-source");

    /* With a MAC that the node does not have, and with its own: to a port that a rule lists for the node. */
    netns_run(&n.ns, "/usr/bin/python3 -c 'from scapy.all import *; conf.verb=0\n"
                     "sendp(Ether(dst=\"02:00:00:00:00:09\")/IP(src=\"10.66.0.1\",dst=\"10.1.0.2\")/UDP(sport=4000,dport=53)/\"x\","
                     "iface=\"node0\")\n"
                     "sendp(Ether(src=\"02:00:00:00:00:77\",dst=\"02:00:00:00:00:09\")/IP(src=\"10.66.0.2\",dst=\"10.1.0.2\")/"
                     "TCP(sport=4000,dport=700),iface=\"node0\")'");
    expect_told(53, 2, "outbound", "foreign-source");
    expect_told(700, 2, "outbound", "foreign-source");

    /* Packets to a broadcast address and to a group that the node has joined return as copies that were on no wire. */
    netns_run(&n.ns, "/usr/bin/python3 -c '\n"
                     "import socket,struct\n"
                     "s=socket.socket(2,2); s.setsockopt(1,6,1); s.bind((\"10.1.0.1\",0))\n"
                     "s.setsockopt(0,35,socket.inet_aton(\"239.1.1.1\")+socket.inet_aton(\"10.1.0.1\"))\n"
                     "s.setsockopt(0,32,socket.inet_aton(\"10.1.0.1\"))\n"
                     "for to in (\"10.1.0.255\",\"255.255.255.255\",\"239.1.1.1\"): s.sendto(b\"x\",(to,53))'");
    report = site_report(&n);
    cr_expect_geq(site_sum(report, &(struct site_filter){.direction = "outbound", .protocol = "udp", .port = 53, .verdict = "allowed"}).tx_packets, 3);
    cr_expect_eq(site_sum(report, &(struct site_filter){.direction = "non_ip", .verdict = "unexpected"}).rx_packets, 0);
    json_decref(report);

    /* On a forwarding host, packets that the routing table delivers to the node are the node's. */
    netns_run(&n.ns, "sysctl -qw net.ipv4.ip_forward=1; ip route add local 10.9.0.0/24 dev lo");
    netns_run(&n.far, "ip route add 10.9.0.0/24 via 10.1.0.1");
    serve(&n.ns, SERVE("4445"), 4445);
    EXPECT_TOLD_WHEN_ASKED(4445, &n.far, ASK("10.9.0.7", "4445"));
    expect_told(4445, 1, "inbound", "");
    netns_run(&n.ns, "ip route del local 10.9.0.0/24 dev lo");

    /* So are those that no other host can have sent: with another MAC, and from a source without a route. */
    serve(&guest, SERVE("4446"), 4446);
    netns_run(&n.far, ASK("10.1.0.50", "4446"));
    expect_told(4446, 1, "inbound", "foreign-source");
    netns_run(&n.ns, "sysctl -qw net.ipv6.conf.all.forwarding=1");
    netns_run(&n.ns, "/usr/bin/python3 -c 'from scapy.all import *; conf.verb=0\n"
                     SEND_RAW("IP(src=\"10.66.0.9\",dst=\"10.1.0.2\")", "701")
                     SEND_RAW("IPv6(src=\"fd66::9\",dst=\"fd00:10::2\")", "702")
                     SEND_RAW("IP(src=\"10.1.0.77\",dst=\"10.1.0.2\")", "704") "'"); /* behind this very card */
    expect_told(701, 2, "outbound", "route-unknown");
    expect_told(702, 2, "outbound", "route-unknown");
    expect_told(704, 2, "outbound", "foreign-source");

    /* Packets that a routing policy rule delivers to the node, in both families. */
    netns_run(&n.ns, "ip rule add to 10.20.0.0/24 lookup 100; ip route add local 10.20.0.0/24 dev lo table 100; "
                     "ip -6 rule add to fd20::/64 iif node0 lookup 100; ip -6 route add local fd20::/64 dev lo table 100");
    netns_run(&n.far, "ip route add 10.20.0.0/24 via 10.1.0.1; ip route add fd20::/64 via fd00:10::1");
    serve(&n.ns, TRANSPARENT, 4447);
    netns_until_port(&n.ns, "tcp", 4448);
    EXPECT_TOLD_WHEN_ASKED(4447, &n.far, ASK("10.20.0.7", "4447"));
    expect_told(4447, 1, "inbound", "");
    EXPECT_TOLD_WHEN_ASKED(4448, &n.far, "echo x | timeout 20 socat -t 5 - TCP6:[fd20::7]:4448,connect-timeout=5 | grep -q x");
    expect_told(4448, 1, "inbound", "");

    /* Between two networks that are both behind this card. */
    netns_run(&n.ns, "ip route add 10.30.0.0/24 via 10.1.0.2; ip route add 10.31.0.0/24 via 10.1.0.2");
    netns_run(&n.far, "/usr/bin/python3 -c 'from scapy.all import *; conf.verb=0\n"
                      "sendp(Ether(dst=\"02:00:00:00:00:01\")/IP(src=\"10.31.0.5\",dst=\"10.30.0.9\")/UDP(sport=4000,dport=703)/\"x\","
                      "iface=\"far0\",count=3,inter=0.3)'");

    /* A port of the node that a container answers. */
    netns_run(&n.ns, "ip link add veth0 type veth peer name inside; ip addr add 172.31.0.1/24 dev veth0; ip link set veth0 up");
    give("inside", &guest);
    netns_run(&guest, "ip addr add 172.31.0.2/24 dev inside; ip link set inside up; ip route replace 10.1.0.2 via 172.31.0.1");
    netns_run(&n.ns, "nft add table ip nat; nft add chain ip nat pre '{ type nat hook prerouting priority -100; }'; "
                     "nft add rule ip nat pre tcp dport 8081 dnat to 172.31.0.2:4444");
    netns_run(&n.far, ASK("10.1.0.1", "8081"));
    expect_told(8081, 1, "inbound", "");

    /* A container with a routed address is another host. */
    netns_run(&n.far, "ip route add 172.31.0.0/24 via 10.1.0.1; " ASK("172.31.0.2", "4444") "; " ASK("172.31.0.2", "4446"));
    report = site_report(&n);
    cr_expect_not(in_findings(report, "172.31."));
    cr_expect_not(in_findings(report, "10.30."));
    cr_expect_not(in_findings(report, "10.31."));
    cr_expect_geq(site_sum(report, &(struct site_filter){.verdict = "transit"}).tx_packets, 9);
    site_assert_identities(report);
    json_decref(report);
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

/* A guest's frames pass through the card, which is a port of a bridge: they are not the node's, and not findings. */
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
