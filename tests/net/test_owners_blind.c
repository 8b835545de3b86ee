/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * If /proc does not show every process, or not its descriptors, a user's process is reported as unknown, never as "the
 * kernel": in the list of listeners, in connections, in the log.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "auditor.h"
#include "evelog.h"
#include "traffic.h"

#define CAP_SYS_PTRACE 19 /* linux/capability.h */
#define PROGRAM QPW_BUILD "/qportwatch"

static struct node n;
static char eve[128], out_path[128];

static void setup(void)
{
    netns_need_root();
    node_open(&n);
    snprintf(eve, sizeof(eve), "%s/eve.json", n.folder);
    snprintf(out_path, sizeof(out_path), "%s/out", n.folder);
}

static void teardown(void)
{
    node_close(&n);
}

TestSuite(owners_blind, .init = setup, .fini = teardown, .timeout = NETNS_TIMEOUT_S);

/* ---- Restrictions of /proc ---- */

static int without_ptrace(void)
{
    return prctl(PR_CAPBSET_DROP, CAP_SYS_PTRACE); /* limits what execve(2) as root gives */
}

static int own_mounts(void)
{
    return unshare(CLONE_NEWNS) < 0 ? -1 : mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

static int with_hidepid(void)
{
    return own_mounts() < 0 || mount("proc", "/proc", "proc", 0, "hidepid=2") < 0 ? -1 : without_ptrace();
}

/* Run the program as the first process of a pid namespace, with a /proc to match. */
static int in_pid_namespace(void)
{
    int status;
    pid_t pid;

    if (own_mounts() < 0 || unshare(CLONE_NEWPID) < 0)
        return -1;
    pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        return mount("proc", "/proc", "proc", 0, NULL);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return -1;
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

static int without_proc(void)
{
    return own_mounts() < 0 ? -1 : mount("none", "/proc", "tmpfs", 0, NULL);
}

static const struct way {
    const char *name;
    int (*enter)(void);
} ways[] = {
    {"no CAP_SYS_PTRACE", without_ptrace},
    {"hidepid", with_hidepid},
    {"pid namespace", in_pid_namespace},
    {"no /proc", without_proc},
};

/* ---- Running the program there ---- */

struct run {
    const struct way *way;
    char *const *argv;
};

static int run_there(void *argument)
{
    const struct run *run = argument;
    int out = open(out_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    if (out < 0 || run->way->enter() < 0)
        return 126;
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    execv(PROGRAM, run->argv);
    return 127;
}

static json_t *document_there(const struct way *way, const char *command)
{
    char *argv[] = {(char *)PROGRAM, (char *)command, (char *)"--json", NULL};
    int status = netns_wait(netns_fork(&n.node, run_there, &(struct run){way, argv}), NETNS_DEADLINE_MS);
    json_t *document = json_load_file(out_path, 0, NULL);

    cr_assert_eq(status, 0, "%s: %s: exit %d", way->name, command, status);
    cr_assert(document, "%s: %s", way->name, command);
    return document;
}

static void expect_no_kernel(const struct way *way, json_t *rows, const char *port_key, int port)
{
    const char *match;
    size_t i, found = 0;
    json_t *row;

    json_array_foreach(rows, i, row) {
        if (json_integer_value(json_object_get(row, port_key)) != port)
            continue;
        match = json_string_value(json_object_get(json_object_get(row, "owner"), "match"));
        cr_expect(!match || strcmp(match, "kernel"), "%s: port %d is %s's", way->name, port, match);
        found++;
    }
    cr_expect_eq(found, 1, "%s: %zu rows of port %d", way->name, found, port);
}

Test(owners_blind, a_listener_is_not_the_kernels)
{
    cr_assert_eq(listen(traffic_bound(&n.node, SOCK_STREAM, "10.7.0.1", 4444), 1), 0);
    for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
        json_t *document = document_there(&ways[i], "listeners");

        expect_no_kernel(&ways[i], json_object_get(document, "listeners"), "port", 4444);
        json_decref(document);
    }
}

/* If a rule names an owner and the real one is unknown, the list shows that and reports no violation. */
Test(owners_blind, an_unknown_owner_of_a_rule_is_not_checked)
{
    char policy[128], text[1 << 14] = "";
    char *argv[] = {(char *)PROGRAM, "listeners", "--policy", policy, NULL};
    FILE *f;

    node_write(&n, "mine", "inbound tcp 4444 one name=one owner=/usr/sbin/other\n", policy, sizeof(policy));
    cr_assert_eq(listen(traffic_bound(&n.node, SOCK_STREAM, "10.7.0.1", 4444), 1), 0);
    for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
        cr_assert_eq(netns_wait(netns_fork(&n.node, run_there, &(struct run){&ways[i], argv}), NETNS_DEADLINE_MS), 0);
        f = fopen(out_path, "r");
        cr_assert(f);
        text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
        fclose(f);
        cr_expect(strstr(text, "not checked tcp/4444 (one names /usr/sbin/other)"), "%s: %s", ways[i].name, text);
        cr_expect(!strstr(text, "mismatch"), "%s: %s", ways[i].name, text);
    }
}

static bool is_attached(void *argument)
{
    int status;
    json_t *document = node_status(&n, &status);
    bool attached = document && json_is_object(json_object_get(document, "auditor"));

    json_decref(document);
    return attached;
}

/* Return whether it is detached: the auditor of a pid namespace dies shortly after the process that was killed. */
static bool is_detached(void *argument)
{
    return node_command(&n, NULL, 0, "detach") == 0;
}

static void audit_there(const struct way *way, const char *reason)
{
    char *argv[] = {(char *)PROGRAM, "attach", "node0", "--mode", "tc", "--no-tui", "--alerts", eve, NULL};
    pid_t server = traffic_serve_tcp(&n.node, "10.7.0.1", 4444), auditor; /* older than the audit: no record */
    struct evelog log = {0};
    const json_t *record;
    json_t *document;
    int fd;

    auditor = netns_fork(&n.node, run_there, &(struct run){way, argv});
    cr_assert(netns_until(is_attached, NULL, NETNS_DEADLINE_MS), "%s", way->name);
    fd = traffic_tcp_open(&n.client, &(struct traffic_tcp){.address = "10.7.0.1", .port = 4444});
    traffic_tcp_more(fd, 10, 10);
    EVELOG_UNTIL(eve, .name = "inbound-data", .port = 4444);
    document = document_there(way, "connections");
    expect_no_kernel(way, json_object_get(document, "connections"), "responder_port", 4444);
    json_decref(document);
    evelog_add(&log, eve);
    record = evelog_last(&log, &(struct evelog_filter){.name = "inbound-data", .port = 4444});
    cr_expect_str_eq(evelog_fact(record, "process_match"), "unknown", "%s: %s", way->name,
                     evelog_fact(record, "process_match"));
    cr_expect_str_eq(evelog_fact(record, "process"), "", "%s: %s", way->name, evelog_fact(record, "process"));
    cr_expect_str_eq(evelog_fact(record, "process_reason"), reason, "%s: %s", way->name,
                     evelog_fact(record, "process_reason"));
    evelog_clear(&log);
    close(fd);
    netns_stop(auditor, SIGKILL);
    cr_assert(netns_until(is_detached, NULL, NETNS_DEADLINE_MS));
    netns_stop(server, SIGKILL);
}

#define NO_RIGHT "no right to look into every process"
Test(owners_blind, without_ptrace_an_exchange_is_not_the_kernels) { audit_there(&ways[0], NO_RIGHT); }
Test(owners_blind, with_hidepid_an_exchange_is_not_the_kernels) { audit_there(&ways[1], NO_RIGHT); }
Test(owners_blind, in_a_pid_namespace_an_exchange_is_not_the_kernels) { audit_there(&ways[2], NO_RIGHT); }
Test(owners_blind, without_proc_an_exchange_is_not_the_kernels) { audit_there(&ways[3], NO_RIGHT); }
