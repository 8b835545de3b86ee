/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sockets shared by several processes, or with no known owner: each owner with its true certainty. */
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "auditor.h"
#include "traffic.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262 /* linux/in.h since 5.6 */
#endif

static struct node n;

static void setup(void)
{
    netns_need_root();
    node_open(&n);
}

static void teardown(void)
{
    node_close(&n);
}

TestSuite(owners_kinds, .init = setup, .fini = teardown, .timeout = NETNS_TIMEOUT_S);

/* ---- Servers on the node: each writes "x" to `ready` once its connection is in its final process ---- */

#define PORT 445

static int ready[2], go[2];

static void tell_and_wait(void)
{
    char c;

    if (write(ready[1], "x", 1) != 1 || read(go[0], &c, 1) < 0)
        _exit(9);
}

static int listener_of(int type, int protocol, int reuse)
{
    struct sockaddr_storage to;
    socklen_t size = traffic_endpoint("10.7.0.1", PORT, &to);
    int fd = socket(AF_INET, type, protocol), on = 1;

    if (fd < 0 || (reuse && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) < 0) ||
        bind(fd, (struct sockaddr *)&to, size) < 0 || listen(fd, 8) < 0)
        _exit(8);
    return fd;
}

static int accept_and_answer(int listener)
{
    int fd = accept(listener, NULL, NULL);
    char c;

    if (fd < 0 || read(fd, &c, 1) != 1 || write(fd, "y", 1) != 1)
        _exit(7);
    return fd;
}

/* Fork as a server does: the parent listens, the child owns the connection. */
static int serve_forked(void *argument)
{
    int listener, fd;

    prctl(PR_SET_NAME, "fork-parent");
    listener = listener_of(SOCK_STREAM, 0, 0);
    fd = accept_and_answer(listener);
    if (fork() == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        prctl(PR_SET_NAME, "fork-child");
        close(listener);
        tell_and_wait();
        _exit(0);
    }
    close(fd);
    wait(NULL);
    return 0;
}

/* Serve by socket activation: the creator of the listener passes it on and keeps it, too; the service serves. */
static int serve_activated(void *argument)
{
    int listener;

    prctl(PR_SET_NAME, "activator");
    listener = listener_of(SOCK_STREAM, 0, 0);
    if (fork() == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        prctl(PR_SET_NAME, "activated");
        accept_and_answer(listener);
        tell_and_wait();
        _exit(0);
    }
    wait(NULL);
    return 0;
}

/* Send the descriptor over a Unix socket and close it here. */
static int serve_passed(void *argument)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {0};
    struct iovec one = {.iov_base = (char[1]){0}, .iov_len = 1};
    struct msghdr message = {.msg_iov = &one, .msg_iovlen = 1, .msg_control = control.bytes,
                             .msg_controllen = sizeof(control.bytes)};
    int pair[2], fd;

    if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) < 0)
        return 6;
    if (fork() == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        prctl(PR_SET_NAME, "given-to");
        if (recvmsg(pair[1], &message, 0) != 1)
            _exit(5);
        tell_and_wait();
        _exit(0);
    }
    prctl(PR_SET_NAME, "given-from");
    fd = accept_and_answer(listener_of(SOCK_STREAM, 0, 0));
    CMSG_FIRSTHDR(&message)->cmsg_level = SOL_SOCKET;
    CMSG_FIRSTHDR(&message)->cmsg_type = SCM_RIGHTS;
    CMSG_FIRSTHDR(&message)->cmsg_len = CMSG_LEN(sizeof(fd));
    memcpy(CMSG_DATA(CMSG_FIRSTHDR(&message)), &fd, sizeof(fd));
    if (sendmsg(pair[0], &message, 0) != 1)
        return 4;
    close(fd);
    wait(NULL);
    return 0;
}

/* Listen on one port in two processes; the one that gets the connection sends its name first. */
static int serve_reused(void *argument)
{
    int fd;

    prctl(PR_SET_NAME, (const char *)argument);
    fd = listener_of(SOCK_STREAM, 0, 1);
    if (write(go[1], "r", 1) != 1) /* both listen before the client asks */
        return 3;
    fd = accept(fd, NULL, NULL);
    if (fd < 0 || write(fd, argument, strlen(argument)) < 0)
        return 2;
    if (write(ready[1], "x", 1) != 1)
        return 1;
    pause();
    return 0;
}

static int serve_mptcp(void *argument)
{
    prctl(PR_SET_NAME, "multipath");
    accept_and_answer(listener_of(SOCK_STREAM, IPPROTO_MPTCP, 0));
    tell_and_wait();
    return 0;
}

/* ---- The client, and the output of `connections` ---- */

static int ask(void *argument)
{
    struct sockaddr_storage to;
    socklen_t size = traffic_endpoint("10.7.0.1", PORT, &to);
    int fd = socket(AF_INET, SOCK_STREAM, *(int *)argument);
    char c;

    if (fd < 0 || connect(fd, (struct sockaddr *)&to, size) < 0 || write(fd, "x", 1) != 1 || read(fd, &c, 1) != 1)
        return 1;
    pause();
    return 0;
}

/* Get a field of the owner of the only connection on the port, or owner_reason. */
static void owner_of(const char *field, char *ret, size_t size)
{
    static char out[1 << 16];
    const char *text = NULL;
    json_t *document, *rows, *row;
    size_t i;

    *ret = '\0';
    cr_assert_eq(node_command(&n, out, sizeof(out), "connections --json"), 0, "%s", out);
    document = json_loads(out, 0, NULL);
    cr_assert(document, "%s", out);
    rows = json_object_get(document, "connections");
    json_array_foreach(rows, i, row) {
        if (json_integer_value(json_object_get(row, "responder_port")) != PORT)
            continue;
        text = json_string_value(!strcmp(field, "owner_reason") ? json_object_get(row, field)
                                                                : json_object_get(json_object_get(row, "owner"), field));
        snprintf(ret, size, "%s", text ? text : "");
    }
    json_decref(document);
}

struct expected {
    const char *process, *match;
};

static bool is_owner(void *argument)
{
    const struct expected *e = argument;
    char process[128], match[128];

    owner_of("process", process, sizeof(process));
    owner_of("match", match, sizeof(match));
    return !strcmp(process, e->process) && !strcmp(match, e->match);
}

/* Query until it holds, because /proc may be read while a descriptor changes hands. */
static void assert_owner(const char *process, const char *match)
{
    char text[128];

    netns_until(is_owner, &(struct expected){process, match}, NETNS_DEADLINE_MS);
    owner_of("process", text, sizeof(text));
    cr_expect_str_eq(text, process, "process: %s", text);
    owner_of("match", text, sizeof(text));
    cr_expect_str_eq(text, match, "match: %s", text);
}

static void begin(void)
{
    cr_assert(pipe(ready) == 0 && pipe(go) == 0);
    node_attach(&n, "node0 --mode xdp");
}

/* Run the server with a client connected to it, and wait for `ready`. Both processes end with the test. */
static void serve(int (*server)(void *argument), int protocol)
{
    char c;

    begin();
    netns_fork(&n.node, server, NULL);
    netns_until_port(&n.node, "tcp", PORT);
    netns_fork(&n.client, ask, &protocol);
    cr_assert_eq(read(ready[0], &c, 1), 1);
}

static bool child_is_gone(void *argument)
{
    char text[128];

    owner_of("match", text, sizeof(text));
    return strcmp(text, "exact") != 0;
}

Test(owners_kinds, a_forked_server_is_its_child_while_it_lives_then_its_listener)
{
    serve(serve_forked, 0);
    assert_owner("fork-child", "exact");
    cr_assert_eq(write(go[1], "x", 1), 1);
    cr_assert(netns_until(child_is_gone, NULL, NETNS_DEADLINE_MS));
    assert_owner("fork-parent", "listener");
}

Test(owners_kinds, socket_activation_is_the_service_while_it_lives_then_who_made_the_listener)
{
    serve(serve_activated, 0);
    assert_owner("activated", "exact");
    cr_assert_eq(write(go[1], "x", 1), 1);
    cr_assert(netns_until(child_is_gone, NULL, NETNS_DEADLINE_MS));
    assert_owner("activator", "listener");
}

Test(owners_kinds, a_descriptor_that_was_passed_on_is_whose_it_is_now)
{
    serve(serve_passed, 0);
    assert_owner("given-to", "exact");
}

Test(owners_kinds, of_two_listeners_on_a_port_the_one_that_was_asked)
{
    static char first[] = "reuse-1", second[] = "reuse-2";
    char c, name[16] = "";
    int protocol = 0;

    begin();
    netns_fork(&n.node, serve_reused, first);
    netns_fork(&n.node, serve_reused, second);
    for (int i = 0; i < 2; i++)
        cr_assert_eq(read(go[0], &c, 1), 1);
    netns_fork(&n.client, ask, &protocol);
    cr_assert_eq(read(ready[0], &c, 1), 1);
    owner_of("process", name, sizeof(name));
    cr_expect(!strcmp(name, first) || !strcmp(name, second), "%s", name);
    assert_owner(name, "exact");
}

/*
 * The subflows of MPTCP are the kernel's own sockets, without a record: only the socket table shows them while they
 * live. User space records a listener that exists at a reading; this one is too short-lived.
 */
Test(owners_kinds, mptcp_is_known_while_it_lives_and_unknown_with_a_reason_then)
{
    char text[128];
    int fd = socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP);

    if (fd < 0)
        cr_skip_test("this kernel has no MPTCP");
    close(fd);
    netns_run(&n.node, "sysctl -qw net.mptcp.enabled=1");
    netns_run(&n.client, "sysctl -qw net.mptcp.enabled=1");
    serve(serve_mptcp, IPPROTO_MPTCP);
    assert_owner("multipath", "exact");
    cr_assert_eq(write(go[1], "x", 1), 1);
    cr_assert(netns_until(child_is_gone, NULL, NETNS_DEADLINE_MS));
    owner_of("process", text, sizeof(text));
    cr_expect_str_eq(text, "", "%s", text);
    owner_of("owner_reason", text, sizeof(text));
    cr_expect_str_eq(text, "MPTCP, whose subflows carry no note", "%s", text);
}
