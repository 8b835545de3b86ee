/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Three nodes with an auditor and a gatherer each: one alert for one scan, another key, what is kept of the peers. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "auditor.h"
#include "evelog.h"
#include "netns.h"
#include "serve/gather.h"
#include "util/names.h"

TestSuite(gather, .timeout = NETNS_TIMEOUT_S);

#define PROGRAM QPW_BUILD "/qportwatch"
#define NODES 3
#define PORT 9101

/* Serves this node's statement, made for each request; argv: address, key, file of the keys that it accepts. */
static char server[] =
    "import http.server, ssl, subprocess, sys, time\n"
    "class H(http.server.BaseHTTPRequestHandler):\n"
    "    def log_message(self, *a): pass\n"
    "    def do_GET(self):\n"
    "        body = subprocess.run(['" PROGRAM "', 'statement', '--samples'], capture_output=True).stdout\n"
    "        self.send_response(200 if body else 503)\n"
    "        self.send_header('Qpw-Boot', str(time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000))\n"
    "        self.send_header('Content-Length', str(len(body)))\n"
    "        self.end_headers()\n"
    "        self.wfile.write(body)\n"
    "s = http.server.ThreadingHTTPServer((sys.argv[1], 9101), H)\n"
    "c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\n"
    "c.minimum_version = ssl.TLSVersion.TLSv1_3\n"
    "c.load_cert_chain(sys.argv[2] + '.crt', sys.argv[2] + '.key')\n"
    "c.verify_mode = ssl.CERT_REQUIRED\n"
    "c.load_verify_locations(sys.argv[3])\n"
    "s.socket = c.wrap_socket(s.socket, server_side=True, do_handshake_on_connect=False)\n"
    "s.serve_forever()\n";

static struct netns bridge, outside, ns[NODES];
static pid_t auditor[NODES], listener[NODES], gatherer[NODES], stating[NODES];
static char folder[64], pin[NODES + 1][QPW_POLL_PIN];

static void make_key(unsigned i)
{
    char text[128];

    netns_run(&bridge, "cd %s && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=node%u -days 2 "
                       "-keyout %u.key -out %u.crt && cat %u.crt >>all.crt", folder, i + 1, i, i, i);
    cr_assert_eq(netns_output(&bridge, text, sizeof(text), "openssl x509 -in %s/%u.crt -pubkey -noout | openssl pkey -pubin -outform der | "
                              "openssl dgst -sha256 -binary | base64 -w0", folder, i), 0);
    snprintf(pin[i], sizeof(pin[i]), "sha256:%.44s", text);
}

static void start_auditor(unsigned i)
{
    char policy[96], log[96], eve[96], state[96];
    char *argv[] = {PROGRAM, "attach", "e0", "--mode", "tc", "--no-tui", "--no-history", "--policy", policy, "--alerts", eve, "--cluster",
                    state, NULL};
    FILE *file;

    snprintf(policy, sizeof(policy), "%s/policy", folder);
    file = fopen(policy, "w");
    cr_assert(file);
    fprintf(file, "policy test/cluster\ninbound tcp 445 SMB\n");
    for (unsigned k = 1; k <= NODES; k++)
        fprintf(file, "peer node%u 10.88.0.%u\n", k, k);
    fclose(file);
    snprintf(log, sizeof(log), "%s/log%u", folder, i);
    snprintf(eve, sizeof(eve), "%s/eve%u.json", folder, i);
    snprintf(state, sizeof(state), "%s/state%u", folder, i);
    auditor[i] = netns_start(&ns[i], log, argv);
    netns_until_file(log, "attached", NETNS_DEADLINE_MS);
}

static void start_listener(unsigned i, unsigned key)
{
    char address[32], own[96], all[96], *argv[] = {"python3", "-c", server, address, own, all, NULL};

    snprintf(address, sizeof(address), "10.88.0.%u", i + 1);
    snprintf(own, sizeof(own), "%s/%u", folder, key);
    snprintf(all, sizeof(all), "%s/all.crt", folder);
    listener[i] = netns_start(&ns[i], NULL, argv);
    netns_until_port(&ns[i], "tcp", PORT);
}

/* Put a node's statement in place whole every two seconds, as the auditor does. */
static void start_stating(unsigned i)
{
    static char script[] = "while " PROGRAM " statement --samples >$0.new && mv $0.new $0; do sleep 2; done";
    char own[96], *argv[] = {"sh", "-c", script, own, NULL};

    snprintf(own, sizeof(own), "%s/own%u.json", folder, i);
    stating[i] = netns_start_group(&ns[i], argv);
}

static int gather(void *argument)
{
    unsigned self = (unsigned)(uintptr_t)argument;
    char certificate[96], key[96], own[96], state[96], address[32];
    struct qpw_poll_target peers[NODES] = {0};
    struct qpw_gather_options options = {.poll = {.certificate = certificate, .key = key, .port = PORT}, .peers = peers, .own = own,
                                         .state = state, .every_s = 2};
    struct qpw_error err = {""};
    struct pollfd fd = {.events = POLLIN};
    struct qpw_gather *g;

    snprintf(certificate, sizeof(certificate), "%s/%u.crt", folder, self);
    snprintf(key, sizeof(key), "%s/%u.key", folder, self);
    snprintf(own, sizeof(own), "%s/own%u.json", folder, self);
    snprintf(state, sizeof(state), "%s/state%u", folder, self);
    for (unsigned i = 0; i < NODES; i++) {
        struct qpw_poll_target *t = &peers[options.n_peers];

        if (i == self)
            continue;
        snprintf(t->name, sizeof(t->name), "node%u", i + 1);
        snprintf(address, sizeof(address), "10.88.0.%u", i + 1);
        qpw_address_parse(address, t->addr[0]);
        t->n_addrs = t->n_pins = 1;
        memcpy(t->pin[0], pin[i], sizeof(t->pin[0]));
        options.n_peers++;
    }
    if (qpw_gather_open(&options, &g, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    for (fd.fd = qpw_gather_fd(g); poll(&fd, 1, -1) > 0;)
        qpw_gather_step(g);
    qpw_gather_close(g);
    return 0;
}

static void begin(void)
{
    char out[256];

    netns_need_root();
    snprintf(folder, sizeof(folder), "/tmp/qportwatch-gather.XXXXXX");
    cr_assert(mkdtemp(folder));
    bridge = netns_new();
    if (netns_output(&bridge, out, sizeof(out), "ip link add br0 type bridge mcast_snooping 0 && ip link set br0 up"))
        cr_skip_test("no bridge: %s", out);
    outside = netns_new();
    netns_plug(&bridge, &outside, "10.88.0", 99);
    for (unsigned i = 0; i <= NODES; i++)
        make_key(i);
    for (unsigned i = 0; i < NODES; i++) {
        ns[i] = netns_new();
        netns_plug(&bridge, &ns[i], "10.88.0", i + 1);
    }
    for (unsigned i = 0; i < NODES; i++)
        start_auditor(i);
    for (unsigned i = 0; i < NODES; i++) {
        start_listener(i, i);
        start_stating(i);
        gatherer[i] = netns_fork(&ns[i], gather, (void *)(uintptr_t)i);
    }
}

static void end(void)
{
    for (unsigned i = 0; i < NODES; i++) {
        netns_stop(gatherer[i], SIGKILL);
        netns_stop(listener[i], SIGKILL);
        kill(-stating[i], SIGKILL);
        netns_stop(stating[i], SIGKILL);
        cr_expect_eq(netns_stop(auditor[i], SIGINT), 0);
    }
    for (unsigned i = 0; i < NODES; i++)
        netns_close(&ns[i]);
    cr_assert(!strncmp(folder, "/tmp/qportwatch-gather.", 23));
    netns_run(&bridge, "rm -rf %s", folder);
    netns_close(&outside);
    netns_close(&bridge);
}

/* Whether a node has good statements of so many peers. */
struct wait {
    unsigned node;
    size_t good;
};

static bool has_statements(void *argument)
{
    struct wait *w = argument;
    char path[96];
    json_t *d, *peer;
    size_t good = 0, i;

    snprintf(path, sizeof(path), "%s/state%u/status.json", folder, w->node);
    d = json_load_file(path, 0, NULL);
    json_array_foreach (json_object_get(d, "peers"), i, peer)
        good += !strcmp(node_text(peer, "result"), "ok");
    json_decref(d);
    return good == w->good;
}

static void until_good(unsigned node, size_t good)
{
    cr_assert(netns_until(has_statements, &(struct wait){node, good}, NETNS_DEADLINE_MS), "node%u never has %zu", node + 1, good);
}

/* Wait until the node's auditor has read what its serve found: from then on a scan waits for the cluster's name of it. */
static void until_compared(unsigned node)
{
    union {
        struct inotify_event event;
        char bytes[4096];
    } buf;
    struct pollfd fd = {inotify_init1(IN_CLOEXEC), POLLIN, 0};
    char path[96];
    bool read_it = false;
    ssize_t n;

    snprintf(path, sizeof(path), "%s/state%u", folder, node);
    cr_assert_geq(inotify_add_watch(fd.fd, path, IN_CLOSE_NOWRITE), 0, "%s", path);
    while (!read_it) {
        cr_assert_eq(poll(&fd, 1, NETNS_DEADLINE_MS), 1, "the auditor of node%u reads nothing in %s", node + 1, path);
        n = read(fd.fd, &buf, sizeof(buf));
        cr_assert_gt(n, 0);
        for (const char *at = buf.bytes; at < buf.bytes + n; at += sizeof(buf.event) + ((const struct inotify_event *)at)->len)
            read_it |= ((const struct inotify_event *)at)->len && !strcmp(((const struct inotify_event *)at)->name, "found.json");
    }
    close(fd.fd);
}

static const char *eve_of(unsigned node)
{
    static char path[96];

    snprintf(path, sizeof(path), "%s/eve%u.json", folder, node);
    return path;
}

/* Return the number of records of that signature in all logs. */
static size_t count_all(const char *name)
{
    size_t n = 0;

    for (unsigned i = 0; i < NODES; i++) {
        struct evelog log = {0};

        evelog_add(&log, eve_of(i));
        n += EVELOG_COUNT(&log, .name = name);
        evelog_clear(&log);
    }
    return n;
}

static bool is_everywhere(void *argument)
{
    return count_all("scan") == NODES && count_all("cluster-scan") >= 1;
}

/* Validate the document by its schema, if python3 has jsonschema. */
static void check_schema(const char *document)
{
    char out[4096];

    cr_expect_eq(netns_output(&ns[0], out, sizeof(out), PROGRAM " cluster %s --json --cluster %s/state0 | python3 -c \"import json, sys\n"
                              "try: import jsonschema\nexcept ImportError: sys.exit(0)\n"
                              "jsonschema.Draft202012Validator(json.load(open('user/dist/schemas/cluster-%s.json'))).validate("
                              "json.load(sys.stdin))\n\"", document, folder, document), 0, "%s", out);
}

Test(gather, one_scan_of_all_nodes_is_one_alert)
{
    char out[4096];
    struct evelog log = {0};

    begin();
    cr_expect_eq(netns_output(&ns[0], out, sizeof(out), PROGRAM " cluster status --cluster /nonexistent 2>&1"), 1);
    cr_expect_str_eq(out, "qportwatch cluster status: /nonexistent/status.json: nothing is known of the peers; 'qportwatch serve' asks them\n");
    for (unsigned i = 0; i < NODES; i++)
        until_good(i, NODES - 1);
    for (unsigned i = 0; i < NODES; i++)
        until_compared(i);
    for (unsigned i = 1; i <= NODES; i++)
        netns_run(&outside, "nc -z -w 1 10.88.0.%u 7000-7014 || true", i);
    cr_assert(netns_until(is_everywhere, NULL, NETNS_DEADLINE_MS), "scan %zu, cluster-scan %zu", count_all("scan"), count_all("cluster-scan"));
    cr_expect_eq(count_all("cluster-scan"), 1);
    for (unsigned i = 0; i < NODES; i++) {
        const json_t *scan;

        evelog_clear(&log);
        evelog_add(&log, eve_of(i));
        scan = evelog_last(&log, &(struct evelog_filter){.name = "scan"});
        cr_expect_eq(node_number((json_t *)scan, "alert.severity"), 4, "a part of the cluster's is info");
        cr_expect_eq(strlen(evelog_fact(scan, "cluster_id")), 16u);
    }
    evelog_clear(&log);
    cr_expect_eq(netns_output(&ns[0], out, sizeof(out), PROGRAM " cluster status --cluster %s/state0", folder), 3, "there is a scan: %s", out);
    cr_expect(strstr(out, "node1: 2 peers, 0 of them stale\n"), "%s", out);
    check_schema("status");
    cr_expect_eq(netns_output(&ns[0], out, sizeof(out), "ls %s/state0/peers %s/state0/heads | tr '\\n' ' '", folder, folder), 0);
    cr_expect(strstr(out, "node2 node3"), "%s", out);
    cr_expect(strstr(out, "node2.json node3.json"), "%s", out);
    /* node2 heard of node1's log; cut off its newer records, and only node2 knows. */
    netns_run(&ns[0], "head -n 1 %s/eve0.json >%s/cut.json", folder, folder);
    cr_expect_eq(netns_output(&ns[0], out, sizeof(out), PROGRAM " alerts --verify %s/cut.json", folder), 0, "%s", out);
    cr_expect_eq(netns_output(&ns[0], out, sizeof(out), PROGRAM " alerts --verify --peers %s/state1/heads/node1 %s/cut.json", folder, folder),
                 3, "%s", out);
    cr_expect(strstr(out, "BROKEN: 1 record in 1 file hold, but not what peers heard of it"), "%s", out);
    cr_expect(strstr(out, "1 of 1 record that peers kept is not in it; the first is number "), "%s", out);
    cr_expect_eq(netns_output(&ns[0], out, sizeof(out), PROGRAM " alerts --verify --peers %s/state1/heads/node1 %s/eve0.json", folder, folder),
                 0, "%s", out);
    cr_expect(strstr(out, "1 record that peers kept: all are in it"), "%s", out);
    netns_stop(listener[2], SIGKILL); /* somebody else answers for node3 */
    start_listener(2, NODES);
    EVELOG_UNTIL(eve_of(0), .name = "cluster-key");
    cr_expect_eq(netns_output(&ns[0], out, sizeof(out), PROGRAM " cluster report --cluster %s/state0", folder), 3, "%s", out);
    cr_expect(strstr(out, "medium      node3 shows a key that the policy does not name for it"), "%s", out);
    cr_expect(strstr(out, ", cluster-key\n"), "%s", out);
    cr_expect(strstr(out, "medium      10.88.0.99 probed"), "%s", out);
    check_schema("report");
    cr_expect_eq(netns_output(&ns[0], out, sizeof(out), PROGRAM " cluster report --json --cluster %s/state0 | jq -r '.found[].signature'", folder),
                 0, "%s", out);
    cr_expect(strstr(out, "cluster-scan\n") && strstr(out, "cluster-key\n"), "%s", out);
    until_good(0, NODES - 2);
    end();
}
