/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What speaks on a listed port, with the built-in policy: another service in its place is reported, the service itself is not. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "evelog.h"
#include "servers.h"
#include "site.h"

/* One connection on which something else speaks than the rule names. */
static const struct scene {
    const char *name;
    const char *serves;  /* shell, in the foreground: on the node, or on the other end for what the node opens */
    const char *asks;    /* shell, to its end, on the opposite one */
    bool outbound;
    uint16_t port;
    const char *own;     /* class of what the node's end said */
    const char *severity;
    const char *process; /* at the node's end, as the alert names it, */
    const char *looks;   /* and what it says of the first bytes */
} scenes[] = {
    {"a chat in place of SMB", "exec ncat -l 445 -c 'echo hello, is anybody there'", "timeout 20 ncat --recv-only 10.1.0.1 445", false, 445,
     "text", "high", "ncat", "its first bytes look like text"},
    {"an HTTP proxy in place of NFS", "exec ncat -l 2049 --proxy-type http", "printf 'CONNECT 10.1.0.1:9 HTTP/1.0\\r\\n\\r\\n' | timeout 20 ncat 10.1.0.1 2049",
     false, 2049, "http", "medium", "ncat", "its first bytes look like HTTP"},
    {"a shell in place of the REST API", "exec socat TCP-LISTEN:8000,reuseaddr EXEC:'bash --norc -i',pty,setsid,stderr",
     "(echo exit; sleep 1) | timeout 20 ncat 10.1.0.1 8000", false, 8000, "text", "medium", "socat", "its first bytes look like text"},
    {"FastCGI in place of S3",
     "printf '\\001\\006\\000\\001\\000\\020\\000\\000Status: 200 OK\\r\\n' >$DIR/answer; "
     "exec socat TCP-LISTEN:9000,reuseaddr SYSTEM:\"head -c 8 >/dev/null; cat $DIR/answer\"",
     "printf '\\001\\001\\000\\001\\000\\010\\000\\000\\000\\001\\000\\000\\000\\000\\000\\000' | timeout 20 ncat 10.1.0.1 9000", false, 9000,
     "fastcgi", "medium", "socat", "its first bytes look like FastCGI"},
    {"SSH turned round, out on 443", "mkdir -p $DIR/r && cd $DIR/r && ssh-keygen -q -t ed25519 -N '' -f host && ssh-keygen -q -t ed25519 -N '' -f user && "
     "printf 'Port 443\\nHostKey %s/r/host\\nPidFile none\\nUsePAM no\\nStrictModes no\\nPermitRootLogin yes\\nAuthorizedKeysFile %s/r/user.pub\\n' "
     "$DIR $DIR >conf && unshare -m sh -c 'mount -t tmpfs none /run && mkdir /run/sshd && exec /usr/sbin/sshd -D -f conf'",
     "timeout 20 ssh -p 443 -i $DIR/r/user -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o BatchMode=yes -R 2222:127.0.0.1:22 "
     "root@10.1.0.2 true", true, 443, "ssh", "medium", "ssh", "its first bytes look like SSH"},
};
#define N_SCENES (sizeof(scenes) / sizeof(*scenes))

/* Return the scene's alert: text where the service is binary is a signature of its own, of a higher severity. */
static const char *alert_of(const struct scene *scene)
{
    return !strcmp(scene->severity, "high") ? "service-mismatch-text" : "service-mismatch";
}

static struct site n;

static void setup(void)
{
    site_make(&n);
}

static void teardown(void)
{
    site_end(&n);
}

TestSuite(speaks, .init = setup, .fini = teardown, .timeout = NETNS_TIMEOUT_S);

static struct evelog read_alerts(void)
{
    struct evelog log = {0};
    char path[128];

    snprintf(path, sizeof(path), "%s/eve.json", n.dir);
    evelog_add(&log, path);
    return log;
}

static bool is_reported(void *argument)
{
    const struct scene *scene = argument;
    struct evelog log = read_alerts();
    bool reported = EVELOG_COUNT(&log, .name = alert_of(scene), .port = scene->port) > 0;

    evelog_clear(&log);
    return reported;
}

static void play(const struct scene *scene)
{
    struct netns *server = scene->outbound ? &n.far : &n.ns, *client = scene->outbound ? &n.ns : &n.far;
    char serves[1024], out[2048];
    char *argv[] = {"/bin/sh", "-c", serves, NULL};
    pid_t pid;

    snprintf(serves, sizeof(serves), "export DIR=%s; %s", n.dir, scene->serves);
    pid = netns_start_group(server, argv);
    netns_until_port(server, "tcp", scene->port);
    netns_output(client, out, sizeof(out), "export DIR=%s; %s", n.dir, scene->asks);
    cr_expect(netns_until(is_reported, (void *)scene, 30000), "%s: not reported; %s", scene->name, out);
    kill(-pid, SIGKILL);
    netns_wait(pid, NETNS_DEADLINE_MS);
}

static const char *text_of(json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));

    return value ? value : "-";
}

/* Expect one alert of the scene. */
static void expect_alert(const struct evelog *log, const struct scene *scene)
{
    const struct evelog_filter filter = {.name = alert_of(scene), .port = scene->port};

    cr_expect_eq(evelog_count(log, &filter), 1, "%s: %zu", scene->name, evelog_count(log, &filter));
    for (size_t i = 0; i < log->n; i++)
        if (evelog_fits(log->records[i], &filter)) {
            const char *text = evelog_fact(log->records[i], "text");

            printf("%s\n    %s\n", scene->name, text);
            cr_expect_not_null(strstr(text, scene->looks), "%s: %s", scene->name, text);
            cr_expect_not_null(strstr(text, scene->process), "%s: %s", scene->name, text);
        }
}

/* Expect the finding in the report with its class; the packets stay in the row of the rule. */
static void expect_finding(json_t *report, const struct scene *scene)
{
    json_t *finding = site_finding(report, scene->outbound ? "outbound" : "inbound", "tcp", scene->port), *speaks;

    cr_assert(finding, "%s", scene->name);
    speaks = json_object_get(finding, "speaks");
    cr_expect_str_eq(text_of(finding, "verdict"), "mismatch", "%s", scene->name);
    cr_expect_str_eq(text_of(finding, "severity"), scene->severity, "%s", scene->name);
    cr_expect_str_eq(text_of(speaks, "own"), scene->own, "%s", scene->name);
    cr_expect_eq(site_sum(report, &(struct site_filter){.protocol = "tcp", .port = scene->port, .verdict = "allowed"}).connections, 1,
                 "%s", scene->name);
}

Test(speaks, what_is_not_the_service_is_reported)
{
    struct evelog log;
    json_t *report;

    site_attach(&n, NULL, "--mode tc");
    for (size_t i = 0; i < N_SCENES; i++)
        play(&scenes[i]);
    log = read_alerts();
    report = site_report(&n);
    for (size_t i = 0; i < N_SCENES; i++) {
        expect_alert(&log, &scenes[i]);
        expect_finding(report, &scenes[i]);
    }
    cr_expect_eq(EVELOG_COUNT(&log, .name = "service-mismatch") + EVELOG_COUNT(&log, .name = "service-mismatch-text"), N_SCENES);
    cr_expect_eq(site_sum(report, &(struct site_filter){.verdict = "mismatch"}).rx_packets, 0);
    site_assert_identities(report);
    json_decref(report);
    evelog_clear(&log);
}

/* Each asked in many ways, also for nonsense, from a stranger. */
Test(speaks, the_service_itself_is_not)
{
    static const char *const names[] = {"nginx", "sshd", "rpcbind"};
    struct servers servers = {.ns = &n.ns, .dir = n.dir, .address = "10.1.0.1"};
    struct evelog log;

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        servers_start(&servers, names[i]);
    site_attach(&n, NULL, "--mode tc");
    servers_ask_all(&servers, &n.far, "10.1.0.1", "");
    log = read_alerts();
    cr_expect_eq(EVELOG_COUNT(&log, .name = "service-mismatch") + EVELOG_COUNT(&log, .name = "service-mismatch-text"), 0);
    evelog_clear(&log);
    servers_stop(&servers);
}
