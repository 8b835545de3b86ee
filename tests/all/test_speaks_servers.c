/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What speaks on a port, of every server that the policies' rules name and the distribution has, in use by its own clients:
 * nothing is reported of them, whichever end the node is, nor under a scan of versions, nor when first segments are short.
 */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "servers.h"
#include "site.h"

#define ATTACH "--mode tc --udp-timeout 1" /* until then datagrams that the node sends may be answers, and are not judged */
#define SCAN_MS 1500000
#define CUT_ROUNDS 15 /* one for each size of a first segment */
#define CUT_PORTS "21 22 53 80 88 111 135 139 389 443 445 514 636 2049 8000 9000 20048"
#define SCANNED_PORTS "T:21,22,53,80,88,111,135,139,389,443,445,514,636,2049,8000,9000,U:53,88,111,123,2049"

static const struct {
    const char *protocols, *ports, *speaks;
} rules[] = {
    {"tcp", "21", "ftp"},          {"tcp", "22", "ssh"},           {"tcp,udp", "53", "dns"},  {"tcp", "80", "http"},
    {"tcp,udp", "88", "kerberos"}, {"tcp,udp", "111", "sunrpc"},   {"udp", "123", "ntp"},     {"tcp", "135", "dcerpc"},
    {"tcp", "139,445", "smb"},     {"tcp", "389,636", "tls,ldap"}, {"tcp", "443", "tls"},     {"tcp,udp", "514", "syslog"},
    {"tcp,udp", "2049,20048", "sunrpc"}, {"tcp", "8000,9000", "tls,http"},
};

static void write_policy(const char *direction, char *buf, size_t size)
{
    size_t used = 0;

    for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++)
        used += (size_t)snprintf(buf + used, size - used, "%s %s %s x speaks=%s\n", direction, rules[i].protocols, rules[i].ports,
                                 rules[i].speaks);
    snprintf(buf + used, size - used, "%s tcp 20,32768-60999 \"data of FTP, and of DCE/RPC\" weak\n", direction);
}

/* The servers on one end, their clients on the other, the node audited. */
struct trial {
    struct site site;
    struct servers servers;
};

static void begin(struct trial *t, bool inbound)
{
    char policy[4096];

    site_make(&t->site);
    t->servers = (struct servers){.ns = inbound ? &t->site.ns : &t->site.far, .dir = t->site.dir,
                                  .address = inbound ? "10.1.0.1" : "10.1.0.2"};
    servers_start_all(&t->servers);
    write_policy(inbound ? "inbound" : "outbound", policy, sizeof(policy));
    site_attach(&t->site, policy, ATTACH);
}

static int64_t count_of(json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);

    cr_assert(json_is_integer(value), "no '%s'", key);
    return json_integer_value(value);
}

/* No finding is a mismatch; each port says how many of its connections look like its service and why others are not judged. */
static void expect_nothing(struct trial *t)
{
    json_t *report = site_report(&t->site), *ports = json_object_get(report, "speaks"), *row, *reason;
    int64_t judged = 0, all = 0;
    const char *why;
    size_t i;

    json_array_foreach(json_object_get(report, "findings"), i, row) {
        char *text = json_dumps(row, 0);

        cr_expect_str_neq(json_string_value(json_object_get(row, "verdict")), "mismatch", "%s", text);
        free(text);
    }
    cr_expect_geq(json_array_size(ports), sizeof(rules) / sizeof(*rules));
    json_array_foreach(ports, i, row) {
        printf("%s %3s %5lld: %4lld connections, %4lld match", json_string_value(json_object_get(row, "direction")),
               json_string_value(json_object_get(row, "protocol")), (long long)count_of(row, "port"),
               (long long)count_of(row, "connections"), (long long)count_of(row, "match"));
        json_object_foreach(json_object_get(row, "not_judged"), why, reason)
            if (json_integer_value(reason))
                printf(", %lld %s", (long long)json_integer_value(reason), why);
        printf("\n");
        cr_expect_eq(count_of(row, "mismatch"), 0);
        judged += count_of(row, "match");
        all += count_of(row, "connections");
    }
    printf("%lld of %lld judged\n", (long long)judged, (long long)all);
    cr_expect_gt(judged, 0);
    json_decref(report);
}

static void end(struct trial *t)
{
    servers_stop(&t->servers);
    site_end(&t->site);
}

TestSuite(speaks_servers, .init = netns_need_root, .timeout = 2 * NETNS_TIMEOUT_S);

Test(speaks_servers, nothing_is_reported_of_servers_in_use)
{
    struct trial t;

    begin(&t, true);
    servers_ask_all(&t.servers, &t.site.far, "10.1.0.1", "");
    expect_nothing(&t);
    end(&t);
}

Test(speaks_servers, nothing_is_reported_of_clients)
{
    struct trial t;

    begin(&t, false);
    servers_ask_all(&t.servers, &t.site.ns, "10.1.0.2", "PROPER=1");
    expect_nothing(&t);
    end(&t);
}

/* Every probe that nmap has, whatever the port, to its end: what a stranger sends is not held against the node. */
Test(speaks_servers, nothing_is_reported_under_a_scan_of_versions)
{
    char *nmap[] = {"nmap", "-n", "-Pn", "-sSU", "-sV", "--version-all", "-p", SCANNED_PORTS, "10.1.0.1", NULL};
    struct trial t;

    begin(&t, true);
    cr_expect_eq(netns_wait(netns_start(&t.site.far, NULL, nmap), SCAN_MS), 0);
    expect_nothing(&t);
    end(&t);
}

static pid_t start_cut(const struct netns *ns, const char *side, const char *listen, const char *target)
{
    char command[256];
    char *argv[] = {"/bin/sh", "-c", command, NULL};
    pid_t pid;

    snprintf(command, sizeof(command), "exec tests/servers/cut %s %s %s " CUT_PORTS, side, listen, target);
    pid = netns_start(ns, NULL, argv);
    netns_until_port(ns, "tcp", 20048); /* the last one */
    return pid;
}

/* The servers stand behind the node, which hands connections on; on the wire first segments have 1 to 15 bytes, both ways. */
static void cut(bool inbound)
{
    struct netns back = netns_new();
    char policy[4096];
    pid_t pids[2];
    struct trial t;

    site_make(&t.site);
    netns_veth(inbound ? &t.site.ns : &t.site.far, "node1", &back, "back0");
    netns_address(inbound ? &t.site.ns : &t.site.far, "node1", "10.2.0.2/24");
    netns_address(&back, "back0", "10.2.0.1/24");
    t.servers = (struct servers){.ns = &back, .dir = t.site.dir, .address = "10.2.0.1"};
    servers_start_all(&t.servers);
    write_policy(inbound ? "inbound" : "outbound", policy, sizeof(policy));
    site_attach(&t.site, policy, ATTACH);
    pids[0] = start_cut(inbound ? &t.site.ns : &t.site.far, "accept", inbound ? "10.1.0.1" : "10.1.0.2", "10.2.0.1");
    pids[1] = start_cut(inbound ? &t.site.far : &t.site.ns, "connect", "127.0.0.1", inbound ? "10.1.0.1" : "10.1.0.2");
    for (int i = 0; i < CUT_ROUNDS; i++)
        servers_ask_all(&t.servers, inbound ? &t.site.far : &t.site.ns, "127.0.0.1", inbound ? "TCP_ONLY=1" : "TCP_ONLY=1 PROPER=1");
    expect_nothing(&t);
    netns_stop(pids[1], SIGTERM);
    netns_stop(pids[0], SIGTERM);
    end(&t);
    netns_close(&back);
}

Test(speaks_servers, nothing_is_reported_of_servers_with_short_first_segments)
{
    cut(true);
}

Test(speaks_servers, nothing_is_reported_of_clients_with_short_first_segments)
{
    cut(false);
}
