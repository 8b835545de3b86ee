/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A scan of all ports and 200,000 half-open connections from forged addresses, beside real clients: these keep their
 * direction and exact counts, and every packet is counted.
 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "site.h"
#include "packet.h"
#include "traffic.h"

#define POLICY "inbound tcp 445 SMB\ninbound tcp 2049 NFS\noutbound udp 53 DNS\n"
#define FORGED 200000u
#define CONNECTIONS 500
#define QUERIES 200
#define TRY_MS 250
#define TRIES (NETNS_DEADLINE_MS / TRY_MS)

struct flood {
    int fd;
    struct packet *p;
};

/* Send the frame unchanged; wait while the queue is full, so that the exact number is sent. */
static void put(struct flood *f)
{
    while (send(f->fd, f->p->data, f->p->length, 0) < 0)
        if (errno != ENOBUFS && errno != EAGAIN)
            _exit(2);
}

static void syn(struct flood *f, uint32_t source, uint16_t from, uint16_t to)
{
    char text[INET_ADDRSTRLEN];
    uint32_t network = htonl(source);

    packet_start(f->p);
    packet_ethernet(f->p, &(struct packet_ethernet){.source = "02:00:00:00:00:02", .destination = "02:00:00:00:00:01"});
    packet_ipv4(f->p, &(struct packet_ipv4){.source = inet_ntop(AF_INET, &network, text, sizeof(text)),
                                            .destination = "10.1.0.1"});
    packet_tcp(f->p, &(struct packet_tcp){.source = from, .destination = to, .flags = PACKET_SYN, .seq = source});
    packet_finish(f->p);
    put(f);
}

static int flood(void *argument)
{
    struct sockaddr_ll link = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex("far0")};
    struct flood f = {.fd = socket(AF_PACKET, SOCK_RAW, 0), .p = malloc(sizeof(*f.p))};

    if (f.fd < 0 || !f.p || bind(f.fd, (struct sockaddr *)&link, sizeof(link)) < 0) {
        free(f.p);
        return 1;
    }
    for (uint32_t i = 0; i < FORGED; i++)
        syn(&f, 0x0b000000u + i, (uint16_t)(1024 + i % 60000), 2049); /* 11.0.0.0/8, to an open port */
    for (uint32_t port = 1; port < 65536; port++)
        if (port != 445 && port != 2049)
            syn(&f, 0x0a010042u, 55555, (uint16_t)port); /* 10.1.0.66 */
    return 0;
}

/* A client's query: how often it was sent, and the socket, which also receives late answers. */
struct query {
    int fd;
    unsigned sent;
};

/* Repeat the query, as a resolver does, if the flood left no room in a queue for it or for its answer. */
static void ask(const struct site *n, struct query *q, uint16_t local_port)
{
    static const char question[64];
    struct sockaddr_storage end;
    socklen_t length = traffic_endpoint("10.1.0.2", 53, &end);
    struct pollfd answer = {.events = POLLIN};

    answer.fd = q->fd = traffic_bound(&n->ns, SOCK_DGRAM, "0.0.0.0", local_port);
    cr_assert_eq(connect(q->fd, (struct sockaddr *)&end, length), 0);
    for (q->sent = 0; q->sent < TRIES;) {
        cr_assert_eq(send(q->fd, question, sizeof(question), 0), (ssize_t)sizeof(question), "%s", strerror(errno));
        q->sent++;
        if (poll(&answer, 1, TRY_MS) == 1)
            return;
    }
    cr_assert_fail("no answer to %d questions", TRIES);
}

/* Return how many answers the query received; closes its socket. */
static unsigned take_answers(struct query *q)
{
    unsigned n = 0;
    char answer[64];

    while (recv(q->fd, answer, sizeof(answer), MSG_DONTWAIT) == (ssize_t)sizeof(answer))
        n++;
    close(q->fd);
    return n;
}

static void under_flood(const char *mode)
{
    static struct query queries[QUERIES];
    unsigned asked = 0, answered = 0;
    struct site n;
    struct site_sum sum;
    json_t *report;
    pid_t smb, nfs, dns, flooding;

    site_make(&n);
    netns_run(&n.ns, "ethtool -K node0 tso off gso off gro off tx off >/dev/null");
    netns_run(&n.far, "ethtool -K far0 tso off gso off gro off tx off >/dev/null");
    netns_run(&n.ns, "ip route add 11.0.0.0/8 via 10.1.0.2"); /* so that forged SYNs cause SYN+ACKs */
    netns_run(&n.far, "ip route add blackhole 11.0.0.0/8; sysctl -qw net.ipv4.conf.all.forwarding=0");
    site_attach(&n, POLICY, mode);
    smb = traffic_serve_tcp(&n.ns, "10.1.0.1", 445);
    nfs = traffic_serve_tcp(&n.ns, "10.1.0.1", 2049);
    dns = traffic_serve_udp(&n.far, "10.1.0.2", 53);
    flooding = netns_fork(&n.far, flood, NULL);
    for (int i = 0; i < CONNECTIONS; i++) {
        traffic_tcp(&n.far, &(struct traffic_tcp){.address = "10.1.0.1", .port = 445, .up = 2000, .down = 5000});
        if (i < QUERIES)
            ask(&n, &queries[i], (uint16_t)(20000 + i));
    }
    cr_assert_eq(netns_wait(flooding, NETNS_DEADLINE_MS), 0);
    netns_run(&n.ns, "ip route del 11.0.0.0/8"); /* stop repeating SYN+ACKs to hosts that do not exist */
    site_until_equal(&n);
    report = site_report(&n);
    site_assert_identities(report);
    /* With any verdict: within the first timeout a query may answer something from before the attachment. */
    sum = site_sum(report, &(struct site_filter){.protocol = "udp", .direction = "outbound", .port = 53});
    cr_assert_eq(sum.connections, QUERIES, "%llu queries", (unsigned long long)sum.connections);
    for (int i = 0; i < QUERIES; i++) {
        asked += queries[i].sent;
        answered += take_answers(&queries[i]);
    }
    cr_assert_eq(sum.tx_packets, asked, "%llu questions, %u asked", (unsigned long long)sum.tx_packets, asked);
    cr_assert_eq(sum.rx_packets, answered, "%llu answers, %u came", (unsigned long long)sum.rx_packets, answered);
    sum = site_sum(report, &(struct site_filter){.protocol = "tcp", .direction = "inbound", .verdict = "allowed",
                                                 .port = 445});
    cr_assert_eq(sum.connections, CONNECTIONS, "%llu connections of clients", (unsigned long long)sum.connections);
    cr_assert_gt(sum.rx_bytes, CONNECTIONS * 2000ull);
    sum = site_sum(report, &(struct site_filter){.protocol = "tcp", .direction = "inbound", .verdict = "allowed",
                                                 .port = 2049});
    cr_assert_eq(sum.rx_packets, FORGED, "forged SYNs: %llu", (unsigned long long)sum.rx_packets);
    sum = site_sum(report, &(struct site_filter){.direction = "inbound", .verdict = "unexpected"});
    cr_assert_eq(sum.rx_packets, 65533, "scanned ports: %llu", (unsigned long long)sum.rx_packets);
    sum = site_sum(report, &(struct site_filter){.direction = "outbound", .protocol = "tcp"});
    cr_assert_eq(sum.connections, 0, "a connection was turned round");
    json_decref(report);
    netns_stop(smb, SIGKILL);
    netns_stop(nfs, SIGKILL);
    netns_stop(dns, SIGKILL);
    site_end(&n);
}

Test(flood, real_connections_stay_exact_xdp, .timeout = NETNS_TIMEOUT_S) { under_flood("--mode xdp"); }
Test(flood, real_connections_stay_exact_tcx, .timeout = NETNS_TIMEOUT_S) { under_flood("--mode tc --tc-hook tcx"); }
