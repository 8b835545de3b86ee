/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Running as a service: settings from a file, interfaces that appear later, and the messages to the service manager. */
#include <bpf/bpf.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "auditor.h"
#include "instance/hooks.h"
#include "instance/instance.h"
#include "stream.h"
#include "traffic.h"

#define PROGRAM QPW_BUILD "/qportwatch"

TestSuite(service, .timeout = NETNS_TIMEOUT_S);

/* Listen in place of the service manager, as the receiver of sd_notify(3). */
static int listen_for_notes(const struct node *n)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "%s/notify", n->folder);
    cr_assert(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
    setenv("NOTIFY_SOCKET", address.sun_path, 1);
    return fd;
}

/* Wait for a message that contains the text; append earlier ones to `before`, unless that is NULL. */
static void until_note(int fd, const char *text, char *before, size_t size)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    char note[1024];
    ssize_t length;

    for (;;) {
        cr_assert_eq(poll(&wait, 1, NETNS_DEADLINE_MS), 1, "no message with '%s'", text);
        length = recv(fd, note, sizeof(note) - 1, 0);
        cr_assert_gt(length, 0);
        note[length] = '\0';
        if (strstr(note, text))
            return;
        if (before)
            snprintf(before + strlen(before), size - strlen(before), "%s\n", note);
    }
}

/* Run `attach` as the unit does, on a machine that has just booted: its /run holds the folder that the package has made. */
static void start(struct node *n, const char *config, const char *settings)
{
    char path[128], command[600];

    node_write(n, config, settings, path, sizeof(path));
    snprintf(command, sizeof(command), "mount -t tmpfs none /run && mkdir -m 710 /run/qportwatch && exec " PROGRAM " attach --no-tui --keep --wait --config %s", path);
    n->auditor = netns_start(&n->node, n->log, (char *[]){"unshare", "-m", "sh", "-c", command, NULL});
}

/* Run `qportwatch WORDS` in the auditor's environment. */
static int ask(struct node *n, char *out, size_t size, const char *words)
{
    return netns_output(&n->node, out, size, "nsenter -t %d -m " PROGRAM " %s", (int)n->auditor, words);
}

Test(service, waits_for_its_interface_and_tells_the_service_manager)
{
    char settings[512], out[65536], before[4096] = "";
    struct node n;
    json_t *report;
    int notes;

    node_open(&n);
    notes = listen_for_notes(&n);
    snprintf(settings, sizeof(settings), "iface late0\ninterval = 1\nalerts %s/eve.json\npeer node2=10.8.0.2\n", n.folder);
    start(&n, "first.conf", settings);
    until_note(notes, "WATCHDOG=1", before, sizeof(before));
    cr_expect(strstr(before, "STATUS=Waiting for an interface to monitor."), "%s", before);
    cr_expect(!strstr(before, "READY=1"), "%s", before);
    netns_run(&n.node, "ip link add late0 type veth peer name late1 && ip link set late0 up && ip link set late1 up");
    until_note(notes, "READY=1", NULL, 0);
    until_note(notes, "STATUS=CLEAN", NULL, 0);
    cr_assert_eq(ask(&n, out, sizeof(out), "report --json"), 0, "%s", out);
    report = json_loads(out, 0, NULL);
    cr_assert(report, "%s", out);
    cr_expect_str_eq(node_text(report, "interfaces.0"), "late0");
    cr_expect_str_eq(node_text(report, "peers.0.name"), "node2");
    json_decref(report);
    cr_expect_eq(node_stop(&n, SIGTERM), 0);
    until_note(notes, "STOPPING=1", NULL, 0);
    cr_expect_gt(netns_output(&n.node, NULL, 0, PROGRAM " status"), -1);
    cr_expect_eq(netns_output(&n.node, out, sizeof(out), PROGRAM " status"), 3, "%s", out); /* counting, but no auditor */
    cr_expect(strstr(out, "late0"), "%s", out);
    close(notes);
    node_close(&n);
}

Test(service, the_first_since_boot_says_what_it_did_not_see)
{
    char settings[512], out[65536];
    struct node n;
    int notes;

    node_open(&n);
    notes = listen_for_notes(&n);
    snprintf(settings, sizeof(settings), "iface node0\nmode tc\nalerts %s/eve.json\n", n.folder);
    start(&n, "first.conf", settings);
    until_note(notes, "READY=1", NULL, 0);
    cr_assert_eq(ask(&n, out, sizeof(out), "report"), 0, "%s", out);
    cr_expect(strstr(out, "gaps           node0 unseen since boot from "), "%s", out);
    cr_expect_eq(node_stop(&n, SIGTERM), 0);
    close(notes);
    node_close(&n);
}

#define STORED 16
#define FIRST_STORED 200 /* a number above all other descriptors of this process */

/* Wait for descriptors to be stored, which become FIRST_STORED and those after it. Returns their number. */
static size_t until_stored(int notes)
{
    char note[1024], control[CMSG_SPACE(STORED * sizeof(int))];
    struct pollfd wait = {.fd = notes, .events = POLLIN};
    int fds[STORED];
    size_t n = 0;

    while (!n) {
        struct iovec part = {note, sizeof(note) - 1};
        struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
        struct cmsghdr *header;
        ssize_t length;

        cr_assert_eq(poll(&wait, 1, NETNS_DEADLINE_MS), 1, "nothing is stored");
        length = recvmsg(notes, &message, 0);
        cr_assert_gt(length, 0);
        note[length] = '\0';
        header = CMSG_FIRSTHDR(&message);
        if (!header)
            continue;
        cr_expect_str_eq(note, "FDSTORE=1\nFDPOLL=0\nFDNAME=qportwatch");
        n = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(fds, CMSG_DATA(header), n * sizeof(int));
    }
    for (size_t i = 0; i < n; i++) {
        cr_assert_eq(dup2(fds[i], FIRST_STORED + (int)i), FIRST_STORED + (int)i);
        close(fds[i]);
    }
    return n;
}

/* Remove our programs from every hook, as another tool might. */
static void empty_hooks(struct node *n)
{
    struct netns here = netns_here();
    struct qpw_hook_scan scan = {0};

    netns_enter(&n->node);
    cr_assert_eq(qpw_hook_scan_find(&scan, NULL), 0);
    cr_assert_gt(scan.n, 0u);
    for (size_t i = 0; i < scan.n; i++)
        cr_assert_eq(qpw_hooks_detach(scan.site[i].ifindex, scan.site[i].point, &scan.site[i].entry, NULL), 0);
    qpw_hook_scan_clear(&scan);
    netns_enter(&here);
    netns_close(&here);
}

/* Run `attach`, with stored descriptors passed as by systemd: from descriptor 3 on, for the process with that pid. */
static void start_stored(struct node *n, size_t stored)
{
    char moves[256] = "", names[256] = "", script[1024];

    for (size_t i = 0; i < stored; i++) {
        snprintf(moves + strlen(moves), sizeof(moves) - strlen(moves), "exec %zu<&%zu %zu<&-; ", 3 + i, FIRST_STORED + i, FIRST_STORED + i);
        snprintf(names + strlen(names), sizeof(names) - strlen(names), "%sqportwatch", i ? ":" : "");
    }
    snprintf(script, sizeof(script), "%sLISTEN_PID=$$ LISTEN_FDS=%zu LISTEN_FDNAMES=%s exec " PROGRAM " attach node0 --mode tc --no-tui --no-history "
             "--config /dev/null --alerts %s/eve.json", moves, stored, names, n->folder);
    n->auditor = netns_start(&n->node, n->log, (char *[]){"bash", "-c", script, NULL});
}

/*
 * An auditor is killed, and its programs are removed from their hooks before it is started again: the counts are kept.
 */
Test(service, what_was_counted_is_kept_by_the_service_managers_store)
{
    json_t *before, *after, *gap;
    bool lost = false;
    struct node n;
    size_t stored, i;
    char text[64];
    int notes;

    node_open(&n);
    notes = listen_for_notes(&n);
    traffic_serve_tcp(&n.node, "10.7.0.1", 4444); /* started first, because it would otherwise inherit what is stored */
    start_stored(&n, 0);
    netns_until_file(n.log, "node0: attached", NETNS_DEADLINE_MS);
    stored = until_stored(notes);
    cr_expect_eq(stored, 2u, "rx and tx");
    traffic_tcp(&n.client, &(struct traffic_tcp){.address = "10.7.0.1", .port = 4444, .up = 10, .down = 10});
    before = node_report(&n);
    cr_expect_eq(node_stop(&n, SIGKILL), 128 + SIGKILL);
    empty_hooks(&n);
    start_stored(&n, stored);
    netns_until_file(n.log, "our programs were taken out of their hooks while no auditor was there", NETNS_DEADLINE_MS);
    netns_until_file(n.log, "node0: attached", NETNS_DEADLINE_MS);
    cr_expect_eq(until_stored(notes), stored, "stored again");
    node_until_text(&n, "answer.state", "ACTION NEEDED");
    cr_expect_eq(node_note(&n, "node0"), 2u, "one kernel side");
    after = node_report(&n);
    cr_expect_str_eq(node_text(after, "from"), node_text(before, "from"));
    cr_expect_eq(node_number(node_finding(after, 4444), "bytes"), node_number(node_finding(before, 4444), "bytes"));
    json_array_foreach(node_value(after, "coverage.gaps"), i, gap)
        lost |= !strcmp(json_string_value(json_object_get(gap, "why")), "hook-lost") && json_is_false(json_object_get(gap, "open"));
    cr_expect(lost, "and for how long nothing was seen");
    json_decref(before);
    json_decref(after);
    traffic_tcp(&n.client, &(struct traffic_tcp){.address = "10.7.0.1", .port = 4444, .up = 10, .down = 10});
    cr_expect_eq(node_command(&n, text, sizeof(text), "report --json | jq '[.findings[] | select(.port == 4444)] | length'"), 0);
    cr_expect_str_eq(text, "1\n");
    cr_assert_eq(kill(n.auditor, SIGTERM), 0);
    until_note(notes, "FDSTOREREMOVE=1", NULL, 0); /* before it waits for its programs to disappear */
    for (i = 0; i < stored; i++)
        close(FIRST_STORED + (int)i);
    cr_expect_eq(netns_wait(n.auditor, NETNS_DEADLINE_MS), 0);
    n.auditor = 0;
    node_nothing_left(&n);
    close(notes);
    node_close(&n);
}

Test(service, automatic_is_what_carries_the_default_route_and_the_peers)
{
    char settings[512], out[65536];
    struct node n;
    json_t *report;
    int notes;

    node_open(&n);
    netns_run(&n.node, "ip link add peer0 type veth peer name peer1 && ip address add 10.9.0.1/24 dev peer0 && "
                       "ip link set peer0 up && ip link set peer1 up && ip link add idle0 type veth peer name idle1 && "
                       "ip link set idle0 up");
    cr_expect_eq(netns_output(&n.node, out, sizeof(out), PROGRAM " attach auto --no-tui --no-alerts --config /dev/null"), 1);
    cr_expect(strstr(out, "auto: there is no default route, and none to a peer"), "%s", out);
    notes = listen_for_notes(&n);
    snprintf(settings, sizeof(settings), "iface = auto\ninterval = 1\nno-alerts\npeer node2=10.9.0.2\n");
    start(&n, "second.conf", settings);
    until_note(notes, "READY=1", NULL, 0); /* the route to the peer exists */
    netns_run(&n.node, "ip route add default via 10.7.0.2 dev node0");
    netns_until_file(n.log, "node0: attached", NETNS_DEADLINE_MS);
    cr_assert_eq(ask(&n, out, sizeof(out), "report --json"), 0, "%s", out);
    report = json_loads(out, 0, NULL);
    cr_assert(report, "%s", out);
    cr_expect_eq(json_array_size(node_value(report, "interfaces")), 2u, "%s", out);
    cr_expect_str_eq(node_text(report, "coverage.gaps.0.why"), "unseen", "%s", out); /* since the machine booted */
    cr_expect_eq(node_value(report, "coverage.gaps.0.open"), json_false(), "%s", out);
    json_decref(report);
    cr_expect_eq(node_stop(&n, SIGTERM), 0);
    close(notes);
    node_close(&n);
}

/* Nothing is attached: the configuration gives the log's path. */
Test(service, alerts_are_looked_for_where_the_configuration_has_them)
{
    struct netns ns = netns_new();
    char out[1024];

    cr_expect_eq(netns_output(&ns, out, sizeof(out), "unshare -m sh -c 'mount -t tmpfs none /etc && mkdir -p /etc/qportwatch/conf.d && "
                              "echo alerts = /first.json >/etc/qportwatch/qportwatch.conf && echo alerts = /nonexistent/eve.json "
                              ">/etc/qportwatch/conf.d/site.conf && exec " PROGRAM " alerts'"), 1);
    cr_expect(strstr(out, "/nonexistent/eve.json"), "%s", out);
    netns_close(&ns);
}

/*
 * Nothing is attached, and no policy is named: policy, peers and names come from the configuration, whose path is
 * shown.
 */
Test(service, other_commands_take_what_is_configured)
{
    static const struct {
        const char *command, *says;
        int status;
    } asked[] = {
        {"policy show | head -n 2", "chosen because it is set in /etc/qportwatch/conf.d/site.conf:1", 0},
        {"policy show | grep node2", "node2", 0},
        {"policy show aws | grep node2", "", 1}, /* a named policy is shown unchanged */
        {"policy check", "/etc/qportwatch/site.policy: OK: 2 rules", 0},
        {"policy export --format csv | grep -c 9100", "1", 0},
        {"listeners --json | jq -r .policy.name", "test/site", 0},
        {"listeners --platform azure --json | jq -r .policy.name", "qumulo/azure", 0},
        {"policy edit --help >/dev/null; EDITOR=true " PROGRAM " policy edit", "/etc/qportwatch/site.policy: not changed", 0},
        {"check none --json | jq -r '.remarks[] | select(.what == \"policy\").why'", "test/site: 2 rules", 0},
    };
    struct netns ns = netns_new();
    char out[8192];

    for (size_t i = 0; i < sizeof(asked) / sizeof(*asked); i++) {
        int status = netns_output(&ns, out, sizeof(out), "unshare -m sh -c 'mount -t tmpfs none /etc && mkdir -p /etc/qportwatch/conf.d && "
                                  "printf \"policy test/site\\ninbound tcp 445 SMB\\ninbound tcp 9100 metrics\\n\" >/etc/qportwatch/site.policy && "
                                  "printf \"policy /etc/qportwatch/site.policy\\npeer node2=10.8.0.2\\n\" >/etc/qportwatch/conf.d/site.conf && "
                                  "eval \"" PROGRAM " $1\"' sh \"$(cat <<'EOF'\n%s\nEOF\n)\" 2>&1", asked[i].command);

        cr_expect_eq(status, asked[i].status, "%s: %d: %s", asked[i].command, status, out);
        cr_expect(strstr(out, asked[i].says), "%s: %s", asked[i].command, out);
    }
    netns_close(&ns);
}

/* Make the attached maps claim to be another version's. Returns the number of its slots. */
static size_t pretend_other_layout(struct node *n)
{
    struct netns here = netns_here();
    struct qpw_hook_scan scan = {0};
    struct qpw_meta meta;
    __u32 zero = 0;
    size_t count;
    int fd;

    netns_enter(&n->node);
    cr_assert_eq(qpw_hook_scan_find(&scan, NULL), 0);
    cr_assert_gt(scan.n, 0u);
    fd = bpf_map_get_fd_by_id(scan.site[0].instance);
    cr_assert(fd >= 0 && bpf_map_lookup_elem(fd, &zero, &meta) == 0);
    meta.abi--;
    cr_assert_eq(bpf_map_update_elem(fd, &zero, &meta, BPF_ANY), 0);
    close(fd);
    count = scan.n;
    qpw_hook_scan_clear(&scan);
    netns_enter(&here);
    netns_close(&here);
    return count;
}

/*
 * rx at XDP and tx at TCX (`--mode xdp`), with constant traffic: each packet is counted once, by the previous version
 * or by this one; findings and acknowledgements are kept.
 */
Test(service, another_layout_of_maps_is_replaced_without_a_gap)
{
    struct stream stream;
    struct node n;
    int64_t sent;
    json_t *before, *after;
    char log[128], text[64];
    size_t sites;

    node_open(&n);
    node_attach(&n, "node0 --keep --mode xdp");
    traffic_serve_tcp(&n.node, "10.7.0.1", 4444);
    traffic_tcp(&n.client, &(struct traffic_tcp){.address = "10.7.0.1", .port = 4444, .up = 10, .down = 10});
    stream_start(&stream, &n.client, "10.7.0.1", 9999);
    cr_assert_eq(node_command(&n, text, sizeof(text), "ack inbound tcp/4444 --reason old"), 0, "%s", text);
    cr_expect_eq(node_stop(&n, SIGTERM), 0);
    before = node_report(&n);
    sites = pretend_other_layout(&n);
    snprintf(log, sizeof(log), "%s/eve.json", n.folder);
    n.auditor = netns_start(&n.node, n.log, (char *[]){PROGRAM, "attach", "node0", "--mode", "xdp", "--no-tui", "--interval", "1", "--alerts", log, NULL});
    netns_until_file(n.log, "carried over; unseen meanwhile: nothing", NETNS_DEADLINE_MS);
    netns_until_file(log, "carried over; unseen meanwhile: nothing", NETNS_DEADLINE_MS);
    cr_expect_eq(node_note(&n, "node0"), sites, "one kernel side stands in the hooks");
    sent = stream_end(&stream);
    after = node_report(&n);
    cr_expect_eq(json_array_size(node_value(after, "coverage.gaps")), 1u, "nothing passed unseen");
    cr_expect_str_eq(node_text(after, "coverage.gaps.0.why"), "auditor-gap");
    cr_expect_eq(stream_counted(after, 9999), sent, "%ld counted of %ld", (long)stream_counted(after, 9999), (long)sent);
    cr_expect_gt(sent, stream_counted(before, 9999), "traffic went on meanwhile");
    cr_expect_str_eq(node_text(after, "from"), node_text(before, "from"), "it began when the first one was attached");
    cr_expect_str_eq(node_text(node_finding(after, 4444), "state"), "acknowledged");
    cr_expect_str_eq(node_text(node_finding(after, 4444), "first"), node_text(node_finding(before, 4444), "first"));
    cr_expect_eq(node_number(node_finding(after, 4444), "bytes"), node_number(node_finding(before, 4444), "bytes"));
    json_decref(before);
    json_decref(after);
    cr_expect_eq(node_stop(&n, SIGTERM), 0);
    node_close(&n);
}
