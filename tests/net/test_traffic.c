/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Counts compared with an independent truth, in each mode of attachment: the counters of the far end's interface,
 * packet for packet and byte for byte. The sender's segmentation offloads are off, so that these are frames; with
 * offloads on, the truth is TCP's own count of segments.
 */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "site.h"
#include "packet.h"
#include "traffic.h"

#define MEGABYTES(n) ((uint64_t)(n) << 20)
#define SERVICES "inbound tcp 445 SMB\ninbound tcp,udp 2049 NFS\noutbound tcp 389 LDAP\noutbound udp 53 DNS\n"

static const char *const modes[] = {"--mode xdp --tc-hook tcx", "--mode tc --tc-hook tcx",
                                    "--mode tc --tc-hook clsact"};

static void prepare(struct site *n, int offloads)
{
    site_make(n);
    if (offloads)
        return;
    netns_run(&n->ns, "ethtool -K node0 tso off gso off gro off tx off >/dev/null");
    netns_run(&n->far, "ethtool -K far0 tso off gso off gro off tx off >/dev/null");
}

static void transfers(struct site *n, const char *node, const char *far)
{
    pid_t served = traffic_serve_tcp(&n->ns, node, 445), other = traffic_serve_tcp(&n->far, far, 389);
    pid_t nfs = traffic_serve_udp(&n->ns, node, 2049), dns = traffic_serve_udp(&n->far, far, 53);

    traffic_tcp(&n->far, &(struct traffic_tcp){.address = node, .port = 445, .up = MEGABYTES(100),
                                               .down = MEGABYTES(100)});
    traffic_tcp(&n->ns, &(struct traffic_tcp){.address = far, .port = 389, .up = MEGABYTES(100),
                                              .down = MEGABYTES(100)});
    traffic_udp(&n->far, node, 2049, 0, 2000, 1200);
    traffic_udp(&n->ns, far, 53, 0, 2000, 300);
    site_until_equal(n);
    netns_stop(served, SIGKILL);
    netns_stop(other, SIGKILL);
    netns_stop(nfs, SIGKILL);
    netns_stop(dns, SIGKILL);
}

/* Check that every service has its two connections (IPv4 and IPv6), and that none is anywhere else. */
static void services_only(struct site *n)
{
    json_t *report = site_report(n);
    struct site_sum smb = site_sum(report, &(struct site_filter){.protocol = "tcp", .direction = "inbound", .port = 445,
                                                                 .verdict = "allowed", .rule = "in-tcp-445"});
    struct site_sum ldap = site_sum(report, &(struct site_filter){.protocol = "tcp", .direction = "outbound",
                                                                  .port = 389, .verdict = "allowed"});
    struct site_sum nfs = site_sum(report, &(struct site_filter){.protocol = "udp", .direction = "inbound",
                                                                 .port = 2049, .verdict = "allowed"});
    /* With any verdict: within the first timeout they may answer something from before the attachment. */
    struct site_sum dns = site_sum(report, &(struct site_filter){.protocol = "udp", .direction = "outbound",
                                                                 .port = 53});
    struct site_sum unexpected = site_sum(report, &(struct site_filter){.verdict = "unexpected"});
    struct site_sum tcp = site_sum(report, &(struct site_filter){.protocol = "tcp"});

    cr_assert_eq(smb.connections, 2);
    cr_assert_eq(ldap.connections, 2);
    cr_assert_eq(nfs.connections, 2);
    cr_assert_eq(dns.connections, 2);
    cr_assert_eq(nfs.rx_packets, 4000);
    cr_assert_eq(nfs.tx_packets, 4000);
    cr_assert_eq(nfs.rx_bytes, 2000 * (1200 + 8 + 20 + 14) + 2000 * (1200 + 8 + 40 + 14));
    cr_assert_eq(dns.tx_bytes, 2000 * (300 + 8 + 20 + 14) + 2000 * (300 + 8 + 40 + 14));
    cr_assert_gt(smb.rx_bytes, MEGABYTES(200));
    cr_assert_gt(smb.tx_bytes, MEGABYTES(200));
    cr_assert_eq(tcp.rx_packets + tcp.tx_packets, smb.rx_packets + smb.tx_packets + ldap.rx_packets + ldap.tx_packets);
    cr_assert_eq(unexpected.rx_packets + unexpected.tx_packets, 0);
    json_decref(report);
}

static void exact_transfers(const char *mode)
{
    struct site n;

    prepare(&n, 0);
    site_attach(&n, SERVICES, mode);
    transfers(&n, "10.1.0.1", "10.1.0.2");
    transfers(&n, "fd00:10::1", "fd00:10::2");
    services_only(&n);
    site_end(&n);
}

Test(traffic, transfers_xdp, .timeout = NETNS_TIMEOUT_S) { exact_transfers(modes[0]); }
Test(traffic, transfers_tcx, .timeout = NETNS_TIMEOUT_S) { exact_transfers(modes[1]); }
Test(traffic, transfers_clsact, .timeout = NETNS_TIMEOUT_S) { exact_transfers(modes[2]); }

static void short_connections(const char *mode)
{
    struct site n;
    struct site_sum sum;
    json_t *report;
    pid_t server;

    prepare(&n, 0);
    site_attach(&n, SERVICES, mode);
    server = traffic_serve_tcp(&n.ns, "10.1.0.1", 445);
    for (int i = 0; i < 1000; i++)
        traffic_tcp(&n.far, &(struct traffic_tcp){.address = "10.1.0.1", .port = 445, .up = 100, .down = 1000});
    site_until_equal(&n);
    report = site_report(&n);
    sum = site_sum(report, &(struct site_filter){.protocol = "tcp", .direction = "inbound", .verdict = "allowed",
                                                 .port = 445});
    cr_assert_eq(sum.connections, 1000, "%llu connections", (unsigned long long)sum.connections);
    sum = site_sum(report, &(struct site_filter){.protocol = "tcp"});
    cr_assert_eq(sum.connections, 1000, "some were counted elsewhere: %llu", (unsigned long long)sum.connections);
    json_decref(report);
    netns_stop(server, SIGKILL);
    site_end(&n);
}

Test(traffic, short_connections_xdp, .timeout = NETNS_TIMEOUT_S) { short_connections(modes[0]); }
Test(traffic, short_connections_tcx, .timeout = NETNS_TIMEOUT_S) { short_connections(modes[1]); }
Test(traffic, short_connections_clsact, .timeout = NETNS_TIMEOUT_S) { short_connections(modes[2]); }

static void jumbo(const char *mode)
{
    struct site n;
    pid_t server, nfs;

    prepare(&n, 0);
    netns_run(&n.ns, "ip link set node0 mtu 9000");
    netns_run(&n.far, "ip link set far0 mtu 9000");
    site_attach(&n, SERVICES, mode);
    server = traffic_serve_tcp(&n.ns, "10.1.0.1", 445);
    nfs = traffic_serve_udp(&n.ns, "10.1.0.1", 2049);
    traffic_tcp(&n.far, &(struct traffic_tcp){.address = "10.1.0.1", .port = 445, .up = MEGABYTES(50),
                                              .down = MEGABYTES(50)});
    traffic_udp(&n.far, "10.1.0.1", 2049, 0, 200, 8900);
    traffic_udp(&n.far, "10.1.0.1", 2049, 0, 50, 30000); /* four fragments each way */
    site_until_equal(&n);
    json_t *report = site_report(&n);
    struct site_sum sum = site_sum(report, &(struct site_filter){.protocol = "udp", .verdict = "allowed",
                                                                 .port = 2049});
    cr_assert_eq(sum.rx_packets, 200 + 50 * 4, "later fragments belong to their first: %llu",
                 (unsigned long long)sum.rx_packets);
    json_decref(report);
    netns_stop(server, SIGKILL);
    netns_stop(nfs, SIGKILL);
    site_end(&n);
}

Test(traffic, jumbo_xdp, .timeout = NETNS_TIMEOUT_S) { jumbo(modes[0]); }
Test(traffic, jumbo_tcx, .timeout = NETNS_TIMEOUT_S) { jumbo(modes[1]); }
Test(traffic, jumbo_clsact, .timeout = NETNS_TIMEOUT_S) { jumbo(modes[2]); }

/* Send one datagram of 40 bytes in a frame with that many VLAN tags, from the far end or from the node itself. */
static void tagged(struct site *n, int from_node, unsigned tags, uint16_t port)
{
    struct packet *p = malloc(sizeof(*p));
    static const char payload[40];

    packet_start(p);
    packet_ethernet(p, &(struct packet_ethernet){.source = from_node ? "02:00:00:00:00:01" : "02:00:00:00:00:02",
                                                 .destination = from_node ? "02:00:00:00:00:02" : "02:00:00:00:00:01"});
    if (tags == 2)
        packet_vlan(p, 0x88a8, 100);
    if (tags)
        packet_vlan(p, 0x8100, 42);
    packet_ipv4(p, &(struct packet_ipv4){.source = from_node ? "10.1.0.1" : "10.1.0.2",
                                         .destination = from_node ? "10.1.0.2" : "10.1.0.1"});
    packet_udp(p, &(struct packet_udp){.source = 5000, .destination = port});
    packet_bytes(p, payload, sizeof(payload));
    packet_finish(p);
    netns_send(from_node ? &n->ns : &n->far, from_node ? "node0" : "far0", p->data, p->length);
    free(p);
}

static void tags(const char *mode)
{
    struct site n;
    struct site_sum in, out;
    json_t *report;

    prepare(&n, 0);
    site_attach(&n, SERVICES, mode);
    for (unsigned count = 0; count <= 2; count++)
        for (int i = 0; i < 100; i++) {
            uint64_t before = netns_statistics(&n.ns, "node0").rx_packets;

            tagged(&n, 0, count, 2049);
            tagged(&n, 1, count, 53);
            netns_until_rx(&n.ns, "node0", before + 1); /* so that no queue fills up */
        }
    site_until_equal(&n);
    report = site_report(&n);
    in = site_sum(report, &(struct site_filter){.protocol = "udp", .direction = "inbound", .verdict = "allowed",
                                                .port = 2049});
    out = site_sum(report, &(struct site_filter){.protocol = "udp", .direction = "outbound", .port = 53});
    cr_assert_eq(in.rx_packets, 300);
    cr_assert_eq(out.tx_packets, 300);
    cr_assert_eq(in.rx_bytes, 100 * (82 + 86 + 90), "bytes with their tags: %llu", (unsigned long long)in.rx_bytes);
    cr_assert_eq(out.tx_bytes, 100 * (82 + 86 + 90), "bytes with their tags: %llu", (unsigned long long)out.tx_bytes);
    json_decref(report);
    site_end(&n);
}

Test(traffic, tags_xdp, .timeout = NETNS_TIMEOUT_S) { tags(modes[0]); }
Test(traffic, tags_tcx, .timeout = NETNS_TIMEOUT_S) { tags(modes[1]); }
Test(traffic, tags_clsact, .timeout = NETNS_TIMEOUT_S) { tags(modes[2]); }

static uint64_t counter(const struct netns *ns, const char *name)
{
    char text[64];

    cr_assert_eq(netns_output(ns, text, sizeof(text), "nstat -asz %s | awk '$1 == \"%s\" {print $2}'", name, name), 0);
    return strtoull(text, NULL, 10);
}

/* Return every segment that the namespace's TCP sent, adding retransmissions, which TcpOutSegs excludes (RFC 4022). */
static uint64_t segments_sent(const struct netns *ns)
{
    return counter(ns, "TcpOutSegs") + counter(ns, "TcpRetransSegs");
}

struct segments {
    struct site *n;
    struct site_sum counted;
    uint64_t arrived, sent;
};

/* Return whether all are counted: the last acknowledgement may be in flight, and the counters are not read at one moment. */
static bool are_all_counted(void *argument)
{
    struct segments *s = argument;
    json_t *report = site_report(s->n);

    site_assert_identities(report);
    s->counted = site_sum(report, &(struct site_filter){.protocol = "tcp", .direction = "inbound", .verdict = "allowed",
                                                        .port = 445});
    json_decref(report);
    /*
     * Frames refused by the node's full queue were sent but never arrived; those refused by the far end's had left the
     * node.
     */
    s->arrived = segments_sent(&s->n->far) - netns_statistics(&s->n->far, "far0").tx_dropped;
    s->sent = segments_sent(&s->n->ns);
    return s->counted.rx_packets == s->arrived && s->counted.tx_packets == s->sent;
}

/* Send with offloads: buffers of many segments cross the veth unsegmented, and the frames that they represent count. */
static void offloaded(const char *mode)
{
    struct site n;
    struct segments s = {&n};
    pid_t server;
    bool equal;

    prepare(&n, 1);
    /* A queue holds 256 buffers: with less in flight nothing is refused, least of all whole unsegmented buffers. */
    netns_run(&n.ns, "sysctl -qw net.ipv4.tcp_rmem='4096 131072 131072'");
    netns_run(&n.far, "sysctl -qw net.ipv4.tcp_rmem='4096 131072 131072'");
    site_attach(&n, SERVICES, mode);
    server = traffic_serve_tcp(&n.ns, "10.1.0.1", 445);
    traffic_tcp(&n.far, &(struct traffic_tcp){.address = "10.1.0.1", .port = 445, .up = MEGABYTES(100),
                                              .down = MEGABYTES(100)});
    equal = netns_until(are_all_counted, &s, NETNS_DEADLINE_MS);
    cr_assert(equal, "rx %llu, of the far end's TCP %llu segments arrived; tx %llu, the node's TCP sent %llu",
              (unsigned long long)s.counted.rx_packets, (unsigned long long)s.arrived,
              (unsigned long long)s.counted.tx_packets, (unsigned long long)s.sent);
    netns_stop(server, SIGKILL);
    site_end(&n);
}

Test(traffic, offloaded_tcx, .timeout = NETNS_TIMEOUT_S) { offloaded(modes[1]); }
Test(traffic, offloaded_clsact, .timeout = NETNS_TIMEOUT_S) { offloaded(modes[2]); }
/* With XDP the veth accepts no unsegmented buffers, so the frames are those of a wire. */
Test(traffic, offloaded_xdp, .timeout = NETNS_TIMEOUT_S) { offloaded(modes[0]); }
