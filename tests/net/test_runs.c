/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Several runs: an interface takes the programs in its hooks along to another network namespace, and back, while no
 * auditor runs. Each run is named where it is found, none is confused with another, and detaching leaves none anywhere.
 */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "auditor.h"
#include "instance/instance.h"
#include "netns.h"
#include "thorough.h"

TestSuite(runs, .init = netns_need_root, .timeout = NETNS_TIMEOUT_S);

#define PROGRAM QPW_BUILD "/qportwatch "

/* A node with a second interface, and a namespace to which interfaces are moved. */
struct place {
    struct node n;
    struct netns other;
    pid_t inside; /* keeps it alive, so that it is found through a process */
};

static void place_open(struct place *p)
{
    node_open(&p->n);
    netns_run(&p->n.node, "ip link add node1 type veth peer name far1 && ip link set node1 up && ip link set far1 up");
    p->other = netns_new();
    p->inside = netns_start(&p->other, NULL, (char *[]){"sleep", "1000", NULL});
}

static void place_close(struct place *p)
{
    netns_stop(p->inside, SIGKILL);
    netns_close(&p->other);
    node_close(&p->n);
}

static void move_away(struct place *p, const char *name)
{
    netns_run(&p->n.node, "ip link set %s netns %d", name, (int)p->inside);
}

/* Monitor node0 with one run, and bring node1 back with an older one. Records the programs of both. */
static void two_runs(struct place *p)
{
    char text[4096];
    pid_t here = netns_start(&p->n.node, NULL, (char *[]){"sleep", "1000", NULL});

    node_attach(&p->n, "node0 node1 --mode tc");
    node_stop(&p->n, SIGKILL);
    node_note(&p->n, "node1");
    move_away(p, "node1");
    /* If /proc shows no process of that namespace, it cannot be found, and that is reported. */
    cr_assert_eq(netns_output(&p->n.node, text, sizeof(text), "unshare -m --fork --pid --mount-proc " PROGRAM "detach 2>&1"), 1);
    cr_expect(strstr(text, "programs of this run are still held"), "%s", text);
    node_attach(&p->n, "node0 --mode tc");
    node_note(&p->n, "node0");
    netns_run(&p->other, "ip link set node1 netns %d", (int)here);
    netns_run(&p->n.node, "ip link set node1 up");
    netns_until_file(p->n.log, "node1 carries programs of another run of qportwatch (attached 20", NETNS_DEADLINE_MS);
    netns_stop(here, SIGKILL);
}

/* The older run is named, the newest one is shown and resumed, and only the named one is removed. */
Test(runs, another_run_is_named_and_removed_by_name)
{
    struct place p;
    char text[65536];
    json_t *status;

    place_open(&p);
    two_runs(&p);
    cr_expect_eq(node_command(&p.n, text, sizeof(text), "status"), 0);
    cr_expect(strstr(text, "attached    node0: ") && !strstr(text, "node1: TC"), "%s", text);
    cr_expect(strstr(text, "other runs  node1 carries programs of another run"), "%s", text);
    cr_expect_eq(node_command(&p.n, text, sizeof(text), "report"), 0, "%s", text);
    node_stop(&p.n, SIGKILL);
    cr_expect_eq(node_command(&p.n, text, sizeof(text), "status"), 3);
    cr_expect(strstr(text, "attached    node0: "), "%s", text);
    node_attach(&p.n, "node0 --mode tc");
    netns_until_file(p.n.log, "resuming the existing attachment", NETNS_DEADLINE_MS);
    netns_until_file(p.n.log, "node1 carries programs of another run", NETNS_DEADLINE_MS);
    cr_expect_eq(node_command(&p.n, text, sizeof(text), "detach node1 node7"), 1, "%s", text);
    cr_expect(strstr(text, "node7: not attached"), "%s", text);
    status = node_status(&p.n, NULL);
    cr_expect_eq(json_array_size(node_value(status, "other_runs")), 1, "a wrong name: nothing is removed");
    json_decref(status);
    cr_expect_eq(node_command(&p.n, text, sizeof(text), "detach node1"), 0, "%s", text);
    status = node_status(&p.n, NULL);
    cr_expect_eq(node_number(status, "auditor.pid"), p.n.auditor, "the audit goes on");
    cr_expect_eq(json_array_size(node_value(status, "other_runs")), 0);
    json_decref(status);
    cr_expect_eq(node_stop(&p.n, SIGTERM), 0);
    node_nothing_left(&p.n);
    place_close(&p);
}

/* Without names everything is removed, with and without a live auditor. */
Test(runs, detach_removes_all_of_them)
{
    for (unsigned i = 0; i < thorough_rounds(1, 2); i++) {
        struct place p;
        char text[4096];

        place_open(&p);
        two_runs(&p);
        if (i) {
            node_stop(&p.n, SIGKILL);
            cr_expect_eq(node_command(&p.n, text, sizeof(text), "detach"), 0, "%s", text);
            cr_expect_str_eq(text, "detached from 2 interfaces\n");
        } else {
            cr_expect_eq(node_command(&p.n, text, sizeof(text), "detach"), 0, "%s", text);
            cr_expect_eq(netns_wait(p.n.auditor, NETNS_DEADLINE_MS), 0);
            p.n.auditor = 0;
        }
        node_nothing_left(&p.n);
        place_close(&p);
    }
}

/* A run from another namespace is not resumed here, and its files there stay unchanged. */
Test(runs, a_run_of_another_namespace_is_not_resumed)
{
    static const char *const modes[] = {"tc --tc-hook tcx", "xdp"};

    for (unsigned i = 0; i < thorough_rounds(1, 2); i++) {
        struct place p;
        char text[65536];

        place_open(&p);
        node_attach(&p.n, "node0 node1 --mode %s", modes[i]);
        node_stop(&p.n, SIGKILL);
        move_away(&p, "node1");
        netns_run(&p.other, "ip link set node1 up");
        cr_expect_eq(netns_output(&p.other, text, sizeof(text), PROGRAM "status 2>&1"), 3);
        cr_expect(strstr(text, "not attached in this network namespace: node1 carries programs of another run of qportwatch") &&
                  strstr(text, ", in another network namespace)"), "%s", text);
        cr_expect_eq(netns_output(&p.other, text, sizeof(text), "(exec " PROGRAM "attach node1 --no-tui --no-alerts >%s/far 2>&1) & p=$!; "
                                  "until grep -qs 'node1: attached, ' %s/far || ! kill -0 $p; do sleep 0.05; done; "
                                  PROGRAM "status --json | jq -r '.other_runs[0].interface, .interfaces[0].name'; kill -TERM $p; "
                                  "wait $p; cat %s/far", p.n.folder, p.n.folder, p.n.folder), 0, "%s", text);
        cr_expect(strstr(text, "node1\nnode1\n") && strstr(text, "node1 carries programs of another run"), "%s", text);
        cr_expect_null(strstr(text, "resuming"), "%s", text);
        cr_expect_eq(netns_output(&p.other, text, sizeof(text), PROGRAM "detach node1 2>&1"), 0, "%s", text);
        cr_expect_str_eq(text, "detached from 1 interface\n");
        cr_expect_eq(node_command(&p.n, text, sizeof(text), "status"), 3);
        cr_expect(strstr(text, "attached    node0: "), "%s", text);
        cr_expect_eq(node_command(&p.n, text, sizeof(text), "detach"), 0, "%s", text);
        node_nothing_left(&p.n);
        place_close(&p);
    }
}

/*
 * An interface that moved away unobserved is found and detached: by detach, with and without a name, and by the next
 * auditor.
 */
Test(runs, what_moved_away_is_found)
{
    static const struct {
        const char *names, *said;
    } ways[] = {{"", "detached from 2 interfaces\n"}, {" node1", "detached from 1 interface\n"}, {NULL}};
    char text[4096];

    for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
        struct place p;

        place_open(&p);
        node_attach(&p.n, "node0 node1 --mode %s", i ? "tc" : "xdp");
        node_note(&p.n, "node1");
        node_stop(&p.n, SIGKILL);
        move_away(&p, "node1");
        if (ways[i].names) {
            cr_expect_eq(node_command(&p.n, text, sizeof(text), "detach%s", ways[i].names), 0, "%s", text);
            cr_expect_str_eq(text, ways[i].said);
            node_command(&p.n, text, sizeof(text), "detach");
        } else {
            node_attach(&p.n, "node0");
            netns_until_file(p.n.log, "node1: the interface was moved to another network namespace while no auditor was running, "
                             "detached there", NETNS_DEADLINE_MS);
            cr_expect_eq(node_stop(&p.n, SIGTERM), 0);
        }
        node_nothing_left(&p.n);
        place_close(&p);
    }
}

static int open_instance(void *kernel)
{
    struct qpw_error err;

    return qpw_instance_find(kernel, &err);
}

/*
 * An interface that took our programs to a namespace without a name or process, and brought them back, leaves nothing
 * there: the auditor's end is clean although another process reads its maps.
 */
Test(runs, what_came_back_was_not_left_behind)
{
    static const char *const modes[] = {"xdp", "tc", "tc --tc-hook clsact"};

    for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
        struct qpw_kernel reader;
        struct netns other;
        struct node n;

        node_open(&n);
        other = netns_new();
        node_attach(&n, "node0 --mode %s", modes[i]);
        cr_assert_eq(netns_call(&n.node, open_instance, &reader), 0, "%s", modes[i]);
        netns_run(&n.node, "ip link set node0 netns /proc/%d/fd/%d", (int)getpid(), other.fd);
        netns_until_file(n.log, i < 2 ? "which cannot be removed from here" : "detached there", NETNS_DEADLINE_MS);
        netns_run(&other, "ip link set node0 netns %d", (int)n.auditor);
        node_until_coverage(&n, "interface-back");
        cr_expect_eq(node_stop(&n, SIGTERM), 0, "%s", modes[i]);
        qpw_kernel_close(&reader);
        node_nothing_left(&n);
        netns_close(&other);
        node_close(&n);
    }
}
