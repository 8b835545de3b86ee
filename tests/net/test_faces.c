/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Former contradictions between faces about one node, live: now all of them show the same. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "auditor.h"
#include "traffic.h"

TestSuite(faces, .timeout = NETNS_TIMEOUT_S);

#define PROGRAM QPW_BUILD "/qportwatch"
#define WIDE "COLUMNS=300 LC_ALL=C.UTF-8 " PROGRAM " "

static const char *const faces[] = {
    "report --all", "report --json", "report --format html", "status", "status --json", "top --once --tab coverage",
};
#define FACES (sizeof(faces) / sizeof(*faces))

static void show(struct node *n, const char *face, char *text, size_t size)
{
    netns_output(&n->node, text, size, WIDE "%s", face);
}

/* Check that all faces show that answer and its text, wherever lines are broken. */
static void all_show(struct node *n, const char *state, const char *wanted)
{
    static char text[1 << 20];
    char headline[256];

    snprintf(headline, sizeof(headline), "%s: %s", state, wanted);
    for (size_t i = 0; i < FACES; i++) {
        bool json = strstr(faces[i], "--json");

        show(n, faces[i], text, sizeof(text));
        cr_expect(strstr(text, json ? wanted : headline), "%s: no '%s' in:\n%.4000s", faces[i], headline, text);
        if (json)
            cr_expect(strstr(text, state), "%s: no %s in:\n%.4000s", faces[i], state, text);
    }
}

static bool alert_is_written(void *argument)
{
    struct node *n = argument;

    return netns_output(&n->node, NULL, 0, "grep -q '\"severity\":1' %s/eve.json", n->folder) == 0;
}

/* The command line is longer than the stored part of it, so the log's path must come from elsewhere. */
Test(faces, the_alert_log_is_found_behind_twenty_one_peers)
{
    char options[1024] = "", log[128], text[8192];
    struct traffic_tcp call = {.address = "10.7.0.1", .port = 4444, .up = 100, .down = 100};
    struct node n;
    pid_t server;

    node_open(&n);
    for (unsigned i = 0; i < 21; i++)
        snprintf(options + strlen(options), sizeof(options) - strlen(options), " --peer=node%u=10.99.99.%u", i + 2, i + 2);
    snprintf(log, sizeof(log), "%s/eve.json", n.folder);
    node_attach(&n, "node0%s --alerts %s", options, log);
    server = traffic_serve_tcp(&n.node, "10.7.0.1", 4444);
    traffic_tcp(&n.client, &call);
    cr_assert(netns_until(alert_is_written, &n, NETNS_DEADLINE_MS));
    show(&n, "top --once", text, sizeof(text));
    cr_expect(strstr(text, "alerts  high 1"), "%s", text);
    show(&n, "alerts", text, sizeof(text)); /* the log of the current attachment, without naming it */
    cr_expect(strstr(text, "high") && strstr(text, "tcp/4444"), "%s", text);
    all_show(&n, "ACTION NEEDED", "1 service answered on a port the policy does not allow (inbound tcp/4444)");
    netns_stop(server, SIGKILL);
    node_close(&n);
}

static bool has_lost_its_hook(void *argument)
{
    struct node *n = argument;

    return netns_output(&n->node, NULL, 0, PROGRAM " report | grep -q 'NOT ATTACHED'") == 0;
}

/* Killed, then its program removed: no auditor can notice, so each face must find out itself. */
Test(faces, a_killed_auditor_and_a_removed_program_are_blind_everywhere)
{
    struct node n;

    node_open(&n);
    node_attach(&n, "node0 --mode tc --tc-hook clsact");
    node_stop(&n, SIGKILL);
    all_show(&n, "BLIND", "no auditor is running");
    netns_run(&n.node, "tc filter del dev node0 ingress");
    cr_assert(netns_until(has_lost_its_hook, &n, NETNS_DEADLINE_MS));
    all_show(&n, "BLIND", "no auditor is running; node0 is not monitored: a program was removed");
    node_close(&n);
}

static unsigned count(const char *text, const char *word)
{
    unsigned found = 0;

    for (; (text = strstr(text, word)); text += strlen(word))
        found++;
    return found;
}

/* `override` moves a port: faces use the compiled tables, not the rule's text. */
Test(faces, an_overridden_port_is_listed_where_it_was_moved_to)
{
    static const char policy[] = "policy test/override\ninclude on-prem\noverride ldap 389=10389\npeer node2 10.7.0.2\n";
    struct traffic_tcp much = {.address = "10.7.0.2", .port = 10389, .up = 100000, .down = 100000};
    struct traffic_tcp little = {.address = "10.7.0.2", .port = 389, .up = 100, .down = 100};
    char path[128], text[8192], *row;
    pid_t moved, old;
    struct node n;

    node_open(&n);
    node_write(&n, "policy", policy, path, sizeof(path));
    node_attach(&n, "node0 --policy %s", path);
    moved = traffic_serve_tcp(&n.client, "10.7.0.2", 10389);
    old = traffic_serve_tcp(&n.client, "10.7.0.2", 389);
    traffic_tcp(&n.node, &much);
    traffic_tcp(&n.node, &little);
    show(&n, "top --once --tab peers", text, sizeof(text));
    row = strstr(text, "node2");
    cr_assert_not_null(row, "%s", text);
    row[strcspn(row, "\n")] = '\0';
    cr_expect_eq(count(row, "tcp/10389"), 1, "among the busiest only, it is listed: %s", row);
    cr_expect_eq(count(row, "tcp/389"), 2, "among those outside the policy, too: %s", row);
    netns_stop(moved, SIGKILL);
    netns_stop(old, SIGKILL);
    node_close(&n);
}

/* Send as fast as possible: one finding each. */
static int send_to_many_ports(void *argument)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_storage to;
    socklen_t length;

    for (uint16_t port = 20000; port < 26000; port++) {
        length = traffic_endpoint("10.7.0.1", port, &to);
        sendto(fd, "x", 1, 0, (struct sockaddr *)&to, length);
    }
    close(fd);
    return 0;
}

static bool has_delayed(void *argument)
{
    struct node *n = argument;

    return netns_output(&n->node, NULL, 0, PROGRAM " report | grep -q 'delayed, not lost'") == 0;
}

/* More new findings than events are sent for: they are read from their table later. */
Test(faces, delayed_events_are_nowhere_a_loss)
{
    static char text[1 << 20];
    struct node n;

    node_open(&n);
    node_attach(&n, "node0");
    netns_call(&n.client, send_to_many_ports, NULL);
    cr_assert(netns_until(has_delayed, &n, NETNS_DEADLINE_MS));
    show(&n, "report", text, sizeof(text));
    cr_expect(strstr(text, " lost           none ("), "%s", text);
    show(&n, "status", text, sizeof(text));
    cr_expect(strstr(text, "(delayed, not lost)"), "%s", text);
    show(&n, "top --once --tab coverage", text, sizeof(text));
    cr_expect(strstr(text, "losses 0"), "%s", text);
    for (size_t i = 0; i < FACES; i++) {
        show(&n, faces[i], text, sizeof(text));
        cr_expect(strstr(text, "PROBED") && !strstr(text, "DETAIL LOST"), "%s: %.2000s", faces[i], text);
    }
    node_close(&n);
}

/* Detached by a command while another interface continues: no face calls that blind. */
Test(faces, an_interface_detached_by_a_command_is_nowhere_blind)
{
    static char text[1 << 20];
    struct node n;

    node_open(&n);
    netns_veth(&n.node, "node1", &n.client, "client1");
    node_attach(&n, "node0 node1");
    cr_assert_eq(node_command(&n, text, sizeof(text), "detach node1"), 0, "%s", text);
    node_until_coverage(&n, "detached");
    for (size_t i = 0; i < FACES; i++) {
        show(&n, faces[i], text, sizeof(text));
        cr_expect(!strstr(text, "BLIND") && !strstr(text, "NOT ATTACHED"), "%s: %.3000s", faces[i], text);
        cr_expect(strstr(text, "CLEAN"), "%s: %.3000s", faces[i], text);
    }
    node_close(&n);
}
