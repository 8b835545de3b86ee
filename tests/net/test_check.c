/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* `check` on machines with problems: its remarks, and that it changes nothing. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <jansson.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auditor.h"
#include "instance/hooks.h"

#define PROGRAM QPW_BUILD "/qportwatch"

TestSuite(check, .timeout = NETNS_TIMEOUT_S);

static char output[65536];

/* Return the remarks of `check WORDS --json`, which the caller releases; *ret_status (may be NULL): its exit status. */
static json_t *check(const struct netns *ns, int *ret_status, const char *format, ...)
{
    char words[512];
    json_t *document, *remarks;
    va_list args;
    int status;

    va_start(args, format);
    vsnprintf(words, sizeof(words), format, args);
    va_end(args);
    status = netns_output(ns, output, sizeof(output), PROGRAM " check --json --config /dev/null %s", words);
    document = json_loads(output, 0, NULL);
    cr_assert(document, "%s: exit status %d: %s", words, status, output);
    remarks = json_incref(json_object_get(document, "remarks"));
    json_decref(document);
    if (ret_status)
        *ret_status = status;
    return remarks;
}

/* Return how many remarks of that level on `what` contain the text. */
static unsigned count(const json_t *remarks, const char *level, const char *what, const char *text)
{
    unsigned n = 0;
    json_t *r;
    size_t i;

    json_array_foreach (remarks, i, r)
        n += !strcmp(json_string_value(json_object_get(r, "level")), level) &&
             !strcmp(json_string_value(json_object_get(r, "what")), what) &&
             strstr(json_string_value(json_object_get(r, "why")), text);
    return n;
}

#define SAYS(remarks, level, what, text) cr_expect_eq(count(remarks, level, what, text), 1u, "%s: %s: %s: %s", level, what, text, output)

Test(check, a_machine_without_trouble)
{
    struct node n;
    json_t *remarks;
    int status;

    node_open(&n);
    remarks = check(&n.node, &status, "node0 --peer node2=10.7.0.2 --alerts %s/eve.json", n.folder);
    cr_expect_eq(status, 0, "%s", output);
    SAYS(remarks, "ok", "node0: mode", "would be counted at TC (XDP on a veth slows bulk TCP), driver veth: the link is not touched");
    SAYS(remarks, "ok", "policy", "qumulo/on-prem");
    SAYS(remarks, "ok", "peers", "1 peer");
    SAYS(remarks, "ok", "rights", "all that are needed");
    SAYS(remarks, "ok", "alert log", "eve.json");
    cr_expect_eq(count(remarks, "warning", "", ""), 0u);
    json_decref(remarks);
    cr_expect_eq(node_note(&n, "node0"), 0u, "check changes nothing");
    cr_expect_neq(access("/tmp/none", F_OK), 0);
    node_close(&n);
}

Test(check, interfaces_in_trouble)
{
    struct node n;
    json_t *remarks;
    int status;

    node_open(&n);
    netns_run(&n.node, "ip link add br0 type bridge && ip link add port0 type veth peer name port1 && ip link set port0 master br0 && "
                       "ip link set port0 up && ip link add idle0 type veth peer name idle1 && ip link set idle0 up && "
                       "ip tuntap add tun0 mode tun && ip link set node0 mtu 9000");
    remarks = check(&n.node, &status, "nope lo tun0 br0 port0 --mode xdp --no-alerts");
    cr_expect_eq(status, 3);
    SAYS(remarks, "refusal", "nope: interface", "no such interface in this network namespace");
    SAYS(remarks, "refusal", "lo: mode", "lo carries no network traffic");
    SAYS(remarks, "refusal", "tun0: mode", "its packets have no Ethernet header, so XDP cannot read them");
    SAYS(remarks, "refusal", "port0: stacked", "br0 and port0: one lies above the other");
    SAYS(remarks, "warning", "br0: mode", "may take the link down for a moment");
    SAYS(remarks, "warning", "idle0: not monitored", "it is up, has carried");
    SAYS(remarks, "warning", "node0: not monitored", "it is up, has carried");
    SAYS(remarks, "note", "alert log", "none would be written");
    SAYS(remarks, "note", "peers", "none is named");
    json_decref(remarks);

    remarks = check(&n.node, &status, "port0 node0 --mode xdp --wait nope2 --no-alerts");
    cr_expect_eq(status, 3);
    SAYS(remarks, "warning", "port0: part of", "it is a part of bridge br0: what passes its other ports is not seen here");
    SAYS(remarks, "note", "port0: link", "it has no carrier");
    SAYS(remarks, "note", "node0: MTU", "at an MTU of 9000");
    SAYS(remarks, "note", "node0: mode", "three quarters of its speed");
    SAYS(remarks, "warning", "nope2: interface", "it would be awaited");
    json_decref(remarks);

    remarks = check(&n.node, &status, "auto --no-alerts");
    SAYS(remarks, "refusal", "auto", "there is no default route, and none to a peer");
    json_decref(remarks);
    netns_run(&n.node, "ip route add default via 10.7.0.2");
    remarks = check(&n.node, &status, "auto --no-alerts");
    SAYS(remarks, "ok", "auto", "stands for node0");
    json_decref(remarks);
    node_close(&n);
}

/* Attach a foreign program to node0's XDP hook; -1: detach it. */
static void set_xdp(struct node *n, int fd)
{
    struct netns here = netns_here();

    netns_enter(&n->node);
    cr_assert_eq(bpf_xdp_attach((int)netns_ifindex(&n->node, "node0"), fd, 0, NULL), 0);
    netns_enter(&here);
    netns_close(&here);
}

static void add_tc(struct node *n, int fd)
{
    struct netns here = netns_here();
    struct qpw_tc_attached made;

    netns_enter(&n->node);
    cr_assert_eq(qpw_hooks_attach_tc(netns_ifindex(&n->node, "node0"), QPW_POINT_RX, fd, QPW_TC_CLSACT, &made, NULL), 0);
    netns_enter(&here);
    netns_close(&here);
}

Test(check, programs_of_others_and_ours)
{
    struct node n;
    json_t *remarks;
    int status;

    node_open(&n);
    set_xdp(&n, node_foreign_program(BPF_PROG_TYPE_XDP, "their_xdp"));
    remarks = check(&n.node, &status, "node0 --no-alerts");
    cr_expect_eq(status, 3);
    SAYS(remarks, "warning", "node0: programs", "XDP program 'their_xdp' (id ");
    SAYS(remarks, "ok", "node0: mode", "would be counted at TC (XDP hook held by their_xdp");
    json_decref(remarks);
    set_xdp(&n, -1);

    add_tc(&n, node_foreign_program(BPF_PROG_TYPE_SCHED_CLS, "their_tc"));
    remarks = check(&n.node, &status, "node0 --no-alerts");
    cr_expect_eq(status, 0, "%s", output);
    SAYS(remarks, "note", "node0: programs", "'their_tc' stands in the clsact hook for received packets; ours would go first");
    json_decref(remarks);

    node_attach(&n, "node0");
    remarks = check(&n.node, &status, "node0 --no-alerts");
    cr_expect_eq(status, 3);
    cr_expect_eq(count(remarks, "note", "node0: programs", "qportwatch counts"), 2u, "%s", output);
    SAYS(remarks, "refusal", "auditor", "audits this network namespace already");
    json_decref(remarks);
    node_close(&n);
}

Test(check, files_rights_and_what_bypasses_the_hooks)
{
    char path[128];
    struct node n;
    json_t *remarks;
    int status;

    node_open(&n);
    node_write(&n, "bad", "inbound tcp 445 SMB\nnonsense\n", path, sizeof(path));
    remarks = check(&n.node, &status, "node0 --policy %s --alerts %s/bad/eve.json", path, n.folder);
    cr_expect_eq(status, 3);
    SAYS(remarks, "refusal", "policy", "bad:2:1: ");
    SAYS(remarks, "warning", "alert log", "its folder is no directory");
    json_decref(remarks);

    node_write(&n, "others", "inbound tcp 445 SMB\n", path, sizeof(path));
    netns_run(&n.node, "chmod 666 %s", path);
    remarks = check(&n.node, &status, "node0 --policy %s --no-alerts", path);
    cr_expect_eq(status, 3);
    SAYS(remarks, "warning", "policy", "others than root can change it (owner 0, group 0, mode 0666)");
    json_decref(remarks);

    remarks = check(&n.node, &status, "node0 --alerts %s", n.folder);
    SAYS(remarks, "warning", "alert log", "is a directory");
    json_decref(remarks);

    remarks = check(&n.node, &status, "node0 --no-alerts --max-connections 4194304");
    cr_expect_eq(count(remarks, "warning", "memory", "the tables would take about") + count(remarks, "ok", "memory", "the tables would take about 1."), 1u,
                 "%s", output);
    json_decref(remarks);

    /* A card with RDMA, a small file system for the log, no tracefs and no cgroups, in a mount namespace. */
    status = netns_output(&n.node, output, sizeof(output),
                          "unshare -m sh -c 'mount -t tmpfs none /sys && mkdir -p /sys/class/infiniband/mlx5_0/ports/1/counters && "
                          "echo 7 >/sys/class/infiniband/mlx5_0/ports/1/counters/port_rcv_packets && mount -t tmpfs -o size=1m none %s && "
                          PROGRAM " check node0 --json --config /dev/null --alerts %s/eve.json'", n.folder, n.folder);
    cr_expect_eq(status, 3, "%s", output);
    remarks = json_loads(output, 0, NULL);
    cr_assert(remarks, "%s", output);
    SAYS(json_object_get(remarks, "remarks"), "warning", "bypass", "RDMA: mlx5_0 port 1 has carried 7 packets");
    SAYS(json_object_get(remarks, "remarks"), "warning", "alert log", "left: alerts would wait in the kernel");
    json_decref(remarks);

    /*
     * Settings in another user's folder; little memory; an unwritable log folder; a link that is down; tags stripped by
     * the card.
     */
    status = netns_output(&n.node, output, sizeof(output),
                          "ip link set node0 down; unshare -m sh -c 'mount -t tmpfs none /etc && mkdir -p /etc/qportwatch/conf.d && "
                          "echo peer node2=10.7.0.2 >/etc/qportwatch/conf.d/site.conf && chown 65534 /etc/qportwatch/conf.d && "
                          "mkdir %s/full && mount -t tmpfs -o ro none %s/full && echo MemAvailable: 60000 kB >%s/meminfo && "
                          "mount --bind %s/meminfo /proc/meminfo && " PROGRAM " check node0 --mode xdp --json --alerts %s/full/eve.json'; ip link set node0 up",
                          n.folder, n.folder, n.folder, n.folder, n.folder);
    remarks = json_loads(output, 0, NULL);
    cr_assert(remarks, "%s", output);
    SAYS(json_object_get(remarks, "remarks"), "warning", "configuration", "site.conf: others than root can change it (/etc/qportwatch/conf.d: owner 65534");
    SAYS(json_object_get(remarks, "remarks"), "ok", "peers", "1 peer");
    SAYS(json_object_get(remarks, "remarks"), "warning", "memory", "of kernel memory, of 61.4 MB that is available");
    SAYS(json_object_get(remarks, "remarks"), "warning", "alert log", "cannot be written: Read-only file system");
    SAYS(json_object_get(remarks, "remarks"), "note", "node0: link", "it is down");
    SAYS(json_object_get(remarks, "remarks"), "warning", "node0: VLAN tags", "takes VLAN tags off before XDP sees the frame");
    json_decref(remarks);

    status = netns_output(&n.node, output, sizeof(output), "setpriv --bounding-set -sys_ptrace " PROGRAM " check node0 --json --config /dev/null --no-alerts");
    cr_expect_eq(status, 3, "%s", output);
    remarks = json_loads(output, 0, NULL);
    cr_assert(remarks, "%s", output);
    SAYS(json_object_get(remarks, "remarks"), "warning", "rights", "CAP_SYS_PTRACE is missing: processes of other users stay unknown");
    json_decref(remarks);

    status = netns_output(&n.node, output, sizeof(output),
                          "setpriv --bounding-set -sys_admin " PROGRAM " check node0 --json --config /dev/null --no-alerts");
    cr_expect_eq(status, 3, "%s", output);
    remarks = json_loads(output, 0, NULL);
    cr_assert(remarks, "%s", output);
    SAYS(json_object_get(remarks, "remarks"), "refusal", "rights", "CAP_SYS_ADMIN is missing");
    json_decref(remarks);
    node_close(&n);
}

Test(check, the_memory_that_is_foretold_is_the_memory_that_is_taken)
{
    struct node n;
    json_t *remarks, *document, *r;
    double foretold = 0;
    size_t i;

    node_open(&n);
    remarks = check(&n.node, NULL, "node0 --no-alerts");
    json_array_foreach (remarks, i, r)
        if (!strcmp(json_string_value(json_object_get(r, "what")), "memory"))
            sscanf(json_string_value(json_object_get(r, "why")), "the tables would take about %lf MB", &foretold);
    json_decref(remarks);
    node_attach(&n, "node0");
    document = node_status(&n, NULL);
    cr_expect_float_eq(foretold * 1e6, (double)node_number(document, "memory_bytes"), 6e6, "%f of %lld", foretold,
                       (long long)node_number(document, "memory_bytes"));
    json_decref(document);
    node_close(&n);
}
