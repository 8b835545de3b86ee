/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Reloads, and killed and restarted auditors, during traffic: every packet is counted exactly once. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "auditor.h"
#include "snapshot/collect.h"
#include "instance/instance.h"
#include "thorough.h"

#define RELOADS 200
#define KILLS 50
#define MOST_KILLS 200
#define TCP_PORT 445
#define UDP_PORT 2049

TestSuite(endurance, .timeout = NETNS_TIMEOUT_S);

/* The client's work, shared with it. */
struct traffic {
    _Atomic bool stop;
    _Atomic uint64_t connections;
    _Atomic uint64_t failed;
    _Atomic uint64_t exchanges;
};

static struct sockaddr_in address(const char *text, unsigned port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};

    inet_pton(AF_INET, text, &a.sin_addr);
    return a;
}

/* Echo every byte and datagram, on the node. */
static int serve(void *argument)
{
    struct sockaddr_in tcp = address("10.7.0.1", TCP_PORT), udp = address("10.7.0.1", UDP_PORT), from;
    int listener = socket(AF_INET, SOCK_STREAM, 0), datagrams = socket(AF_INET, SOCK_DGRAM, 0), one = 1, fd;
    struct pollfd fds[] = {{listener, POLLIN, 0}, {datagrams, POLLIN, 0}};
    socklen_t size;
    char buf[4096];
    ssize_t got;

    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(listener, (struct sockaddr *)&tcp, sizeof(tcp)) || listen(listener, 64) ||
        bind(datagrams, (struct sockaddr *)&udp, sizeof(udp)))
        return 1;
    while (poll(fds, 2, -1) > 0) {
        if (fds[0].revents && (fd = accept(listener, NULL, NULL)) >= 0) {
            while ((got = read(fd, buf, sizeof(buf))) > 0)
                if (write(fd, buf, got) != got)
                    break;
            close(fd);
        }
        if (fds[1].revents) {
            size = sizeof(from);
            got = recvfrom(datagrams, buf, sizeof(buf), 0, (struct sockaddr *)&from, &size);
            if (got > 0)
                sendto(datagrams, buf, got, 0, (struct sockaddr *)&from, size);
        }
    }
    return 0;
}

static bool one_connection(void)
{
    struct sockaddr_in a = address("10.7.0.1", TCP_PORT);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct timeval patience = {.tv_sec = NETNS_DEADLINE_MS / 1000};
    char buf[600] = "x";
    size_t got = 0;
    ssize_t n = -1;

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0 && write(fd, buf, sizeof(buf)) == sizeof(buf))
        while (got < sizeof(buf) && (n = read(fd, buf, sizeof(buf))) > 0)
            got += n;
    close(fd);
    return got == sizeof(buf);
}

static int drive(void *argument)
{
    struct traffic *t = argument;
    struct sockaddr_in a = address("10.7.0.1", UDP_PORT);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct timeval patience = {.tv_sec = NETNS_DEADLINE_MS / 1000};
    char buf[200] = "y";

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (connect(fd, (struct sockaddr *)&a, sizeof(a)))
        return 1;
    while (!t->stop) {
        if (one_connection())
            t->connections++;
        else
            t->failed++;
        for (int i = 0; i < 10; i++)
            if (send(fd, buf, sizeof(buf), 0) == sizeof(buf) && recv(fd, buf, sizeof(buf), 0) == sizeof(buf))
                t->exchanges++;
        usleep(1000); /* some hundred connections a second are enough, and spare the machine */
    }
    return 0;
}

struct counted {
    uint64_t packets;
    uint64_t connections; /* inbound, to the TCP port */
    uint64_t by_verdict[QPW_VERDICT_COUNT];
};

static int collect(void *argument)
{
    struct counted *ret = argument;
    struct qpw_kernel kernel;
    struct qpw_snapshot s = {0};
    struct qpw_error err;

    if (qpw_instance_find(&kernel, &err) < 0)
        return -1;
    *ret = (struct counted){0};
    if (qpw_collect(&kernel, NULL, &s, &err) < 0)
        return -1;
    for (size_t i = 0; i < s.n_meters; i++) {
        const struct qpw_meter_row *m = &s.meters[i];

        ret->packets += m->counts.rx_packets + m->counts.tx_packets;
        ret->by_verdict[m->key.verdict] += m->counts.rx_packets + m->counts.tx_packets;
        if (m->key.protocol == IPPROTO_TCP && m->key.port == TCP_PORT && m->key.direction == QPW_DIR_INBOUND)
            ret->connections += m->counts.connections;
    }
    qpw_snapshot_clear(&s);
    qpw_kernel_close(&kernel);
    return 0;
}

static struct counted count(struct node *n)
{
    struct counted c;

    cr_assert_eq(netns_call(&n->node, collect, &c), 0, "nothing to collect from");
    return c;
}

struct balance {
    struct node *n;
    struct netns_statistics start;
    struct counted before;
    struct counted now;
    uint64_t frames;
};

/* Return whether the interface's counts since the start equal qportwatch's. */
static bool is_balanced(void *argument)
{
    struct balance *b = argument;
    struct netns_statistics s = netns_statistics(&b->n->node, "node0");

    b->now = count(b->n);
    b->frames = s.rx_packets + s.tx_packets - b->start.rx_packets - b->start.tx_packets;
    return b->now.packets - b->before.packets == b->frames;
}

/* Take both at one quiet moment. */
static void begin(struct node *n, struct balance *b)
{
    struct netns_statistics again;

    b->n = n;
    do {
        b->start = netns_statistics(&n->node, "node0");
        b->before = count(n);
        again = netns_statistics(&n->node, "node0");
    } while (memcmp(&again, &b->start, sizeof(again)));
}

struct run {
    struct node n;
    struct traffic *traffic;
    struct balance balance;
    pid_t server;
    pid_t client;
};

static void start(struct run *r, const char *policy)
{
    node_open(&r->n);
    r->traffic = mmap(NULL, sizeof(*r->traffic), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert(r->traffic != MAP_FAILED);
    node_attach(&r->n, "node0 --interval 1 --policy %s", policy);
    begin(&r->n, &r->balance);
    r->server = netns_fork(&r->n.node, serve, NULL);
    netns_until_port(&r->n.node, "tcp", TCP_PORT);
    netns_until_port(&r->n.node, "udp", UDP_PORT);
    r->client = netns_fork(&r->n.client, drive, r->traffic);
}

static void finish(struct run *r)
{
    r->traffic->stop = true;
    cr_expect_eq(netns_wait(r->client, NETNS_DEADLINE_MS), 0);
    cr_expect(netns_until(is_balanced, &r->balance, NETNS_DEADLINE_MS), "%llu counted, %llu frames passed",
              (unsigned long long)(r->balance.now.packets - r->balance.before.packets),
              (unsigned long long)r->balance.frames);
    cr_expect_eq(r->traffic->failed, 0);
    cr_expect_eq(r->balance.now.connections, r->traffic->connections, "%llu connections counted, %llu made",
                 (unsigned long long)r->balance.now.connections, (unsigned long long)r->traffic->connections);
    cr_log_info("%llu frames, %llu connections, %llu exchanges", (unsigned long long)r->balance.frames,
                (unsigned long long)r->traffic->connections, (unsigned long long)r->traffic->exchanges);
    netns_stop(r->server, SIGKILL);
    node_stop(&r->n, SIGTERM);
    node_nothing_left(&r->n);
    node_close(&r->n);
}

Test(endurance, two_hundred_reloads)
{
    struct run r = {0};
    char with[128], without[128], text[2048];

    snprintf(with, sizeof(with), "/tmp/qportwatch-endurance-%d-with", (int)getpid());
    snprintf(without, sizeof(without), "/tmp/qportwatch-endurance-%d-without", (int)getpid());
    FILE *f = fopen(with, "w"), *g = fopen(without, "w");
    fputs("policy test/with\ninbound tcp 445 SMB\ninbound udp 2049 NFS\n", f);
    fputs("policy test/without\ninbound tcp 111 portmapper\n", g);
    fclose(f);
    fclose(g);
    start(&r, with);
    for (int i = 0; i < RELOADS; i++)
        cr_assert_eq(node_command(&r.n, text, sizeof(text), "reload --policy %s", i % 2 ? with : without), 0, "%s",
                     text);
    finish(&r);
    cr_expect_gt(r.balance.now.by_verdict[QPW_VERDICT_ALLOWED], 0, "each policy judged some of it");
    cr_expect_gt(r.balance.now.by_verdict[QPW_VERDICT_UNEXPECTED], 0);
    unlink(with);
    unlink(without);
}

Test(endurance, killed_and_restarted)
{
    struct run r = {0};
    char policy[128];
    const unsigned kills = thorough_rounds(KILLS, MOST_KILLS);

    snprintf(policy, sizeof(policy), "/tmp/qportwatch-endurance-%d-policy", (int)getpid());
    FILE *f = fopen(policy, "w");
    fputs("policy test/with\ninbound tcp 445 SMB\ninbound udp 2049 NFS\n", f);
    fclose(f);
    start(&r, policy);
    for (unsigned i = 0; i < kills; i++) {
        node_stop(&r.n, SIGKILL);
        node_attach(&r.n, "node0 --interval 1 --policy %s", policy);
    }
    finish(&r);
    cr_expect_eq(r.balance.now.by_verdict[QPW_VERDICT_UNEXPECTED], 0);
    cr_expect_eq(r.balance.now.by_verdict[QPW_VERDICT_UNDECIDED], 0);
    unlink(policy);
}
