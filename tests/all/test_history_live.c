/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The history over many kills and restarts of a real auditor, what it knows of programs after a new attachment, and what
 * another policy would have said: of the history, and of a capture of the same packets.
 */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auditor.h"
#include "database.h"
#include "netns.h"
#include "terminal.h"

#define ROUNDS 50
#define PINGS 10

static char path[128];

static int64_t number(const char *sql)
{
    return database_number(path, sql);
}

static int64_t asked(struct node *n, const char *what)
{
    char text[64];

    cr_assert_eq(netns_output(&n->node, text, sizeof(text), QPW_BUILD "/qportwatch report --json | jq '%s'", what), 0, "%s", text);
    return !strcmp(text, "true\n") ? 1 : atoll(text);
}

Test(history_live, fifty_restarts_lose_no_packet, .timeout = 1800)
{
    struct node n;
    int64_t kept, before, after;

    node_open(&n);
    snprintf(path, sizeof(path), "%s/history.db", n.folder);
    for (unsigned i = 0; i < ROUNDS; i++) {
        node_attach(&n, "node0 --mode tc --keep --interval 1 --history %s", path);
        netns_run(&n.client, "ping -q -f -c %d -w 60 10.7.0.1 >/dev/null", PINGS);
        node_stop(&n, i % 3 ? SIGKILL : SIGTERM);
        netns_run(&n.client, "ping -q -f -c %d -w 60 10.7.0.1 >/dev/null", PINGS);
    }
    node_attach(&n, "node0 --mode tc --keep --interval 1 --history %s", path);
    before = asked(&n, ".totals.packets");
    cr_expect_eq(node_stop(&n, SIGTERM), 0);
    after = asked(&n, ".totals.packets");
    kept = number("SELECT sum(rx_packets + tx_packets) FROM slot");
    cr_expect(before <= kept && kept <= after, "%lld in the history, %lld before and %lld after its end", (long long)kept, (long long)before,
              (long long)after);
    cr_expect_geq(number("SELECT sum(rx_packets) FROM slot JOIN key ON key.id = slot.key WHERE protocol = 1 AND port = 8"), 2 * ROUNDS * PINGS);
    cr_expect_eq(number("SELECT count(*) FROM epoch"), 1);
    cr_expect_eq(number("SELECT 1 FROM pragma_integrity_check WHERE integrity_check = 'ok'"), 1);
    node_command(&n, NULL, 0, "detach");
    node_nothing_left(&n);
    node_close(&n);
}

static bool is_found(void *argument)
{
    return asked(argument, "[.findings[] | select(.port == 4444 and .outcome == \"data\")] | length") > 0;
}

/* After a new attachment, whose maps are empty. */
static bool is_new(void *argument)
{
    return asked(argument, "[.findings[] | select(.port == 4444)][0].new_program") == 1;
}

Test(history_live, a_program_is_new_once, .timeout = 300)
{
    struct node n;
    pid_t server;

    node_open(&n);
    snprintf(path, sizeof(path), "%s/history.db", n.folder);
    server = netns_start(&n.node, "/dev/null", (char *[]){"ncat", "-l", "-k", "-e", "/bin/cat", "4444", NULL});
    for (unsigned i = 0; i < 2; i++) {
        node_attach(&n, "node0 --mode tc --interval 1 --history %s", path);
        netns_run(&n.client, "for i in 1 2 3 4 5; do echo hello | ncat -i 2 10.7.0.1 4444 && break; sleep 0.3; done >/dev/null 2>&1; true");
        cr_assert(netns_until(is_found, &n, NETNS_DEADLINE_MS));
        if (i == 0) {
            cr_expect(netns_until(is_new, &n, NETNS_DEADLINE_MS), "at first it is");
            cr_expect_eq(node_stop(&n, SIGTERM), 0);
        } else {
            cr_expect_not(is_new(&n), "a program that the history knows is not new");
        }
    }
    cr_expect_eq(number("SELECT count(*) FROM program WHERE path LIKE '%/ncat'"), 1);
    netns_stop(server, SIGKILL);
    cr_expect_eq(node_stop(&n, SIGTERM), 0);
    node_close(&n);
}

/* ---- What if: of what was recorded, and of a capture of it ---- */

static const char *const policies[] = {
    "inbound tcp 445 SMB name=smb\noutbound tcp 389 LDAP name=ldap\n", /* no NFS */
    "inbound tcp 445 SMB name=smb from=10.7.0.11\ninbound tcp,udp 2049 NFS name=nfs from=10.7.0.0/28\noutbound tcp any all name=all to=10.7.0.12\n",
    "inbound tcp 4444,445 both name=both\ninbound tcp,udp 2049 NFS name=files\noutbound tcp 389 LDAP name=ldap to=10.7.0.13\n",
    "inbound tcp 9999 nothing\n",
    "inbound tcp 445 SMB name=smb\ninbound tcp,udp 2049 NFS name=nfs\noutbound tcp 389 LDAP name=ldap\n", /* the same in effect */
};
#define ALIKE "jq -cS '[.rows[] | {direction, protocol, port, old_verdict, new_verdict, old_rule, new_rule, connections, " \
              "remote: (if .direction == \"inbound\" then .initiator else .responder end)}] | sort'"

static void talk(const struct netns *from, const char *source, const char *to, unsigned port, unsigned times)
{
    netns_run(from, "for i in $(seq %u); do echo hello | ncat --send-only -w 30 -s %s %s %u; done", times, source, to, port);
}

static bool is_captured(void *argument)
{
    struct node *n = argument;
    char text[64];

    netns_output(&n->client, text, sizeof(text), "tcpdump -n -r %s/all.pcap 'icmp and greater 1000' 2>/dev/null | wc -l", n->folder);
    return atoi(text) >= 2;
}

static pid_t start_capture(struct node *n)
{
    char file[96], log[96];
    pid_t pid;

    snprintf(file, sizeof(file), "%s/all.pcap", n->folder);
    snprintf(log, sizeof(log), "%s/tcpdump.log", n->folder);
    pid = netns_start(&n->client, log, (char *[]){"tcpdump", "-Z", "root", "-U", "--immediate-mode", "-i", "client0", "-w", file, NULL});
    netns_until_file(log, "listening on", NETNS_DEADLINE_MS);
    return pid;
}

static void serve(const struct netns *ns, char *port, const char *kind, pid_t *ret)
{
    bool udp = !strcmp(kind, "udp");

    *ret = netns_start(ns, "/dev/null", udp ? (char *[]){"ncat", "-l", "-k", "-u", "-e", "/bin/cat", port, NULL} : (char *[]){"ncat", "-l", "-k", "-e", "/bin/cat", port, NULL});
    netns_until_port(ns, kind, (uint16_t)atoi(port));
}

Test(history_live, another_policy_says_of_the_history_what_it_says_of_a_capture, .timeout = 600)
{
    struct node n;
    pid_t servers[6], capture;
    char policy[96], new[96], recorded[8192], replayed[8192];

    node_open(&n);
    for (unsigned i = 11; i <= 14; i++) {
        snprintf(new, sizeof(new), "10.7.0.%u/24", i);
        netns_address(&n.client, "client0", new);
    }
    node_write(&n, "policy", "inbound tcp 445 SMB name=smb\ninbound tcp,udp 2049 NFS name=nfs\noutbound tcp 389 LDAP name=ldap\n", policy, sizeof(policy));
    snprintf(path, sizeof(path), "%s/history.db", n.folder);
    node_attach(&n, "node0 --mode tc --keep --interval 1 --policy %s --history %s", policy, path);
    capture = start_capture(&n);
    serve(&n.node, "445", "tcp", &servers[0]);
    serve(&n.node, "2049", "tcp", &servers[1]);
    serve(&n.node, "4444", "tcp", &servers[2]);
    serve(&n.node, "2049", "udp", &servers[3]);
    serve(&n.client, "389", "tcp", &servers[4]);
    serve(&n.client, "636", "tcp", &servers[5]);
    talk(&n.client, "10.7.0.11", "10.7.0.1", 445, 3);
    talk(&n.client, "10.7.0.12", "10.7.0.1", 445, 2);
    cr_expect_eq(node_stop(&n, SIGKILL), 128 + SIGKILL); /* the next one goes on where this one wrote last */
    talk(&n.client, "10.7.0.11", "10.7.0.1", 2049, 1);
    node_attach(&n, "node0 --mode tc --keep --interval 1 --policy %s --history %s", policy, path);
    talk(&n.client, "10.7.0.13", "10.7.0.1", 2049, 2);
    talk(&n.client, "10.7.0.14", "10.7.0.1", 4444, 1);
    netns_run(&n.client, "echo hello | timeout 60 ncat -u -i 1 -s 10.7.0.12 10.7.0.1 2049 >/dev/null 2>&1; true");
    cr_expect_eq(node_stop(&n, SIGTERM), 0);
    talk(&n.node, "10.7.0.1", "10.7.0.12", 389, 2);
    node_attach(&n, "node0 --mode tc --interval 1 --policy %s --history %s", policy, path);
    talk(&n.node, "10.7.0.1", "10.7.0.13", 389, 1);
    talk(&n.node, "10.7.0.1", "10.7.0.13", 636, 1);
    netns_run(&n.client, "ping -q -c 1 -s 1200 -w 60 10.7.0.1 >/dev/null");
    cr_assert(netns_until(is_captured, &n, NETNS_DEADLINE_MS));
    netns_stop(capture, SIGTERM);
    cr_expect_eq(node_stop(&n, SIGTERM), 0);
    for (unsigned i = 0; i < 6; i++)
        netns_stop(servers[i], SIGKILL);
    for (size_t i = 0; i < sizeof(policies) / sizeof(*policies); i++) {
        node_write(&n, "new", policies[i], new, sizeof(new));
        netns_output(&n.client, recorded, sizeof(recorded), QPW_BUILD "/qportwatch policy test %s --history %s --json 2>&1 | " ALIKE, new, path);
        netns_output(&n.client, replayed, sizeof(replayed), QPW_BUILD "/qportwatch policy test %s %s/all.pcap --local 10.7.0.1 --policy %s --json 2>&1 | " ALIKE,
                     new, n.folder, policy);
        cr_expect_str_eq(recorded, replayed, "%s\nhistory: %s\ncapture: %s", policies[i], recorded, replayed);
        cr_expect_eq(!strcmp(replayed, "[]\n"), i == 4, "%s", replayed);
    }
    node_close(&n);
}

/* ---- Proposals know who used a rule before ---- */

static bool is_proposed(void *argument)
{
    struct node *n = argument;
    char text[16384];

    return node_command(n, text, sizeof(text), "policy suggest") == 0 && strstr(text, "#only      smb from=10.7.0.2,10.9.9.8/31\n") &&
           strstr(text, "as far as seen, remote addresses since 20");
}

Test(history_live, proposals_know_who_used_a_rule_before, .timeout = 600)
{
    struct node n;
    char policy[96];
    pid_t server;

    node_open(&n);
    node_write(&n, "policy", "inbound tcp 445 SMB name=smb\n", policy, sizeof(policy));
    snprintf(path, sizeof(path), "%s/history.db", n.folder);
    node_attach(&n, "node0 --mode tc --policy %s --history %s", policy, path); /* makes the file */
    cr_expect_eq(node_stop(&n, SIGTERM), 0);
    cr_expect_eq(number("INSERT INTO used SELECT day, 'smb', remote, 5 FROM (SELECT strftime('%s', 'now', 'start of day', '-3 days') + 0 AS day), "
                        "(SELECT '10.9.9.9' AS remote UNION SELECT '10.9.9.8') RETURNING 1"), 1);
    node_attach(&n, "node0 --mode tc --interval 1 --policy %s --history %s", policy, path);
    serve(&n.node, "445", "tcp", &server);
    talk(&n.client, "10.7.0.2", "10.7.0.1", 445, 1);
    cr_assert(netns_until(is_proposed, &n, NETNS_DEADLINE_MS));
    netns_stop(server, SIGKILL);
    cr_expect_eq(node_stop(&n, SIGTERM), 0);
    node_close(&n);
}

/* ---- The live view looks back, over a detaching ---- */

Test(history_live, top_goes_back_and_comes_back, .timeout = 600)
{
    struct node n;
    struct terminal t;
    char command[256];

    node_open(&n);
    snprintf(path, sizeof(path), "%s/history.db", n.folder);
    node_attach(&n, "node0 --mode tc --interval 1 --history %s", path);
    netns_run(&n.client, "ping -q -f -c %d -w 60 10.7.0.1 >/dev/null", PINGS);
    cr_expect_eq(node_stop(&n, SIGTERM), 0);
    node_attach(&n, "node0 --mode tc --interval 1 --history %s", path);
    snprintf(command, sizeof(command), "env XDG_STATE_HOME=%s/state LC_ALL=C.UTF-8 " QPW_BUILD "/qportwatch top --tab ports", n.folder);
    terminal_open(&t, &n.node, 120, 24, command);
    terminal_until(&t, "auditor alive");
    terminal_until(&t, "< history");
    terminal_type(&t, "<");
    terminal_until(&t, "HISTORY 20");
    terminal_until(&t, "icmp/8"); /* of before */
    terminal_until_not(&t, "BLIND");
    terminal_until_not(&t, "auditor alive");
    terminal_type(&t, ">");
    terminal_until(&t, "auditor alive");
    terminal_type(&t, "<");
    terminal_until(&t, "HISTORY 20");
    terminal_keys(&t, "L");
    terminal_until(&t, "auditor alive");
    terminal_keys(&t, "q");
    terminal_until_end(&t);
    terminal_close(&t);
    cr_expect_eq(node_stop(&n, SIGTERM), 0);
    node_close(&n);
}
