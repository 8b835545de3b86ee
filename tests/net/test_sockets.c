/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Opener and owner of a connection from the socket table, which holds real sockets of this test. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/sockets.h"
#include "netns.h"
#include "traffic.h"
#include "util/names.h"

#define NODE4 "10.1.0.12"
#define FAR4 "10.1.0.1"
#define NODE6 "fd00:10::12"
#define FAR6 "fd00:10::1"

static struct netns here, there;
static struct qpw_sockets *sockets;
static struct qpw_error err;

static void setup(void)
{
    netns_need_root();
    here = netns_new();
    there = netns_new();
    netns_veth(&here, "node0", &there, "far0");
    netns_address(&here, "node0", NODE4 "/24");
    netns_address(&here, "node0", NODE6 "/64");
    netns_address(&there, "far0", FAR4 "/24");
    netns_address(&there, "far0", FAR6 "/64");
    netns_enter(&here);
    cr_assert_eq(qpw_sockets_open(&sockets, &err), 0, "%s", err.text);
}

static void teardown(void)
{
    qpw_sockets_close(sockets);
}

TestSuite(sockets, .init = setup, .fini = teardown);

static int listening(const struct netns *ns, const char *address, uint16_t port)
{
    int fd = traffic_bound(ns, SOCK_STREAM, address, port);

    cr_assert_eq(listen(fd, 64), 0);
    return fd;
}

static void connected(int fd, const char *address, uint16_t port)
{
    struct sockaddr_storage end;
    socklen_t length = traffic_endpoint(address, port, &end);

    cr_assert_eq(connect(fd, (struct sockaddr *)&end, length), 0, "connect %s %u: %s", address, port, strerror(errno));
}

static struct qpw_conn_key tuple(uint8_t protocol, const char *local, uint16_t local_port, const char *remote,
                                 uint16_t remote_port)
{
    struct qpw_conn_key key = {.local_port = local_port, .remote_port = remote_port, .protocol = protocol};

    cr_assert_eq(qpw_address_parse(local, key.local), 0);
    cr_assert_eq(qpw_address_parse(remote, key.remote), 0);
    return key;
}

static enum qpw_direction direction_of(struct qpw_conn_key key)
{
    enum qpw_direction direction = QPW_DIR_COUNT;

    cr_assert_eq(qpw_sockets_direction(sockets, &key, &direction), 0);
    return direction;
}

/* The result of a dump for one tuple, and how often it occurred. */
struct wanted {
    struct qpw_conn_key key;
    enum qpw_direction direction;
    unsigned times, all;
};

struct both_ways {
    enum qpw_direction asked;
    struct wanted dumped;
};

static void on_socket(void *arg, const struct qpw_conn_key *key, enum qpw_direction direction)
{
    struct wanted *wanted = arg;

    wanted->all++;
    if (memcmp(key, &wanted->key, sizeof(*key)))
        return;
    wanted->direction = direction;
    wanted->times++;
}

/*
 * Return whether both ways of asking know the opener. A packet in flight makes a reading inconclusive, which it
 * reports.
 */
static bool both_known(void *argument)
{
    struct both_ways *b = argument;

    b->asked = direction_of(b->dumped.key);
    b->dumped = (struct wanted){.key = b->dumped.key, .direction = QPW_DIR_UNKNOWN};
    cr_assert_eq(qpw_sockets_dump_tcp(sockets, on_socket, &b->dumped, NULL, &err), 0, "%s", err.text);
    return b->asked != QPW_DIR_UNKNOWN && b->dumped.direction != QPW_DIR_UNKNOWN;
}

/* Assert that the dump and the single query agree on the direction of a tuple. */
static void assert_direction(struct qpw_conn_key key, enum qpw_direction expected, const char *what)
{
    struct both_ways b = {.dumped.key = key};

    if (expected == QPW_DIR_UNKNOWN)
        both_known(&b);
    else
        netns_until(both_known, &b, NETNS_DEADLINE_MS);
    cr_expect_eq(b.asked, expected, "%s: asked for %s", what, qpw_direction_name(b.asked));
    cr_expect_eq(b.dumped.direction, expected, "%s: dumped %s", what,
                 qpw_direction_name(b.dumped.direction));
    cr_expect_eq(b.dumped.times, expected != QPW_DIR_UNKNOWN, "%s: told %u times", what, b.dumped.times);
}

/* Test both roles of one address family over the veth, with the node's listener on `any`. */
static void both_roles(const char *node, const char *far, const char *any)
{
    int node_listens = listening(&here, any, 2049), far_listens = listening(&there, far, 636);
    int in = traffic_bound(&there, SOCK_STREAM, far, 700), in_node;
    int out = traffic_bound(&here, SOCK_STREAM, node, 445), out_far;
    struct qpw_conn_key inbound = tuple(IPPROTO_TCP, node, 2049, far, 700);
    struct qpw_conn_key outbound = tuple(IPPROTO_TCP, node, 445, far, 636);
    char text[1000] = {1};

    connected(in, node, 2049);
    in_node = accept(node_listens, NULL, NULL);
    connected(out, far, 636);
    out_far = accept(far_listens, NULL, NULL);
    assert_direction(inbound, QPW_DIR_INBOUND, "idle, accepted");
    assert_direction(outbound, QPW_DIR_OUTBOUND, "idle, connected");

    cr_assert_eq(write(in_node, text, 1000), 1000);
    cr_assert_eq(write(in, text, 1), 1);
    cr_assert_eq(write(out, text, 1), 1);
    cr_assert_eq(write(out_far, text, 999), 999);
    assert_direction(inbound, QPW_DIR_INBOUND, "after data, accepted");
    assert_direction(outbound, QPW_DIR_OUTBOUND, "after data, connected");

    close(node_listens);
    assert_direction(inbound, QPW_DIR_INBOUND, "listener closed meanwhile");

    shutdown(in, SHUT_WR);
    shutdown(out_far, SHUT_WR);
    cr_assert_eq(read(in_node, text, sizeof(text)), 1);
    cr_assert_eq(read(in_node, text, sizeof(text)), 0);
    cr_assert_eq(read(out, text, sizeof(text)), 999);
    cr_assert_eq(read(out, text, sizeof(text)), 0);
    assert_direction(inbound, QPW_DIR_INBOUND, "CLOSE_WAIT, accepted");
    assert_direction(outbound, QPW_DIR_OUTBOUND, "CLOSE_WAIT, connected");

    close(in_node);
    close(out);
    assert_direction(inbound, QPW_DIR_UNKNOWN, "closed, accepted");
    assert_direction(outbound, QPW_DIR_UNKNOWN, "closed, connected");
}

Test(sockets, opener_v4)
{
    both_roles(NODE4, FAR4, "0.0.0.0");
}

Test(sockets, opener_v6)
{
    both_roles(NODE6, FAR6, "::");
}

Test(sockets, opener_v4_over_a_dual_stack_listener)
{
    both_roles(NODE4, FAR4, "::");
}

Test(sockets, full_pipe_that_nobody_reads)
{
    int listener = listening(&here, NODE4, 2049), far_listener = listening(&there, FAR4, 636), in_node, out_far, out;
    int in = traffic_bound(&there, SOCK_STREAM, FAR4, 700);
    static const char text[65536];

    connected(in, NODE4, 2049);
    in_node = accept(listener, NULL, NULL);
    out = traffic_bound(&here, SOCK_STREAM, NODE4, 700);
    connected(out, FAR4, 636);
    out_far = accept(far_listener, NULL, NULL);
    cr_assert(out_far >= 0);
    fcntl(in_node, F_SETFL, O_NONBLOCK);
    fcntl(out, F_SETFL, O_NONBLOCK);
    while (write(in_node, text, sizeof(text)) > 0)
        ;
    while (write(out, text, sizeof(text)) > 0)
        ;
    /* The last acknowledgements may be in flight: a reading in between is inconclusive, and reports that. */
    assert_direction(tuple(IPPROTO_TCP, NODE4, 2049, FAR4, 700), QPW_DIR_INBOUND, "zero window, accepted");
    assert_direction(tuple(IPPROTO_TCP, NODE4, 700, FAR4, 636), QPW_DIR_OUTBOUND, "zero window, connected");
}

static int pump_from[2];

/* Send on both connections and read what comes back, until killed. */
static int pump(void *argument)
{
    static char text[3000];
    struct pollfd fds[2] = {{.fd = pump_from[0], .events = POLLIN}, {.fd = pump_from[1], .events = POLLIN}};

    while (poll(fds, 2, 1) >= 0)
        for (int i = 0; i < 2; i++) {
            recv(pump_from[i], text, sizeof(text), MSG_DONTWAIT);
            send(pump_from[i], text, 1 + (text[0]++ & 1023), MSG_DONTWAIT | MSG_NOSIGNAL);
        }
    return 0;
}

Test(sockets, busy_connections)
{
    int listener = listening(&here, NODE4, 2049), far_listener = listening(&there, FAR4, 636), wrong = 0, known = 0;
    int in = traffic_bound(&there, SOCK_STREAM, FAR4, 700), in_node;
    int out = traffic_bound(&here, SOCK_STREAM, NODE4, 700), out_far;
    struct qpw_conn_key inbound = tuple(IPPROTO_TCP, NODE4, 2049, FAR4, 700);
    struct qpw_conn_key outbound = tuple(IPPROTO_TCP, NODE4, 700, FAR4, 636);
    pid_t near_pump, far_pump;

    connected(in, NODE4, 2049);
    in_node = accept(listener, NULL, NULL);
    connected(out, FAR4, 636);
    out_far = accept(far_listener, NULL, NULL);
    pump_from[0] = in_node, pump_from[1] = out;
    near_pump = netns_fork(&here, pump, NULL);
    pump_from[0] = in, pump_from[1] = out_far;
    far_pump = netns_fork(&there, pump, NULL);
    for (int i = 0; i < 300; i++) {
        enum qpw_direction a = direction_of(inbound), b = direction_of(outbound);

        wrong += a == QPW_DIR_OUTBOUND || b == QPW_DIR_INBOUND;
        known += (a != QPW_DIR_UNKNOWN) + (b != QPW_DIR_UNKNOWN);
    }
    netns_stop(near_pump, 9);
    netns_stop(far_pump, 9);
    cr_assert_eq(wrong, 0);
    cr_assert_gt(known, 540, "known in %d of 600 answers", known);
}

Test(sockets, syn_cookies)
{
    int listener, in, in_node;

    netns_run(&here, "sysctl -qw net.ipv4.tcp_syncookies=2");
    listener = listening(&here, NODE4, 2049);
    in = traffic_bound(&there, SOCK_STREAM, FAR4, 700);
    connected(in, NODE4, 2049);
    in_node = accept(listener, NULL, NULL);
    assert_direction(tuple(IPPROTO_TCP, NODE4, 2049, FAR4, 700), QPW_DIR_INBOUND, "SYN cookie");
    cr_assert_eq(write(in_node, "abc", 3), 3);
    assert_direction(tuple(IPPROTO_TCP, NODE4, 2049, FAR4, 700), QPW_DIR_INBOUND, "SYN cookie, after data");
}

Test(sockets, bound_to_a_device)
{
    int listener = traffic_bound(&here, SOCK_STREAM, "0.0.0.0", 2049);
    int in = traffic_bound(&there, SOCK_STREAM, FAR4, 700), node;

    cr_assert_eq(setsockopt(listener, SOL_SOCKET, SO_BINDTODEVICE, "node0", 6), 0);
    cr_assert_eq(listen(listener, 4), 0);
    connected(in, NODE4, 2049);
    node = accept(listener, NULL, NULL);
    cr_assert(node >= 0);
    assert_direction(tuple(IPPROTO_TCP, NODE4, 2049, FAR4, 700), QPW_DIR_INBOUND, "bound to a device");
}

Test(sockets, nothing_known_of_listeners_and_strangers)
{
    struct wanted none = {0};
    int listener = listening(&here, NODE4, 2049), loop = listening(&here, "127.0.0.1", 1000), out;

    assert_direction(tuple(IPPROTO_TCP, NODE4, 2049, FAR4, 700), QPW_DIR_UNKNOWN, "only a listener");
    assert_direction(tuple(IPPROTO_TCP, NODE4, 999, FAR4, 700), QPW_DIR_UNKNOWN, "nothing at all");
    cr_assert_eq(direction_of(tuple(IPPROTO_UDP, NODE4, 2049, FAR4, 700)), QPW_DIR_UNKNOWN);
    out = traffic_bound(&here, SOCK_STREAM, "127.0.0.1", 0);
    connected(out, "127.0.0.1", 1000);
    cr_assert_eq(qpw_sockets_dump_tcp(sockets, on_socket, &none, NULL, &err), 0);
    cr_assert_eq(none.all, 0, "over loopback, and listeners");
    cr_assert(listener >= 0 && loop >= 0);
}

Test(sockets, many_at_once)
{
    enum { MANY = 200 };
    int listener = listening(&here, NODE4, 2049), in[MANY], node[MANY];
    struct wanted wanted = {.key = tuple(IPPROTO_TCP, NODE4, 2049, FAR4, 10100)};
    size_t unknown = 99;

    for (int i = 0; i < MANY; i++) {
        in[i] = traffic_bound(&there, SOCK_STREAM, FAR4, 10000 + i);
        connected(in[i], NODE4, 2049);
        node[i] = accept(listener, NULL, NULL);
        cr_assert(node[i] >= 0);
    }
    cr_assert_eq(qpw_sockets_dump_tcp(sockets, on_socket, &wanted, &unknown, &err), 0);
    cr_assert_eq(wanted.all, MANY);
    cr_assert_eq(wanted.times, 1);
    cr_assert_eq(wanted.direction, QPW_DIR_INBOUND);
    cr_assert_eq(unknown, 0);
}

/* ---- Processes ---- */

static struct qpw_process process_of(struct qpw_conn_key key, enum qpw_direction direction)
{
    struct qpw_process process = {.match = QPW_MATCH_COUNT};

    cr_assert_eq(qpw_sockets_process(sockets, &key, direction, &process), 0);
    return process;
}

static void assert_match(struct qpw_conn_key key, enum qpw_direction direction, enum qpw_match match, int pid)
{
    struct qpw_process p = process_of(key, direction);

    cr_expect_eq(p.match, match, "%s instead of %s", qpw_match_name(p.match), qpw_match_name(match));
    cr_expect_eq(p.pid, pid, "pid %d instead of %d", p.pid, pid);
}

Test(sockets, process_of_a_connection_and_of_a_listener)
{
    int listener = listening(&here, "::", 4444), in = traffic_bound(&there, SOCK_STREAM, FAR4, 700), node;
    struct qpw_conn_key key = tuple(IPPROTO_TCP, NODE4, 4444, FAR4, 700);
    struct qpw_process p;

    assert_match(key, QPW_DIR_INBOUND, QPW_MATCH_LISTENER, getpid());
    connected(in, NODE4, 4444);
    assert_match(key, QPW_DIR_INBOUND, QPW_MATCH_LISTENER, getpid()); /* not accepted yet: it has no file */
    node = accept(listener, NULL, NULL);
    /* If reading /proc takes long, the listener just found stands for the connection it accepted: start over. */
    qpw_sockets_close(sockets);
    cr_assert_eq(qpw_sockets_open(&sockets, &err), 0);
    p = process_of(key, QPW_DIR_INBOUND);
    cr_assert_eq(p.match, QPW_MATCH_EXACT);
    cr_assert_eq(p.pid, getpid());
    cr_assert_eq(p.uid, 0);
    cr_assert_str_eq(p.user, "root");
    cr_assert_str_not_empty(p.name);
    cr_assert_not_null(strstr(p.exe, "test_sockets"), "%s", p.exe);
    close(listener);
    close(node);
    close(in);
    assert_match(key, QPW_DIR_INBOUND, QPW_MATCH_GONE, 0);
}

Test(sockets, process_with_control_characters_in_its_name)
{
    char before[16];
    int listener = listening(&here, "::", 4444);
    struct qpw_conn_key key = tuple(IPPROTO_TCP, NODE4, 4444, FAR4, 700);
    struct qpw_process p;

    cr_assert_eq(prctl(PR_GET_NAME, before), 0);
    cr_assert_eq(prctl(PR_SET_NAME, "\033[2Jx\a\r"), 0);
    p = process_of(key, QPW_DIR_INBOUND);
    cr_assert_eq(prctl(PR_SET_NAME, before), 0);
    cr_assert_eq(p.pid, getpid());
    cr_assert_str_eq(p.name, "?[2Jx??");
    close(listener);
}

/* Send the descriptor over the socket pair, so that no process holds it until it is received. */
static void send_away(int fd, int pair[2])
{
    char control[CMSG_SPACE(sizeof(fd))] = {0}, text = 'x';
    struct iovec part = {&text, 1};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);

    *head = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(fd))};
    memcpy(CMSG_DATA(head), &fd, sizeof(fd));
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    cr_assert_eq(sendmsg(pair[0], &message, 0), 1);
    close(fd);
}

/* As between accept(2) and its descriptor, or between listing /proc and a close. */
Test(sockets, process_of_a_connection_that_nobody_holds_is_that_of_its_listener)
{
    int listener = listening(&here, NODE4, 4446), in = traffic_bound(&there, SOCK_STREAM, FAR4, 701), pair[2];
    struct qpw_conn_key key = tuple(IPPROTO_TCP, NODE4, 4446, FAR4, 701);

    connected(in, NODE4, 4446);
    send_away(accept(listener, NULL, NULL), pair);
    assert_match(key, QPW_DIR_INBOUND, QPW_MATCH_LISTENER, getpid());
}

Test(sockets, process_of_an_outgoing_connection_is_never_a_listener_on_its_port)
{
    int far_listener = listening(&there, FAR6, 636), node_listener = listening(&here, NODE6, 446);
    int out = traffic_bound(&here, SOCK_STREAM, NODE6, 445);

    connected(out, FAR6, 636);
    assert_match(tuple(IPPROTO_TCP, NODE6, 445, FAR6, 636), QPW_DIR_OUTBOUND, QPW_MATCH_EXACT, getpid());
    assert_match(tuple(IPPROTO_TCP, NODE6, 446, FAR6, 636), QPW_DIR_OUTBOUND, QPW_MATCH_GONE, 0);
    assert_match(tuple(IPPROTO_TCP, NODE6, 446, FAR6, 636), QPW_DIR_INBOUND, QPW_MATCH_LISTENER, getpid());
    cr_assert(far_listener >= 0 && node_listener >= 0);
}

Test(sockets, process_of_datagrams)
{
    int server = traffic_bound(&here, SOCK_DGRAM, "0.0.0.0", 514);
    int client = traffic_bound(&here, SOCK_DGRAM, NODE4, 5353);
    int dual = traffic_bound(&here, SOCK_DGRAM, "::", 123);

    assert_match(tuple(IPPROTO_UDP, NODE4, 514, FAR4, 40000), QPW_DIR_INBOUND, QPW_MATCH_LISTENER, getpid());
    assert_match(tuple(IPPROTO_UDP, NODE4, 123, FAR4, 123), QPW_DIR_INBOUND, QPW_MATCH_LISTENER, getpid());
    assert_match(tuple(IPPROTO_UDP, NODE6, 123, FAR6, 123), QPW_DIR_INBOUND, QPW_MATCH_LISTENER, getpid());
    assert_match(tuple(IPPROTO_UDP, NODE4, 5353, FAR4, 53), QPW_DIR_OUTBOUND, QPW_MATCH_LISTENER, getpid());
    connected(client, FAR4, 53);
    assert_match(tuple(IPPROTO_UDP, NODE4, 5353, FAR4, 53), QPW_DIR_OUTBOUND, QPW_MATCH_EXACT, getpid());
    assert_match(tuple(IPPROTO_UDP, NODE4, 5353, FAR4, 54), QPW_DIR_OUTBOUND, QPW_MATCH_GONE, 0);
    assert_match(tuple(IPPROTO_ICMP, NODE4, 0, FAR4, 0), QPW_DIR_INBOUND, QPW_MATCH_NONE, 0);
    cr_assert(server >= 0 && dual >= 0);
}

static int holder_ready[2];

/* Listen as another process with another name. */
static int hold(void *argument)
{
    int fd = listening(&here, NODE4, 4445);

    cr_assert_eq(write(holder_ready[1], "x", 1), 1);
    pause();
    return fd < 0;
}

Test(sockets, process_that_ends)
{
    struct qpw_conn_key key = tuple(IPPROTO_TCP, NODE4, 4445, FAR4, 700);
    char text;
    pid_t pid;

    cr_assert_eq(pipe(holder_ready), 0);
    pid = netns_fork(&here, hold, NULL);
    cr_assert_eq(read(holder_ready[0], &text, 1), 1);
    assert_match(key, QPW_DIR_INBOUND, QPW_MATCH_LISTENER, pid);
    netns_stop(pid, 9);
    assert_match(key, QPW_DIR_INBOUND, QPW_MATCH_GONE, 0);
}

Test(sockets, kernel_owned_socket)
{
    /* A VXLAN device opens its UDP port within the kernel. */
    if (netns_output(&here, NULL, 0, "ip link add vx0 type vxlan id 7 dstport 4789 dev node0 && ip link set vx0 up"))
        cr_skip_test("this kernel has no vxlan, of whose socket no process knows");
    /* If some process cannot be inspected, it might own the socket. */
    assert_match(tuple(IPPROTO_UDP, NODE4, 4789, FAR4, 40000), QPW_DIR_INBOUND,
                 qpw_proc_is_whole() ? QPW_MATCH_KERNEL : QPW_MATCH_NONE, 0);
}

Test(sockets, tuple_of_a_finding)
{
    struct qpw_finding_key key = {.port = 4444, .kind = QPW_KIND_PORT, .protocol = IPPROTO_TCP,
                                  .direction = QPW_DIR_INBOUND};
    struct qpw_finding value = {.initiator_port = 700};
    struct qpw_conn_key expected, got;

    qpw_address_parse(FAR4, key.initiator);
    qpw_address_parse(NODE4, key.responder);
    qpw_finding_tuple(&key, &value, &got);
    expected = tuple(IPPROTO_TCP, NODE4, 4444, FAR4, 700);
    cr_assert_arr_eq(&got, &expected, sizeof(got));
    key.direction = QPW_DIR_OUTBOUND;
    qpw_finding_tuple(&key, &value, &got);
    expected = tuple(IPPROTO_TCP, FAR4, 700, NODE4, 4444);
    cr_assert_arr_eq(&got, &expected, sizeof(got));
}
