/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "netns.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void netns_need_root(void)
{
    if (geteuid())
        cr_skip_test("needs root: network namespaces and BPF programs");
}

struct netns netns_here(void)
{
    struct netns ns = {open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)};

    cr_assert(ns.fd >= 0, "opening the own network namespace: %s", strerror(errno));
    return ns;
}

void netns_close(struct netns *ns)
{
    if (ns->fd >= 0)
        close(ns->fd);
    ns->fd = -1;
}

void netns_enter(const struct netns *ns)
{
    cr_assert(setns(ns->fd, CLONE_NEWNET) == 0, "entering a network namespace: %s", strerror(errno));
}

struct netns netns_new(void)
{
    struct netns before = netns_here(), ns;

    cr_assert(unshare(CLONE_NEWNET) == 0, "making a network namespace: %s", strerror(errno));
    ns = netns_here();
    netns_enter(&before);
    netns_close(&before);
    netns_run(&ns, "ip link set lo up");
    return ns;
}

int netns_call(const struct netns *ns, int (*function)(void *argument), void *argument)
{
    struct netns before = netns_here();
    int ret;

    netns_enter(ns);
    ret = function(argument);
    netns_enter(&before);
    netns_close(&before);
    return ret;
}

void netns_veth_pair(const struct netns_end *a, const struct netns_end *b)
{
    /* ip(8) takes a namespace by path; this process's descriptor is such a path. */
    netns_run(a->ns, "ip link add %s address %s type veth peer name %s address %s netns /proc/%d/fd/%d", a->name, a->mac,
              b->name, b->mac, getpid(), b->ns->fd);
    netns_run(a->ns, "ip link set %s addrgenmode none && ip link set %s up", a->name, a->name);
    netns_run(b->ns, "ip link set %s addrgenmode none && ip link set %s up", b->name, b->name);
}

void netns_veth(const struct netns *a, const char *name_a, const struct netns *b, const char *name_b)
{
    netns_veth_pair(&(struct netns_end){a, name_a, "02:00:00:00:00:01"},
                    &(struct netns_end){b, name_b, "02:00:00:00:00:02"});
}

void netns_address(const struct netns *ns, const char *ifname, const char *address)
{
    netns_run(ns, "ip addr add %s dev %s%s", address, ifname, strchr(address, ':') ? " nodad" : "");
}

static int index_of(void *name)
{
    return (int)if_nametoindex(name);
}

unsigned netns_ifindex(const struct netns *ns, const char *ifname)
{
    return (unsigned)netns_call(ns, index_of, (void *)ifname);
}

struct statistics_query {
    const char *ifname;
    struct netns_statistics found;
};

static int read_statistics(void *argument)
{
    struct statistics_query *q = argument;
    FILE *f = fopen("/proc/thread-self/net/dev", "re");
    char line[512], name[32];
    struct netns_statistics s;
    int ret = -1;

    while (f && fgets(line, sizeof(line), f)) {
        if (sscanf(line, " %31[^:]: %" SCNu64 " %" SCNu64 " %*u %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64
                   " %*u %" SCNu64, name, &s.rx_bytes, &s.rx_packets, &s.tx_bytes, &s.tx_packets, &s.tx_dropped) != 6 ||
            strcmp(name, q->ifname))
            continue;
        q->found = s;
        ret = 0;
    }
    if (f)
        fclose(f);
    return ret;
}

struct netns_statistics netns_statistics(const struct netns *ns, const char *ifname)
{
    struct statistics_query q = {.ifname = ifname};

    cr_assert(netns_call(ns, read_statistics, &q) == 0, "no interface %s to read the statistics of", ifname);
    return q.found;
}

struct send_query {
    const char *ifname;
    const void *frame;
    size_t bytes;
};

static int send_frame(void *argument)
{
    struct send_query *q = argument;
    struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(q->ifname),
                             .sll_protocol = htons(ETH_P_ALL)};
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    ssize_t sent = sendto(fd, q->frame, q->bytes, 0, (struct sockaddr *)&to, sizeof(to));
    int error = errno;

    if (fd >= 0)
        close(fd);
    return sent == (ssize_t)q->bytes ? 0 : -error;
}

void netns_send(const struct netns *ns, const char *ifname, const void *frame, size_t bytes)
{
    struct send_query q = {ifname, frame, bytes};
    int ret = netns_call(ns, send_frame, &q);

    cr_assert(ret == 0, "sending a frame of %zu bytes out of %s: %s", bytes, ifname, strerror(-ret));
}

void netns_plug(const struct netns *bridge, const struct netns *node, const char *network, unsigned number)
{
    char port[16], mac[24], port_mac[24], address[32];

    snprintf(port, sizeof(port), "port%u", number);
    snprintf(mac, sizeof(mac), "02:00:00:00:00:%02x", number);
    snprintf(port_mac, sizeof(port_mac), "02:00:00:00:01:%02x", number);
    netns_veth_pair(&(struct netns_end){node, "e0", mac}, &(struct netns_end){bridge, port, port_mac});
    netns_run(bridge, "ip link set %s master br0", port);
    snprintf(address, sizeof(address), "%s.%u/24", network, number);
    netns_address(node, "e0", address);
}

pid_t netns_send_udp(const struct netns *from, const char *address, unsigned rate)
{
    static char script[] = "import socket, sys, time\n"
                           "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                           "to, rate, sent, begin = (sys.argv[1], 9000), int(sys.argv[2]), 0, time.monotonic()\n"
                           "while True:\n"
                           "    for i in range(20):\n"
                           "        s.sendto(b'x' * 100, to)\n"
                           "    sent += 20\n"
                           "    time.sleep(max(0, begin + sent / rate - time.monotonic()))\n";
    char text[16], *argv[] = {"python3", "-c", script, (char *)address, text, NULL};

    snprintf(text, sizeof(text), "%u", rate);
    return netns_start(from, NULL, argv);
}

uint64_t netns_process_number(pid_t pid, const char *name, int base)
{
    char path[64], line[256];
    uint64_t value = UINT64_MAX;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    f = fopen(path, "r");
    while (f && fgets(line, sizeof(line), f))
        if (!strncmp(line, name, strlen(name)) && line[strlen(name)] == ':')
            value = strtoull(line + strlen(name) + 1, NULL, base);
    if (f)
        fclose(f);
    return value;
}
