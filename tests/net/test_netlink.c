/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Local addresses and links that change while they are read, each test in namespaces of its own. */
#include <criterion/criterion.h>
#include <net/if_arp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/netlink.h"
#include "netns.h"
#include "qportwatch.h"
#include "util/names.h"

static struct netns here, there;
static struct qpw_netlink *netlink;
static struct qpw_error err;

/* The events that the handler received, one line each. */
static char reported[64][96];
static size_t n_told;

static void on_local(void *arg, const struct qpw_local *local)
{
    char text[64];

    if (n_told < 64)
        snprintf(reported[n_told++], sizeof(*reported), "local %s %u", qpw_address_text(local->addr, text, sizeof(text)),
                 local->flags);
}

static void on_link(void *arg, const struct qpw_link *was, const struct qpw_link *now)
{
    if (n_told < 64)
        snprintf(reported[n_told++], sizeof(*reported), "link %s>%s", was ? was->name : "", now ? now->name : "");
}

static const struct qpw_netlink_handler handler = {.local = on_local, .link = on_link};

static void drain(void)
{
    n_told = 0;
    cr_assert_eq(qpw_netlink_drain(netlink, &handler, &err), 0, "%s", err.text);
}

static bool was_told(const char *line)
{
    for (size_t i = 0; i < n_told; i++)
        if (!strcmp(reported[i], line))
            return true;
    return false;
}

static uint32_t local_flags(const char *address)
{
    uint8_t addr[16];
    size_t count;
    const struct qpw_local *locals = qpw_netlink_locals(netlink, &count);

    cr_assert_eq(qpw_address_parse(address, addr), 0);
    for (size_t i = 0; i < count; i++)
        if (!memcmp(locals[i].addr, addr, 16))
            return locals[i].flags;
    return 0;
}

static void setup(void)
{
    netns_need_root();
    here = netns_new();
    there = netns_new();
    netns_veth(&here, "node0", &there, "far0");
    netns_address(&here, "node0", "10.1.0.12/24");
    netns_address(&here, "node0", "fd00:10::12/64");
    netns_enter(&here);
    cr_assert_eq(qpw_netlink_open(&netlink, &err), 0, "%s", err.text);
}

static void teardown(void)
{
    qpw_netlink_close(netlink);
}

TestSuite(netlink, .init = setup, .fini = teardown);

Test(netlink, link_as_it_is)
{
    static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};
    const struct qpw_link *link = qpw_netlink_by_name(netlink, "node0"), *lo = qpw_netlink_by_name(netlink, "lo");

    cr_assert(link && lo);
    cr_assert_eq(link->ifindex, netns_ifindex(&here, "node0"));
    cr_assert_eq(qpw_netlink_by_index(netlink, link->ifindex), link);
    cr_assert_arr_eq(link->mac, mac, 6);
    cr_assert_eq(link->type, ARPHRD_ETHER);
    cr_assert_eq(lo->type, ARPHRD_LOOPBACK);
    cr_assert_str_eq(link->kind, "veth");
    cr_assert_str_eq(link->driver, "veth");
    cr_assert_eq(link->mtu, 1500);
    cr_assert(link->up && link->carrier && !link->forward4 && !link->forward6);
    cr_assert_eq(link->lower, 0, "the other end of a veth is no lower device");
    cr_assert_null(qpw_netlink_by_name(netlink, "none"));
}

Test(netlink, addresses_with_their_broadcast_and_without_loopback)
{
    cr_assert_eq(local_flags("10.1.0.12"), QPW_LOCAL_ADDRESS);
    cr_assert_eq(local_flags("10.1.0.255"), QPW_LOCAL_BROADCAST);
    cr_assert_eq(local_flags("fd00:10::12"), QPW_LOCAL_ADDRESS);
    cr_assert_eq(local_flags("127.0.0.1"), 0);
    cr_assert_eq(local_flags("127.255.255.255"), 0);
    cr_assert_eq(local_flags("::1"), 0);
}

Test(netlink, addresses_come_and_go)
{
    struct pollfd wait = {.fd = qpw_netlink_fd(netlink), .events = POLLIN};

    drain();
    cr_assert_eq(n_told, 0, "first told: %s", reported[0]);
    netns_run(&here, "ip addr add 10.9.0.7/20 dev node0");
    cr_assert_eq(poll(&wait, 1, NETNS_DEADLINE_MS), 1);
    drain();
    cr_assert(was_told("local 10.9.0.7 1") && was_told("local 10.9.15.255 2"));
    cr_assert_eq(n_told, 2);
    netns_run(&here, "ip addr del 10.9.0.7/20 dev node0");
    drain();
    cr_assert(was_told("local 10.9.0.7 0") && was_told("local 10.9.15.255 0"));
    cr_assert_eq(n_told, 2);
    netns_run(&here, "ip addr add 192.0.2.1/31 dev node0 && ip addr add 192.0.2.9 peer 192.0.2.10/32 dev node0");
    drain();
    cr_assert(was_told("local 192.0.2.1 1") && was_told("local 192.0.2.9 1"));
    cr_assert_eq(n_told, 2, "a /31 and a point-to-point address have no broadcast, and the peer's is not ours");
}

Test(netlink, address_on_two_links_is_ours_until_both_lose_it)
{
    netns_veth(&here, "node1", &there, "far1");
    netns_run(&here, "ip addr add 10.9.0.7/32 dev node0 && ip addr add 10.9.0.7/32 dev node1");
    drain();
    cr_assert(was_told("local 10.9.0.7 1"));
    netns_run(&here, "ip addr del 10.9.0.7/32 dev node0");
    drain();
    cr_assert_eq(n_told, 0, "first told: %s", reported[0]);
    netns_run(&here, "ip link del node1");
    drain();
    cr_assert(was_told("link node1>"));
    cr_assert(was_told("local 10.9.0.7 0"));
}

Test(netlink, address_that_a_link_has_twice_is_ours_until_both_are_gone)
{
    netns_run(&here, "ip addr add 10.9.0.8/24 dev node0 && ip addr add 10.9.0.8/32 dev node0 && "
                     "ip addr add 10.9.0.8 peer 10.9.1.1/32 dev node0");
    drain();
    cr_assert(was_told("local 10.9.0.8 1"));
    netns_run(&here, "ip addr del 10.9.0.8/32 dev node0 && ip addr del 10.9.0.8 peer 10.9.1.1/32 dev node0");
    drain();
    cr_assert_eq(n_told, 0, "first told: %s", reported[0]);
    netns_run(&here, "ip addr del 10.9.0.8/24 dev node0");
    drain();
    cr_assert(was_told("local 10.9.0.8 0"));
}

/* Another peer of an IPv6 address is reported as a change of the same address. */
Test(netlink, address_whose_peer_changes_is_one)
{
    netns_run(&here, "ip addr add fd00:9::8 peer fd00:9::1 dev node0 nodad && "
                     "ip addr change fd00:9::8 peer fd00:9::2 dev node0 nodad");
    drain();
    cr_assert(was_told("local fd00:9::8 1"));
    netns_run(&here, "ip addr del fd00:9::8 peer fd00:9::2 dev node0");
    drain();
    cr_assert(was_told("local fd00:9::8 0"));
}

Test(netlink, links_are_renamed_go_down_and_are_made_again)
{
    unsigned ifindex = netns_ifindex(&here, "node0");

    netns_run(&here, "ip link set node0 down && ip link set node0 name data0");
    drain();
    cr_assert(was_told("link node0>data0"));
    cr_assert(!qpw_netlink_by_name(netlink, "data0")->up);
    cr_assert_eq(qpw_netlink_by_name(netlink, "data0")->ifindex, ifindex);
    netns_run(&here, "ip link set data0 mtu 9000 up");
    drain();
    cr_assert(was_told("link data0>data0"));
    cr_assert_eq(qpw_netlink_by_name(netlink, "data0")->mtu, 9000);
    /* Deleted and created again under the same index before anybody looked: another device, without our programs. */
    netns_run(&here, "ip link del data0 && ip link add data0 index %u type veth peer name data1", ifindex);
    drain();
    cr_assert(was_told("link data0>") && was_told("link >data0"));
    cr_assert_str_eq(reported[0], "link data0>");
    cr_assert_eq(qpw_netlink_by_name(netlink, "data0")->ifindex, ifindex);
    cr_assert_str_eq(qpw_netlink_by_name(netlink, "data0")->driver, "veth");
    cr_assert_eq(local_flags("10.1.0.12"), 0);
}

/* The namespace to which it moved is known until it is back; if it is deleted later, it is gone, not moved. */
Test(netlink, what_came_back_did_not_move_when_it_is_deleted)
{
    unsigned ifindex = netns_ifindex(&here, "node0"), new_ifindex;
    struct netns away = netns_new(); /* its index is free there */
    int nsid;

    netns_run(&here, "ip link set node0 netns /proc/%d/fd/%d", (int)getpid(), away.fd);
    drain();
    cr_assert(qpw_netlink_moved(netlink, ifindex, &nsid, &new_ifindex));
    netns_run(&away, "ip link set node0 netns /proc/%d/fd/%d", (int)getpid(), here.fd);
    netns_close(&away);
    drain();
    cr_assert(was_told("link >node0"));
    cr_assert_eq(netns_ifindex(&here, "node0"), ifindex, "it keeps its number where that is free");
    netns_run(&here, "ip link del node0");
    drain();
    cr_assert(was_told("link node0>"));
    cr_assert_not(qpw_netlink_moved(netlink, ifindex, &nsid, &new_ifindex));
}

Test(netlink, forwarding_is_followed)
{
    netns_run(&here, "sysctl -qw net.ipv4.ip_forward=1");
    drain();
    cr_assert(was_told("link node0>node0"));
    cr_assert(qpw_netlink_by_name(netlink, "node0")->forward4);
    cr_assert(!qpw_netlink_by_name(netlink, "node0")->forward6);
    netns_run(&here, "sysctl -qw net.ipv6.conf.all.forwarding=1 net.ipv4.conf.node0.forwarding=0");
    drain();
    cr_assert(!qpw_netlink_by_name(netlink, "node0")->forward4);
    cr_assert(qpw_netlink_by_name(netlink, "node0")->forward6);
}

Test(netlink, bridge_port_that_leaves_is_still_a_link)
{
    unsigned node0 = netns_ifindex(&here, "node0"), bridge;

    if (netns_output(&here, NULL, 0, "ip link add br0 type bridge"))
        cr_skip_test("this kernel has no bridge");
    bridge = netns_ifindex(&here, "br0");
    netns_run(&here, "ip link set node0 master br0");
    drain();
    cr_assert_eq(qpw_netlink_by_index(netlink, node0)->upper, bridge);
    cr_assert(qpw_netlink_stacked(netlink, node0, bridge) && qpw_netlink_stacked(netlink, bridge, node0));
    netns_run(&here, "ip link set node0 nomaster");
    drain();
    cr_assert(was_told("link node0>node0") && !was_told("link node0>"));
    cr_assert_eq(qpw_netlink_by_index(netlink, node0)->upper, 0);
    cr_assert(!qpw_netlink_stacked(netlink, node0, bridge));
}

Test(netlink, device_on_top_of_another_is_stacked)
{
    if (netns_output(&here, NULL, 0, "ip link add mac0 link node0 type macvlan"))
        cr_skip_test("this kernel has no macvlan");
    drain();
    cr_assert_eq(qpw_netlink_by_name(netlink, "mac0")->lower, netns_ifindex(&here, "node0"));
    cr_assert(qpw_netlink_stacked(netlink, netns_ifindex(&here, "mac0"), netns_ifindex(&here, "node0")));
}

Test(netlink, lost_notifications_are_made_up_for)
{
    int small = 1;
    size_t count, before;

    qpw_netlink_locals(netlink, &before);
    cr_assert_eq(setsockopt(qpw_netlink_fd(netlink), SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
    netns_run(&here, "for i in $(seq 1 200); do echo addr add 10.20.$i.1/32 dev node0; done | ip -batch - && "
                     "ip addr del 10.1.0.12/24 dev node0");
    drain();
    qpw_netlink_locals(netlink, &count);
    cr_assert_eq(count, before + 200 - 2);
    cr_assert_eq(local_flags("10.20.200.1"), QPW_LOCAL_ADDRESS);
    cr_assert_eq(local_flags("10.1.0.12"), 0);
    cr_assert_eq(n_told, 64, "as many as this test writes down");
}

Test(netlink, refresh_reads_packet_counters)
{
    static const uint8_t frame[60] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xb5};
    uint64_t before = qpw_netlink_by_name(netlink, "node0")->rx_packets;

    for (int i = 0; i < 3; i++)
        netns_send(&there, "far0", frame, sizeof(frame));
    netns_until_rx(&here, "node0", before + 3);
    cr_assert_eq(qpw_netlink_refresh(netlink, &err), 0);
    drain();
    cr_assert_eq(n_told, 0, "counters alone are no change: %s", reported[0]);
    cr_assert_geq(qpw_netlink_by_name(netlink, "node0")->rx_packets, before + 3);
}
