/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who opened an exchange, and by which evidence: the five steps, in both roles; and that forged packets achieve
 * nothing.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "audit.h"
#include "netns.h"

#define CLIENT "10.0.0.9"
#define CLIENT6 "fd00::9"
#define SYN PACKET_SYN
#define ACK PACKET_ACK
#define FIN PACKET_FIN
#define RST PACKET_RST

#define IN QPW_DIR_INBOUND
#define OUT QPW_DIR_OUTBOUND

static struct audit a;

/* A policy like the vendor's: server of files and FTP, client of DNS, NTP, NFS and HTTPS. */
static void open_with_policy(const struct qpw_load_options *options)
{
    audit_open(&a, options);
    AUDIT_POLICY(&a, NULL,
                 {.name = "smb", .direction = IN, .protocol = 6, .first = 445},
                 {.name = "nfs", .direction = IN, .protocol = 6, .first = 2049},
                 {.name = "nfs-udp", .direction = IN, .protocol = 17, .first = 2049},
                 {.name = "ftp-data", .direction = IN, .protocol = 6, .first = 32768, .last = 60999,
                  .verdict = QPW_VERDICT_WEAK},
                 {.name = "dns", .direction = OUT, .protocol = 17, .first = 53},
                 {.name = "ntp", .direction = OUT, .protocol = 17, .first = 123},
                 {.name = "nfs-out", .direction = OUT, .protocol = 6, .first = 2049},
                 {.name = "https", .direction = OUT, .protocol = 6, .first = 443});
}

static void assert_conn(const struct qpw_conn *c, unsigned direction, unsigned evidence, unsigned verdict)
{
    cr_assert_eq(c->direction, direction, "direction %u", c->direction);
    cr_assert_eq(c->evidence, evidence, "evidence %u", c->evidence);
    cr_assert_eq(c->verdict, verdict, "verdict %u", c->verdict);
}
#define ASSERT_CONN(conn, direction, evidence, verdict) \
    do { \
        struct qpw_conn c_ = (conn); \
        assert_conn(&c_, (direction), QPW_EVIDENCE_##evidence, QPW_VERDICT_##verdict); \
    } while (0)

/* ---- 1: handshake ---- */

Test(direction, handshake_in_both_roles_and_families)
{
    const char *clients[] = {CLIENT, CLIENT6};

    open_with_policy(NULL);
    for (int i = 0; i < 2; i++) {
        audit_handshake_in(&a, clients[i], 900, 445);
        audit_rx_tcp(&a, clients[i], 900, 445, SEGMENT(ACK, 1001, 5001, 100));
        ASSERT_CONN(audit_tcp(&a, clients[i], 900, 445), IN, HANDSHAKE, ALLOWED);
        audit_handshake_out(&a, clients[i], 2049, 800);
        ASSERT_CONN(audit_tcp(&a, clients[i], 2049, 800), OUT, HANDSHAKE, ALLOWED);
        cr_assert_eq(audit_tcp(&a, clients[i], 2049, 800).conn_class, QPW_CLASS_EST);
    }
    /* The lower port need not be the service: a client below 1024 connects to a server above it. */
    struct qpw_counts in = AUDIT_SUM(&a, .rule = "smb"), out = AUDIT_SUM(&a, .rule = "nfs-out");
    cr_assert_eq(in.connections, 2);
    cr_assert_eq(in.rx_packets, 6);
    cr_assert_eq(in.tx_packets, 2);
    cr_assert_eq(in.rx_bytes, 54 * 2 + 154 + 74 * 2 + 174);
    cr_assert_eq(out.connections, 2);
    cr_assert_eq(out.rx_packets, 2);
    cr_assert_eq(out.tx_packets, 4);
    cr_assert_eq(AUDIT_PACKETS(&a, .port = AUDIT_IS(800)), 0);
    audit_close(&a);
}

Test(direction, node_that_connects_from_a_service_port_is_outbound)
{
    open_with_policy(NULL);
    audit_handshake_out(&a, CLIENT, 443, 445);
    ASSERT_CONN(audit_tcp(&a, CLIENT, 443, 445), OUT, HANDSHAKE, ALLOWED);
    audit_handshake_out(&a, CLIENT, 7777, 445);
    ASSERT_CONN(audit_tcp(&a, CLIENT, 7777, 445), OUT, HANDSHAKE, UNEXPECTED);
    cr_assert_eq(AUDIT_PACKETS(&a, .direction = AUDIT_IS(IN)), 0);
    cr_assert_eq(AUDIT_PACKETS(&a, .direction = AUDIT_IS(OUT), .port = AUDIT_IS(7777)), 3);
    audit_close(&a);
}

Test(direction, syn_ack_of_the_node_names_its_receiver)
{
    open_with_policy(NULL);
    audit_tx_tcp(&a, CLIENT, 40000, 445, SEGMENT(SYN | ACK, 5000, 1001));
    ASSERT_CONN(audit_tcp(&a, CLIENT, 40000, 445), IN, HANDSHAKE, ALLOWED);
    audit_rx_tcp(&a, CLIENT, 40000, 445, SEGMENT(ACK, 1001, 5001));
    cr_assert_eq(audit_tcp(&a, CLIENT, 40000, 445).state, QPW_STATE_ESTABLISHED);
    audit_close(&a);
}

Test(direction, unsolicited_syn_ack_is_undecided)
{
    open_with_policy(NULL);
    audit_rx_tcp(&a, CLIENT, 443, 40000, SEGMENT(SYN | ACK, 5000, 1001));
    ASSERT_CONN(audit_tcp(&a, CLIENT, 443, 40000), QPW_DIR_UNKNOWN, NONE, UNDECIDED);
    cr_assert_eq(AUDIT_PACKETS(&a, .verdict = AUDIT_IS(QPW_VERDICT_UNDECIDED),
                               .reason = AUDIT_IS(QPW_REASON_UNSOLICITED)), 1);
    /* The node's RST, sent because it does not know the connection, belongs to the same one. */
    audit_tx_tcp(&a, CLIENT, 443, 40000, SEGMENT(RST, 1001));
    cr_assert_eq(AUDIT_PACKETS(&a, .verdict = AUDIT_IS(QPW_VERDICT_UNDECIDED)), 2);
    cr_assert_eq(audit_entries(&a, QPW_MAP_findings), 0);
    audit_close(&a);
}

/* Return a socket in SYN_SENT: it connects to an address that drops everything. */
static int connecting(const char *to, uint16_t port, uint16_t *ret_local)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

    inet_pton(AF_INET, to, &address.sin_addr);
    cr_assert(connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 && errno == EINPROGRESS, "%s",
              strerror(errno));
    cr_assert(getsockname(fd, (struct sockaddr *)&address, &size) == 0);
    *ret_local = ntohs(address.sin_port);
    return fd;
}

static void node_with_address(void)
{
    struct netns here = netns_here();

    netns_run(&here, "ip addr add 10.0.0.1/32 dev lo; ip link add d0 type dummy 2>/dev/null || "
                     "ip link add d0 type veth peer name d1; ip link set d0 up; ip addr add 10.0.0.1/24 dev d0; "
                     "ip neigh add 10.0.0.9 lladdr 02:00:00:00:00:09 dev d0");
    netns_close(&here);
}

Test(direction, syn_ack_that_a_socket_waits_for_is_outbound)
{
    uint16_t local;

    open_with_policy(NULL);
    node_with_address();
    int fd = connecting(CLIENT, 443, &local);

    audit_rx_tcp(&a, CLIENT, 443, local, SEGMENT(SYN | ACK, 5000, 1001));
    ASSERT_CONN(audit_tcp(&a, CLIENT, 443, local), OUT, HANDSHAKE, ALLOWED);
    audit_tx_tcp(&a, CLIENT, 443, local, SEGMENT(ACK, 1001, 5001));
    cr_assert_eq(audit_tcp(&a, CLIENT, 443, local).state, QPW_STATE_ESTABLISHED);
    close(fd);
    audit_close(&a);
}

Test(direction, syn_ack_on_an_accepted_socket_is_unsolicited)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}, there = {0};
    socklen_t size = sizeof(here);

    open_with_policy(NULL);
    int listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0), server;

    cr_assert(bind(listener, (struct sockaddr *)&here, sizeof(here)) == 0 && listen(listener, 1) == 0);
    cr_assert(getsockname(listener, (struct sockaddr *)&here, &size) == 0);
    cr_assert(connect(client, (struct sockaddr *)&here, sizeof(here)) == 0);
    size = sizeof(there);
    server = accept(listener, (struct sockaddr *)&there, &size);
    cr_assert(server >= 0);
    /*
     * 127.0.0.1 is not an address of the node for the programs, only for the socket table. The socket is the server's.
     */
    static struct packet p;

    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){0});
    packet_ipv4(&p, &(struct packet_ipv4){.source = "127.0.0.1", .destination = "127.0.0.1"});
    packet_tcp(&p, &(struct packet_tcp){.source = ntohs(there.sin_port), .destination = ntohs(here.sin_port),
                                        .flags = SYN | ACK, .seq = 5, .ack = 6});
    packet_finish(&p);
    audit_feed(&a, AUDIT_XDP, &p);
    struct qpw_conn_key key = audit_key(6, "127.0.0.1", ntohs(here.sin_port), "127.0.0.1", ntohs(there.sin_port));
    struct qpw_conn c;

    cr_assert(audit_conn(&a, &key, &c));
    assert_conn(&c, QPW_DIR_UNKNOWN, QPW_EVIDENCE_NONE, QPW_VERDICT_UNDECIDED);
    cr_assert_eq(c.reason, QPW_REASON_UNSOLICITED);
    close(server);
    close(client);
    close(listener);
    audit_close(&a);
}

Test(direction, forged_packets_do_not_turn_a_live_connection)
{
    open_with_policy(NULL);
    audit_handshake_out(&a, CLIENT, 2049, 800);
    audit_rx_tcp(&a, CLIENT, 2049, 800, SEGMENT(ACK, 5001, 1001, 100));
    audit_rx_tcp(&a, CLIENT, 2049, 800, SEGMENT(SYN, 99));
    audit_rx_tcp(&a, CLIENT, 2049, 800, SEGMENT(SYN | ACK, 99, 98));
    audit_rx_tcp(&a, CLIENT, 2049, 800, SEGMENT(RST, 99));
    audit_rx_tcp(&a, CLIENT, 2049, 800, SEGMENT(SYN, 199));
    audit_tx_tcp(&a, CLIENT, 2049, 800, SEGMENT(ACK, 1001, 5101, 10));
    ASSERT_CONN(audit_tcp(&a, CLIENT, 2049, 800), OUT, HANDSHAKE, ALLOWED);
    struct qpw_counts sum = AUDIT_SUM(&a, .rule = "nfs-out");

    cr_assert_eq(sum.connections, 1);
    cr_assert_eq(sum.rx_packets, 6);
    cr_assert_eq(sum.tx_packets, 3);
    cr_assert_eq(audit_tcp(&a, CLIENT, 2049, 800).conn_class, QPW_CLASS_EST);
    audit_close(&a);
}

Test(direction, tuple_reopened_the_other_way)
{
    open_with_policy(NULL);
    audit_handshake_in(&a, CLIENT, 2049, 445);
    audit_rx_tcp(&a, CLIENT, 2049, 445, SEGMENT(FIN | ACK, 1001, 5001));
    audit_tx_tcp(&a, CLIENT, 2049, 445, SEGMENT(FIN | ACK, 5001, 1002));
    audit_rx_tcp(&a, CLIENT, 2049, 445, SEGMENT(ACK, 1002, 5002));
    cr_assert_eq(audit_tcp(&a, CLIENT, 2049, 445).state, QPW_STATE_CLOSED);
    audit_handshake_out(&a, CLIENT, 2049, 445);
    ASSERT_CONN(audit_tcp(&a, CLIENT, 2049, 445), OUT, HANDSHAKE, ALLOWED);
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "smb"), 6);
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "nfs-out"), 3);
    audit_close(&a);
}

Test(direction, tails_belong_to_what_they_close)
{
    open_with_policy(NULL);
    audit_handshake_in(&a, CLIENT, 900, 445);
    audit_rx_tcp(&a, CLIENT, 900, 445, SEGMENT(FIN | ACK, 1001, 5001));
    audit_tx_tcp(&a, CLIENT, 900, 445, SEGMENT(FIN | ACK, 5001, 1002));
    for (int i = 0; i < 3; i++) {
        audit_rx_tcp(&a, CLIENT, 900, 445, SEGMENT(ACK, 1002, 5002));
        audit_tx_tcp(&a, CLIENT, 900, 445, SEGMENT(ACK, 5002, 1002));
    }
    audit_tx_tcp(&a, CLIENT, 900, 445, SEGMENT(RST, 5002));
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "smb", .direction = AUDIT_IS(IN)), 12);
    cr_assert_eq(AUDIT_SUM(&a, .rule = "smb").connections, 1);
    /* Without state: undecided, with the reason. */
    audit_rx_tcp(&a, CLIENT, 5555, 7777, SEGMENT(RST, 1));
    audit_tx_tcp(&a, CLIENT, 5556, 7777, SEGMENT(RST | ACK, 1));
    audit_rx_tcp(&a, CLIENT, 5557, 7777, SEGMENT(FIN | ACK, 1));
    cr_assert_eq(AUDIT_PACKETS(&a, .reason = AUDIT_IS(QPW_REASON_TAIL), .direction = AUDIT_IS(QPW_DIR_UNKNOWN),
                               .verdict = AUDIT_IS(QPW_VERDICT_UNDECIDED)), 3);
    cr_assert_eq(audit_entries(&a, QPW_MAP_findings), 0);
    audit_close(&a);
}

/* ---- 2: socket ---- */

Test(direction, seeds_decide_midstream)
{
    struct qpw_conn_key in = audit_key(6, AUDIT_NODE, 2049, CLIENT, 443);
    struct qpw_conn_key out = audit_key(6, AUDIT_NODE, 445, CLIENT, 2049);

    open_with_policy(NULL);
    audit_seed(&a, &in, IN);
    audit_seed(&a, &out, OUT);
    audit_rx_tcp(&a, CLIENT, 443, 2049, SEGMENT(ACK, 1, 1, 10));
    audit_rx_tcp(&a, CLIENT, 2049, 445, SEGMENT(ACK, 1, 1, 10));
    ASSERT_CONN(audit_tcp(&a, CLIENT, 443, 2049), IN, SOCKET, ALLOWED);
    ASSERT_CONN(audit_tcp(&a, CLIENT, 2049, 445), OUT, SOCKET, ALLOWED);
    cr_assert_eq(audit_tcp(&a, CLIENT, 2049, 445).conn_class, QPW_CLASS_EST, "a flood must not reach it");
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "nfs-out", .direction = AUDIT_IS(OUT)), 1);
    audit_close(&a);
}

/* The node's firewall may drop the RST, or somebody has forged it: what repeats its number is the same connection. */
Test(direction, a_syn_repeated_after_a_rst_opens_no_other)
{
    open_with_policy(NULL);
    for (int i = 0; i < 3; i++) {
        audit_tx_tcp(&a, CLIENT, 2049, 700, SEGMENT(SYN, 1));
        audit_rx_tcp(&a, CLIENT, 2049, 700, SEGMENT(RST | ACK, 0, 2));
        cr_assert_eq(audit_tcp(&a, CLIENT, 2049, 700).state, QPW_STATE_CLOSED);
        cr_assert_eq(audit_tcp(&a, CLIENT, 2049, 700).outcome, QPW_OUTCOME_REFUSED);
    }
    cr_assert_eq(AUDIT_SUM(&a, .rule = "nfs-out").connections, 1);
    cr_assert_eq(AUDIT_SUM(&a, .rule = "nfs-out").tx_packets, 3);
    audit_tx_tcp(&a, CLIENT, 2049, 700, SEGMENT(SYN, 1));
    audit_rx_tcp(&a, CLIENT, 2049, 700, SEGMENT(SYN | ACK, 5000, 2));
    audit_tx_tcp(&a, CLIENT, 2049, 700, SEGMENT(ACK, 2, 5001));
    ASSERT_CONN(audit_tcp(&a, CLIENT, 2049, 700), OUT, HANDSHAKE, ALLOWED);
    cr_assert_eq(audit_tcp(&a, CLIENT, 2049, 700).state, QPW_STATE_ESTABLISHED);
    cr_assert_eq(AUDIT_SUM(&a, .rule = "nfs-out").connections, 1);
    /* With another number it is another one. */
    for (uint32_t i = 0; i < 3; i++) {
        audit_tx_tcp(&a, CLIENT, 2049, 701, SEGMENT(SYN, 100 * i));
        audit_rx_tcp(&a, CLIENT, 2049, 701, SEGMENT(RST | ACK, 0, 100 * i + 1));
    }
    cr_assert_eq(AUDIT_SUM(&a, .rule = "nfs-out").connections, 4);
    audit_close(&a);
}

/* A seed that is entered while the connection lasts ends with it: what comes later on the tuple is another one. */
Test(direction, a_seed_ends_with_its_connection)
{
    struct qpw_conn_key key = audit_key(6, AUDIT_NODE, 7777, CLIENT, 910), was = key;
    struct qpw_seed seed;

    open_with_policy(NULL);
    audit_handshake_in(&a, CLIENT, 910, 7777);
    audit_seed(&a, &key, IN);
    was.remote_port = 911;
    audit_handshake_in(&a, CLIENT, 911, 7777);
    audit_seed(&a, &was, IN);
    audit_rx_tcp(&a, CLIENT, 910, 7777, SEGMENT(RST, 1001));
    audit_rx_tcp(&a, CLIENT, 911, 7777, SEGMENT(FIN | ACK, 1001, 5001));
    audit_tx_tcp(&a, CLIENT, 911, 7777, SEGMENT(FIN | ACK, 5001, 1002));
    cr_assert_neq(bpf_map_lookup_elem(a.kernel.map_fd[QPW_MAP_seeds], &key, &seed), 0);
    cr_assert_neq(bpf_map_lookup_elem(a.kernel.map_fd[QPW_MAP_seeds], &was, &seed), 0);
    audit_close(&a);
}

/* The last tuple for which the programs requested a lookup. */
static size_t asked;
static struct qpw_conn_key asked_key;

static int on_event(void *arg, void *data, size_t size)
{
    const struct qpw_event *e = data;

    if (e->kind == QPW_EVENT_ASK_SOCKET) {
        asked++;
        asked_key = e->ask;
    }
    return 0;
}

static void read_events(void)
{
    struct ring_buffer *ring = ring_buffer__new(a.kernel.map_fd[QPW_MAP_events], on_event, NULL, NULL);

    cr_assert(ring != NULL);
    ring_buffer__consume(ring);
    ring_buffer__free(ring);
}

Test(direction, unknown_midstream_is_asked_for_and_turned_by_the_answer)
{
    struct qpw_conn_key key = audit_key(6, AUDIT_NODE, 7777, CLIENT, 8888);
    struct qpw_finding f;

    open_with_policy(NULL);
    audit_rx_tcp(&a, CLIENT, 8888, 7777, SEGMENT(ACK, 1, 1, 10));
    audit_tx_tcp(&a, CLIENT, 8888, 7777, SEGMENT(ACK, 1, 11, 10));
    ASSERT_CONN(audit_tcp(&a, CLIENT, 8888, 7777), QPW_DIR_UNKNOWN, NONE, UNDECIDED);
    cr_assert_eq(audit_tcp(&a, CLIENT, 8888, 7777).reason, QPW_REASON_MIDSTREAM);
    cr_assert(audit_finding(&a, (struct audit_sought){QPW_VERDICT_UNDECIDED, QPW_DIR_UNKNOWN, 6, 0, CLIENT, AUDIT_NODE}, &f),
              "payload both ways is a finding, whoever opened it");
    read_events();
    cr_assert_eq(asked, 1);
    cr_assert(!memcmp(&asked_key, &key, sizeof(key)));
    audit_seed(&a, &key, OUT);
    audit_rx_tcp(&a, CLIENT, 8888, 7777, SEGMENT(ACK, 11, 11, 10));
    ASSERT_CONN(audit_tcp(&a, CLIENT, 8888, 7777), OUT, SOCKET, UNEXPECTED);
    cr_assert(audit_finding(&a, (struct audit_sought){QPW_VERDICT_UNDECIDED, QPW_DIR_UNKNOWN, 6, 0, CLIENT, AUDIT_NODE}, &f));
    cr_assert(f.flags & QPW_FINDING_SUPERSEDED, "better evidence closes the old finding");
    cr_assert(audit_finding(&a, (struct audit_sought){QPW_VERDICT_UNEXPECTED, OUT, 6, 8888, AUDIT_NODE, CLIENT}, &f));
    cr_assert_eq(f.evidence, QPW_EVIDENCE_SOCKET);
    cr_assert_eq(f.outcome, QPW_OUTCOME_DATA);
    cr_assert_eq(AUDIT_SUM(&a, .port = AUDIT_IS(8888)).connections, 1);
    cr_assert_eq(AUDIT_SUM(&a, .verdict = AUDIT_IS(QPW_VERDICT_UNDECIDED)).connections, 0);
    audit_close(&a);
}

Test(direction, listener_counts_only_on_listed_ports)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    int fds[2];
    uint16_t ports[] = {445, 7777};

    open_with_policy(NULL);
    for (int i = 0; i < 2; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM, 0);
        address.sin_port = htons(ports[i]);
        cr_assert(bind(fds[i], (struct sockaddr *)&address, sizeof(address)) == 0 && listen(fds[i], 1) == 0);
        audit_rx_tcp(&a, CLIENT, 50000, ports[i], SEGMENT(ACK, 1, 1, 10));
    }
    ASSERT_CONN(audit_tcp(&a, CLIENT, 50000, 445), IN, SOCKET, ALLOWED);
    cr_assert_eq(audit_tcp(&a, CLIENT, 50000, 445).outcome, QPW_OUTCOME_ATTEMPTED, "one forged segment is no exchange");
    ASSERT_CONN(audit_tcp(&a, CLIENT, 50000, 7777), QPW_DIR_UNKNOWN, NONE, UNDECIDED);
    /*
     * Nor does it decide a tail: a FIN without state is one, whether anybody listens or not, until the socket table
     * knows it.
     */
    struct qpw_conn_key tail = audit_key(6, AUDIT_NODE, 445, CLIENT, 50001);

    audit_rx_tcp(&a, CLIENT, 50001, 445, SEGMENT(FIN | ACK, 1, 1));
    ASSERT_CONN(audit_tcp(&a, CLIENT, 50001, 445), QPW_DIR_UNKNOWN, NONE, UNDECIDED);
    cr_assert_eq(audit_tcp(&a, CLIENT, 50001, 445).reason, QPW_REASON_TAIL);
    audit_seed(&a, &tail, IN);
    audit_tx_tcp(&a, CLIENT, 50001, 445, SEGMENT(ACK, 1, 2, 10));
    ASSERT_CONN(audit_tcp(&a, CLIENT, 50001, 445), IN, SOCKET, ALLOWED);
    /* An outgoing connection from that very port: the socket table overrides the listener. */
    struct qpw_conn_key key = audit_key(6, AUDIT_NODE, 445, CLIENT, 50000);

    audit_seed(&a, &key, OUT);
    audit_rx_tcp(&a, CLIENT, 50000, 445, SEGMENT(ACK, 11, 1, 10));
    ASSERT_CONN(audit_tcp(&a, CLIENT, 50000, 445), OUT, SOCKET, UNEXPECTED);
    close(fds[0]);
    close(fds[1]);
    audit_close(&a);
}

/* ---- 3: first ---- */

Test(direction, first_datagram_names_its_sender)
{
    open_with_policy(NULL);
    audit_window_over(&a);
    audit_tx_udp(&a, CLIENT, 53, 40000);
    audit_rx_udp(&a, CLIENT, 53, 40000);
    ASSERT_CONN(audit_udp(&a, CLIENT, 53, 40000), OUT, FIRST, ALLOWED);
    audit_rx_udp(&a, CLIENT6, 40000, 2049);
    audit_tx_udp(&a, CLIENT6, 40000, 2049);
    ASSERT_CONN(audit_udp(&a, CLIENT6, 40000, 2049), IN, FIRST, ALLOWED);
    cr_assert_eq(audit_udp(&a, CLIENT, 53, 40000).outcome, QPW_OUTCOME_DATA);
    audit_close(&a);
}

Test(direction, forged_replies_after_the_window_are_inbound)
{
    uint16_t forged[] = {53, 123, 2049, 443};
    struct qpw_finding f;

    open_with_policy(NULL);
    audit_window_over(&a);
    for (int i = 0; i < 4; i++) {
        audit_rx_udp(&a, CLIENT, forged[i], (uint16_t)(6000 + i));
        ASSERT_CONN(audit_udp(&a, CLIENT, forged[i], (uint16_t)(6000 + i)), IN, FIRST, UNEXPECTED);
        cr_assert(audit_finding(&a, (struct audit_sought){QPW_VERDICT_UNEXPECTED, IN, 17, (uint16_t)(6000 + i), CLIENT, AUDIT_NODE}, &f));
    }
    audit_close(&a);
}

Test(direction, a_forged_source_port_hides_no_server)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(6000)};
    int server = socket(AF_INET, SOCK_DGRAM, 0);
    struct qpw_finding f;

    open_with_policy(NULL);
    audit_window_over(&a);
    close(server);
    server = socket(AF_INET, SOCK_DGRAM, 0); /* in the test's own namespace */
    cr_assert(bind(server, (struct sockaddr *)&address, sizeof(address)) == 0);
    audit_rx_udp(&a, CLIENT, 53, 6000);
    audit_tx_udp(&a, CLIENT, 53, 6000);
    ASSERT_CONN(audit_udp(&a, CLIENT, 53, 6000), IN, FIRST, UNEXPECTED);
    cr_assert(audit_finding(&a, (struct audit_sought){QPW_VERDICT_UNEXPECTED, IN, 17, 6000, CLIENT, AUDIT_NODE}, &f));
    cr_assert_eq(f.outcome, QPW_OUTCOME_DATA, "the one alert that must never be missed");
    close(server);
    audit_close(&a);
}

Test(direction, answer_to_a_connected_socket_is_inferred)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(53)};
    socklen_t size = sizeof(address);

    open_with_policy(NULL);
    node_with_address();
    audit_window_over(&a);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    inet_pton(AF_INET, CLIENT, &address.sin_addr);
    cr_assert(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
    cr_assert(getsockname(fd, (struct sockaddr *)&address, &size) == 0);
    audit_rx_udp(&a, CLIENT, 53, ntohs(address.sin_port));
    ASSERT_CONN(audit_udp(&a, CLIENT, 53, ntohs(address.sin_port)), OUT, INFERRED, UNDECIDED);
    audit_rx_udp(&a, "10.0.0.8", 53, ntohs(address.sin_port));
    ASSERT_CONN(audit_udp(&a, "10.0.0.8", 53, ntohs(address.sin_port)), IN, FIRST, UNEXPECTED);
    close(fd);
    audit_close(&a);
}

Test(direction, sockets_of_either_family)
{
    struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(445)};
    struct sockaddr_in6 server = {.sin6_family = AF_INET6, .sin6_port = htons(53)};
    struct sockaddr_in6 bound = {.sin6_family = AF_INET6, .sin6_port = htons(5000)};
    struct netns here;

    open_with_policy(NULL);
    audit_window_over(&a);
    here = netns_here();
    netns_run(&here, "ip -6 addr add fd00::1/64 dev lo nodad");
    netns_close(&here);
    int listener = socket(AF_INET6, SOCK_STREAM, 0), client = socket(AF_INET6, SOCK_DGRAM, 0);

    cr_assert(bind(listener, (struct sockaddr *)&any, sizeof(any)) == 0 && listen(listener, 1) == 0);
    audit_rx_tcp(&a, CLIENT6, 50000, 445, SEGMENT(ACK, 1, 1, 10));
    ASSERT_CONN(audit_tcp(&a, CLIENT6, 50000, 445), IN, SOCKET, ALLOWED);
    audit_rx_tcp(&a, CLIENT, 50000, 445, SEGMENT(ACK, 1, 1, 10)); /* a dual-stack listener serves IPv4, too */
    ASSERT_CONN(audit_tcp(&a, CLIENT, 50000, 445), IN, SOCKET, ALLOWED);
    inet_pton(AF_INET6, CLIENT6, &server.sin6_addr);
    inet_pton(AF_INET6, AUDIT_NODE6, &bound.sin6_addr);
    cr_assert(bind(client, (struct sockaddr *)&bound, sizeof(bound)) == 0, "%s", strerror(errno));
    cr_assert(connect(client, (struct sockaddr *)&server, sizeof(server)) == 0, "%s", strerror(errno));
    audit_rx_udp(&a, CLIENT6, 53, 5000);
    ASSERT_CONN(audit_udp(&a, CLIENT6, 53, 5000), OUT, INFERRED, UNDECIDED);
    audit_rx_udp(&a, "fd00::8", 53, 5000);
    ASSERT_CONN(audit_udp(&a, "fd00::8", 53, 5000), IN, FIRST, UNEXPECTED);
    close(client);
    close(listener);
    audit_close(&a);
}

Test(direction, start_window_infers_answers)
{
    open_with_policy(NULL);
    audit_rx_udp(&a, CLIENT, 53, 40000);
    ASSERT_CONN(audit_udp(&a, CLIENT, 53, 40000), OUT, INFERRED, UNDECIDED);
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "dns", .verdict = AUDIT_IS(QPW_VERDICT_UNDECIDED),
                               .reason = AUDIT_IS(QPW_REASON_JUST_ATTACHED)), 1,
                 "consistent with a rule, which is named");
    audit_rx_udp(&a, CLIENT, 5353, 40001);
    ASSERT_CONN(audit_udp(&a, CLIENT, 5353, 40001), IN, FIRST, UNEXPECTED);
    audit_rx_udp(&a, CLIENT, 53, 2049);
    ASSERT_CONN(audit_udp(&a, CLIENT, 53, 2049), IN, FIRST, ALLOWED);
    cr_assert_eq(audit_entries(&a, QPW_MAP_findings), 1);
    audit_close(&a);
}

/* Within the question's timeout; test_questions.c covers the rest. */
Test(direction, late_answers_do_not_turn_a_server_into_a_client)
{
    uint64_t late = 170000000000ull;

    open_with_policy(NULL);
    audit_window_over(&a);
    audit_rx_udp(&a, CLIENT, 700, 2049);
    audit_rx_udp(&a, CLIENT, 701, 7777);
    audit_age_questions(&a, late);
    audit_tx_udp(&a, CLIENT, 700, 2049);
    audit_tx_udp(&a, CLIENT, 701, 7777);
    cr_assert_eq(audit_udp(&a, CLIENT, 700, 2049).direction, IN);
    cr_assert_eq(audit_udp(&a, CLIENT, 701, 7777).direction, IN);
    /* Completely forgotten: from a port listed inbound it is only inferred. */
    audit_tx_udp(&a, CLIENT, 702, 2049);
    ASSERT_CONN(audit_udp(&a, CLIENT, 702, 2049), IN, INFERRED, UNDECIDED);
    cr_assert_eq(AUDIT_PACKETS(&a, .direction = AUDIT_IS(OUT)), 0);
    audit_close(&a);
}

Test(direction, late_answer_to_the_node_is_inferred_while_its_socket_is_bound)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(40000)};
    struct qpw_conn_key bound = audit_key(17, AUDIT_NODE, 40000, CLIENT, 53);
    struct qpw_conn_key gone = audit_key(17, AUDIT_NODE, 40001, CLIENT, 53);

    open_with_policy(NULL);
    audit_window_over(&a);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    cr_assert(bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
    audit_tx_udp(&a, CLIENT, 53, 40000);
    audit_tx_udp(&a, CLIENT, 53, 40001);
    audit_age(&a, &bound, 300000000000ull);
    audit_age(&a, &gone, 300000000000ull);
    audit_rx_udp(&a, CLIENT, 53, 40000);
    audit_rx_udp(&a, CLIENT, 53, 40001);
    ASSERT_CONN(audit_udp(&a, CLIENT, 53, 40000), OUT, INFERRED, UNDECIDED);
    ASSERT_CONN(audit_udp(&a, CLIENT, 53, 40001), IN, FIRST, UNEXPECTED);
    close(fd);
    audit_close(&a);
}

Test(direction, ntp_between_equal_ports)
{
    struct qpw_conn_key key = audit_key(17, AUDIT_NODE, 123, "10.0.0.8", 123);

    open_with_policy(NULL);
    audit_window_over(&a);
    audit_tx_udp(&a, CLIENT, 123, 123);
    audit_rx_udp(&a, CLIENT, 123, 123);
    ASSERT_CONN(audit_udp(&a, CLIENT, 123, 123), OUT, FIRST, ALLOWED);
    audit_rx_udp(&a, "10.0.0.8", 123, 123);
    audit_tx_udp(&a, "10.0.0.8", 123, 123);
    ASSERT_CONN(audit_udp(&a, "10.0.0.8", 123, 123), IN, FIRST, UNEXPECTED);
    audit_tx_udp(&a, "10.0.0.8", 123, 123);
    cr_assert_eq(audit_udp(&a, "10.0.0.8", 123, 123).direction, IN, "its answer");
    audit_age(&a, &key, 300000000000ull);
    audit_age_questions(&a, 300000000000ull);
    audit_tx_udp(&a, "10.0.0.8", 123, 123);
    ASSERT_CONN(audit_udp(&a, "10.0.0.8", 123, 123), OUT, FIRST, ALLOWED); /* first sender after the idle time */
    audit_age(&a, &key, 300000000000ull);
    audit_rx_udp(&a, "10.0.0.8", 123, 123);
    ASSERT_CONN(audit_udp(&a, "10.0.0.8", 123, 123), IN, FIRST, UNEXPECTED);
    audit_close(&a);
}

/* A stranger's junk never weakens exchanges that the node opens; but junk and such an exchange count as both ways. */
Test(direction, undecodable_before_weakens_nothing_and_is_told)
{
    static struct packet p;
    struct qpw_finding_key key = {.verdict = QPW_VERDICT_UNDECIDED, .direction = QPW_DIR_UNDECODABLE};
    struct qpw_finding f;

    open_with_policy(NULL);
    audit_window_over(&a);
    packet_make_udp(&p, CLIENT, 700, AUDIT_NODE, 7777, 20);
    p.data[14 + 20 + 5] = 200; /* the UDP length is wrong */
    audit_feed(&a, AUDIT_XDP, &p);
    cr_assert_eq(AUDIT_PACKETS(&a, .direction = AUDIT_IS(QPW_DIR_UNDECODABLE),
                               .reason = AUDIT_IS(QPW_REASON_UDP_LENGTH)), 1);
    cr_assert_eq(audit_entries(&a, QPW_MAP_answered) + audit_entries(&a, QPW_MAP_findings), 0, "noise");
    audit_tx_udp(&a, CLIENT, 700, 7777);
    ASSERT_CONN(audit_udp(&a, CLIENT, 700, 7777), OUT, FIRST, UNEXPECTED);
    audit_address(CLIENT, key.initiator);
    audit_address(AUDIT_NODE, key.responder);
    cr_assert_eq(bpf_map_lookup_elem(a.kernel.map_fd[QPW_MAP_answered], &key, &f), 0, "both ways");
    cr_assert_eq(f.outcome, QPW_OUTCOME_DATA);
    cr_assert_eq(f.reason, QPW_REASON_UDP_LENGTH);
    audit_tx_udp(&a, "10.0.0.8", 700, 7777);
    ASSERT_CONN(audit_udp(&a, "10.0.0.8", 700, 7777), OUT, FIRST, UNEXPECTED);
    cr_assert_eq(audit_entries(&a, QPW_MAP_answered), 1);
    audit_close(&a);
}

/* ---- 4 and 5: inferred, none ---- */

Test(direction, inferred_from_exactly_one_listed_port)
{
    open_with_policy(NULL);
    audit_tx_tcp(&a, CLIENT, 2049, 801, SEGMENT(ACK, 1, 1, 10));
    ASSERT_CONN(audit_tcp(&a, CLIENT, 2049, 801), OUT, INFERRED, UNDECIDED);
    audit_tx_tcp(&a, CLIENT, 801, 445, SEGMENT(ACK, 1, 1, 10));
    ASSERT_CONN(audit_tcp(&a, CLIENT, 801, 445), IN, INFERRED, UNDECIDED);
    audit_tx_tcp(&a, CLIENT, 2049, 445, SEGMENT(ACK, 1, 1, 10));
    ASSERT_CONN(audit_tcp(&a, CLIENT, 2049, 445), QPW_DIR_UNKNOWN, NONE, UNDECIDED);
    /* A weak rule over half of all ports gives no direction. */
    audit_tx_tcp(&a, CLIENT, 8888, 40000, SEGMENT(ACK, 1, 1, 10));
    ASSERT_CONN(audit_tcp(&a, CLIENT, 8888, 40000), QPW_DIR_UNKNOWN, NONE, UNDECIDED);
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "nfs-out", .port = AUDIT_IS(2049), .direction = AUDIT_IS(OUT)), 1);
    cr_assert_eq(AUDIT_PACKETS(&a, .direction = AUDIT_IS(QPW_DIR_UNKNOWN), .port = AUDIT_IS(0)), 2);
    cr_assert_eq(audit_entries(&a, QPW_MAP_findings), 0);
    audit_close(&a);
}

Test(direction, evidence_is_upgraded_and_never_downgraded)
{
    open_with_policy(NULL);
    audit_tx_tcp(&a, CLIENT, 2049, 445, SEGMENT(ACK, 1, 1, 10));
    audit_tx_tcp(&a, CLIENT, 2049, 445, SEGMENT(SYN, 1000));
    ASSERT_CONN(audit_tcp(&a, CLIENT, 2049, 445), OUT, HANDSHAKE, ALLOWED);
    audit_rx_tcp(&a, CLIENT, 2049, 445, SEGMENT(SYN | ACK, 5000, 1001));
    audit_tx_tcp(&a, CLIENT, 2049, 445, SEGMENT(ACK, 1001, 5001, 10));
    audit_rx_tcp(&a, CLIENT, 2049, 445, SEGMENT(ACK, 5001, 1011, 10));
    ASSERT_CONN(audit_tcp(&a, CLIENT, 2049, 445), OUT, HANDSHAKE, ALLOWED);
    cr_assert_eq(AUDIT_SUM(&a, .verdict = AUDIT_IS(QPW_VERDICT_UNDECIDED)).connections, 1, "what went before it");
    audit_close(&a);
}
