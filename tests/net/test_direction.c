/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who opened an exchange, with real sockets: connections older than the audit, forged packets on live ones, unsolicited
 * answers, late answers, and port numbers that suggest the wrong direction.
 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "site.h"
#include "packet.h"
#include "traffic.h"

#define NODE "10.1.0.1"
#define FAR "10.1.0.2"
#define POLICY "inbound tcp 445 SMB\ninbound tcp,udp 2049 NFS\noutbound tcp 389 LDAP\noutbound udp 53,123 DNS\n" \
    "outbound udp 443 Q\n"

static const char *const modes[] = {"--mode xdp", "--mode tc --tc-hook tcx", "--mode tc --tc-hook clsact"};

static struct site_sum rows(struct site *n, const char *direction, const char *verdict, const char *protocol, int port)
{
    json_t *report = site_report(n);
    struct site_sum sum = site_sum(report, &(struct site_filter){.direction = direction, .verdict = verdict,
                                                                 .protocol = protocol, .port = port});

    site_assert_identities(report);
    json_decref(report);
    return sum;
}

struct wanted_row {
    struct site *n;
    const char *direction, *verdict, *protocol;
    int port;
    uint64_t rx_packets, tx_packets;
    struct site_sum found;
};

static bool has_row(void *argument)
{
    struct wanted_row *w = argument;

    w->found = rows(w->n, w->direction, w->verdict, w->protocol, w->port);
    return w->found.rx_packets == w->rx_packets && w->found.tx_packets == w->tx_packets;
}

/* Wait until exactly that many packets of the kind are counted, because a packet may still be in flight. */
#define UNTIL_ROW(n, ...) until_row(&(struct wanted_row){(n), __VA_ARGS__})
static void until_row(struct wanted_row *w)
{
    cr_assert(netns_until(has_row, w, NETNS_DEADLINE_MS), "%s %s %s %d: received %llu sent %llu, not %llu and %llu",
              w->direction, w->verdict, w->protocol, w->port, (unsigned long long)w->found.rx_packets,
              (unsigned long long)w->found.tx_packets, (unsigned long long)w->rx_packets,
              (unsigned long long)w->tx_packets);
}

static bool none_undecided(void *argument)
{
    struct site_sum sum = rows(argument, NULL, "undecided", "tcp", 0);

    return sum.connections == 0;
}

static uint16_t local_port(int fd)
{
    struct sockaddr_in end = {0};
    socklen_t length = sizeof(end);

    cr_assert_eq(getsockname(fd, (struct sockaddr *)&end, &length), 0);
    return ntohs(end.sin_port);
}

struct open_connections {
    int smb, smb_idle, backdoor, ldap, ldap_idle, from_445, out;
    pid_t smb_server, ldap_server, backdoor_server, out_server, late_listener;
};

/* Open connections in both roles, on listed and unlisted ports, before anything is attached. */
static void open_before(struct site *n, struct open_connections *c)
{
    c->smb_server = traffic_serve_tcp(&n->ns, NODE, 445);
    c->backdoor_server = traffic_serve_tcp(&n->ns, NODE, 7777);
    c->ldap_server = traffic_serve_tcp(&n->far, FAR, 389);
    c->out_server = traffic_serve_tcp(&n->far, FAR, 8888);
    /* Open the idle one first: once the next one is served it has been accepted, too, and outlives its listener. */
    c->smb_idle = traffic_tcp_open(&n->far, &(struct traffic_tcp){.address = NODE, .port = 445});
    c->smb = traffic_tcp_open(&n->far, &(struct traffic_tcp){.address = NODE, .port = 445});
    c->backdoor = traffic_tcp_open(&n->far, &(struct traffic_tcp){.address = NODE, .port = 7777});
    c->ldap = traffic_tcp_open(&n->ns, &(struct traffic_tcp){.address = FAR, .port = 389});
    c->ldap_idle = traffic_tcp_open(&n->ns, &(struct traffic_tcp){.address = FAR, .port = 389});
    c->out = traffic_tcp_open(&n->ns, &(struct traffic_tcp){.address = FAR, .port = 8888});
    c->from_445 = -1;
    traffic_tcp_more(c->smb, 5000, 70000);
    traffic_tcp_more(c->ldap, 5000, 70000);
    traffic_tcp_more(c->backdoor, 10, 10);
    traffic_tcp_more(c->out, 10, 10);
}

static void older_than_the_audit(const char *mode)
{
    struct open_connections c;
    struct site n;
    json_t *report, *finding;

    site_make(&n);
    open_before(&n, &c);
    netns_stop(c.smb_server, SIGKILL);      /* the listeners are gone, their connections remain */
    netns_stop(c.backdoor_server, SIGKILL);
    site_attach(&n, POLICY, mode);
    traffic_tcp_more(c.smb, 3000, 30000);
    traffic_tcp_more(c.ldap, 3000, 30000);
    traffic_tcp_more(c.smb_idle, 1, 1);
    traffic_tcp_more(c.ldap_idle, 1, 1);
    traffic_tcp_more(c.backdoor, 1, 1);
    traffic_tcp_more(c.out, 1, 1);
    cr_assert(netns_until(none_undecided, &n, NETNS_DEADLINE_MS), "connections remain undecided");
    cr_assert_eq(rows(&n, "inbound", "allowed", "tcp", 445).connections, 2);
    cr_assert_eq(rows(&n, "outbound", "allowed", "tcp", 389).connections, 2);
    cr_assert_eq(rows(&n, "inbound", "unexpected", "tcp", 7777).connections, 1);
    cr_assert_eq(rows(&n, "outbound", "unexpected", "tcp", 8888).connections, 1);
    cr_assert_eq(rows(&n, NULL, NULL, "tcp", 0).connections, 6);
    report = site_report(&n);
    finding = site_finding(report, "inbound", "tcp", 7777);
    cr_assert(finding);
    cr_assert_str_eq(json_string_value(json_object_get(finding, "evidence")), "socket");
    finding = site_finding(report, "outbound", "tcp", 8888);
    cr_assert(finding);
    cr_assert_str_eq(json_string_value(json_object_get(finding, "evidence")), "socket");
    json_decref(report);
    netns_stop(c.ldap_server, SIGKILL);
    netns_stop(c.out_server, SIGKILL);
    site_end(&n);
}

Test(direction, older_than_the_audit_xdp, .timeout = NETNS_TIMEOUT_S) { older_than_the_audit(modes[0]); }
Test(direction, older_than_the_audit_tcx, .timeout = NETNS_TIMEOUT_S) { older_than_the_audit(modes[1]); }
Test(direction, older_than_the_audit_clsact, .timeout = NETNS_TIMEOUT_S) { older_than_the_audit(modes[2]); }

/* The node has a connection from its local port 445, then starts to listen there. */
Test(direction, listener_on_the_port_of_an_outgoing_connection, .timeout = NETNS_TIMEOUT_S)
{
    struct site n;
    pid_t ldap, smb;
    int out;

    site_make(&n);
    ldap = traffic_serve_tcp(&n.far, FAR, 389);
    out = traffic_tcp_open(&n.ns, &(struct traffic_tcp){.address = FAR, .port = 389, .local_address = NODE,
                                                        .local_port = 445});
    traffic_tcp_more(out, 100, 100);
    smb = traffic_serve_tcp(&n.ns, NODE, 445);
    site_attach(&n, POLICY, "--mode tc");
    traffic_tcp_more(out, 1000, 1000);
    cr_assert(netns_until(none_undecided, &n, NETNS_DEADLINE_MS));
    cr_assert_eq(rows(&n, "outbound", "allowed", "tcp", 389).connections, 1);
    cr_assert_eq(rows(&n, "inbound", NULL, "tcp", 0).connections, 0);
    netns_stop(ldap, SIGKILL);
    netns_stop(smb, SIGKILL);
    site_end(&n);
}

Test(direction, out_of_local_port_445, .timeout = NETNS_TIMEOUT_S)
{
    struct site n;
    pid_t ldap;

    site_make(&n);
    ldap = traffic_serve_tcp(&n.far, FAR, 389);
    site_attach(&n, POLICY, "--mode tc");
    traffic_tcp(&n.ns, &(struct traffic_tcp){.address = FAR, .port = 389, .local_port = 445, .up = 10, .down = 10});
    cr_assert_eq(rows(&n, "outbound", "allowed", "tcp", 389).connections, 1);
    cr_assert_eq(rows(&n, "inbound", NULL, "tcp", 0).connections, 0);
    netns_stop(ldap, SIGKILL);
    site_end(&n);
}

/* Send a frame to the node that is unknown to the far end's sockets. */
static void forge(struct site *n, const char *source, bool tcp, uint16_t from, uint16_t to, struct packet_segment segment)
{
    struct packet *p = malloc(sizeof(*p));

    packet_start(p);
    packet_ethernet(p, &(struct packet_ethernet){.source = "02:00:00:00:00:02", .destination = "02:00:00:00:00:01"});
    packet_ipv4(p, &(struct packet_ipv4){.source = source, .destination = NODE});
    if (tcp)
        packet_tcp(p, &(struct packet_tcp){.source = from, .destination = to, .flags = segment.flags, .seq = segment.seq, .ack = 77});
    else
        packet_udp(p, &(struct packet_udp){.source = from, .destination = to});
    packet_bytes(p, "forged", tcp ? 0 : 6);
    packet_finish(p);
    netns_send(&n->far, "far0", p->data, p->length);
    free(p);
}

static void live_connections_are_not_turned(const char *mode)
{
    struct site n;
    pid_t smb_server, ldap_server;
    int smb, ldap;

    site_make(&n);
    smb_server = traffic_serve_tcp(&n.ns, NODE, 445);
    ldap_server = traffic_serve_tcp(&n.far, FAR, 389);
    site_attach(&n, POLICY, mode);
    smb = traffic_tcp_open(&n.far, &(struct traffic_tcp){.address = NODE, .port = 445});
    ldap = traffic_tcp_open(&n.ns, &(struct traffic_tcp){.address = FAR, .port = 389});
    traffic_tcp_more(smb, 100, 100);
    traffic_tcp_more(ldap, 100, 100);
    for (unsigned i = 0; i < 20; i++) {
        static const uint8_t flags[] = {PACKET_SYN, PACKET_SYN | PACKET_ACK, PACKET_RST};

        forge(&n, FAR, true, 389, local_port(ldap), SEGMENT(flags[i % 3], 1000u * i));
        forge(&n, FAR, true, local_port(smb), 445, SEGMENT(flags[i % 3], 1000u * i));
    }
    traffic_tcp_more(smb, 100, 100);
    traffic_tcp_more(ldap, 100, 100);
    cr_assert_eq(rows(&n, "inbound", "allowed", "tcp", 445).connections, 1);
    cr_assert_eq(rows(&n, "outbound", "allowed", "tcp", 389).connections, 1);
    cr_assert_eq(rows(&n, NULL, NULL, "tcp", 0).connections, 2, "a forged packet made a connection");
    close(smb);
    close(ldap);
    netns_stop(smb_server, SIGKILL);
    netns_stop(ldap_server, SIGKILL);
    site_end(&n);
}

Test(direction, live_connections_are_not_turned_xdp, .timeout = NETNS_TIMEOUT_S)
{
    live_connections_are_not_turned(modes[0]);
}

Test(direction, live_connections_are_not_turned_tcx, .timeout = NETNS_TIMEOUT_S)
{
    live_connections_are_not_turned(modes[1]);
}


static bool past(void *argument)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 > *(int64_t *)argument;
}

/* Let that many milliseconds pass: the test is about time itself. */
static void let_pass(int ms)
{
    struct timespec now;
    int64_t end;

    clock_gettime(CLOCK_MONOTONIC, &now);
    end = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + ms;
    cr_assert(netns_until(past, &end, ms + 5000));
}

/* Shortly after the start, a datagram may answer something older than the audit. */
Test(direction, early_reply_is_left_undecided, .timeout = NETNS_TIMEOUT_S)
{
    struct site n;

    site_make(&n);
    site_attach(&n, POLICY, "--mode xdp --udp-timeout 3600");
    forge(&n, FAR, false, 53, 41000, SEGMENT(0));
    UNTIL_ROW(&n, "outbound", "undecided", "udp", 53, .rx_packets = 1);
    site_end(&n);
}

Test(direction, replies_that_nobody_asked_for, .timeout = NETNS_TIMEOUT_S)
{
    static const uint16_t known[] = {53, 443, 2049, 123};
    struct site n;

    site_make(&n);
    site_attach(&n, POLICY, "--mode xdp --udp-timeout 1");
    let_pass(1500);
    for (unsigned i = 0; i < 4; i++)
        forge(&n, FAR, false, known[i], (uint16_t)(42000 + i), SEGMENT(0));
    for (unsigned i = 0; i < 4; i++)
        UNTIL_ROW(&n, "inbound", "unexpected", "udp", 42000 + (int)i, .rx_packets = 1);
    cr_assert_eq(rows(&n, "outbound", NULL, "udp", 0).rx_packets, 0);
    site_end(&n);
}

Test(direction, ntp_between_equal_ports, .timeout = NETNS_TIMEOUT_S)
{
    struct site n;
    pid_t far_server, node_server;

    site_make(&n);
    netns_address(&n.far, "far0", "10.1.0.3/24");
    site_attach(&n, POLICY, "--mode tc --udp-timeout 3"); /* within which each answer comes, also on a busy machine */
    let_pass(3500);
    far_server = traffic_serve_udp(&n.far, FAR, 123);
    traffic_udp(&n.ns, FAR, 123, 123, 3, 48);
    UNTIL_ROW(&n, "outbound", "allowed", "udp", 123, .tx_packets = 3, .rx_packets = 3);
    netns_stop(far_server, SIGKILL);
    node_server = traffic_serve_udp(&n.ns, NODE, 123);
    forge(&n, "10.1.0.3", false, 123, 123, SEGMENT(0)); /* a stranger sends to the node's port 123 from its own 123 */
    UNTIL_ROW(&n, "inbound", "unexpected", "udp", 123, .rx_packets = 1, .tx_packets = 1);
    netns_stop(node_server, SIGKILL);
    site_end(&n);
}

/* Requested on an unlisted port, the node's server answers after the timeout: reported as a new exchange. */
Test(direction, late_answer_of_a_server, .timeout = NETNS_TIMEOUT_S)
{
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(9999)}, from;
    socklen_t length = sizeof(from);
    struct netns here = netns_here();
    struct site n;
    char byte;
    int fd;

    site_make(&n);
    site_attach(&n, POLICY, "--mode tc --udp-timeout 1");
    let_pass(1500);
    netns_enter(&n.ns);
    inet_pton(AF_INET, NODE, &own.sin_addr);
    fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(fd, (struct sockaddr *)&own, sizeof(own)), 0);
    netns_enter(&here);
    forge(&n, FAR, false, 33333, 9999, SEGMENT(0));
    cr_assert_eq(recvfrom(fd, &byte, 1, 0, (struct sockaddr *)&from, &length), 1);
    let_pass(3500); /* a question is remembered for its timeout plus up to two ticks of a second */
    cr_assert_eq(sendto(fd, "x", 1, 0, (struct sockaddr *)&from, length), 1);
    UNTIL_ROW(&n, "outbound", "unexpected", "udp", 33333, .tx_packets = 1);
    UNTIL_ROW(&n, "inbound", "unexpected", "udp", 9999, .rx_packets = 1);
    close(fd);
    netns_close(&here);
    site_end(&n);
}
