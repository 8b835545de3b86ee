/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Connections whose answers no monitored interface sees: the socket table is the evidence, and a stranger's blind
 * acknowledgements are not. The far end's address also belongs to the namespace, so that real sockets have the tuple.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/filter.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "audit.h"
#include "netns.h"
#include "traffic.h"

#define CLIENT "10.0.0.9"
#define CLIENT6 "fd00::9"
#define PORT 7777
#define SYN PACKET_SYN
#define ACK PACKET_ACK

static struct audit a;

static void open_node(const struct qpw_load_options *options)
{
    struct netns here;

    audit_open(&a, options);
    audit_window_over(&a);
    AUDIT_POLICY(&a, NULL, {.name = "smb", .direction = QPW_DIR_INBOUND, .protocol = 6, .first = 445});
    here = netns_here();
    netns_address(&here, "lo", AUDIT_NODE "/32");
    netns_address(&here, "lo", CLIENT "/32");
    netns_address(&here, "lo", AUDIT_NODE6 "/128");
    netns_address(&here, "lo", CLIENT6 "/128");
    netns_close(&here);
}

static int listen_on(const char *node)
{
    struct sockaddr_storage end;
    socklen_t size = traffic_endpoint(node, PORT, &end);
    int fd = socket(end.ss_family, SOCK_STREAM, 0);

    cr_assert(bind(fd, (struct sockaddr *)&end, size) == 0 && listen(fd, 4) == 0, "%s", strerror(errno));
    return fd;
}

struct attempt {
    int fd;
    bool deaf;
    const struct sockaddr_storage *to;
    socklen_t size;
};

/* A route to a new IPv6 address may take time to appear. */
static bool is_connected(void *argument)
{
    const struct attempt *at = argument;

    return connect(at->fd, (const struct sockaddr *)at->to, at->size) == 0 || (at->deaf && errno == EINPROGRESS);
}

/* Bind a socket of the far end. deaf: it receives no answer, so that the node waits for its last acknowledgement. */
static int far_end(const char *remote, const char *node, bool deaf, uint16_t *ret_port)
{
    struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
    struct sock_fprog filter = {.len = 1, .filter = &nothing};
    struct sockaddr_storage end, to;
    socklen_t size = traffic_endpoint(remote, 0, &end);
    int fd = socket(end.ss_family, SOCK_STREAM | (deaf ? SOCK_NONBLOCK : 0), 0);

    cr_assert(bind(fd, (struct sockaddr *)&end, size) == 0, "%s", strerror(errno));
    cr_assert(!deaf || setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) == 0, "%s", strerror(errno));
    traffic_endpoint(node, PORT, &to);
    cr_assert(netns_until(is_connected, &(struct attempt){fd, deaf, &to, size}, NETNS_DEADLINE_MS), "%s", strerror(errno));
    cr_assert(getsockname(fd, (struct sockaddr *)&end, &size) == 0);
    *ret_port = ntohs(((struct sockaddr_in *)&end)->sin_port); /* the port is at the same offset for IPv6 */
    return fd;
}

static struct qpw_finding finding_of(const char *node, const char *remote)
{
    struct qpw_finding f = {0};

    cr_assert(audit_finding(&a, (struct audit_sought){QPW_VERDICT_UNEXPECTED, QPW_DIR_INBOUND, 6, PORT, remote, node}, &f));
    return f;
}

static void assert_outcome(const char *node, const char *remote, uint16_t port, unsigned outcome, unsigned state)
{
    struct qpw_conn c = audit_tcp(&a, remote, port, PORT);

    cr_assert_eq(c.outcome, outcome, "outcome %u", c.outcome);
    cr_assert_eq(c.state, state, "state %u", c.state);
    cr_assert_eq(c.evidence, QPW_EVIDENCE_HANDSHAKE);
    cr_assert_eq(c.direction, QPW_DIR_INBOUND);
    cr_assert_eq(finding_of(node, remote).outcome, outcome);
    cr_assert_eq(finding_of(node, remote).unseen, outcome >= QPW_OUTCOME_ANSWERED);
}

struct acknowledged {
    const char *remote;
    uint16_t port;
    unsigned state;
};

/* The node's end of a connection over loopback may appear a moment later, so the far end acknowledges again. */
static bool is_answered(void *argument)
{
    const struct acknowledged *e = argument;
    struct qpw_conn c;

    audit_rx_tcp(&a, e->remote, e->port, PORT, SEGMENT(ACK, 1001, 5001));
    c = audit_tcp(&a, e->remote, e->port, PORT);
    return c.outcome == QPW_OUTCOME_ANSWERED && c.state == e->state;
}

static void known_as_open(const char *node, const char *remote)
{
    int listener, client;
    uint16_t port;

    open_node(NULL);
    listener = listen_on(node);
    client = far_end(remote, node, false, &port);
    audit_rx_tcp(&a, remote, port, PORT, SEGMENT(SYN, 1000));
    assert_outcome(node, remote, port, QPW_OUTCOME_ATTEMPTED, QPW_STATE_SYN);
    netns_until(is_answered, &(struct acknowledged){remote, port, QPW_STATE_ESTABLISHED}, NETNS_DEADLINE_MS);
    assert_outcome(node, remote, port, QPW_OUTCOME_ANSWERED, QPW_STATE_ESTABLISHED);
    cr_assert_eq(audit_connections(&a, QPW_CLASS_EST), 1);
    audit_rx_tcp(&a, remote, port, PORT, SEGMENT(ACK, 1001, 5001, 10));
    assert_outcome(node, remote, port, QPW_OUTCOME_DATA, QPW_STATE_ESTABLISHED);
    close(client);
    close(listener);
    audit_close(&a);
}

Test(unseen, an_open_socket_is_an_answer) { known_as_open(AUDIT_NODE, CLIENT); }
Test(unseen, an_open_socket_is_an_answer_v6) { known_as_open(AUDIT_NODE6, CLIENT6); }

/* The node has sent its SYN+ACK to an unverified address: an answer, but not an entry among the established ones. */
static void known_as_requested(const char *node, const char *remote)
{
    int listener, client;
    uint16_t port;

    open_node(NULL);
    listener = listen_on(node);
    client = far_end(remote, node, true, &port);
    audit_rx_tcp(&a, remote, port, PORT, SEGMENT(SYN, 1000));
    netns_until(is_answered, &(struct acknowledged){remote, port, QPW_STATE_SYN}, NETNS_DEADLINE_MS);
    assert_outcome(node, remote, port, QPW_OUTCOME_ANSWERED, QPW_STATE_SYN);
    cr_assert_eq(audit_connections(&a, QPW_CLASS_EST), 0);
    close(client);
    close(listener);
    audit_close(&a);
}

Test(unseen, a_requested_connection_was_answered) { known_as_requested(AUDIT_NODE, CLIENT); }
Test(unseen, a_requested_connection_was_answered_v6) { known_as_requested(AUDIT_NODE6, CLIENT6); }

static size_t asked;

static int on_event(void *arg, void *data, size_t size)
{
    asked += ((const struct qpw_event *)data)->kind == QPW_EVENT_ASK_SOCKET;
    return 0;
}

static size_t count_asked(void)
{
    struct ring_buffer *ring = ring_buffer__new(a.kernel.map_fd[QPW_MAP_events], on_event, NULL, NULL);

    cr_assert(ring != NULL);
    asked = 0;
    ring_buffer__consume(ring);
    ring_buffer__free(ring);
    return asked;
}

/* Listener or not: acknowledgements without a connection are not an answer. */
static void blind(bool listens)
{
    struct qpw_conn_key key = audit_key(6, AUDIT_NODE, PORT, CLIENT, 40000);

    open_node(NULL);
    if (listens)
        listen_on(AUDIT_NODE);
    audit_rx_tcp(&a, CLIENT, 40000, PORT, SEGMENT(SYN, 1000));
    audit_rx_tcp(&a, CLIENT, 40000, PORT, SEGMENT(ACK, 1001, 5001));
    audit_rx_tcp(&a, CLIENT, 40000, PORT, SEGMENT(ACK, 1001, 5001, 10));
    cr_assert_eq(count_asked(), 0, "nothing has advanced");
    for (uint32_t ack = 5002; ack < 5100; ack++)
        audit_rx_tcp(&a, CLIENT, 40000, PORT, SEGMENT(ACK, 1001, ack, 10));
    cr_assert_eq(count_asked(), 1, "a socket bound to another device would be user space's to find");
    assert_outcome(AUDIT_NODE, CLIENT, 40000, QPW_OUTCOME_ATTEMPTED, QPW_STATE_SYN);
    audit_seed(&a, &key, QPW_DIR_UNKNOWN);
    audit_rx_tcp(&a, CLIENT, 40000, PORT, SEGMENT(ACK, 1001, 5200, 10));
    assert_outcome(AUDIT_NODE, CLIENT, 40000, QPW_OUTCOME_ATTEMPTED, QPW_STATE_SYN);
    audit_seed(&a, &key, QPW_DIR_INBOUND); /* now there is a connection */
    audit_rx_tcp(&a, CLIENT, 40000, PORT, SEGMENT(ACK, 1001, 5300));
    assert_outcome(AUDIT_NODE, CLIENT, 40000, QPW_OUTCOME_ANSWERED, QPW_STATE_ESTABLISHED);
    audit_close(&a);
}

Test(unseen, blind_acknowledgements_to_a_closed_port) { blind(false); }
Test(unseen, blind_acknowledgements_to_a_listener) { blind(true); }

/* A socket that is itself connecting on the same tuple has not answered. */
Test(unseen, a_connecting_socket_is_no_answer)
{
    struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
    struct sock_fprog filter = {.len = 1, .filter = &nothing};
    struct sockaddr_storage here, there;
    socklen_t size;
    int fd;

    open_node(NULL);
    fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    size = traffic_endpoint(AUDIT_NODE, PORT, &here);
    cr_assert(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) == 0);
    cr_assert(bind(fd, (struct sockaddr *)&here, size) == 0, "%s", strerror(errno));
    traffic_endpoint(CLIENT, 40000, &there);
    cr_assert(connect(fd, (struct sockaddr *)&there, size) < 0 && errno == EINPROGRESS, "%s", strerror(errno));
    audit_rx_tcp(&a, CLIENT, 40000, PORT, SEGMENT(SYN, 1000));
    audit_rx_tcp(&a, CLIENT, 40000, PORT, SEGMENT(ACK, 1001, 5001));
    assert_outcome(AUDIT_NODE, CLIENT, 40000, QPW_OUTCOME_ATTEMPTED, QPW_STATE_SYN);
    close(fd);
    audit_close(&a);
}

static void replayed(uint8_t flags, uint32_t seq, uint32_t ack, size_t payload)
{
    struct qpw_control *control = a.kernel.control;

    control->replay_now_ns += 1000000;
    control->replay_bytes = control->replay_wire = control->replay_captured = 14 + 20 + 20 + payload;
    audit_rx_tcp(&a, CLIENT, 40000, PORT, SEGMENT(flags, seq, ack, payload));
}

/* A replay has no socket table: advancing acknowledgements are the only evidence. */
Test(unseen, in_a_replay_acknowledgements_that_advance)
{
    open_node(&(struct qpw_load_options){.replay = true, .no_counts = true});
    replayed(SYN, 1000, 0, 0);
    replayed(ACK, 1001, 5001, 0);
    replayed(ACK, 1001, 5001, 10);
    assert_outcome(AUDIT_NODE, CLIENT, 40000, QPW_OUTCOME_ATTEMPTED, QPW_STATE_SYN);
    replayed(ACK, 1011, 5101, 0);
    assert_outcome(AUDIT_NODE, CLIENT, 40000, QPW_OUTCOME_ANSWERED, QPW_STATE_ESTABLISHED);
    audit_close(&a);
}
