/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Obstacles to an audit: missing capabilities, interfaces that move away or number thousands, too many addresses, files
 * of the wrong kind, no /sys, no /proc, a terminal that hangs up. Each is reported, nothing hangs, nothing stays
 * attached.
 */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auditor.h"
#include "evelog.h"
#include "netns.h"
#include "terminal.h"
#include "thorough.h"

TestSuite(obstacles, .init = netns_need_root, .timeout = NETNS_TIMEOUT_S);

#define PROGRAM QPW_BUILD "/qportwatch "
#define LINES "--no-tui --no-alerts "

/* Run it until it reports that it is attached, or ends by itself; then interrupt it. Its output goes into text. */
#define ATTACH_AND_END \
    "rm -f %s/out; (exec %s " PROGRAM "attach node0 " LINES "%s >%s/out 2>&1) & p=$!; " \
    "until grep -qs 'node0: attached, ' %s/out || ! kill -0 $p; do sleep 0.05; done 2>/dev/null; kill -TERM $p 2>/dev/null; " \
    "wait $p; r=$?; cat %s/out; exit $r"

static int attach_and_end(struct node *n, char *text, size_t size, const char *before, const char *options)
{
    return netns_output(&n->node, text, size, ATTACH_AND_END, n->folder, before, options, n->folder, n->folder, n->folder);
}

/*
 * Without one capability of root it refuses and names it, or works and reports what is not monitored; either way
 * nothing is left.
 */
Test(obstacles, every_right_taken_away_once)
{
    static const struct {
        const char *right, *said; /* said NULL: the capability is not needed */
        int status;
    } rights[] = {
        {"net_admin", "qportwatch attach: node0: CAP_NET_ADMIN is missing: without it nothing can be attached", 1},
        {"sys_admin", "qportwatch attach: node0: CAP_SYS_ADMIN is missing: without it the kernel does not say whose", 1},
        {"sys_ptrace", "CAP_SYS_PTRACE is missing: processes of other users stay unknown, and 'detach' and 'reload' of those who cannot "
                       "be looked into are refused", 0},
        {"dac_read_search", "CAP_DAC_READ_SEARCH is missing: processes of other users may stay unknown", 0},
        {"bpf", "CAP_SYS_ADMIN is kept in place of CAP_BPF", 0}, {"perfmon", "CAP_SYS_ADMIN is kept in place of CAP_PERFMON", 0},
        {"dac_override", NULL, 0}, {"sys_resource", NULL, 0}, {"net_raw", NULL, 0},
        {"kill", NULL, 0}, {"setpcap", NULL, 0}, {"syslog", NULL, 0}, {"chown", NULL, 0}, {"fowner", NULL, 0},
        {"all", "CAP_NET_ADMIN is missing", 1},
    };
    char text[8192], before[96];
    struct node n;

    node_open(&n);
    for (size_t i = 0; i < sizeof(rights) / sizeof(*rights); i++) {
        snprintf(before, sizeof(before), "setpriv --bounding-set -%s --inh-caps -%s", rights[i].right, rights[i].right);
        cr_expect_eq(attach_and_end(&n, text, sizeof(text), before, ""), rights[i].status, "%s: %s", rights[i].right, text);
        cr_expect(!rights[i].said || strstr(text, rights[i].said), "%s: %s", rights[i].right, text);
        cr_expect(rights[i].said || !strstr(text, "is missing"), "%s: %s", rights[i].right, text);
        cr_expect_null(strstr(text, "gone from its hook"), "%s: %s", rights[i].right, text);
        cr_expect_eq(node_command(&n, text, sizeof(text), "detach"), 0);
        cr_expect_str_eq(text, "nothing to detach in this network namespace\n", "%s", rights[i].right);
    }
    cr_expect_eq(netns_output(&n.node, text, sizeof(text), "unshare -U -r " PROGRAM "attach node0 " LINES "2>&1"), 1);
    cr_expect(strstr(text, "user namespace are not enough"), "%s", text);
    node_close(&n);
}

/* A user who may not query the hooks is told which capability is missing, not that nothing is attached. */
Test(obstacles, who_may_not_ask_is_not_told_that_nothing_is_there)
{
    static const char *const commands[] = {"status", "report", "top --once", "connections", "detach"};
    char text[4096];
    struct node n;

    node_open(&n);
    node_attach(&n, "node0");
    for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
        if (!strcmp(commands[i], "detach")) /* the auditor does it while there is one */
            node_stop(&n, SIGKILL);
        cr_expect_eq(netns_output(&n.node, text, sizeof(text), "setpriv --bounding-set -sys_admin --inh-caps -sys_admin "
                                  PROGRAM "%s 2>&1", commands[i]), 1, "%s: %s", commands[i], text);
        cr_expect(strstr(text, "CAP_SYS_ADMIN is missing"), "%s: %s", commands[i], text);
    }
    cr_expect_eq(node_command(&n, NULL, 0, "detach"), 0);
    node_nothing_left(&n);
    node_close(&n);
}

/*
 * An interface takes XDP and TCX programs along to another namespace: they are detached there, and its return is
 * awaited.
 */
Test(obstacles, an_interface_that_is_moved_to_another_namespace)
{
    static const char *const modes[] = {"xdp", "tc", "tc --tc-hook clsact"};

    for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
        struct netns other, here = netns_here();
        json_t *status;
        char text[8192];
        struct node n;

        node_open(&n);
        other = netns_new();
        pid_t inside = netns_start(&other, NULL, (char *[]){"sleep", "1000", NULL});

        node_attach(&n, "node0 --mode %s", modes[i]);
        netns_run(&n.node, "ip link set node0 netns %d", (int)inside);
        netns_until_file(n.log, "node0: the interface was moved to another network namespace, detached there",
                         NETNS_DEADLINE_MS);
        netns_enter(&other);
        cr_expect_eq(bpfleft_in_hooks(netns_ifindex(&other, "node0")), 0, "%s", modes[i]);
        netns_enter(&here);
        status = node_status(&n, NULL);
        cr_expect_str_eq(node_text(status, "answer.state"), "BLIND");
        json_decref(status);
        cr_expect_eq(node_command(&n, text, sizeof(text), "report"), 0);
        cr_expect(strstr(text, "moved to another network namespace"), "%s", text);
        netns_run(&other, "ip link set node0 netns %d", (int)n.auditor);
        node_until_coverage(&n, "interface-back");
        cr_expect_eq(node_stop(&n, SIGTERM), 0);
        node_nothing_left(&n);
        netns_stop(inside, SIGKILL);
        netns_close(&other);
        netns_close(&here);
        node_close(&n);
    }
}

/* More than fit into the table, and then fewer: counted, reported, and no reason not to start. */
Test(obstacles, more_addresses_than_fit)
{
    char text[1 << 16], eve[128];
    struct node n;

    node_open(&n);
    netns_run(&n.node, "cd %s; for i in $(seq 0 69); do for j in $(seq 0 249); do echo 10.200.$i.$j/32 dev lo; done; done >all; "
                       "sed 's/^/addr add /' all >add; tail -n 8000 all | sed 's/^/addr del /' >del; tail -n 8000 add >again; "
                       "ip -batch add", n.folder);
    snprintf(eve, sizeof(eve), "%s/eve.json", n.folder);
    node_attach(&n, "node0 --alerts %s", eve);
    netns_until_file(n.log, "the node has more addresses than the table of local ones holds", NETNS_DEADLINE_MS);
    EVELOG_UNTIL(eve, .name = "addresses-left-out");
    cr_expect_eq(node_command(&n, text, sizeof(text), "report"), 0);
    cr_expect(strstr(text, "local addresses left out"), "%s", text);
    netns_run(&n.node, "ip -batch %s/del", n.folder);
    node_until_coverage(&n, "addresses-complete");
    node_stop(&n, SIGKILL);
    netns_run(&n.node, "ip -batch %s/again", n.folder);
    node_attach(&n, "node0 --alerts %s", eve); /* a full table does not prevent the next start */
    netns_until_file(n.log, "the node has more addresses than the table of local ones holds", NETNS_DEADLINE_MS);
    cr_expect_eq(node_stop(&n, SIGTERM), 0);
    node_nothing_left(&n);
    node_close(&n);
}

/* The hooks of all interfaces are queried by two dumps, however many there are. */
Test(obstacles, hundreds_of_interfaces)
{
    char text[1 << 16];
    struct node n;
    unsigned dumps;
    json_t *status;

    node_open(&n);
    netns_run(&n.node, "cd %s; for i in $(seq %u); do echo link add a$i type veth peer name b$i; echo link set a$i up; "
                       "done >links; ip -batch links", n.folder, thorough_rounds(150, 1000));
    node_attach(&n, "node0 a7 --mode tc");
    node_note(&n, "a7");
    status = node_status(&n, NULL);
    cr_expect_eq(json_array_size(node_value(status, "interfaces")), 2);
    json_decref(status);
    node_stop(&n, SIGKILL);
    netns_output(&n.node, text, sizeof(text), "strace -f -e trace=sendto -o %s/trace " PROGRAM "status >/dev/null; "
                 "grep -c NLM_F_DUMP %s/trace", n.folder, n.folder);
    dumps = (unsigned)atoi(text);
    cr_expect(dumps > 0 && dumps < 20, "dumps of all links, whatever their number: %s", text);
    cr_expect_eq(node_command(&n, text, sizeof(text), "detach"), 0);
    cr_expect(strstr(text, "detached from 2 interfaces"), "%s", text);
    node_nothing_left(&n);
    node_close(&n);
}

/* Waiting for a writer of a pipe is reported; a late writer is read, and a signal ends the wait. */
static void wait_for_a_writer(struct node *n, const char *command, const char *said)
{
    char text[4096], out[96], line[256];
    pid_t pid;

    snprintf(out, sizeof(out), "%s/waiting", n->folder);
    for (int i = 0; i < 2; i++) {
        snprintf(line, sizeof(line), "exec " PROGRAM "%s %s/fifo", command, n->folder);
        unlink(out);
        pid = netns_start(&n->node, out, (char *[]){"sh", "-c", line, NULL});
        netns_until_file(out, "fifo: nothing has been written to it yet", NETNS_DEADLINE_MS);
        if (i) {
            cr_expect_eq(netns_stop(pid, SIGINT), 128 + SIGINT, "%s", command);
            continue;
        }
        netns_run(&n->node, "echo nonsense >%s/fifo", n->folder);
        cr_expect_eq(netns_wait(pid, NETNS_DEADLINE_MS), 2, "%s", command);
        netns_output(&n->node, text, sizeof(text), "cat %s", out);
        cr_expect(strstr(text, said), "%s: %s", command, text);
    }
}

/* A file that cannot be a log or a policy is refused with the reason at once, without waiting for another end. */
Test(obstacles, files_that_are_none)
{
    static const struct {
        const char *arguments, *said;
        int status;
    } refused[] = {
        {"attach node0 " LINES "--policy %s/fifo", "fifo: is a FIFO, not a regular file", 2},
        {"attach node0 " LINES "--peers %s/fifo", "fifo: is a FIFO, not a regular file", 2},
        {"policy check %s/fifo", "fifo: is a FIFO, not a regular file", 2},
        {"policy check /dev/zero", "/dev/zero: is a device, not a regular file", 2},
        {"policy check %s", ": is a directory, not a regular file", 2},
        {"alerts --alerts %s/fifo", "fifo: is a FIFO, not a regular file", 1},
        {"attach node0 --no-tui --alerts %s/fifo", "fifo: is a FIFO, not a regular file; --no-alerts", 2},
        {"attach node0 --no-tui --alerts %s", ": is a directory, not a regular file; --no-alerts", 2},
        {"attach node0 --no-tui --alerts %s/socket", "socket: is a socket, not a regular file; --no-alerts", 2},
        {"attach node0 --no-tui --alerts /dev/null", "/dev/null: is a device, not a regular file; --no-alerts", 2},
        {"attach node0 --no-tui --alerts ''", "--alerts: a file's name is empty", 2},
        {"policy check %s/socket", "socket: is a socket", 2},
        {"policy check ''", "policy check: a file's name is empty", 2},
        {"alerts ''", "alerts: a file's name is empty", 1},
        {"policy import --platform x %s", ": is a directory, neither a file nor a pipe", 2},
        {"policy import --platform x /dev/zero", "/dev/zero: is a device, neither a file nor a pipe", 2},
        {"replay --local 10.0.0.1 %s", ": is a directory, neither a file nor a pipe", 2},
        {"replay --local 10.0.0.1 /dev/zero", "/dev/zero: is a device, neither a file nor a pipe", 2},
        {"replay --local 10.0.0.1 %s/socket", "socket: is a socket", 2},
        {"replay --local 10.0.0.1 %s/dangling", "dangling: cannot be opened: No such file", 1},
        {"replay --local 10.0.0.1 - <&-", "standard input: not a capture", 2},
    };
    char arguments[256], text[4096];
    struct node n;

    node_open(&n);
    netns_run(&n.node, "cd %s && mkfifo fifo && ln -s nowhere dangling && python3 -c \"import socket; "
                       "socket.socket(socket.AF_UNIX).bind('socket')\"", n.folder);
    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
        snprintf(arguments, sizeof(arguments), refused[i].arguments, n.folder);
        cr_expect_eq(netns_output(&n.node, text, sizeof(text), "timeout 60 " PROGRAM "%s 2>&1", arguments), refused[i].status,
                     "%s: %s", arguments, text);
        cr_expect(strstr(text, refused[i].said), "%s: %s", arguments, text);
    }
    wait_for_a_writer(&n, "replay --local 10.0.0.1", "not a capture");
    wait_for_a_writer(&n, "policy import --platform x", "the page has no table");
    node_attach(&n, "node0 --alerts %s/later", n.folder); /* counting continues without it */
    netns_run(&n.node, "rm -f %s/later && mv %s/fifo %s/later && ln -s later %s/fifo && kill -HUP %d", n.folder, n.folder, n.folder, n.folder,
              (int)n.auditor);
    netns_until_file(n.log, "later: cannot be opened: not a regular file; findings are kept in the kernel", NETNS_DEADLINE_MS);
    cr_expect_eq(node_command(&n, text, sizeof(text), "status"), 0, "%s", text);
    cr_expect_eq(node_command(&n, text, sizeof(text), "report -o %s/fifo", n.folder), 1);
    cr_expect(strstr(text, "fifo cannot be written: nobody reads this FIFO"), "%s", text);
    cr_expect_eq(node_command(&n, text, sizeof(text), "report -o %s", n.folder), 1);
    cr_expect(strstr(text, " cannot be written: Is a directory"), "%s", text);
    node_stop(&n, SIGTERM);
    node_nothing_left(&n);
    node_close(&n);
}

/* In a mount namespace of its own: a container without the usual file systems. */
Test(obstacles, without_sysfs_or_proc)
{
    static const char *const folders[] = {"/sys", "/proc"};
    char text[8192], before[96];
    struct node n;

    node_open(&n);
    for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
        snprintf(before, sizeof(before), "unshare -m sh -c 'umount -l %s; exec \"$@\"' sh", folders[i]);
        cr_expect_eq(attach_and_end(&n, text, sizeof(text), before, ""), 0, "without %s: %s", folders[i], text);
        cr_expect(strstr(text, "node0: attached, "), "without %s: %s", folders[i], text);
        cr_expect_eq(!!strstr(text, "/proc is not mounted here: processes stay unknown, and 'detach' and 'reload' are refused"), i == 1, "%s", text);
        cr_expect_eq(node_command(&n, text, sizeof(text), "detach"), 0);
        cr_expect_str_eq(text, "nothing to detach in this network namespace\n", "without %s", folders[i]);
    }
    node_close(&n);
}

/* Alternative names, as ip(8) accepts them. */
Test(obstacles, alternative_names)
{
    char text[4096];
    struct node n;

    node_open(&n);
    netns_run(&n.node, "ip link property add dev node0 altname a-name-longer-than-fifteen-characters");
    node_attach(&n, "a-name-longer-than-fifteen-characters");
    cr_expect_eq(node_command(&n, text, sizeof(text), "status"), 0);
    cr_expect(strstr(text, "attached    node0: "), "%s", text);
    cr_expect_eq(node_command(&n, text, sizeof(text), "detach a-name-longer-than-fifteen-characters"), 0, "%s", text);
    netns_wait(n.auditor, NETNS_DEADLINE_MS);
    n.auditor = 0;
    node_nothing_left(&n);
    node_close(&n);
}

/* Losing the terminal ends only the screen: counting continues, and a command can still end the audit. */
Test(obstacles, a_terminal_that_hangs_up)
{
    struct terminal t;
    char text[8192];
    json_t *status;
    struct node n;
    pid_t pid;

    node_open(&n);
    terminal_open(&t, &n.node, 100, 30, PROGRAM "attach node0 --no-alerts");
    terminal_until(&t, "CLEAN");
    node_note(&n, "node0");
    status = node_status(&n, NULL);
    pid = (pid_t)node_number(status, "auditor.pid");
    json_decref(status);
    terminal_close(&t);
    netns_output(&n.client, NULL, 0, "nc -z -w 60 10.7.0.1 445");
    node_until_number(&n, "totals.by_verdict.allowed", 2);
    status = node_status(&n, NULL);
    cr_expect_eq(node_number(status, "auditor.pid"), pid, "the same auditor");
    cr_expect_eq(node_coverage(status, "auditor-stopped"), 0);
    json_decref(status);
    cr_expect_eq(node_command(&n, text, sizeof(text), "detach"), 0, "%s", text);
    cr_expect(strstr(text, "detached by the auditor"), "%s", text);
    node_nothing_left(&n);
    node_close(&n);
}

/*
 * Killed, stopped and continued, with foreign files in the way: the next one resumes each time, and at the end nothing
 * is left.
 */
Test(obstacles, many_rounds_of_kill_stop_and_squat)
{
    unsigned rounds = thorough_rounds(4, 200);
    char text[4096];
    struct node n;

    node_open(&n);
    for (unsigned i = 0; i < rounds; i++) {
        node_attach(&n, "node0");
        kill(n.auditor, SIGSTOP);
        if (i < 2) /* it waits five seconds for its answer */
            cr_expect_neq(netns_output(&n.node, text, sizeof(text), "timeout 60 " PROGRAM "status"), 124);
        kill(n.auditor, SIGCONT);
        cr_expect_eq(node_command(&n, NULL, 0, "status"), 0, "round %u: it goes on", i);
        node_stop(&n, SIGKILL);
        /* Foreign file and socket with the very names, used by nobody. */
        netns_run(&n.node, "f=/run/qportwatch/$(stat -Lc %%i /proc/self/ns/net); rm -f $f.sock $f.lock; "
                           "python3 -c \"import socket; s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); s.bind('$f.sock')\"; "
                           ": >$f.lock");
    }
    node_attach(&n, "node0");
    cr_expect_eq(node_stop(&n, SIGTERM), 0);
    netns_output(&n.node, text, sizeof(text), "ls /run/qportwatch/$(stat -Lc %%i /proc/self/ns/net).* 2>/dev/null");
    cr_expect_str_eq(text, "");
    node_nothing_left(&n);
    node_close(&n);
}

/* The remains of a process that was killed in a deleted network namespace are removed by the next start anywhere. */
Test(obstacles, files_of_dead_namespaces_are_cleared_away)
{
    struct node n;

    node_open(&n);
    netns_run(&n.node, ": >/run/qportwatch/1.lock; : >/run/qportwatch/1.sock") ;
    node_attach(&n, "node0");
    netns_run(&n.node, "[ ! -e /run/qportwatch/1.lock ] && [ ! -e /run/qportwatch/1.sock ]");
    cr_expect_eq(node_stop(&n, SIGTERM), 0);
    node_nothing_left(&n);
    node_close(&n);
}

/* A live interface that takes the name of one that is gone and awaited is the one that counts. */
Test(obstacles, a_name_that_another_interface_takes)
{
    char text[4096];
    struct node n;

    node_open(&n);
    netns_run(&n.node, "ip link add node1 type veth peer name other1 && ip link set node1 up && ip link set other1 up");
    node_attach(&n, "node1 node0 --mode tc");
    netns_run(&n.node, "ip link del node1");
    node_until_coverage(&n, "interface-gone");
    netns_run(&n.node, "ip link set node0 down && ip link set node0 name node1 && ip link set node1 up");
    node_until_coverage(&n, "interface-renamed");
    cr_expect_eq(node_command(&n, text, sizeof(text), "detach node1"), 0, "%s", text);
    cr_expect_eq(netns_wait(n.auditor, NETNS_DEADLINE_MS), 0, "it was the last one");
    n.auditor = 0;
    cr_expect(bpfleft_gone(&n.left, NETNS_DEADLINE_MS));
    cr_expect_eq(node_command(&n, NULL, 0, "status"), 3);
    node_close(&n);
}

/* The qdisc that was created is identified by the interface's index, not by its name. */
Test(obstacles, renamed_while_nobody_looked)
{
    char text[4096];
    struct node n;

    node_open(&n);
    node_attach(&n, "node0 --mode tc --tc-hook clsact");
    node_stop(&n, SIGKILL);
    netns_run(&n.node, "ip link set node0 down && ip link set node0 name front && ip link set front up");
    cr_expect_eq(node_command(&n, text, sizeof(text), "detach"), 0, "%s", text);
    netns_output(&n.node, text, sizeof(text), "tc qdisc show dev front | grep -c clsact");
    cr_expect_str_eq(text, "0\n");
    cr_expect(bpfleft_gone(&n.left, NETNS_DEADLINE_MS));
    node_close(&n);
}

/*
 * More filters than are listed, with consecutive priorities: ours is placed behind them, which is reported, and is
 * found again and removed.
 */
Test(obstacles, a_crowded_clsact_hook)
{
    char text[16384];
    struct node n;

    node_open(&n);
    netns_run(&n.node, "tc qdisc add dev node0 clsact && seq 1 150 | sed \"s/.*/filter add dev node0 ingress prio & protocol all "
                       "bpf bytecode '1,6 0 0 0,'/\" >%s/tc && tc -batch %s/tc", n.folder, n.folder);
    node_attach(&n, "node0 --mode tc --tc-hook clsact");
    netns_until_file(n.log, "runs before our ingress program, which may not see everything", NETNS_DEADLINE_MS);
    netns_output(&n.node, text, sizeof(text), "tc filter show dev node0 ingress pref 151 | grep -c qpw_tc_rx");
    cr_expect_str_eq(text, "1\n");
    cr_expect_eq(node_command(&n, text, sizeof(text), "status"), 0);
    cr_expect(strstr(text, "rx clsact, tx clsact"), "%s", text);
    cr_expect(strstr(text, "may not see everything: bpf (clsact)"), "%s", text);
    netns_output(&n.client, NULL, 0, "nc -z -w 60 10.7.0.1 445");
    node_until_number(&n, "totals.by_verdict.allowed", 2);
    node_stop(&n, SIGKILL);
    node_attach(&n, "node0 --mode tc --tc-hook clsact");
    netns_until_file(n.log, "resuming the existing attachment", NETNS_DEADLINE_MS);
    cr_expect_eq(node_stop(&n, SIGTERM), 0);
    netns_output(&n.node, text, sizeof(text), "tc filter show dev node0 ingress | grep -c ' handle 0x1 '");
    cr_expect_str_eq(text, "150\n", "theirs, whole: %s", text);
    cr_expect(bpfleft_gone(&n.left, NETNS_DEADLINE_MS));
    node_close(&n);
}

/* Lines of the auditor that nobody reads are dropped and counted; it and its commands continue. */
Test(obstacles, an_output_that_nobody_reads)
{
    char text[65536];
    struct node n;
    pid_t pid;

    node_open(&n);
    /* A FIFO that is held open, full, and not read. */
    pid = netns_start(&n.node, NULL, (char *[]){"sh", "-c", "mkfifo $1/lines; exec 7<>$1/lines; head -c 65536 /dev/zero >&7; "
                      PROGRAM "attach node0 " LINES
                      "--mode tc >$1/lines 2>&1 & auditor=$!; until " PROGRAM "status >/dev/null 2>&1; do sleep 0.1; done; "
                      "echo full >$1/full; wait", "sh", n.folder, NULL});
    snprintf(text, sizeof(text), "%s/full", n.folder);
    netns_until_file(text, "full", NETNS_DEADLINE_MS);
    node_note(&n, "node0");
    cr_expect_eq(node_command(&n, text, sizeof(text), "status"), 0, "%s", text);
    cr_expect_eq(node_command(&n, text, sizeof(text), "detach"), 0, "%s", text);
    cr_expect(strstr(text, "detached by the auditor"), "%s", text);
    cr_expect_eq(netns_wait(pid, NETNS_DEADLINE_MS), 0);
    node_nothing_left(&n);
    node_close(&n);
}
