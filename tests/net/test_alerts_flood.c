/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Floods of forged sources, first to a thousand closed ports, then to an open one so that each causes a SYN+ACK, while
 * a real unlisted service answers elsewhere: its alert comes within a second, the auditor's memory stays small, lost
 * detail is reported.
 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "alert/log/eve.h"
#include "auditor.h"
#include "evelog.h"
#include "packet.h"
#include "traffic.h"

#define FORGED 200000u
#define OPEN_PORT 5555 /* unlisted, with a listener */
#define BACKDOOR 6666
#define RESIDENT_LIMIT_KIB (32 * 1024)

#define AT_ONCE 64 /* frames in flight: fewer than a veth's queue holds, so that the real client's frames find room */

struct flood {
    unsigned from_port, ports; /* on the node: this many, from there on */
    volatile unsigned *sent;
    const struct netns *node;
};

/* Wait until the node has received that many more frames. */
static void await_arrival(const struct flood *f, uint64_t received)
{
    while (netns_statistics(f->node, "node0").rx_packets < received)
        sched_yield();
}

/* Send a SYN from each forged address of 11.0.0.0/8, as fast as the node accepts them. */
static int flood(void *argument)
{
    const struct flood *f = argument;
    uint64_t before = netns_statistics(f->node, "node0").rx_packets;
    struct sockaddr_ll link = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex("client0")};
    struct packet *p = malloc(sizeof(*p));
    int fd = socket(AF_PACKET, SOCK_RAW, 0);
    char source[INET_ADDRSTRLEN];

    netns_last_in_line();
    if (!p || fd < 0 || bind(fd, (struct sockaddr *)&link, sizeof(link)) < 0) {
        free(p);
        return 1;
    }
    for (uint32_t i = 0; i < FORGED; i++) {
        uint32_t address = htonl(0x0b000000u + i);

        packet_start(p);
        packet_ethernet(p,
                        &(struct packet_ethernet){.source = "02:00:00:00:00:02", .destination = "02:00:00:00:00:01"});
        packet_ipv4(p, &(struct packet_ipv4){.source = inet_ntop(AF_INET, &address, source, sizeof(source)),
                                             .destination = "10.7.0.1"});
        packet_tcp(p, &(struct packet_tcp){.source = 1024 + i % 60000, .destination = f->from_port + i % f->ports,
                                           .flags = PACKET_SYN, .seq = i});
        packet_finish(p);
        while (send(fd, p->data, p->length, 0) < 0)
            if (errno != ENOBUFS && errno != EAGAIN)
                return 2;
        *f->sent = i + 1;
        if ((i + 1) % AT_ONCE == 0)
            await_arrival(f, before + i + 1);
    }
    return 0;
}

struct progress {
    volatile unsigned *sent;
    unsigned wanted;
};

static bool has_sent(void *argument)
{
    const struct progress *p = argument;

    return *p->sent >= p->wanted;
}

static long resident_kib(pid_t pid)
{
    char path[64], line[128];
    long kib = -1;
    FILE *in;

    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    in = fopen(path, "r");
    while (in && fgets(line, sizeof(line), in))
        if (sscanf(line, "VmHWM: %ld", &kib) == 1)
            break;
    if (in)
        fclose(in);
    return kib;
}

static double now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

Test(alerts_flood, a_backdoor_is_told_in_a_flood, .timeout = NETNS_TIMEOUT_S)
{
    struct node n;
    volatile unsigned *sent = mmap(NULL, sizeof(*sent), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct flood closed = {7000, 1000, sent, &n.node}, open = {OPEN_PORT, 1, sent, &n.node};
    struct evelog log = {0};
    pid_t listener, backdoor, flooding;
    const json_t *record, *further;
    char path[128];
    double before, latency;
    long resident;

    netns_first_in_line();
    node_open(&n);
    snprintf(path, sizeof(path), "%s/eve.json", n.folder);
    netns_run(&n.node, "ip route add 11.0.0.0/8 via 10.7.0.2"); /* so that forged SYNs cause answers */
    netns_run(&n.client, "ip route add blackhole 11.0.0.0/8; sysctl -qw net.ipv4.conf.all.forwarding=0");
    listener = traffic_serve_tcp(&n.node, "10.7.0.1", OPEN_PORT);
    backdoor = traffic_serve_tcp(&n.node, "10.7.0.1", BACKDOOR);
    node_attach(&n, "node0 --alerts %s --interval 2 --alert summary_s=600 --alert gather_s=20", path);

    flooding = netns_fork(&n.client, flood, &closed);
    cr_assert_eq(netns_wait(flooding, NETNS_DEADLINE_MS), 0);
    EVELOG_UNTIL(path, .name = "flood");
    EVELOG_UNTIL(path, .name = "detail-lost");

    *sent = 0;
    flooding = netns_fork(&n.client, flood, &open);
    cr_assert(netns_until(has_sent, &(struct progress){sent, FORGED / 2}, 60000));
    before = now_ms();
    traffic_tcp(&n.client, &(struct traffic_tcp){.address = "10.7.0.1", .port = BACKDOOR, .up = 100, .down = 100});
    EVELOG_UNTIL(path, .source = "10.7.0.2", .port = BACKDOOR);
    cr_assert_eq(netns_wait(flooding, NETNS_DEADLINE_MS), 0);
    EVELOG_UNTIL(path, .name = "answered-detail-lost");
    EVELOG_UNTIL(path, .name = "further-initiators", .port = OPEN_PORT);
    resident = resident_kib(n.auditor);

    evelog_add(&log, path);
    evelog_assert_sound(&log);
    for (record = NULL; !record;)
        for (size_t i = 0; i < log.n && !record; i++)
            if (evelog_fits(log.records[i], &(struct evelog_filter){.source = "10.7.0.2", .port = BACKDOOR}))
                record = log.records[i];
    latency = qpw_eve_parse_time(evelog_fact(record, "written")) / 1e6 - before;
    printf("    under 200,000 forged answers: backdoor told after %.0f ms, auditor at most %ld KiB, %zu records\n", latency,
           resident, log.n);
    fflush(stdout);
    cr_expect_lt(resident, RESIDENT_LIMIT_KIB);
    cr_expect_eq(EVELOG_COUNT(&log, .name = "inbound-answered", .port = OPEN_PORT), 1, "the first");
    further = evelog_last(&log, &(struct evelog_filter){.name = "further-initiators", .port = OPEN_PORT});
    cr_assert(further);
    cr_expect_gt(atoi(evelog_fact(further, "count")), 4000, "up to the quota");
    cr_expect_lt(EVELOG_COUNT(&log, .name = "inbound-refused"), 200, "those that were refused are told as one");
    evelog_clear(&log);
    netns_run(&n.node, "ip route del 11.0.0.0/8"); /* stop repeating SYN+ACKs to hosts that do not exist */
    node_close(&n);
    netns_stop(listener, SIGKILL);
    netns_stop(backdoor, SIGKILL);
}
