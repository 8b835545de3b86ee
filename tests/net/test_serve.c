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
              " -o /dev/null " SERVED "/v1/events -o /dev/null " SERVED "/metrics)\" = 200200200 ] && exit 0; sleep 0.05; done; exit 1", n->dir, n->dir);
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

/* Have serve read its files again, and wait until a request is answered with that status. */
static void reload_until(struct server *n, int status, const char *options)
{
    kill(n->serve, SIGHUP);
    netns_run(&n->far, "for i in $(seq 400); do [ \"$(curl -s -m 2 -k -o /dev/null -w '%%{http_code}' %s || true)\" = %03d ] && exit 0; sleep 0.05; done; "
              "cat %s/serve.log; exit 1", options, status, n->dir);
}

Test(serve, a_reload_takes_keys_certificates_and_addresses)
{
    struct server n = {0};
    char old[512], new[512], other[512];

    make(&n);
    start_auditor(&n);
    start_serve(&n);
    until_ready(&n);
    snprintf(old, sizeof(old), AS("node2", "10.89.0.2") " " STATEMENT, n.dir, n.dir);
    snprintf(new, sizeof(new), AS("rotated", "10.89.0.2") " " STATEMENT, n.dir, n.dir);
    snprintf(other, sizeof(other), AS("rotated", "10.89.0.2") " https://10.89.0.7:9101/v1/statement", n.dir, n.dir);
    add_key(&n, "rotated", "peer node2 10.89.0.2"); /* a second key= of the same name */
    reload_until(&n, 200, new);
    cr_expect_eq(ask(&n, "%s", old), 200, "both keys are accepted while one replaces the other");
    netns_run(&n.ns, "cd %s && { grep -v '^peer node2' policy; grep '^peer node2' policy | tail -n 1; } >without && mv without policy", n.dir);
    reload_until(&n, 403, old);
    cr_expect_eq(ask(&n, "%s", new), 200);
    netns_run(&n.ns, "ip address add 10.89.0.7/24 dev e0 && sed -i 's/^peer node1 10.89.0.1/& 10.89.0.7/' %s/policy", n.dir);
    reload_until(&n, 200, other);
    cr_expect_eq(ask(&n, "%s", new), 200, "the old address is still there");
    /* A new key of the node itself, which the next connection meets. */
    netns_run(&n.ns, PROGRAM " cluster key --keys %s/own --name node1 >%s/ownline && cp %s/own/*.pem %s/node1/", n.dir, n.dir, n.dir, n.dir);
    netns_run(&n.ns, "sed -n 's/.*key=sha256:/sha256\\/\\//p' %s/ownline >%s/pin", n.dir, n.dir);
    kill(n.serve, SIGHUP);
    netns_run(&n.far, "for i in $(seq 200); do curl -s -m 2 -k -o /dev/null --pinnedpubkey \"$(cat %s/pin)\" %s && exit 0; sleep 0.05; done; exit 1", n.dir,
              new);
    /* What is wrong changes nothing. */
    netns_run(&n.ns, "echo junk >%s/node1/key.pem; cp %s/policy %s/good", n.dir, n.dir, n.dir);
    kill(n.serve, SIGHUP);
    netns_run(&n.ns, "for i in $(seq 200); do [ $(grep -c 'previous policy and keys kept' %s/serve.log) = 1 ] && exit 0; sleep 0.05; done; exit 1", n.dir);
    netns_run(&n.ns, "cp %s/own/key.pem %s/node1/; echo nonsense >>%s/policy", n.dir, n.dir, n.dir);
    kill(n.serve, SIGHUP);
    netns_run(&n.ns, "for i in $(seq 200); do [ $(grep -c 'previous policy and keys kept' %s/serve.log) = 2 ] && exit 0; sleep 0.05; done; exit 1", n.dir);
    cr_expect_eq(ask(&n, "%s", new), 200);
    netns_run(&n.far, "for i in $(seq 300); do curl -s -m 5 -k " AS("prometheus", "10.89.0.5") " " SERVED "/metrics | grep -q "
              "'^qportwatch_serve_requests_total{result=\"wrong-key\"} [1-9]' && jq -e '.served[\"wrong-key\"] > 0' %s/state/status.json >/dev/null && exit 0; sleep 0.1; done; exit 1", n.dir, n.dir,
              n.dir); /* counts outlive a reload */
    end(&n);
}

Test(serve, slow_readers_and_a_body_of_a_gibibyte_hinder_nobody)
{
    struct server n = {0};

    make(&n);
    start_auditor(&n);
    start_serve(&n);
    until_ready(&n);
    netns_run(&n.far, "for i in 1 2 3 4 5 6; do curl -s -k -m 60 --limit-rate 1 -o /dev/null " AS("node2", "10.89.0.2") " " STATEMENT " >/dev/null 2>&1 & done; true",
              n.dir, n.dir);
    netns_run(&n.far, "truncate -s 1G %s/large", n.dir);
    cr_expect_eq(ask(&n, "-T %s/large " AS("node2", "10.89.0.2") " " STATEMENT, n.dir, n.dir, n.dir), 405);
    cr_expect_eq(ask(&n, AS("prometheus", "10.89.0.5") " " SERVED "/metrics", n.dir, n.dir), 200);
    cr_expect_eq(ask(&n, AS("node2", "10.89.0.2") " " STATEMENT, n.dir, n.dir), 200);
    netns_run(&n.ns, "[ $(sed -n 's/^VmRSS:[^0-9]*\\([0-9]*\\).*/\\1/p' /proc/%d/status) -lt 65536 ]", (int)n.serve);
    end(&n);
}

Test(serve, answers_in_the_form_that_a_client_reads)
{
    struct server n = {0};

    make(&n);
    start_auditor(&n);
    start_serve(&n);
    until_ready(&n);
    cr_expect_eq(ask(&n, AS("node2", "10.89.0.2") " " STATEMENT, n.dir, n.dir), 200);
    netns_run(&n.far, "jq -S 'del(.at,.seq,.digest,.uptime,.chain)|keys' %s/body >%s/plain", n.dir, n.dir);
    cr_expect_eq(ask(&n, "-H 'Accept-Encoding: gzip' " AS_PEER STATEMENT, n.dir, n.dir, n.dir), 200);
    netns_run(&n.far, "grep -qi '^Content-Encoding: gzip' %s/headers && gzip -dc <%s/body | jq -S 'del(.at,.seq,.digest,.uptime,.chain)|keys' | cmp - %s/plain",
              n.dir, n.dir, n.dir);
    cr_expect_eq(ask(&n, "-H 'Accept: application/openmetrics-text;version=1.0.0,text/plain;q=0.5' " AS("prometheus", "10.89.0.5") " -D %s/headers " SERVED
                     "/metrics", n.dir, n.dir, n.dir), 200);
    netns_run(&n.far, "grep -qi '^Content-Type: application/openmetrics-text; version=1.0.0' %s/headers && [ \"$(tail -n 1 %s/body)\" = '# EOF' ] && "
              "! grep -q '^# TYPE [^ ]*_total counter' %s/body", n.dir, n.dir, n.dir);
    netns_run(&n.far, "! command -v python3 >/dev/null || ! python3 -c 'import prometheus_client' 2>/dev/null || python3 -c 'import sys; from "
              "prometheus_client.openmetrics.parser import text_string_to_metric_families as p; list(p(sys.stdin.read()))' <%s/body", n.dir);
    end(&n);
}

/* One authority for all nodes, whose certificates name them; over IPv6. */
Test(serve, by_a_certificate_authority_over_ipv6)
{
    static const char url[] = "'https://[fd89::1]:9101/v1/statement'";
    struct server n = {0};

    make(&n);
    netns_address(&n.ns, "e0", "fd89::1/64");
    netns_address(&n.far, "e0", "fd89::2/64");
    netns_run(&n.ns, "cd %s && new='openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2'; "
              "$new -subj /CN=ca -keyout ca.key -out ca.pem; $new -subj /CN=other -keyout other.key -out other.pem; "
              "one() { mkdir -p $1; openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=$2 -keyout $1/key.pem -out $1.csr && "
              "printf 'subjectAltName=DNS:%%s\\n' $2 >$1.ext && openssl x509 -req -in $1.csr -CA $3.pem -CAkey $3.key -CAcreateserial -days $4 "
              "-extfile $1.ext -out $1/certificate.pem; }; rm -rf node1 node2; one node1 node1 ca 2; one node2 node2 ca 2; one forged node2 other 2; "
              "one named node9 ca 2; one expired node2 ca 0; while [ $(date +%%s) -le $(date -d \"$(openssl x509 -enddate -noout -in "
              "expired/certificate.pem | cut -d= -f2)\" +%%s) ]; do sleep 0.1; done; printf 'policy test/ca\\ncluster blue ca=%%s/ca.pem\\npeer node1 10.89.0.1 fd89::1\\n"
              "peer node2 10.89.0.2 fd89::2\\n' \"$PWD\" >policy", n.dir);
    start_auditor(&n);
    start_serve(&n);
    netns_run(&n.far, "cd %s; for i in $(seq 400); do [ \"$(curl -s -m 2 --cacert ca.pem --resolve 'node1:9101:[fd89::1]' --cert node2/certificate.pem --key "
              "node2/key.pem -o /dev/null -w '%%{http_code}' https://node1:9101/v1/statement)\" = 200 ] && exit 0; sleep 0.05; done; cat serve.log; exit 1", n.dir);
    cr_expect_eq(ask(&n, AS("forged", "fd89::2") " %s", n.dir, n.dir, url), 403, "of another authority");
    cr_expect_eq(ask(&n, AS("named", "fd89::2") " %s", n.dir, n.dir, url), 403, "of a name that is no peer");
    cr_expect_eq(ask(&n, AS("expired", "fd89::2") " %s", n.dir, n.dir, url), 403, "expired");
    cr_expect_eq(ask(&n, AS("node2", "10.89.0.9") " " STATEMENT, n.dir, n.dir), 403, "from another address");
    cr_expect_eq(ask(&n, AS("node2", "10.89.0.2") " " STATEMENT, n.dir, n.dir), 200);
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
