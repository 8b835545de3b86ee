/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * `qportwatch listeners` with sockets of real processes: how the policy lists each one, its owner, who has connected.
 */
#include <criterion/criterion.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "auditor.h"
#include "evelog.h"
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

TestSuite(listeners, .init = setup, .fini = teardown, .timeout = NETNS_TIMEOUT_S);

static json_t *ask(const char *options, int expected)
{
    static char out[1 << 16];
    json_error_t error;
    int status = node_command(&n, out, sizeof(out), "listeners --json %s", options);
    json_t *document = json_loads(out, 0, &error);

    cr_assert_eq(status, expected, "exit %d: %s", status, out);
    cr_assert(document, "%s: %s", error.text, out);
    return document;
}

/* Return the row of a port, borrowed; NULL: none. */
static json_t *row(json_t *document, const char *protocol, int port)
{
    json_t *one, *rows = json_object_get(document, "listeners");
    size_t i;

    json_array_foreach(rows, i, one)
        if (json_integer_value(json_object_get(one, "port")) == port &&
            !strcmp(json_string_value(json_object_get(one, "protocol")), protocol))
            return one;
    return NULL;
}

static void assert_row(json_t *document, const char *protocol, int port, const char *verdict, const char *address)
{
    json_t *one = row(document, protocol, port);

    cr_assert(one, "no row for %s %d", protocol, port);
    cr_expect_str_eq(json_string_value(json_object_get(one, "verdict")), verdict, "%s %d: %s", protocol, port,
                     json_string_value(json_object_get(one, "verdict")));
    cr_expect_str_eq(json_string_value(json_object_get(one, "address")), address, "%s %d: %s", protocol, port,
                     json_string_value(json_object_get(one, "address")));
}

static void listen_on(const char *address, uint16_t port)
{
    cr_assert_eq(listen(traffic_bound(&n.node, SOCK_STREAM, address, port), 8), 0);
}

static bool is_idle(json_t *document, const char *rule)
{
    json_t *one, *idle = json_object_get(document, "listed_not_listening");
    size_t i;

    json_array_foreach(idle, i, one)
        if (!strcmp(json_string_value(one), rule))
            return true;
    return false;
}

Test(listeners, each_port_has_the_policys_word_and_its_process)
{
    json_t *document, *owner;
    int device;

    listen_on("10.7.0.1", 445);      /* listed */
    listen_on("::", 4444);           /* an unlisted service on both families */
    listen_on("10.7.0.1", 40000);    /* in FTP's passive range */
    listen_on("127.0.0.1", 5555);
    traffic_bound(&n.node, SOCK_DGRAM, "fd07::1", 161);
    traffic_bound(&n.node, SOCK_DGRAM, "10.7.0.1", 45000);
    device = traffic_bound(&n.node, SOCK_DGRAM, "10.7.0.1", 700);
    cr_assert_eq(setsockopt(device, SOL_SOCKET, SO_BINDTODEVICE, "node0", 6), 0);

    document = ask("", 0);
    assert_row(document, "tcp", 445, "allowed", "10.7.0.1");
    cr_expect_str_eq(json_string_value(json_object_get(row(document, "tcp", 445), "rule")), "in-tcp-445");
    assert_row(document, "tcp", 4444, "unlisted", "::");
    cr_expect(json_is_true(json_object_get(row(document, "tcp", 4444), "ipv4")));
    assert_row(document, "tcp", 40000, "weak", "10.7.0.1");
    assert_row(document, "tcp", 5555, "unlisted", "127.0.0.1");
    cr_expect(json_is_true(json_object_get(row(document, "tcp", 5555), "loopback")));
    assert_row(document, "udp", 161, "unlisted", "fd07::1");
    cr_expect(json_is_false(json_object_get(row(document, "udp", 161), "ipv4")));
    cr_expect(json_is_true(json_object_get(row(document, "udp", 45000), "ephemeral")));
    cr_expect_str_eq(json_string_value(json_object_get(row(document, "udp", 700), "interface")), "node0");
    cr_expect(json_is_null(json_object_get(row(document, "tcp", 445), "asked")), "nothing is attached");

    owner = json_object_get(row(document, "tcp", 4444), "owner");
    cr_assert(json_is_object(owner));
    cr_expect_eq(json_integer_value(json_object_get(owner, "pid")), getpid());
    cr_expect_str_eq(json_string_value(json_object_get(owner, "match")), "exact");
    cr_expect(json_is_string(json_object_get(owner, "exe")));
    cr_expect(json_is_string(json_object_get(owner, "started")));

    cr_expect(!is_idle(document, "in-tcp-445"));
    cr_expect(is_idle(document, "in-tcp-22"));
    cr_expect(!is_idle(document, "in-tcp-32768-60999"), "nobody listens on a whole range");
    json_decref(document);
}

Test(listeners, what_was_asked_is_known_once_something_is_attached)
{
    json_t *document;
    pid_t server;

    server = traffic_serve_tcp(&n.node, "10.7.0.1", 4444);
    listen_on("10.7.0.1", 445);
    node_attach(&n, "node0 --mode tc --platform on-prem --peer far=10.7.0.2");
    traffic_tcp(&n.client, &(struct traffic_tcp){.address = "10.7.0.1", .port = 4444, .up = 10, .down = 10});
    document = ask("", 0);
    assert_row(document, "tcp", 4444, "peer", "10.7.0.1");
    cr_expect(json_is_true(json_object_get(row(document, "tcp", 4444), "asked")));
    cr_expect(json_is_string(json_object_get(row(document, "tcp", 4444), "last_asked")));
    assert_row(document, "tcp", 445, "allowed", "10.7.0.1");
    cr_expect(json_is_false(json_object_get(row(document, "tcp", 445), "asked")));
    json_decref(document);
    netns_stop(server, SIGKILL);
    node_stop(&n, SIGINT);
    node_nothing_left(&n);
}

/* Check that the object has the documented members and no others. */
static void assert_members(json_t *object, const char *names)
{
    char copy[512], *state = NULL;
    size_t n_names = 0;

    snprintf(copy, sizeof(copy), "%s", names);
    for (char *name = strtok_r(copy, " ", &state); name; name = strtok_r(NULL, " ", &state), n_names++)
        cr_expect(json_object_get(object, name), "no member %s", name);
    cr_expect_eq(json_object_size(object), n_names, "%zu members instead of %zu", json_object_size(object), n_names);
}

static void expect_output(const char *arguments, const char *wanted)
{
    static char out[1 << 18];

    cr_expect_eq(node_command(&n, out, sizeof(out), "%s", arguments), 0);
    cr_expect(strstr(out, wanted), "%s: no '%s' in\n%s", arguments, wanted, out);
}

/* The report has the same list, in each of its forms, and all of them show owners that violate the policy. */
Test(listeners, the_report_has_them)
{
    static char out[1 << 18];
    char policy[128];
    json_t *document, *own;
    json_error_t error;

    node_write(&n, "mine", "inbound tcp 7001 one name=one owner=/usr/sbin/other\ninbound tcp 7002 two name=two\n", policy,
               sizeof(policy));
    listen_on("10.7.0.1", 7001);
    listen_on("::", 4444);
    node_attach(&n, "node0 --mode tc --policy %s", policy);
    cr_expect_eq(node_command(&n, out, sizeof(out), "report --json"), 0);
    document = json_loads(out, 0, &error);
    cr_assert(document, "%s", error.text);
    own = ask("", 0);
    assert_members(row(own, "tcp", 4444), "protocol port address ipv4 ipv6 interface owner rule verdict loopback ephemeral "
                                          "since asked last_asked owner_wanted owner_fits");
    assert_members(json_object_get(row(own, "tcp", 4444), "owner"), "process pid exe user unit container started match");
    assert_row(document, "tcp", 4444, "unlisted", "::");
    assert_row(document, "tcp", 7001, "allowed", "10.7.0.1");
    cr_expect(json_equal(json_object_get(document, "listeners"), json_object_get(own, "listeners")));
    cr_expect(json_equal(json_object_get(document, "listed_not_listening"), json_object_get(own, "listed_not_listening")));
    cr_expect(json_is_false(json_object_get(row(own, "tcp", 7001), "owner_fits")));
    cr_expect_str_eq(json_string_value(json_object_get(row(own, "tcp", 7001), "owner_wanted")), "/usr/sbin/other");
    cr_expect(json_is_null(json_object_get(row(own, "tcp", 4444), "owner_fits")));
    cr_expect(is_idle(own, "two") && !is_idle(own, "one"));
    json_decref(own);
    json_decref(document);
    expect_output("report", "\nLISTENERS ");
    expect_output("report", "\n  mismatch  tcp/7001");
    expect_output("report", "\n  no listener two\n");
    expect_output("report", "\n  other owner tcp/7001 (one names /usr/sbin/other)\n");
    expect_output("report", "\n  never asked tcp/4444, tcp/7001\n");
    expect_output("report --format html", "<h2 id=\"listeners\">Listeners</h2>");
    expect_output("report --format html", "<td class=\"bad\">unlisted</td><th scope=\"row\">tcp/4444</th>");
    expect_output("listeners", "\n  mismatch  tcp/7001");

    /*
     * The policy in force is the kernel's: a file that was changed or removed since does not count, for ports or
     * owners.
     */
    node_write(&n, "mine", "inbound tcp 7002,4444 one name=one\n", policy, sizeof(policy));
    for (int gone = 0; gone < 2; gone++) {
        own = ask("", 0);
        assert_row(own, "tcp", 4444, "unlisted", "::");
        assert_row(own, "tcp", 7001, "allowed", "10.7.0.1");
        cr_expect_str_eq(json_string_value(json_object_get(row(own, "tcp", 7001), "rule")), "one");
        cr_expect(json_is_null(json_object_get(row(own, "tcp", 7001), "owner_wanted")));
        cr_expect(is_idle(own, "two") && !is_idle(own, "one"));
        json_decref(own);
        expect_output("listeners", "has changed since it was loaded: owner= of its rules is not checked here.");
        expect_output("report", "\n  unlisted  tcp/4444");
        expect_output("report --format html", "owner= of its rules is not checked here.");
        cr_expect(gone || unlink(policy) == 0);
    }
    node_stop(&n, SIGINT);
    node_nothing_left(&n);
}

Test(listeners, another_policy_and_a_wrong_one)
{
    char path[128], out[4096];
    json_t *document;

    listen_on("10.7.0.1", 4444);
    node_write(&n, "mine", "inbound tcp 4444 mine name=mine from=10.9.9.9\ninbound tcp 4445 other to=10.1.1.1\n", path,
               sizeof(path));
    listen_on("10.7.0.1", 4445);
    snprintf(out, sizeof(out), "--policy %s", path);
    document = ask(out, 0);
    assert_row(document, "tcp", 4444, "allowed", "10.7.0.1");
    assert_row(document, "tcp", 4445, "unlisted", "10.7.0.1"); /* the rule is for another address of the node */
    json_decref(document);
    cr_expect_eq(node_command(&n, out, sizeof(out), "listeners --policy /nowhere/policy"), 2);
    cr_expect(strstr(out, "/nowhere/policy"), "%s", out);
    cr_expect_eq(node_command(&n, out, sizeof(out), "listeners --bogus"), 2);
}

/* Return how many records of that name are about a port, in the test's log; -1: any port. */
static size_t records(const char *log, const char *name, int port)
{
    struct evelog records = {0};
    size_t n_found = 0;

    evelog_add(&records, log);
    for (size_t i = 0; i < records.n; i++)
        n_found += !strcmp(evelog_name(records.records[i]), name) &&
                   (port < 0 || json_integer_value(json_object_get(records.records[i], "dest_port")) == port);
    evelog_clear(&records);
    return n_found;
}

static char alerts[160];

static bool has_both(void *ports)
{
    const int *p = ports;

    return records(alerts, "listener-new", p[0]) && records(alerts, "owner-changed", p[1]);
}

/* An owner is found without a packet. Sockets that existed at first are not reported, and nothing is reported twice. */
Test(listeners, new_ones_and_other_owners_are_alerts)
{
    char policy[128], text[512], self[256] = "";
    int first[] = {4445, 7001}, then[] = {4446, 7004}, reuse = 1, fd;

    cr_assert_gt(readlink("/proc/self/exe", self, sizeof(self) - 1), 0);
    snprintf(text, sizeof(text), "inbound tcp 7001 one name=one owner=/usr/sbin/other,unit:other\ninbound tcp 7002 two "
             "owner=%s\ninbound tcp 7003 three owner=any\ninbound tcp 7004 four owner=kernel\n", self);
    node_write(&n, "mine", text, policy, sizeof(policy));
    snprintf(alerts, sizeof(alerts), "%s/eve.json", n.folder);
    listen_on("10.7.0.1", 4444);
    node_attach(&n, "node0 --mode tc --policy %s --alerts %s", policy, alerts);
    for (int port = 7001; port <= 7003; port++)
        listen_on("10.7.0.1", (uint16_t)port);
    listen_on("127.0.0.1", 4447);
    traffic_bound(&n.node, SOCK_DGRAM, "10.7.0.1", 45001); /* most likely a client's */
    listen_on("::", 4445);
    cr_assert(netns_until(has_both, first, 20000));

    cr_assert_eq(node_stop(&n, SIGKILL), 128 + SIGKILL);
    listen_on("10.7.0.1", 4446);
    listen_on("10.7.0.1", 7004);
    node_attach(&n, "node0 --mode tc --policy %s --alerts %s", policy, alerts);
    cr_assert(netns_until(has_both, then, 20000));
    fd = traffic_bound(&n.node, SOCK_STREAM, "10.7.0.1", 4448);
    cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &reuse, sizeof(reuse)), 0);
    cr_assert_eq(listen(fd, 1), 0);
    then[0] = 4448;
    cr_assert(netns_until(has_both, then, 20000));

    cr_expect_eq(records(alerts, "listener-new", -1), 3);
    cr_expect_eq(records(alerts, "listener-new", 4445), 1);
    cr_expect_eq(records(alerts, "owner-changed", 7001), 1);
    cr_expect_eq(records(alerts, "owner-changed", -1), 2);
    node_stop(&n, SIGINT);
    node_nothing_left(&n);
}

/* Listen in a user namespace, where anybody can make /proc show any executable, so no path from one matches a rule. */
static int listen_in_user_namespace(void *argument)
{
    int *ready = argument;

    listen_on("10.7.0.1", 7002); /* only a process outside may enter the network namespace */
    if (unshare(CLONE_NEWUSER) < 0)
        return 1;
    if (write(ready[1], "x", 1) != 1)
        return 2;
    pause();
    return 0;
}

Test(listeners, a_path_out_of_a_user_namespace_fits_no_rule)
{
    char policy[128], text[640], self[256] = "", option[160], wanted[300];
    json_t *document;
    int ready[2];
    pid_t server;
    char c;

    cr_assert_gt(readlink("/proc/self/exe", self, sizeof(self) - 1), 0);
    snprintf(text, sizeof(text), "inbound tcp 7001 one owner=%s\ninbound tcp 7002 two owner=%s\n", self, self);
    node_write(&n, "mine", text, policy, sizeof(policy));
    cr_assert_eq(pipe(ready), 0);
    listen_on("10.7.0.1", 7001);
    server = netns_fork(&n.node, listen_in_user_namespace, ready);
    close(ready[1]);
    cr_assert_eq(read(ready[0], &c, 1), 1, "no user namespaces here");
    snprintf(option, sizeof(option), "--policy %s", policy);
    document = ask(option, 0);
    cr_expect(json_is_true(json_object_get(row(document, "tcp", 7001), "owner_fits")));
    cr_expect(json_is_false(json_object_get(row(document, "tcp", 7002), "owner_fits")));
    snprintf(wanted, sizeof(wanted), "(user namespace) %s", self);
    cr_expect_str_eq(json_string_value(json_object_get(json_object_get(row(document, "tcp", 7002), "owner"), "exe")), wanted);
    json_decref(document);
    netns_stop(server, SIGKILL);
}
