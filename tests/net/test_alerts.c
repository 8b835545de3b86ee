/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The alert log of a monitored node: a day in a minute, killed auditors, a full disk, rotation, and the time from a
 * packet to its line.
 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "alert/engine.h"
#include "alert/log/eve.h"
#include "auditor.h"
#include "evelog.h"
#include "traffic.h"
#include "thorough.h"

/* Every finding has a record of its own: no aggregates. */
#define ONE_BY_ONE \
    "--alert scan_targets=0 --alert slow_scan_targets=0 --alert flood=0 --alert initiators=0 --alert neighbour=0 " \
    "--alert settle_s=0 --alert cap=1000000"

static uint64_t unix_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static void path_in(const struct node *n, const char *name, char *ret, size_t size)
{
    snprintf(ret, size, "%s/%s", n->folder, name);
}

/* Open one TCP connection and close it at once. Returns 0, or the errno of the failure. */
static int knock(const char *address, uint16_t port, int milliseconds)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), error = 0;
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    socklen_t size = sizeof(error);

    inet_pton(AF_INET, address, &to.sin_addr);
    if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 && errno != EINPROGRESS)
        error = errno;
    else if (poll(&p, 1, milliseconds) != 1)
        error = ETIMEDOUT;
    else
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    close(fd);
    return error;
}

struct knocking {
    uint16_t port;
    int milliseconds;
    int result;
};

static int knock_inside(void *argument)
{
    struct knocking *k = argument;

    k->result = knock("10.7.0.1", k->port, k->milliseconds);
    return 0;
}

static int client_knocks_for(struct node *n, uint16_t port, int milliseconds)
{
    struct knocking k = {port, milliseconds, 0};

    netns_call(&n->client, knock_inside, &k);
    return k.result;
}

/* Connect from the client and wait for either result. */
static int client_knocks(struct node *n, uint16_t port)
{
    return client_knocks_for(n, port, NETNS_DEADLINE_MS);
}

/* ---- A day in a minute ---- */

static const struct wanted_record {
    const char *name;
    const char *source;
    unsigned port;
    const char *process; /* NULL: none may be named */
} wanted_records[] = {
    {"inbound-data", "10.7.0.2", 4444, "test_alerts"}, /* the unlisted service */
    {"inbound-refused", "10.7.0.2", 8081, NULL},
    {"inbound-attempted", "10.7.0.2", 8082, NULL},
    {"outbound-data", "10.7.0.1", 6667, "test_alerts"},
    {"further-initiators", "10.7.0.3", 4444, "test_alerts"}, /* it answers the scanner, too */
    {"inbound-answered", "10.7.0.3", 3000, "test_alerts"}, /* the peer's service does as well */
    {"service-mismatch", "10.7.0.2", 2049, "test_alerts"}, /* the test's server is not NFS, */
    {"service-mismatch", "10.7.0.2", 445, "test_alerts"},  /* and this one is not SMB */
    {"scan", "10.7.0.3", 0, NULL},
    {"detail-lost", NULL, 0, NULL},
    {"table-full", NULL, 0, NULL},
    {"peer-silent", NULL, 0, NULL},
    {"peer-family", NULL, 0, NULL}, /* seen over IPv4 only, while the vendor's page requires IPv6 between nodes */
};
#define WANTED (sizeof(wanted_records) / sizeof(*wanted_records))

static bool is_wanted(const json_t *record)
{
    const char *name = evelog_name(record);

    for (size_t i = 0; i < WANTED; i++)
        if (evelog_fits(record, &(struct evelog_filter){.name = wanted_records[i].name,
                                                        .source = wanted_records[i].source,
                                                        .port = wanted_records[i].port}))
            return true;
    /* The node's own queries during the first timeout, which may answer earlier requests. */
    return !strcmp(name, "stats") || !strcmp(name, "attached") || !strcmp(name, "auditor-started") ||
           !strcmp(name, "just-attached");
}

/* Return whether a record is of an earlier stage: one before a connection is answered or exchanges data is not superfluous. */
static bool is_earlier_stage(const json_t *record)
{
    return evelog_fits(record,
                       &(struct evelog_filter){.name = "inbound-answered", .source = "10.7.0.2", .port = 4444}) ||
           evelog_fits(record, &(struct evelog_filter){.name = "inbound-attempted", .port = 4444}) ||
           evelog_fits(record,
                       &(struct evelog_filter){.name = "inbound-attempted", .source = "10.7.0.2", .port = 8081}) ||
           evelog_fits(record, &(struct evelog_filter){.name = "outbound-answered", .port = 6667}) ||
           evelog_fits(record, &(struct evelog_filter){.name = "outbound-attempted", .port = 6667});
}

static void expect_exactly(const struct evelog *log)
{
    for (size_t i = 0; i < WANTED; i++) {
        const struct wanted_record *w = &wanted_records[i];
        const json_t *r =
            evelog_last(log, &(struct evelog_filter){.name = w->name, .source = w->source, .port = w->port});

        cr_expect(r, "no %s from %s to port %u", w->name, w->source ? w->source : "-", w->port);
        if (r)
            cr_expect_str_eq(evelog_fact(r, "process"), w->process ? w->process : "", "%s from %s: %s (%s)", w->name,
                             w->source ? w->source : "-", evelog_fact(r, "process"), evelog_fact(r, "process_match"));
    }
    for (size_t i = 0; i < log->n; i++)
        if (!is_wanted(log->records[i]) && !is_earlier_stage(log->records[i]))
            cr_expect(false, "one too many: %s", json_dumps(log->records[i], JSON_COMPACT));
}

/* Connect from the scanner. A scan's frames are never repeated, so a full queue would hide an open port. */
static void scanner_finds(struct node *n, uint16_t port)
{
    close(traffic_tcp_open(&n->client, &(struct traffic_tcp){
                                           .address = "10.7.0.1", .port = port, .local_address = "10.7.0.3"}));
}

Test(alerts, a_day_in_a_minute, .timeout = NETNS_TIMEOUT_S)
{
    pid_t backdoor, nfs, smb, dns, ntp, irc, peer;
    struct evelog log = {0};
    struct node n;
    char path[128];
    int fd, peer_fd;

    node_open(&n);
    path_in(&n, "eve.json", path, sizeof(path));
    netns_address(&n.client, "client0", "10.7.0.3/24"); /* the scanner */
    netns_address(&n.client, "client0", "10.7.0.9/24"); /* a peer */
    netns_run(&n.node, "nft add table inet t; nft add chain inet t i '{ type filter hook input priority 0; }'; "
                       "nft add rule inet t i tcp dport 8082 drop");
    backdoor = traffic_serve_tcp(&n.node, "10.7.0.1", 4444);
    nfs = traffic_serve_tcp(&n.node, "10.7.0.1", 2049);
    smb = traffic_serve_tcp(&n.node, "10.7.0.1", 445);
    dns = traffic_serve_udp(&n.client, "10.7.0.2", 53);
    ntp = traffic_serve_udp(&n.client, "10.7.0.2", 123);
    irc = traffic_serve_tcp(&n.client, "10.7.0.2", 6667);
    peer = traffic_serve_tcp(&n.node, "10.7.0.1", 3000);
    node_attach(
        &n, "node0 --alerts %s --peer node2=10.7.0.9 --interval 1 --alert summary_s=600 --alert peer_silent_s=3 "
            "--alert gather_s=1", path);

    /* Left open and idle, because the scan would evict a closed one before the walk over address families. */
    peer_fd = traffic_tcp_open(&n.client,
                               &(struct traffic_tcp){.address = "10.7.0.1", .port = 3000, .local_address = "10.7.0.9"});
    traffic_tcp_more(peer_fd, 500, 0);
    traffic_tcp(&n.client, &(struct traffic_tcp){.address = "10.7.0.1", .port = 2049, .up = 1000000, .down = 1000000});
    traffic_tcp(&n.client, &(struct traffic_tcp){.address = "10.7.0.1", .port = 445, .up = 50000, .down = 500000});
    traffic_udp(&n.node, "10.7.0.2", 53, 0, 50, 60);
    traffic_udp(&n.node, "10.7.0.2", 123, 123, 4, 48);
    cr_expect_eq(client_knocks(&n, 8081), ECONNREFUSED);
    cr_expect_eq(client_knocks_for(&n, 8082, 300), ETIMEDOUT);
    traffic_tcp(&n.client, &(struct traffic_tcp){.address = "10.7.0.1", .port = 4444, .up = 100, .down = 5000});
    fd = traffic_tcp_open(&n.node, &(struct traffic_tcp){.address = "10.7.0.2", .port = 6667});
    traffic_tcp_more(fd, 3000, 100);
    scanner_finds(&n, 4444);
    scanner_finds(&n, 3000);
    netns_run(
        &n.client,
        "nmap -n -Pn -sS -p- -T5 --min-rate 15000 --max-retries 0 -S 10.7.0.3 -e client0 10.7.0.1 >/dev/null 2>&1");
    EVELOG_UNTIL(path, .name = "peer-silent");
    EVELOG_UNTIL(path, .name = "peer-family");
    EVELOG_UNTIL(path, .name = "table-full");
    EVELOG_UNTIL(path, .name = "inbound-answered", .source = "10.7.0.3");
    EVELOG_UNTIL(path, .name = "further-initiators", .port = 4444);
    evelog_add(&log, path);
    evelog_assert_sound(&log);
    expect_exactly(&log);
    evelog_clear(&log);
    close(fd);
    close(peer_fd);
    node_close(&n);
    netns_stop(backdoor, SIGKILL);
    netns_stop(nfs, SIGKILL);
    netns_stop(smb, SIGKILL);
    netns_stop(dns, SIGKILL);
    netns_stop(ntp, SIGKILL);
    netns_stop(irc, SIGKILL);
    netns_stop(peer, SIGKILL);
}

/* ---- Killed at random moments ---- */

#define OPEN_FROM 20000
#define OPEN_PORTS 60
#define CLOSED_FROM 21000
#define CLOSED_PORTS 1500
#define KILLS 50
#define MOST_KILLS 300

static int listen_on_many(void *argument)
{
    for (unsigned i = 0; i < OPEN_PORTS; i++) {
        struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(OPEN_FROM + i)};
        int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
        if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 4096) < 0)
            return 1;
    }
    pause();
    return 0;
}

/* Connect to closed ports in turn, and occasionally to an open one, until told to stop. */
static int attack(void *argument)
{
    for (unsigned i = 0;; i++) {
        knock("10.7.0.1", CLOSED_FROM + i % CLOSED_PORTS, 1000);
        if (i % 25 == 0)
            knock("10.7.0.1", OPEN_FROM + i / 25 % OPEN_PORTS, 1000);
        usleep(1000); /* a steady rate; not a wait */
    }
    return 0;
}

/* Check that every unexpected finding of the kernel side has a record, and answered ones their outcome. */
static void expect_all_told(struct node *n, const struct evelog *log)
{
    static char text[16 << 20];
    json_t *report, *finding;
    unsigned findings = 0, missing = 0;
    size_t i;

    cr_assert_eq(node_command(n, text, sizeof(text), "report --format json"), 0);
    report = json_loads(text, 0, NULL);
    cr_assert(report);
    json_array_foreach(json_object_get(report, "findings"), i, finding) {
        uint64_t flow_id = json_integer_value(json_object_get(finding, "flow_id"));
        const char *outcome = json_string_value(json_object_get(finding, "outcome"));
        const json_t *r = evelog_last(log, &(struct evelog_filter){.flow_id = flow_id});

        if (strcmp(json_string_value(json_object_get(finding, "verdict")), "unexpected"))
            continue;
        findings++;
        if ((!r || strcmp(evelog_fact(r, "outcome"), outcome)) && missing++ < 5)
            cr_expect(false, "%s: %s", r ? "outcome not told" : "no record", json_dumps(finding, JSON_COMPACT));
    }
    cr_assert_eq(missing, 0, "%u of %u findings are not told", missing, findings);
    cr_assert_gt(findings, OPEN_PORTS);
    json_decref(report);
}

Test(alerts, killed_at_random_moments, .timeout = NETNS_TIMEOUT_S)
{
    struct evelog log = {0};
    pid_t server, attacker;
    struct node n;
    char path[128];
    const unsigned kills = thorough_rounds(KILLS, MOST_KILLS);

    srand(thorough_seed(4711));
    node_open(&n);
    path_in(&n, "eve.json", path, sizeof(path));
    server = netns_fork(&n.node, listen_on_many, NULL);
    netns_until_port(&n.node, "tcp", OPEN_FROM + OPEN_PORTS - 1);
    node_attach(&n, "node0 --alerts %s --interval 1 --alert summary_s=600 " ONE_BY_ONE, path);
    attacker = netns_fork(&n.client, attack, NULL);
    for (unsigned i = 0; i < kills; i++) {
        usleep(rand() % 150000); /* a random moment */
        node_stop(&n, SIGKILL);
        node_attach(&n, "node0 --alerts %s --interval 1 --alert summary_s=600 " ONE_BY_ONE, path);
    }
    cr_assert_eq(node_command(&n, NULL, 0, "status"), 0);
    EVELOG_UNTIL(path, .name = "inbound-answered", .port = OPEN_FROM + OPEN_PORTS - 1); /* all have been tried */
    netns_stop(attacker, SIGKILL);
    node_stop(&n, SIGKILL);
    node_attach(&n, "node0 --alerts %s --interval 1 --keep --alert summary_s=600 " ONE_BY_ONE, path);
    cr_expect_eq(node_stop(&n, SIGTERM), 0); /* a clean end writes what is pending; --keep keeps the counters */
    evelog_add(&log, path);
    evelog_assert_sound(&log);
    expect_all_told(&n, &log);
    evelog_clear(&log);
    netns_stop(server, SIGKILL);
    node_close(&n);
}

/* ---- Disk full, rotation ---- */

static bool status_says_failing(void *argument)
{
    json_t *status = node_status(argument, NULL);
    bool failing = strcmp(node_text(status, "alerts.state"), "written");

    json_decref(status);
    return failing;
}

Test(alerts, a_full_disk_delays_and_loses_nothing, .timeout = NETNS_TIMEOUT_S)
{
    struct evelog log = {0};
    char path[128], disk[128], filler[160], text[65536];
    pid_t server;
    struct node n;
    unsigned times = 0;

    netns_need_root();
    cr_assert_eq(unshare(CLONE_NEWNS), 0);
    cr_assert_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
    node_open(&n);
    path_in(&n, "disk", disk, sizeof(disk));
    cr_assert_eq(mkdir(disk, 0700), 0);
    cr_assert_eq(mount("tmpfs", disk, "tmpfs", 0, "size=1m"), 0);
    path_in(&n, "disk/eve.json", path, sizeof(path));
    path_in(&n, "disk/filler", filler, sizeof(filler));
    server = netns_fork(&n.node, listen_on_many, NULL);
    netns_until_port(&n.node, "tcp", OPEN_FROM + OPEN_PORTS - 1);
    node_attach(&n, "node0 --alerts %s --interval 1 --alert summary_s=600 " ONE_BY_ONE, path);
    cr_expect_eq(client_knocks(&n, OPEN_FROM), 0);
    EVELOG_UNTIL(path, .name = "inbound-answered", .port = OPEN_FROM);
    netns_output(&n.node, NULL, 0, "cat /dev/zero > %s 2>/dev/null", filler);
    for (unsigned i = 1; i < OPEN_PORTS; i++)
        cr_expect_eq(client_knocks(&n, OPEN_FROM + i), 0);
    for (unsigned i = 0; i < 200; i++)
        cr_expect_eq(client_knocks(&n, CLOSED_FROM + i), ECONNREFUSED);
    cr_assert(netns_until(status_says_failing, &n, NETNS_DEADLINE_MS), "status does not say so");
    netns_until_file(n.log, "cannot be written", NETNS_DEADLINE_MS);
    cr_assert_eq(unlink(filler), 0);
    EVELOG_UNTIL(path, .name = "inbound-refused", .port = CLOSED_FROM + 199);
    EVELOG_UNTIL(path, .name = "inbound-answered", .port = OPEN_FROM + OPEN_PORTS - 1);
    netns_until_file(n.log, "writing again", NETNS_DEADLINE_MS);
    evelog_add(&log, path);
    evelog_assert_sound(&log);
    for (unsigned i = 0; i < 200; i++) { /* reported as attempted first if the auditor looked before the answer */
        const json_t *last = evelog_last(&log, &(struct evelog_filter){.port = CLOSED_FROM + i});

        cr_expect_eq(EVELOG_COUNT(&log, .kind = "first", .port = CLOSED_FROM + i), 1, "port %u", CLOSED_FROM + i);
        cr_expect(last && !strcmp(evelog_fact(last, "outcome"), "refused"), "port %u", CLOSED_FROM + i);
    }
    netns_output(&n.node, text, sizeof(text), "grep -c 'cannot be written' %s", n.log);
    times = atoi(text);
    cr_expect_eq(times, 1, "said %u times", times);
    evelog_clear(&log);
    netns_stop(server, SIGKILL);
    cr_expect_eq(node_stop(&n, SIGTERM), 0);
    umount2(disk, MNT_DETACH);
    node_close(&n);
}

Test(alerts, a_clean_exit_says_what_it_could_not_write, .timeout = NETNS_TIMEOUT_S)
{
    char path[160], output[65536];
    struct node n;

    node_open(&n);
    path_in(&n, "no/such/place/eve.json", path, sizeof(path)); /* only one folder is created */
    node_attach(&n, "node0 --alerts %s --interval 1", path);
    cr_expect_eq(client_knocks(&n, CLOSED_FROM), ECONNREFUSED);
    node_until_number(&n, "totals.unexpected", 1);
    cr_assert(netns_until(status_says_failing, &n, NETNS_DEADLINE_MS), "the audit does not go on, or does not say so");
    cr_expect_eq(node_stop(&n, SIGTERM), 1);
    netns_output(&n.node, output, sizeof(output), "cat %s", n.log);
    cr_expect(strstr(output, "not written: {\"timestamp\""), "%s", output);
    cr_expect(strstr(output, "\"dest_port\":21000"), "%s", output);
    node_nothing_left(&n);
    node_close(&n);
}

/* ---- Reloads and suppressions ---- */

#define POLICY "policy test\ninbound tcp 22 SSH\n"
#define POLICY_SUPPRESSED POLICY "suppress inbound tcp any from=10.7.0.2 until=2099-01-01 reason=\"own scanner\"\n"

Test(alerts, reloads_and_suppressions_are_records, .timeout = NETNS_TIMEOUT_S)
{
    struct evelog log = {0};
    char path[128], policy[128], text[8192];
    const json_t *r;
    pid_t server;
    struct node n;

    node_open(&n);
    path_in(&n, "eve.json", path, sizeof(path));
    server = traffic_serve_tcp(&n.node, "10.7.0.1", 4444);
    node_write(&n, "policy", POLICY, policy, sizeof(policy));
    node_attach(&n, "node0 --alerts %s --policy %s --interval 1 --alert summary_s=600", path, policy);
    cr_expect_eq(client_knocks(&n, 8081), ECONNREFUSED);
    EVELOG_UNTIL(path, .name = "inbound-refused", .port = 8081);

    node_write(&n, "policy", POLICY_SUPPRESSED, policy, sizeof(policy));
    cr_expect_eq(node_command(&n, NULL, 0, "reload"), 0);
    cr_expect_eq(client_knocks(&n, 8082), ECONNREFUSED);
    traffic_tcp(&n.client, &(struct traffic_tcp){.address = "10.7.0.1", .port = 4444, .up = 10, .down = 10});
    EVELOG_UNTIL(path, .name = "suppressed");
    EVELOG_UNTIL(path, .port = 4444);

    node_write(&n, "policy", POLICY "inbuond tcp 4444 x\n", policy, sizeof(policy));
    cr_expect_eq(node_command(&n, NULL, 0, "reload"), 2);
    node_write(&n, "policy", POLICY "inbound tcp 4444 backdoor from=10.7.0.2\n", policy, sizeof(policy));
    cr_expect_eq(node_command(&n, NULL, 0, "reload"), 0);
    EVELOG_UNTIL(path, .name = "suppression-ended");
    EVELOG_UNTIL(path, .port = 8082); /* what it suppressed is reported once it has ended */

    evelog_add(&log, path);
    evelog_assert_sound(&log);
    cr_expect_eq(EVELOG_COUNT(&log, .name = "reloaded"), 2);
    cr_expect_eq(EVELOG_COUNT(&log, .name = "suppression-added"), 1);
    cr_expect_eq(EVELOG_COUNT(&log, .name = "suppression-ended"), 1);
    r = evelog_last(&log, &(struct evelog_filter){.name = "reload-failed"});
    cr_assert(r);
    cr_expect(strstr(evelog_fact(r, "text"), "policy:3:1: "), "%s", evelog_fact(r, "text"));
    r = evelog_last(&log, &(struct evelog_filter){.name = "reloaded"});
    snprintf(text, sizeof(text), "%s", json_dumps(r, JSON_COMPACT));
    cr_expect(strstr(text, "\"old_digest\":\"sha256:") && strstr(text, "\"new_digest\":\"sha256:"), "%s", text);
    cr_expect(strstr(text, "4444"), "what it opens: %s", text);
    cr_expect(strstr(evelog_fact(r, "by"), ": " QPW_BUILD "/qportwatch reload"), "who asked: %s", text);
    cr_expect_str_eq(evelog_fact(r, "policy_file"), policy, "%s", text);
    evelog_clear(&log);
    node_close(&n);
    netns_stop(server, SIGKILL);
}

Test(alerts, rotation_under_load, .timeout = NETNS_TIMEOUT_S)
{
    struct evelog log = {0};
    pid_t server, attacker;
    char path[128], old[160];
    struct node n;

    node_open(&n);
    path_in(&n, "eve.json", path, sizeof(path));
    server = netns_fork(&n.node, listen_on_many, NULL);
    netns_until_port(&n.node, "tcp", OPEN_FROM + OPEN_PORTS - 1);
    node_attach(&n, "node0 --alerts %s --interval 1 --keep --alert summary_s=1 " ONE_BY_ONE, path);
    attacker = netns_fork(&n.client, attack, NULL);
    for (unsigned i = 0; i < 40; i++) {
        evelog_until(path, &(struct evelog_filter){.source = "10.7.0.2"});
        snprintf(old, sizeof(old), "%s.old%02u", path, i);
        cr_assert_eq(rename(path, old), 0);
        kill(n.auditor, SIGHUP);
    }
    netns_stop(attacker, SIGKILL);
    cr_expect_eq(node_stop(&n, SIGTERM), 0);
    for (unsigned i = 0; i < 40; i++) {
        snprintf(old, sizeof(old), "%s.old%02u", path, i);
        evelog_add(&log, old);
    }
    evelog_add(&log, path);
    evelog_assert_sound(&log);
    expect_all_told(&n, &log);
    evelog_clear(&log);
    netns_stop(server, SIGKILL);
    node_close(&n);
}

static bool is_there(void *path)
{
    return access(path, F_OK) == 0;
}

/* A reader may look for the new file at once, so it must appear without any event. */
Test(alerts, rotation_in_a_quiet_hour, .timeout = NETNS_TIMEOUT_S)
{
    char path[128], old[160];
    struct node n;

    node_open(&n);
    path_in(&n, "eve.json", path, sizeof(path));
    node_attach(&n, "node0 --alerts %s --interval 1 --alert heartbeat_s=3600", path);
    EVELOG_UNTIL(path, .name = "attached");
    snprintf(old, sizeof(old), "%s.old", path);
    cr_assert_eq(rename(path, old), 0);
    kill(n.auditor, SIGHUP);
    cr_expect(netns_until(is_there, path, NETNS_DEADLINE_MS / 2), "no new file");
    cr_expect_eq(node_stop(&n, SIGTERM), 0);
    node_close(&n);
}

/* ---- From packet to line ---- */

#define SAMPLES 200

static int by_size(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

Test(alerts, from_packet_to_line, .timeout = NETNS_TIMEOUT_S)
{
    uint64_t sent[SAMPLES];
    double ms[SAMPLES];
    struct evelog log = {0};
    struct node n;
    char path[128];

    srand(thorough_seed(815));
    netns_first_in_line();
    node_open(&n);
    path_in(&n, "eve.json", path, sizeof(path));
    node_attach(&n, "node0 --alerts %s " ONE_BY_ONE, path);
    for (unsigned i = 0; i < SAMPLES; i++) {
        sent[i] = unix_ns();
        cr_expect_eq(client_knocks(&n, CLOSED_FROM + i), ECONNREFUSED);
        usleep(rand() % (i % 10 ? 60000 : 1500000)); /* occasionally the auditor is idle for long */
    }
    EVELOG_UNTIL(path, .port = CLOSED_FROM + SAMPLES - 1);
    evelog_add(&log, path);
    for (unsigned i = 0; i < SAMPLES; i++) {
        const json_t *r = evelog_last(&log, &(struct evelog_filter){.port = CLOSED_FROM + i, .kind = "first"});

        cr_assert(r, "no record of port %u", CLOSED_FROM + i);
        ms[i] = ((double)qpw_eve_parse_time(evelog_fact(r, "written")) - (double)sent[i]) / 1e6;
    }
    qsort(ms, SAMPLES, sizeof(*ms), by_size);
    printf("    from packet to line: median %.1f ms, 99th percentile %.1f ms, most %.1f ms of %d\n", ms[SAMPLES / 2],
           ms[SAMPLES * 99 / 100], ms[SAMPLES - 1], SAMPLES);
    fflush(stdout);
    for (unsigned i = 0; i < SAMPLES; i++) /* the time depends on the machine, but each must be reported once */
        cr_expect_eq(EVELOG_COUNT(&log, .port = CLOSED_FROM + i, .kind = "first"), 1, "port %u", CLOSED_FROM + i);
    evelog_clear(&log);
    node_close(&n);
}
