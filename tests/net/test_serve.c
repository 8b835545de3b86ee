/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A node that serves its statement, asked by its peer, a reader, and by whoever is neither. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auditor.h"

TestSuite(serve, .timeout = NETNS_TIMEOUT_S);

#define PROGRAM QPW_BUILD "/qportwatch"
#define SERVED "https://10.89.0.1:9101"
#define STATEMENT SERVED "/v1/statement"
#define AS(key, from) "--interface " from " --cert %s/" key "/certificate.pem --key %s/" key "/key.pem"

struct server {
    struct netns ns, far;
    pid_t auditor, serve;
    char dir[64];
};

static char output[1 << 16];

/* Make a key and append the policy's line of it, which begins as given. */
static void add_key(struct server *n, const char *name, const char *line)
{
    netns_run(&n->ns, PROGRAM " cluster key --keys %s/%s --name %s >%s/line", n->dir, name, name, n->dir);
    if (line)
        netns_run(&n->ns, "echo \"%s $(sed -n 's/.* \\(key=.*\\)/\\1/p' %s/line)\" >>%s/policy", line, n->dir, n->dir);
}

static void make(struct server *n)
{
    netns_need_root();
    snprintf(n->dir, sizeof(n->dir), "/tmp/qportwatch-serve.XXXXXX");
    cr_assert(mkdtemp(n->dir));
    n->ns = netns_new();
    n->far = netns_new();
    netns_veth_pair(&(struct netns_end){&n->ns, "e0", "02:00:00:00:00:01"}, &(struct netns_end){&n->far, "e0", "02:00:00:00:00:02"});
    netns_address(&n->ns, "e0", "10.89.0.1/24");
    netns_address(&n->far, "e0", "10.89.0.2/24");
    netns_address(&n->far, "e0", "10.89.0.5/24");
    netns_address(&n->far, "e0", "10.89.0.9/24");
    netns_run(&n->ns, "printf 'policy test/serve\\ninbound tcp 445 SMB\\n' >%s/policy", n->dir);
    add_key(n, "node1", "peer node1 10.89.0.1");
    add_key(n, "node2", "peer node2 10.89.0.2");
    add_key(n, "prometheus", "reader prometheus 10.89.0.5");
    add_key(n, "stranger", NULL);
}

static void start_serve(struct server *n)
{
    char policy[96], keys[96], state[96], log[96];

    snprintf(policy, sizeof(policy), "%s/policy", n->dir);
    snprintf(keys, sizeof(keys), "%s/node1", n->dir);
    snprintf(state, sizeof(state), "%s/state", n->dir);
    snprintf(log, sizeof(log), "%s/serve.log", n->dir);
    n->serve = netns_start(&n->ns, log, (char *[]){(char *)PROGRAM, (char *)"serve", (char *)"--policy", policy, (char *)"--keys", keys,
                                                   (char *)"--state", state, NULL});
}

static void start_auditor(struct server *n)
{
    char policy[96], log[96], eve[96];

    snprintf(policy, sizeof(policy), "%s/policy", n->dir);
    snprintf(log, sizeof(log), "%s/attach.log", n->dir);
    snprintf(eve, sizeof(eve), "%s/eve.json", n->dir);
    n->auditor = netns_start(&n->ns, log, (char *[]){(char *)PROGRAM, (char *)"attach", (char *)"e0", (char *)"--mode", (char *)"tc",
                                                     (char *)"--no-tui", (char *)"--alerts", eve, (char *)"--no-history",
                                                     (char *)"--policy", policy, NULL});
    netns_until_file(log, "attached", NETNS_DEADLINE_MS);
}

static void end(struct server *n)
{
    if (n->auditor)
        netns_stop(n->auditor, SIGTERM);
    cr_expect_eq(netns_stop(n->serve, SIGTERM), 0);
    netns_run(&n->ns, "rm -rf %s", n->dir);
}

/* Run curl in the far namespace with these options; return the HTTP status, 0 if there was no answer. */
static int ask(struct server *n, const char *format, ...)
{
    char options[1024];
    va_list list;

    va_start(list, format);
    vsnprintf(options, sizeof(options), format, list);
    va_end(list);
    netns_output(&n->far, output, sizeof(output), "curl -s -m 10 -k -o %s/body -w '%%{http_code}' %s || true", n->dir, options);
    return atoi(output);
}

/* Wait until something listens and has something to say. */
static void until_ready(struct server *n)
{
    netns_run(&n->far, "for i in $(seq 400); do [ \"$(curl -s -m 2 -k -o /dev/null -w '%%{http_code}' " AS("node2", "10.89.0.2") " " STATEMENT
              " -o /dev/null " SERVED "/v1/events)\" = 200200 ] && exit 0; sleep 0.05; done; exit 1", n->dir, n->dir);
}

Test(serve, answers_a_peer_from_its_address_and_nobody_else)
{
    struct server n = {0};

    make(&n);
    start_auditor(&n);
    start_serve(&n);
    until_ready(&n);
    cr_expect_eq(ask(&n, AS("node2", "10.89.0.2") " " STATEMENT, n.dir, n.dir), 200);
    netns_run(&n.far, "jq -e '.schema == \"qportwatch.statement/1\" and .node == \"node1\" and (has(\"samples\")|not)' %s/body", n.dir);
    cr_expect_eq(ask(&n, AS("node2", "10.89.0.2") " '" STATEMENT "?samples=1'", n.dir, n.dir), 200);
    cr_expect_eq(ask(&n, AS("node2", "10.89.0.9") " " STATEMENT, n.dir, n.dir), 403, "right key, wrong address");
    netns_run(&n.far, "grep -qx wrong-address %s/body", n.dir);
    cr_expect_eq(ask(&n, AS("prometheus", "10.89.0.2") " " SERVED "/metrics", n.dir, n.dir), 403, "a reader's key from a peer's address");
    cr_expect_eq(ask(&n, AS("stranger", "10.89.0.2") " " STATEMENT, n.dir, n.dir), 403, "unknown key");
    netns_run(&n.far, "grep -qx wrong-key %s/body", n.dir);
    cr_expect_eq(ask(&n, "--interface 10.89.0.2 " STATEMENT), 403, "no key");
    netns_run(&n.far, "grep -qx no-key %s/body", n.dir);
    cr_expect_eq(ask(&n, "--tls-max 1.2 " AS("node2", "10.89.0.2") " " STATEMENT, n.dir, n.dir), 0, "TLS 1.2");
    cr_expect_eq(ask(&n, AS("prometheus", "10.89.0.5") " " STATEMENT, n.dir, n.dir), 403, "readers read metrics only");
    netns_run(&n.far, "grep -qx forbidden %s/body", n.dir);
    cr_expect_eq(ask(&n, AS("prometheus", "10.89.0.5") " " SERVED "/metrics", n.dir, n.dir), 200);
    /* A reader's request is explained by the rule of the tool's own port, a stranger's is as unexpected as on any port. */
    netns_run(&n.ns, PROGRAM " report --json >%s/report && jq -e '[.meters[] | select(.port == 9101 and .rule == \"self\" and .verdict == \"allowed\") "
              "| .connections] | add >= 2' %s/report", n.dir, n.dir);
    netns_run(&n.ns, "jq -e '[.findings[] | select(.port == 9101) | .initiator] | unique == [\"10.89.0.9\"]' %s/report", n.dir);
    end(&n);
}

Test(serve, reads_no_body_and_outlives_garbage_and_floods)
{
    struct server n = {0};

    make(&n);
    start_auditor(&n);
    start_serve(&n);
    until_ready(&n);
    cr_expect_eq(ask(&n, "-T - " AS("node2", "10.89.0.2") " " STATEMENT " </dev/zero", n.dir, n.dir), 405, "an endless body");
    cr_expect_eq(ask(&n, "-X GET -d x " AS("node2", "10.89.0.2") " " STATEMENT, n.dir, n.dir), 405, "GET with a body");
    cr_expect_eq(ask(&n, AS("node2", "10.89.0.2") " " SERVED "/../etc/passwd", n.dir, n.dir), 404);
    cr_expect_eq(ask(&n, "-H \"X: $(head -c 40000 /dev/zero | tr '\\0' x)\" " AS("node2", "10.89.0.2") " " STATEMENT, n.dir, n.dir) / 100, 4);
    netns_run(&n.far, "head -c 100000 /dev/urandom | timeout 5 nc -q1 10.89.0.1 9101 >/dev/null || true");
    netns_run(&n.far, "for i in $(seq 30); do timeout 5 nc -s 10.89.0.9 10.89.0.1 9101 </dev/null >/dev/null & done; true");
    cr_expect_eq(ask(&n, AS("node2", "10.89.0.2") " " STATEMENT, n.dir, n.dir), 200, "connections of one address take none from another");
    end(&n);
}

Test(serve, without_an_auditor_there_is_nothing_to_state)
{
    struct server n = {0};

    make(&n);
    start_serve(&n);
    netns_run(&n.far, "for i in $(seq 200); do nc -z 10.89.0.1 9101 && exit 0; sleep 0.05; done; exit 1");
    cr_expect_eq(ask(&n, AS("node2", "10.89.0.2") " " STATEMENT, n.dir, n.dir), 503);
    end(&n);
}

#define EVENTS SERVED "/v1/events"
#define AS_PEER AS("node2", "10.89.0.2") " -D %s/headers "

/* Return a number that the last answer's head has. */
static long header(struct server *n, const char *name)
{
    netns_output(&n->far, output, sizeof(output), "sed -n 's/^%s: //Ip' %s/headers", name, n->dir);
    return strtol(output, NULL, 10);
}

/* Offer a service that no rule allows, and use it once. */
static void serve_unlisted(struct server *n, unsigned port)
{
    netns_run(&n->ns, "(echo answer | timeout 20 nc -l -N %u) >/dev/null 2>&1 & for i in $(seq 200); do ss -Hltn sport = %u | grep -q . && exit 0; "
                      "sleep 0.02; done; exit 1", port, port);
    netns_run(&n->far, "echo x | timeout 5 nc -s 10.89.0.9 -q 1 10.89.0.1 %u", port);
}

Test(serve, events_are_the_lines_of_the_log)
{
    struct server n = {0};
    long next;

    make(&n);
    start_auditor(&n);
    start_serve(&n);
    until_ready(&n);
    serve_unlisted(&n, 7001);
    netns_run(&n.ns, "for i in $(seq 500); do grep -q '\"dest_port\":7001' %s/eve.json && exit 0; sleep 0.02; done; exit 1", n.dir);
    cr_expect_eq(ask(&n, AS_PEER "'" EVENTS "?after=0'", n.dir, n.dir, n.dir), 200);
    next = header(&n, "Qpw-Next");
    cr_expect_geq(next, 2);
    netns_run(&n.far, "head -n %ld %s/eve.json | cmp - %s/body", next, n.dir, n.dir);
    netns_run(&n.far, "tr -d '\\r' <%s/headers | sed -n 's/^Qpw-Epoch: //Ip' >%s/epoch; " PROGRAM " --version >/dev/null; [ -s %s/epoch ]", n.dir,
              n.dir, n.dir);
    netns_run(&n.far, "grep -q \"\\\"$(tr -d '\\r' <%s/headers | sed -n 's/^Qpw-Chain: //Ip')\\\"\" %s/body", n.dir, n.dir);
    netns_run(&n.ns, "[ \"$(" PROGRAM " statement | jq -r .epoch)\" = \"$(cat %s/epoch)\" ]", n.dir);
    for (long i = 1; i < next; i++) {
        cr_expect_eq(ask(&n, AS_PEER "'" EVENTS "?after=%ld&limit=1'", n.dir, n.dir, n.dir, i), 200);
        cr_expect_eq(header(&n, "Qpw-Next"), i + 1);
        netns_run(&n.far, "sed -n %ldp %s/eve.json | cmp - %s/body", i + 1, n.dir, n.dir);
    }
    cr_expect_eq(ask(&n, AS_PEER "'" EVENTS "?after=%ld'", n.dir, n.dir, n.dir, next), 200);
    netns_run(&n.far, "[ ! -s %s/body ]", n.dir);
    cr_expect_eq(ask(&n, AS_PEER "'" EVENTS "?after=999999&wait=30&limit=1'", n.dir, n.dir, n.dir), 200, "another chain's number");
    netns_run(&n.far, "head -n 1 %s/eve.json | cmp - %s/body", n.dir, n.dir);
    cr_expect_eq(ask(&n, AS("prometheus", "10.89.0.5") " " EVENTS, n.dir, n.dir), 403, "readers read metrics only");
    cr_expect_eq(ask(&n, AS("node2", "10.89.0.2") " '" EVENTS "?wait=31'", n.dir, n.dir), 400);
    cr_expect_eq(ask(&n, AS("node2", "10.89.0.2") " '" EVENTS "?after=-1'", n.dir, n.dir), 400);
    cr_expect_eq(ask(&n, AS("node2", "10.89.0.2") " '" EVENTS "?limit=0'", n.dir, n.dir), 400);
    end(&n);
}

/* A request that waits is answered by what happens, long before its time is over, and the oldest of three at once. */
Test(serve, events_come_while_a_peer_waits)
{
    struct server n = {0};

    make(&n);
    start_auditor(&n);
    start_serve(&n);
    until_ready(&n);
    cr_expect_eq(ask(&n, AS_PEER "'" EVENTS "?after=0'", n.dir, n.dir, n.dir), 200);
    netns_run(&n.far, "next=$(tr -d '\\r' <%s/headers | sed -n 's/^Qpw-Next: //Ip'); for i in 1 2 3; do (curl -s -k -m 40 " AS("node2", "10.89.0.2")
              " -o %s/waited$i '" EVENTS "?wait=30&after='$next; date +%%s%%N >%s/at$i) >/dev/null 2>&1 & sleep 0.3; done; true",
              n.dir, n.dir, n.dir, n.dir, n.dir);
    netns_run(&n.far, "for i in $(seq 200); do [ -e %s/at1 ] && exit 0; sleep 0.05; done; exit 1", n.dir);
    netns_run(&n.far, "[ ! -e %s/at2 ] && [ ! -e %s/at3 ] && [ ! -s %s/waited1 ]", n.dir, n.dir, n.dir);
    netns_run(&n.far, "date +%%s%%N >%s/begun", n.dir);
    serve_unlisted(&n, 7002);
    netns_run(&n.far, "for i in $(seq 200); do [ -e %s/at2 ] && [ -e %s/at3 ] && exit 0; sleep 0.05; done; exit 1", n.dir, n.dir);
    netns_run(&n.far, "grep -q '\"dest_port\":7002' %s/waited2 && grep -q '\"dest_port\":7002' %s/waited3", n.dir, n.dir);
    netns_output(&n.far, output, sizeof(output), "echo $((($(cat %s/at2) - $(cat %s/begun)) / 1000000)) ms", n.dir, n.dir);
    cr_log_info("from before the exchange until a waiting peer had it: %s", output);
    cr_expect_eq(ask(&n, AS("prometheus", "10.89.0.5") " " SERVED "/metrics", n.dir, n.dir), 200);
    end(&n);
}

Test(serve, a_key_is_made_once)
{
    struct server n = {0};

    make(&n);
    netns_run(&n.ns, "cp %s/node1/key.pem %s/before && [ $(stat -c %%a %s/before) = 600 ]", n.dir, n.dir, n.dir);
    netns_run(&n.ns, PROGRAM " cluster key --keys %s/node1 --name node1 | grep -q '^# found'", n.dir);
    netns_run(&n.ns, "cmp %s/before %s/node1/key.pem", n.dir, n.dir);
    netns_run(&n.ns, "rm -rf %s", n.dir);
}
