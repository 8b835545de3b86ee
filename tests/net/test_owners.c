/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The owner of an exchange, recorded when its socket is created: for processes that end before anybody can look. */
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "auditor.h"
#include "evelog.h"
#include "instance/executables.h"
#include "instance/instance.h"
#include "packet.h"
#include "snapshot/conns.h"
#include "traffic.h"

#define LAST(log, ...) evelog_last((log), &(struct evelog_filter){__VA_ARGS__})

/* Every finding has a record of its own, and the time in which datagrams from the node may be answers is short. */
#define ONE_BY_ONE \
    "--udp-timeout 1 " \
    "--alert scan_targets=0 --alert slow_scan_targets=0 --alert flood=0 --alert initiators=0 --alert neighbour=0 " \
    "--alert cap=1000000"
#define EACH 250
#define FIRST_PORT 20000

static struct node n;
static char eve[128];

static void setup(void)
{
    netns_need_root();
    node_open(&n);
    snprintf(eve, sizeof(eve), "%s/eve.json", n.folder);
}

static void teardown(void)
{
    node_close(&n);
}

TestSuite(owners, .init = setup, .fini = teardown, .timeout = NETNS_TIMEOUT_S);

static const struct kind {
    const char *name;
    const char *address;
    int type;
} kinds[] = {
    {"t4", "10.7.0.2", SOCK_STREAM},
    {"t6", "fd07::2", SOCK_STREAM},
    {"u4", "10.7.0.2", SOCK_DGRAM},
    {"u6", "fd07::2", SOCK_DGRAM},
};
#define KINDS (sizeof(kinds) / sizeof(*kinds))

/* Run one process with a name of its own: creates a socket, sends its first packet and ends. */
static void live_shortly(const struct kind *kind, unsigned number)
{
    struct sockaddr_storage to;
    socklen_t size = traffic_endpoint(kind->address, (uint16_t)(FIRST_PORT + number), &to);
    char name[16];
    int fd;

    snprintf(name, sizeof(name), "%s-%u", kind->name, number);
    prctl(PR_SET_NAME, name);
    fd = socket(to.ss_family, kind->type | SOCK_NONBLOCK, 0);
    if (connect(fd, (struct sockaddr *)&to, size) < 0 && errno != EINPROGRESS)
        _exit(1);
    if (kind->type == SOCK_DGRAM && send(fd, "x", 1, 0) != 1)
        _exit(2);
    _exit(0);
}

static int live_shortly_all(void *argument)
{
    int status;

    for (unsigned i = 0; i < EACH * KINDS; i++) {
        pid_t pid = fork();

        if (pid == 0)
            live_shortly(&kinds[i % KINDS], i);
        if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
            return 1;
    }
    return 0;
}

static bool window_is_over(void *argument)
{
    const struct timespec *since = argument;
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec - since->tv_sec >= 3;
}

/*
 * Wait for longer than the UDP timeout since the attachment: from now on, datagrams that the node sends first are its
 * own.
 */
static void await_window(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    cr_assert(netns_until(window_is_over, &now, NETNS_DEADLINE_MS));
}

struct count {
    unsigned named, wrong, missing;
};

/* Count how many of the records on our ports name the process. */
static struct count count_named(void)
{
    struct count c = {0};
    struct evelog log = {0};

    evelog_add(&log, eve);
    for (unsigned i = 0; i < EACH * KINDS; i++) {
        const json_t *record = LAST(&log, .port = FIRST_PORT + i);
        const char *process = record ? evelog_fact(record, "process") : "";
        char name[16];

        snprintf(name, sizeof(name), "%s-%u", kinds[i % KINDS].name, i);
        c.missing += !record;
        c.named += record && !strcmp(process, name);
        c.wrong += record && *process && strcmp(process, name) != 0;
    }
    evelog_clear(&log);
    return c;
}

static bool all_recorded(void *argument)
{
    *(struct count *)argument = count_named();
    return ((struct count *)argument)->missing == 0;
}

Test(owners, processes_that_end_within_a_millisecond_are_named)
{
    struct count c;

    node_attach(&n, "node0 --mode tc --alerts %s " ONE_BY_ONE, eve);
    await_window();
    cr_assert_eq(netns_wait(netns_fork(&n.node, live_shortly_all, NULL), NETNS_DEADLINE_MS), 0);
    netns_until(all_recorded, &c, NETNS_DEADLINE_MS);
    cr_expect_eq(c.missing, 0, "%u have no record", c.missing);
    cr_expect_eq(c.wrong, 0, "%u name another process", c.wrong);
    cr_expect_eq(c.named, EACH * KINDS, "%u of %u named", c.named, (unsigned)(EACH * KINDS));
    node_stop(&n, SIGINT);
    node_nothing_left(&n);
}

/* Serve one client, then end: the owner comes from the SYN+ACK. */
static int serve_one(void *argument)
{
    int listener, fd;

    prctl(PR_SET_NAME, "one-shot"); /* the name is recorded by socket(2) */
    listener = traffic_bound(&n.node, SOCK_STREAM, "10.7.0.1", 4444);
    listen(listener, 1);
    fd = accept(listener, NULL, NULL);
    return fd < 0 || write(fd, "hello\n", 6) != 6;
}

static int ask_one(void *argument)
{
    struct sockaddr_storage to;
    socklen_t size = traffic_endpoint("10.7.0.1", 4444, &to);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    char buf[16];

    return connect(fd, (struct sockaddr *)&to, size) < 0 || read(fd, buf, sizeof(buf)) != 6;
}

Test(owners, a_listener_that_has_ended_is_named_by_its_answer)
{
    pid_t server;

    node_attach(&n, "node0 --mode xdp --alerts %s " ONE_BY_ONE, eve);
    server = netns_fork(&n.node, serve_one, NULL);
    netns_until_port(&n.node, "tcp", 4444);
    cr_assert_eq(netns_call(&n.client, ask_one, NULL), 0);
    cr_assert_eq(netns_wait(server, NETNS_DEADLINE_MS), 0);
    EVELOG_UNTIL(eve, .name = "inbound-data", .port = 4444);
    struct evelog log = {0};
    evelog_add(&log, eve);
    cr_assert_str_eq(evelog_fact(LAST(&log, .port = 4444), "process"), "one-shot");
    evelog_clear(&log);
    node_stop(&n, SIGINT);
    node_nothing_left(&n);
}

/* Create sockets without end: they must not displace the records of others. */
static int make_many_sockets(void *argument)
{
    for (unsigned i = 0; i < 300000; i++) {
        int fd = socket(AF_INET, SOCK_DGRAM, 0);

        if (fd < 0)
            return 1;
        close(fd);
    }
    return 0;
}

/* Open a socket, wait for a signal, then send and end at once. */
static int wait_then_send(void *argument)
{
    struct sockaddr_storage to;
    socklen_t size = traffic_endpoint("10.7.0.2", 7777, &to);
    int fd = socket(AF_INET, SOCK_DGRAM, 0), *pipe_fd = argument;
    char c;

    prctl(PR_SET_NAME, "patient");
    close(fd);
    fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (read(*pipe_fd, &c, 1) != 1)
        return 1;
    return sendto(fd, "x", 1, 0, (struct sockaddr *)&to, size) != 1;
}

Test(owners, making_sockets_without_end_hides_nobody)
{
    int ends[2];
    pid_t patient;

    node_attach(&n, "node0 --mode tc --alerts %s " ONE_BY_ONE, eve);
    await_window();
    cr_assert_eq(pipe(ends), 0);
    patient = netns_fork(&n.node, wait_then_send, &ends[0]);
    cr_assert_eq(netns_wait(netns_fork(&n.node, make_many_sockets, NULL), NETNS_DEADLINE_MS), 0);
    cr_assert_eq(write(ends[1], "x", 1), 1);
    cr_assert_eq(netns_wait(patient, NETNS_DEADLINE_MS), 0);
    EVELOG_UNTIL(eve, .port = 7777);
    struct evelog log = {0};
    evelog_add(&log, eve);
    cr_assert_str_eq(evelog_fact(LAST(&log, .port = 7777), "process"), "patient");
    evelog_clear(&log);
    node_stop(&n, SIGINT);
    node_nothing_left(&n);
}

/* ---- The owner of a connection ---- */

/* The connection with that port of the other end, and its owner's number. */
struct wanted {
    uint16_t port;
    uint32_t number;
    unsigned n;
};

static void take_connection(const struct qpw_conn_key *key, const struct qpw_conn *conn, void *data)
{
    struct wanted *w = data;

    if (key->remote_port != w->port && key->local_port != w->port)
        return;
    w->number = conn->owner;
    w->n++;
}

struct search {
    const struct qpw_kernel *kernel;
    struct wanted *wanted;
};

/* Return whether it is found once: while one ends it moves between tables, and a walk may meet it in neither or in both. */
static bool is_found_once(void *argument)
{
    static const enum qpw_conn_class classes[] = {QPW_CLASS_HALF, QPW_CLASS_OUT, QPW_CLASS_EST, QPW_CLASS_DGRAM};
    const struct search *search = argument;

    search->wanted->n = 0;
    for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++)
        cr_assert_eq(qpw_conns_walk(search->kernel, classes[i], take_connection, search->wanted), 0);
    return search->wanted->n == 1;
}

static void assert_connection_owner(uint16_t port, const char *name, enum qpw_owner_how how, const char *exe)
{
    struct wanted w = {.port = port};
    struct qpw_owner owner = {0};
    struct qpw_error err;
    struct qpw_kernel k;
    char path[256] = "";

    netns_enter(&n.node);
    cr_assert_eq(qpw_instance_find(&k, &err), 0, "%s", err.text);
    cr_expect(netns_until(is_found_once, &(struct search){&k, &w}, NETNS_DEADLINE_MS));
    cr_expect_eq(w.n, 1, "%u connections on port %u", w.n, port);
    cr_expect_eq(qpw_conn_owner(&k, w.number, &owner), 0, "port %u: number %u names nobody", port, w.number);
    cr_expect_str_eq(owner.comm, name, "port %u is %s's", port, owner.comm);
    cr_expect_eq(owner.how, how, "port %u: %u", port, owner.how);
    cr_expect(qpw_executable_path(&k, owner.exe, path, sizeof(path)), "port %u: no executable", port);
    cr_expect_str_eq(path, exe, "port %u: %s", port, path);
    qpw_kernel_close(&k);
}

/* Ask on allowed ports, for which there are no findings. */
static int ask_allowed(void *argument)
{
    struct sockaddr_storage to;
    socklen_t size = traffic_endpoint("10.7.0.2", 389, &to);
    int fd;

    prctl(PR_SET_NAME, "ldap-client");
    fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    (void)connect(fd, (struct sockaddr *)&to, size);
    prctl(PR_SET_NAME, "ntp-client");
    fd = socket(AF_INET, SOCK_DGRAM, 0);
    size = traffic_endpoint("10.7.0.2", 123, &to);
    return sendto(fd, "x", 1, 0, (struct sockaddr *)&to, size) != 1;
}

static int serve_allowed(void *argument)
{
    int listener, fd;

    prctl(PR_SET_NAME, "smb-server");
    listener = traffic_bound(&n.node, SOCK_STREAM, "10.7.0.1", 445);
    listen(listener, 1);
    fd = accept(listener, NULL, NULL);
    return fd < 0 || write(fd, "hello\n", 6) != 6;
}

static int ask_smb(void *argument)
{
    struct sockaddr_storage to;
    socklen_t size = traffic_endpoint("10.7.0.1", 445, &to);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    char buf[16];

    return connect(fd, (struct sockaddr *)&to, size) < 0 || read(fd, buf, sizeof(buf)) != 6;
}

Test(owners, a_connection_that_is_no_finding_carries_its_owner)
{
    char *bash[] = {"/bin/bash", "-c", "exec 3<>/dev/udp/10.7.0.2/88; echo x >&3", NULL};
    char self[256] = "";
    pid_t server;

    cr_assert_gt(readlink("/proc/self/exe", self, sizeof(self) - 1), 0);
    node_attach(&n, "node0 --mode xdp");
    server = netns_fork(&n.node, serve_allowed, NULL);
    netns_until_port(&n.node, "tcp", 445);
    cr_assert_eq(netns_call(&n.client, ask_smb, NULL), 0);
    cr_assert_eq(netns_wait(server, NETNS_DEADLINE_MS), 0);
    cr_assert_eq(netns_wait(netns_fork(&n.node, ask_allowed, NULL), NETNS_DEADLINE_MS), 0);
    cr_assert_eq(netns_wait(netns_start(&n.node, NULL, bash), NETNS_DEADLINE_MS), 0);
    assert_connection_owner(445, "smb-server", QPW_OWNER_LISTENER, self); /* from its parent, older than the audit */
    assert_connection_owner(389, "ldap-client", QPW_OWNER_CONNECTED, self);
    assert_connection_owner(123, "ntp-client", QPW_OWNER_CREATED, self);
    assert_connection_owner(88, "bash", QPW_OWNER_CONNECTED, "/bin/bash");
    node_stop(&n, SIGINT);
    node_nothing_left(&n);
}

/* ---- Sockets older than the audit ---- */

/* Wait for a signal over `go`, use the socket once more and end at once. */
struct old {
    const char *name;
    int go[2];
    int (*use)(const struct old *o); /* called after the socket exists and `ready` was written */
    int ready[2];
};

static void await_told(const struct old *o)
{
    char c;

    cr_assert_eq(write(o->ready[1], "x", 1), 1);
    cr_assert_eq(read(o->go[0], &c, 1), 1);
}

static int old_client(const struct old *o)
{
    struct sockaddr_storage to;
    socklen_t size = traffic_endpoint("10.7.0.2", 3601, &to);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (connect(fd, (struct sockaddr *)&to, size) < 0)
        return 1;
    await_told(o);
    return write(fd, "x", 1) != 1;
}

static int old_server(const struct old *o)
{
    int listener = traffic_bound(&n.node, SOCK_STREAM, "10.7.0.1", 3602), fd;

    listen(listener, 1);
    await_told(o);
    fd = accept(listener, NULL, NULL);
    return fd < 0 || write(fd, "hello\n", 6) != 6;
}

static int old_sender(const struct old *o)
{
    struct sockaddr_storage to;
    socklen_t size = traffic_endpoint("10.7.0.2", 3603, &to);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    if (bind(fd, (struct sockaddr *)&(struct sockaddr_in){.sin_family = AF_INET}, sizeof(struct sockaddr_in)) < 0)
        return 1; /* only bound sockets are in the socket table */
    await_told(o);
    return sendto(fd, "x", 1, 0, (struct sockaddr *)&to, size) != 1;
}

static int be_old(void *argument)
{
    const struct old *o = argument;

    prctl(PR_SET_NAME, o->name);
    return o->use(o);
}

static int ask_old_server(void *argument)
{
    struct sockaddr_storage to;
    socklen_t size = traffic_endpoint("10.7.0.1", 3602, &to);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    char buf[16];

    return connect(fd, (struct sockaddr *)&to, size) < 0 || read(fd, buf, sizeof(buf)) != 6;
}

Test(owners, sockets_older_than_the_audit_have_their_owner_with_the_first_packet)
{
    struct old all[] = {{.name = "old-client", .use = old_client}, {.name = "old-server", .use = old_server},
                        {.name = "old-sender", .use = old_sender}};
    char c, self[256] = "";
    pid_t pids[3];

    cr_assert_gt(readlink("/proc/self/exe", self, sizeof(self) - 1), 0);
    netns_until_port(&n.client, "tcp", (traffic_serve_tcp(&n.client, "10.7.0.2", 3601), 3601));
    for (size_t i = 0; i < 3; i++) {
        cr_assert(pipe(all[i].go) == 0 && pipe(all[i].ready) == 0);
        pids[i] = netns_fork(&n.node, be_old, &all[i]);
        cr_assert_eq(read(all[i].ready[0], &c, 1), 1);
    }
    node_attach(&n, "node0 --mode xdp");
    for (size_t i = 0; i < 3; i++)
        cr_assert_eq(write(all[i].go[1], "x", 1), 1);
    cr_assert_eq(netns_call(&n.client, ask_old_server, NULL), 0);
    for (size_t i = 0; i < 3; i++)
        cr_assert_eq(netns_wait(pids[i], NETNS_DEADLINE_MS), 0, "%s", all[i].name);
    assert_connection_owner(3601, "old-client", QPW_OWNER_HELD, self);
    assert_connection_owner(3602, "old-server", QPW_OWNER_LISTENER, self);
    assert_connection_owner(3603, "old-sender", QPW_OWNER_HELD, self);
    node_stop(&n, SIGINT);
    node_nothing_left(&n);
}

/* With SYN cookies there is no socket behind the SYN+ACK. */
Test(owners, a_listener_is_named_by_its_syn_cookie)
{
    char self[256] = "";
    pid_t server;

    cr_assert_gt(readlink("/proc/self/exe", self, sizeof(self) - 1), 0);
    netns_run(&n.node, "sysctl -qw net.ipv4.tcp_syncookies=2"); /* always */
    node_attach(&n, "node0 --mode xdp");
    server = netns_fork(&n.node, serve_allowed, NULL);
    netns_until_port(&n.node, "tcp", 445);
    cr_assert_eq(netns_call(&n.client, ask_smb, NULL), 0);
    cr_assert_eq(netns_wait(server, NETNS_DEADLINE_MS), 0);
    assert_connection_owner(445, "smb-server", QPW_OWNER_LISTENER, self);
    node_stop(&n, SIGINT);
    node_nothing_left(&n);
}

/* Send a timestamp request larger than any host sends, from a raw ICMP socket. */
static int send_icmp(void *argument)
{
    static const unsigned char icmp[608] = {13};
    struct sockaddr_storage to;
    socklen_t size = traffic_endpoint("10.7.0.2", 0, &to);
    int fd;

    prctl(PR_SET_NAME, "one-shot");
    fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
    return sendto(fd, icmp, sizeof(icmp), 0, (struct sockaddr *)&to, size) != sizeof(icmp);
}

/* An exchange without ports has an owner as well, although its process has ended before anybody could look. */
Test(owners, who_sends_icmp_by_hand_is_named)
{
    node_attach(&n, "node0 --mode tc --alerts %s " ONE_BY_ONE, eve);
    cr_assert_eq(netns_wait(netns_fork(&n.node, send_icmp, NULL), NETNS_DEADLINE_MS), 0);
    EVELOG_UNTIL(eve, .name = "protocol");
    struct evelog log = {0};
    evelog_add(&log, eve);
    cr_expect_str_eq(evelog_fact(LAST(&log, .name = "protocol"), "process"), "one-shot");
    cr_expect_str_eq(evelog_fact(LAST(&log, .name = "protocol"), "rule"), "infra-icmp");
    evelog_clear(&log);
    node_stop(&n, SIGINT);
    node_nothing_left(&n);
}

/* Send a frame from a packet socket: it has no owner that could be known. */
static int send_raw(void *argument)
{
    static struct packet p;

    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){0});
    packet_ipv4(&p, &(struct packet_ipv4){.source = "10.7.0.1", .destination = "10.7.0.2"});
    packet_udp(&p, &(struct packet_udp){.source = 5555, .destination = 7779, .payload_bytes = 3});
    packet_finish(&p);
    netns_send(&n.node, "node0", p.data, p.length);
    return 0;
}

Test(owners, a_packet_socket_is_said_and_nobody_blamed)
{
    node_attach(&n, "node0 --mode tc --alerts %s " ONE_BY_ONE, eve);
    await_window();
    cr_assert_eq(send_raw(NULL), 0);
    EVELOG_UNTIL(eve, .port = 7779);
    struct evelog log = {0};
    evelog_add(&log, eve);
    cr_assert_str_eq(evelog_fact(LAST(&log, .port = 7779), "process"), "");
    cr_assert_str_eq(evelog_fact(LAST(&log, .port = 7779), "process_match"), "unknown");
    cr_assert_str_eq(evelog_fact(LAST(&log, .port = 7779), "process_reason"), "sent through a packet socket");
    evelog_clear(&log);
    node_stop(&n, SIGINT);
    node_nothing_left(&n);
}
