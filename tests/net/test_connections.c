/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* `qportwatch connections` with exchanges of real processes: direction, verdict, rule, owner, bytes, and the filter. */
#include <criterion/criterion.h>
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "auditor.h"
#include "traffic.h"

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

TestSuite(connections, .init = setup, .fini = teardown, .timeout = NETNS_TIMEOUT_S);

static json_t *ask(const char *filter)
{
    static char out[1 << 17];
    json_error_t error;
    int status = node_command(&n, out, sizeof(out), "connections --json %s", filter);
    json_t *document = json_loads(out, 0, &error);

    cr_assert_eq(status, 0, "exit %d: %s", status, out);
    cr_assert(document, "%s: %s", error.text, out);
    cr_expect_str_eq(json_string_value(json_object_get(document, "schema")), "qportwatch.connections/1");
    return document;
}

static size_t count(const char *filter)
{
    json_t *document = ask(filter);
    size_t found = json_array_size(json_object_get(document, "connections"));

    json_decref(document);
    return found;
}

/* Return the only row of a port, borrowed. */
static json_t *row(json_t *document, int port)
{
    json_t *one, *found = NULL, *rows = json_object_get(document, "connections");
    size_t i;

    json_array_foreach(rows, i, one)
        if (json_integer_value(json_object_get(one, "port")) == port) {
            cr_assert(!found, "two rows of port %d", port);
            found = one;
        }
    cr_assert(found, "no row of port %d", port);
    return found;
}

/* The members of a row, as in the manual. */
static const char *const members[] = {
    "protocol", "initiator", "initiator_port", "responder", "responder_port", "direction", "scope", "evidence", "verdict",
    "rule", "reason", "outcome", "vlan", "port", "peer", "interface", "first", "last", "owner", "owner_reason", "bytes", "speaks",
    NULL};

static void expect_text(json_t *object, const char *key, const char *value)
{
    const char *text = json_string_value(json_object_get(object, key));

    cr_expect(text && !strcmp(text, value), "%s is %s, not %s", key, text ? text : "no text", value);
}

/* Send to a port of the other end where nobody listens, and exit. */
static int send_and_end(void *argument)
{
    struct sockaddr_storage to;
    socklen_t size = traffic_endpoint("10.7.0.2", 123, &to);
    int fd;

    prctl(PR_SET_NAME, "ntp-client");
    fd = socket(AF_INET, SOCK_DGRAM, 0);
    return sendto(fd, "x", 1, 0, (struct sockaddr *)&to, size) != 1;
}

/*
 * Open a connection of the client to one port of the node, 100 bytes of requests, 300 of answers; both ends stay open.
 */
static int talk(uint16_t port)
{
    struct sockaddr_storage to;
    socklen_t size = traffic_endpoint("10.7.0.1", port, &to);
    int listener = traffic_bound(&n.node, SOCK_STREAM, "10.7.0.1", port), fd, server;
    static char text[300];

    cr_assert_eq(listen(listener, 1), 0);
    netns_enter(&n.client);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(connect(fd, (struct sockaddr *)&to, size), 0, "%s", strerror(errno));
    server = accept(listener, NULL, NULL);
    cr_assert_eq(write(fd, text, 100), 100);
    cr_assert_eq(recv(server, text, 100, MSG_WAITALL), 100);
    cr_assert_eq(write(server, text, 300), 300);
    cr_assert_eq(recv(fd, text, 300, MSG_WAITALL), 300);
    return server;
}

Test(connections, each_has_its_owner_and_the_policys_word)
{
    json_t *document, *one, *owner;
    static char out[1 << 16];

    node_attach(&n, "node0 --mode tc");
    talk(445);
    talk(4444);
    cr_assert_eq(netns_wait(netns_fork(&n.node, send_and_end, NULL), NETNS_DEADLINE_MS), 0);

    document = ask("");
    one = row(document, 445);
    expect_text(one, "protocol", "tcp");
    expect_text(one, "initiator", "10.7.0.2");
    expect_text(one, "responder", "10.7.0.1");
    expect_text(one, "direction", "inbound");
    expect_text(one, "evidence", "handshake");
    expect_text(one, "verdict", "allowed");
    expect_text(one, "rule", "in-tcp-445");
    expect_text(one, "outcome", "data");
    expect_text(one, "interface", "node0");
    cr_expect_eq(json_integer_value(json_object_get(json_object_get(one, "bytes"), "sent")), 300);
    cr_expect_eq(json_integer_value(json_object_get(json_object_get(one, "bytes"), "received")), 100);
    owner = json_object_get(one, "owner");
    expect_text(owner, "match", "exact");
    cr_expect_eq(json_integer_value(json_object_get(owner, "pid")), getpid());

    one = row(document, 4444);
    expect_text(one, "verdict", "unexpected");
    cr_expect(json_is_null(json_object_get(one, "rule")));
    cr_expect_eq(json_array_get(json_object_get(document, "connections"), 0), one, "what is unexpected comes first");

    for (const char *const *name = members; *name; name++)
        cr_expect(json_object_get(one, *name), "no member %s", *name);
    cr_expect_eq(json_object_size(one), sizeof(members) / sizeof(*members) - 1);

    one = row(document, 123);
    expect_text(one, "protocol", "udp");
    expect_text(json_object_get(one, "owner"), "process", "ntp-client");
    expect_text(json_object_get(one, "owner"), "match", "created");
    cr_expect(json_is_null(json_object_get(one, "bytes")));
    json_decref(document);

    cr_expect_eq(count("port:445"), 1);
    cr_expect_eq(count("dir:in proto:tcp"), 2);
    cr_expect_eq(count("'dir:in proto:tcp -verdict:allowed'"), 1);
    cr_expect_eq(count("proc:ntp-client"), 1);
    cr_expect_eq(count("proto:udp rule:in-tcp-445"), 0);
    cr_expect_eq(count("ntp-cli"), 1, "a word is searched for in the whole row");

    cr_assert_eq(node_command(&n, out, sizeof(out), "connections port:445,4444"), 0, "%s", out);
    cr_expect(strstr(out, "2 live connections of "), "%s", out);
    cr_expect(strstr(out, "in-tcp-445"), "%s", out);
    node_stop(&n, SIGINT);
    node_nothing_left(&n);
}

Test(connections, what_cannot_be_asked_is_refused_in_one_line)
{
    static char out[4096];

    cr_expect_eq(node_command(&n, out, sizeof(out), "connections"), 1);
    cr_expect(!strncmp(out, "qportwatch connections: ", 24), "%s", out);
    cr_expect_eq(node_command(&n, out, sizeof(out), "connections dir:sideways"), 2);
    cr_expect(strstr(out, "no such dir"), "%s", out);
    cr_expect_eq(node_command(&n, out, sizeof(out), "connections severity:high"), 2);
    cr_expect(strstr(out, "connections have none"), "%s", out);
}
