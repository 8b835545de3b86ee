/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* attach, status, detach: in each mode, and what remains afterwards. */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "auditor.h"
#include "evelog.h"
#include "terminal.h"

TestSuite(attach, .timeout = NETNS_TIMEOUT_S);

/* Make a refused TCP connection from the client: SYN in, RST out, both finished on return. ARP is resolved before. */
static void knock(struct node *n, unsigned port)
{
    netns_output(&n->client, NULL, 0, "nc -z -w 60 10.7.0.1 %u", port);
}

static void expect_clsact(struct node *n, bool there)
{
    char text[1024];

    netns_output(&n->node, text, sizeof(text), "tc qdisc show dev node0");
    cr_expect_eq(strstr(text, "clsact") != NULL, there, "clsact: %s", text);
}

static void each_mode(const char *arguments, const char *rx, const char *tx)
{
    struct node n;
    json_t *status;

    node_open(&n);
    node_attach(&n, "node0 %s", arguments);
    status = node_status(&n, NULL);
    cr_expect_str_eq(node_text(status, "interfaces.0.name"), "node0");
    cr_expect_str_eq(node_text(status, "interfaces.0.rx"), rx);
    cr_expect_str_eq(node_text(status, "interfaces.0.tx"), tx);
    cr_expect(json_is_null(node_value(status, "interfaces.0.before_rx")));
    cr_expect(json_is_null(node_value(status, "interfaces.0.before_tx")));
    json_decref(status);
    expect_clsact(&n, !strcmp(tx, "clsact"));

    knock(&n, 8080);
    node_until_number(&n, "totals.unexpected", 1);
    status = node_status(&n, NULL);
    cr_expect_eq(node_number(status, "totals.by_verdict.unexpected"), 2, "SYN and RST");
    cr_expect_eq(node_number(status, "totals.unexpected_answered"), 0);
    json_decref(status);
    netns_until_file(n.log, "unexpected inbound tcp/8080 from 10.7.0.2:", NETNS_DEADLINE_MS);

    cr_expect_eq(node_stop(&n, SIGTERM), 0);
    node_nothing_left(&n);
    expect_clsact(&n, false);
    cr_expect_eq(node_command(&n, NULL, 0, "status"), 3, "nothing is attached");
    node_close(&n);
}

Test(attach, native_xdp)
{
    each_mode("--mode xdp", "XDP", "TCX");
}

Test(attach, auto_takes_tc_on_a_veth)
{
    each_mode("", "TCX", "TCX");
}

Test(attach, tcx)
{
    each_mode("--mode tc --tc-hook tcx", "TCX", "TCX");
}

Test(attach, clsact)
{
    each_mode("--mode tc --tc-hook clsact", "clsact", "clsact");
}

Test(attach, xdp_with_clsact)
{
    each_mode("--mode xdp --tc-hook clsact", "XDP", "clsact");
}

/* The log's last record names who ended the audit and how: a signal's sender, or the user at the terminal. */
Test(attach, interrupt_removes_everything)
{
    char eve[96], by[256];
    struct evelog log = {0};
    const char *message;
    struct terminal t;
    struct node n;

    node_open(&n);
    snprintf(eve, sizeof(eve), "%s/eve.json", n.folder);
    node_attach(&n, "node0 --alerts %s", eve);
    cr_expect_eq(node_stop(&n, SIGINT), 0);
    node_nothing_left(&n);
    evelog_add(&log, eve);
    snprintf(by, sizeof(by), "By SIGINT from process %d, root: ", (int)getpid());
    message = json_string_value(json_object_get(json_object_get(evelog_last(&log, &(struct evelog_filter){.name = "auditor-stopped"}),
                                                                "engine"), "message"));
    cr_expect(message && strstr(message, by), "%s: %s", by, message);
    evelog_clear(&log);
    snprintf(by, sizeof(by), QPW_BUILD "/qportwatch attach node0 --no-tui --alerts %s", eve);
    terminal_open(&t, &n.node, 100, 30, by);
    terminal_until(&t, "node0: attached");
    terminal_keys(&t, "\003");
    terminal_until_end(&t);
    terminal_close(&t);
    evelog_add(&log, eve);
    message = json_string_value(json_object_get(json_object_get(evelog_last(&log, &(struct evelog_filter){.name = "auditor-stopped"}),
                                                                "engine"), "message"));
    cr_expect(message && strstr(message, "By SIGINT from the terminal"), "%s", message);
    evelog_clear(&log);
    node_close(&n);
}

Test(attach, detach_tells_the_auditor)
{
    struct node n;
    char text[512];

    node_open(&n);
    node_attach(&n, "node0");
    cr_expect_eq(node_command(&n, text, sizeof(text), "detach"), 0);
    cr_expect(strstr(text, "detached by the auditor"), "%s", text);
    cr_expect_eq(netns_wait(n.auditor, NETNS_DEADLINE_MS), 0, "the auditor ends");
    n.auditor = 0;
    node_nothing_left(&n);
    node_close(&n);
}

Test(attach, detach_without_an_auditor)
{
    struct node n;
    char text[2048], eve[128], head[128];
    struct evelog log = {0};
    const json_t *reported;
    json_t *status;
    int code;

    node_open(&n);
    snprintf(eve, sizeof(eve), "%s/eve.json", n.folder);
    node_attach(&n, "node0 --mode tc --tc-hook clsact --alerts %s", eve);
    do { /* until its first record is written */
        status = node_status(&n, &code);
        snprintf(head, sizeof(head), "%s", node_text(status, "alerts.head"));
        json_decref(status);
    } while (!*head);
    node_stop(&n, SIGKILL);
    cr_expect_eq(node_command(&n, NULL, 0, "status"), 3, "no auditor lives");
    cr_expect_eq(node_command(&n, text, sizeof(text), "detach eth7"), 1);
    cr_expect(strstr(text, "eth7: not attached"), "%s", text);
    cr_expect_eq(node_command(&n, text, sizeof(text), "detach node0"), 0, "%s", text);
    node_nothing_left(&n);
    expect_clsact(&n, false);
    cr_expect_eq(node_command(&n, text, sizeof(text), "detach"), 0, "again: nothing to do is no error");
    evelog_add(&log, eve); /* the only record that can name who ended it */
    reported = evelog_last(&log, &(struct evelog_filter){.name = "detached"});
    cr_assert(reported);
    cr_expect(strstr(evelog_fact(reported, "by"), "qportwatch detach node0"), "%s", evelog_fact(reported, "by"));
    cr_expect(strstr(evelog_fact(reported, "event"), "detached"));
    evelog_clear(&log);
    cr_expect_eq(node_command(&n, text, sizeof(text), "alerts --verify --alerts %s", eve), 0, "%s", text);
    cr_expect_eq(node_command(&n, text, sizeof(text), "alerts --verify --alerts %s --head %s", eve, head), 0, "%s", text);
    cr_assert_eq(truncate(eve, 0), 0);
    cr_expect_eq(node_command(&n, text, sizeof(text), "alerts --verify --alerts %s --head %s", eve, head), 3, "%s", text);
    node_close(&n);
}

Test(attach, keep_leaves_the_kernel_side)
{
    struct node n;
    json_t *status;
    int code;

    node_open(&n);
    node_attach(&n, "node0 --keep");
    cr_expect_eq(node_stop(&n, SIGTERM), 0);
    knock(&n, 8081);
    status = node_status(&n, &code);
    cr_expect_eq(code, 3);
    cr_expect(json_is_null(node_value(status, "auditor.pid")));
    cr_expect_eq(node_number(status, "totals.by_verdict.unexpected"), 2, "counted without an auditor");
    json_decref(status);
    cr_expect_eq(node_command(&n, NULL, 0, "detach"), 0);
    node_nothing_left(&n);
    node_close(&n);
}

Test(attach, a_second_auditor_is_refused)
{
    struct node n;
    char text[512], process[32];

    node_open(&n);
    node_attach(&n, "node0");
    cr_expect_eq(node_command(&n, text, sizeof(text), "attach node0 --no-tui --no-alerts"), 1);
    snprintf(process, sizeof(process), "(pid %d)", (int)n.auditor);
    cr_expect(strstr(text, process), "it names the process: %s", text);
    cr_expect_eq(node_command(&n, NULL, 0, "status"), 0, "the first one is unharmed");
    node_close(&n);
}

/* Return whether the log has one verifier log, with its figures, of that program. */
static bool has_verifier_log(const char *log, const char *program)
{
    char begins[96], *at, *end;

    snprintf(begins, sizeof(begins), "prog '%s': -- BEGIN PROG LOAD LOG --\n", program);
    at = strstr(log, begins);
    end = at ? strstr(at, "-- END PROG LOAD LOG --\n") : NULL;
    if (!end || strstr(end, begins))
        return false;
    *end = '\0';
    at = strstr(at, "\nprocessed ");
    *end = '-';
    return at && at < end;
}

/* The verifier's log of each program that is loaded, and of no other: those in the hooks outlive the auditor. */
Test(attach, verbose_shows_the_verifiers_log)
{
    static char text[65536];
    struct node n;

    node_open(&n);
    node_attach(&n, "node0 --mode tc -v");
    netns_output(&n.node, text, sizeof(text), "cat %s", n.log);
    cr_expect(has_verifier_log(text, "qpw_tc_rx"), "%s", text);
    cr_expect(has_verifier_log(text, "qpw_tc_tx"), "%s", text);
    node_stop(&n, SIGKILL);
    node_attach(&n, "node0 --mode tc --verbose");
    netns_output(&n.node, text, sizeof(text), "cat %s", n.log);
    cr_expect(has_verifier_log(text, "qpw_exec"), "%s", text);
    cr_expect(!strstr(text, "qpw_tc"), "%s", text);
    node_stop(&n, SIGKILL);
    node_attach(&n, "node0 --mode tc");
    netns_output(&n.node, text, sizeof(text), "cat %s", n.log);
    cr_expect(!strstr(text, "verifier"), "only where it is asked for: %s", text);
    node_stop(&n, SIGTERM);
    node_close(&n);
}

Test(attach, killed_and_taken_over)
{
    struct node n;
    json_t *status;

    node_open(&n);
    node_attach(&n, "node0");
    knock(&n, 8080);
    node_until_number(&n, "totals.by_verdict.unexpected", 2);
    node_stop(&n, SIGKILL);
    knock(&n, 8081);
    node_attach(&n, "node0");
    knock(&n, 8082);
    node_until_number(&n, "totals.by_verdict.unexpected", 6);
    status = node_status(&n, NULL);
    cr_expect_eq(node_number(status, "totals.unexpected"), 3);
    cr_expect_eq(node_coverage(status, "attached"), 1, "the same programs go on");
    cr_expect_eq(node_coverage(status, "auditor-gap"), 1);
    cr_expect_eq(node_coverage(status, "auditor-started"), 2);
    json_decref(status);
    netns_until_file(n.log, "unexpected inbound tcp/8081 ", NETNS_DEADLINE_MS);
    node_stop(&n, SIGTERM);
    node_nothing_left(&n);
    node_close(&n);
}

/* The first summary line after a takeover covers its own interval only, not earlier counts. */
Test(attach, the_first_summary_after_a_takeover_is_of_its_interval)
{
    struct node n;
    char text[512] = "";
    unsigned packets = ~0u;

    node_open(&n);
    node_attach(&n, "node0 --keep");
    for (unsigned port = 8101; port < 8201; port++)
        knock(&n, port);
    node_until_number(&n, "totals.by_verdict.unexpected", 200);
    cr_expect_eq(node_stop(&n, SIGTERM), 0);
    node_attach(&n, "node0 --interval 1");
    netns_until_file(n.log, "1 s: ", NETNS_DEADLINE_MS);
    netns_output(&n.node, text, sizeof(text), "grep -m1 '1 s: ' %s", n.log);
    cr_assert_eq(sscanf(strstr(text, "1 s: "), "1 s: %u packet", &packets), 1, "%s", text);
    cr_expect_lt(packets, 100, "%s", text);
    cr_expect(strstr(text, "; findings 100 unexpected, 0 of them answered; "), "%s", text);
    node_stop(&n, SIGTERM);
    node_close(&n);
}

/* Settings of the attachment stay in force; a takeover warns about options that differ, and only about these. */
Test(attach, takeover_says_what_has_no_effect)
{
    struct node n;
    char text[4096];
    struct netns here = netns_here();

    node_open(&n);
    node_attach(&n, "node0 --mode tc --tc-hook tcx --max-connections 4096");
    node_stop(&n, SIGKILL);
    node_attach(&n, "node0 --mode xdp --max-connections 2048");
    netns_output(&here, text, sizeof(text), "cat %s", n.log);
    cr_expect(strstr(text, " --mode xdp has no effect on node0: it stays attached as it is, TC (requested with --mode tc), until "
                           "'detach'\n"),
              "%s", text);
    cr_expect(strstr(text, " --max-connections has no effect on it: its tables keep their size until 'detach'\n"), "%s",
              text);
    node_stop(&n, SIGKILL);
    node_attach(&n, "node0 --mode tc --max-connections 4096");
    netns_output(&here, text, sizeof(text), "cat %s", n.log);
    cr_expect_not(strstr(text, "no effect"), "%s", text);
    node_stop(&n, SIGTERM);
    node_nothing_left(&n);
    node_close(&n);
    netns_close(&here);
}

/* At once, and not only with the first record, which may come much later. */
Test(attach, an_alert_log_that_cannot_be_had_is_said_at_once)
{
    struct node n;

    node_open(&n);
    node_attach(&n, "node0 --interval 600 --alerts %s/none/none/eve.json", n.folder);
    netns_until_file(n.log, "/none/none/eve.json: cannot be opened: No such file or directory; findings are kept in "
                     "the kernel and written when it works again\n", NETNS_DEADLINE_MS);
    cr_expect_eq(node_stop(&n, SIGTERM), 1, "its last records stand on standard error only");
    node_nothing_left(&n);
    node_close(&n);
}

/* The second interface needs the TC ingress program, which the first start did not attach. */
Test(attach, takeover_with_one_more_interface)
{
    struct node n;
    json_t *status;

    node_open(&n);
    netns_run(&n.node, "ip link add node1 type veth peer name other1 && ip link set node1 up && ip link set other1 up");
    node_attach(&n, "node0 --mode xdp");
    node_stop(&n, SIGKILL);
    node_attach(&n, "node0 node1 --mode tc");
    node_note(&n, "node1");
    status = node_status(&n, NULL);
    cr_expect_eq(json_array_size(node_value(status, "interfaces")), 2);
    for (int i = 0; i < 2; i++) {
        bool first = !strcmp(node_text(status, i ? "interfaces.1.name" : "interfaces.0.name"), "node0");

        cr_expect_str_eq(node_text(status, i ? "interfaces.1.rx" : "interfaces.0.rx"), first ? "XDP" : "TCX");
    }
    json_decref(status);
    cr_expect_eq(node_command(&n, NULL, 0, "detach node1"), 0);
    status = node_status(&n, NULL);
    cr_expect_eq(json_array_size(node_value(status, "interfaces")), 1, "the auditor goes on with the other one");
    json_decref(status);
    node_stop(&n, SIGTERM);
    node_nothing_left(&n);
    node_close(&n);
}

/* A wrong name, or none (an empty variable), detaches nothing, not even part of the list. */
Test(attach, detach_with_a_wrong_name)
{
    static const char *const wrong[] = {"''", "' '", "'node0 node1'", "node1 eth7", "node1 ''"};
    char text[512];
    struct node n;
    json_t *status;

    node_open(&n);
    netns_run(&n.node, "ip link add node1 type veth peer name other1 && ip link set node1 up && ip link set other1 up");
    node_attach(&n, "node0 node1");
    node_note(&n, "node1");
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        cr_expect_eq(node_command(&n, text, sizeof(text), "detach %s", wrong[i]), i == 3 ? 1 : 2, "%s: %s", wrong[i],
                     text);
    status = node_status(&n, NULL);
    cr_expect_eq(json_array_size(node_value(status, "interfaces")), 2);
    json_decref(status);
    cr_expect_eq(node_command(&n, text, sizeof(text), "detach node1 node1"), 0, "%s", text);
    status = node_status(&n, NULL);
    cr_expect_eq(json_array_size(node_value(status, "interfaces")), 1);
    json_decref(status);
    node_stop(&n, SIGTERM);
    node_nothing_left(&n);
    node_close(&n);
}

Test(attach, found_from_another_mount_namespace)
{
    struct node n;
    char text[4096];

    node_open(&n);
    node_attach(&n, "node0");
    cr_expect_eq(netns_output(&n.node, text, sizeof(text),
                              "unshare -m sh -c 'mount -t tmpfs none /sys/fs/bpf 2>/dev/null; "
                              "exec %s/qportwatch status'", QPW_BUILD), 0, "%s", text);
    cr_expect(strstr(text, "node0: TC (XDP on a veth slows bulk TCP); rx TCX, tx TCX"), "%s", text);
    node_stop(&n, SIGKILL);
    cr_expect_eq(netns_output(&n.node, text, sizeof(text),
                              "unshare -m sh -c 'mount -t tmpfs none /sys/fs/bpf 2>/dev/null; "
                              "exec %s/qportwatch detach'", QPW_BUILD), 0, "%s", text);
    node_nothing_left(&n);
    node_close(&n);
}

Test(attach, what_cannot_be_watched_is_refused)
{
    struct node n;
    char text[1024];

    node_open(&n);
    cr_expect_eq(node_command(&n, text, sizeof(text), "attach lo --no-alerts"), 1);
    cr_expect(strstr(text, "lo carries no network traffic"), "%s", text);
    cr_expect_eq(node_command(&n, text, sizeof(text), "attach eth7 --no-alerts"), 1);
    cr_expect(strstr(text, "eth7: no such interface"), "%s", text);
    cr_expect_eq(node_command(&n, text, sizeof(text), "attach node0 eth7 --no-alerts"), 1);
    cr_expect_not(strstr(text, "attached"), "nothing is attached before all names are known: %s", text);
    cr_expect_eq(node_command(&n, text, sizeof(text), "attach node0 node0 --no-alerts"), 2);
    cr_expect(strstr(text, "node0: named twice"), "%s", text);
    cr_expect_eq(node_command(&n, text, sizeof(text), "attach"), 2);
    cr_expect_eq(node_command(&n, text, sizeof(text), "attach node0 --mode fast"), 2);
    cr_expect_eq(node_command(&n, text, sizeof(text), "status"), 3, "nothing was left by the refused ones");
    node_close(&n);
}

/* A bridge does not support native XDP, which the kernel reports only after everything else is set up. */
Test(attach, what_the_kernel_refuses_leaves_nothing)
{
    struct node n;
    char text[2048];

    node_open(&n);
    netns_run(&n.node, "ip link add node7 type bridge && ip link set node7 up");
    cr_expect_eq(netns_output(&n.node, text, sizeof(text), "%s/qportwatch attach node7 --mode xdp --no-tui --alerts %s/alerts "
                              "2>&1 >/dev/null",
                              QPW_BUILD, n.folder), 1, "%s", text);
    cr_expect(strstr(text, "qportwatch attach: native XDP on interface ") == text, "%s", text);
    cr_expect(strstr(text, "; '--mode tc' works with any driver\n"), "%s", text);
    cr_expect_eq(strchr(text, '\n'), text + strlen(text) - 1, "one line: %s", text);
    cr_expect_eq(node_note(&n, "node7"), 0, "no program is in a hook");
    cr_expect_eq(node_command(&n, text, sizeof(text), "status"), 3, "%s", text);
    node_attach(&n, "node0");
    cr_expect_eq(node_stop(&n, SIGTERM), 0);
    node_nothing_left(&n);
    node_close(&n);
}

Test(attach, stacked_devices_are_refused)
{
    struct node n;
    char text[1024];

    node_open(&n);
    if (netns_output(&n.node, NULL, 0, "ip link add br0 type bridge && ip link set br0 up"))
        cr_skip_test("this kernel has no bridge device");
    netns_run(&n.node, "ip link set node0 master br0");
    cr_expect_eq(node_command(&n, text, sizeof(text), "attach node0 br0 --no-alerts"), 1);
    cr_expect(strstr(text, "node0 and br0") && strstr(text, "counted twice"), "%s", text);
    cr_expect_eq(strchr(text, '\n'), text + strlen(text) - 1, "nothing was attached before: %s", text);
    cr_expect_eq(node_command(&n, text, sizeof(text), "status"), 3, "node0 was let go again");
    node_close(&n);
}
