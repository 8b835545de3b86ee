/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The privileges of each process of an audit, as the kernel shows them, and that the audit needs no more. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auditor.h"
#include "evelog.h"
#include "host/confine.h"
#include "netns.h"
#include "traffic.h"

#ifndef QPW_BUILD
#define QPW_BUILD "build"
#endif
#define PROGRAM QPW_BUILD "/qportwatch"

TestSuite(privileges, .init = netns_need_root, .timeout = NETNS_TIMEOUT_S);

#define BIT(capability) (1ull << (capability))
#define HELPERS 4
#define AUDITOR (BIT(CAP_NET_ADMIN) | BIT(CAP_BPF) | BIT(CAP_PERFMON))
#define READER (BIT(CAP_SYS_PTRACE) | BIT(CAP_DAC_READ_SEARCH))
#define LOOKER (BIT(CAP_SYS_ADMIN) | BIT(CAP_SYS_PTRACE) | BIT(CAP_NET_ADMIN) | BIT(CAP_BPF))
#define SERVER (AUDITOR | READER | BIT(CAP_SYS_ADMIN)) /* for the group's commands: the unit's capabilities */

static void expect_rights(pid_t pid, uint64_t wanted, uint64_t seccomp, const char *who)
{
    static const char *const all[] = {"CapPrm", "CapEff", "CapBnd"}, *const none[] = {"CapInh", "CapAmb"};

    for (size_t i = 0; i < 3; i++)
        cr_expect_eq(netns_process_number(pid, all[i], 16), wanted, "%s: %s %016lx", who, all[i], (long)netns_process_number(pid, all[i], 16));
    for (size_t i = 0; i < 2; i++)
        cr_expect_eq(netns_process_number(pid, none[i], 16), 0, "%s: %s", who, none[i]);
    cr_expect_eq(netns_process_number(pid, "NoNewPrivs", 10), 1, "%s", who);
    cr_expect_eq(netns_process_number(pid, "Seccomp", 10), seccomp, "%s: %d", who, (int)netns_process_number(pid, "Seccomp", 10));
}

static size_t processes(struct node *n, const char *name, pid_t ret[HELPERS])
{
    char text[256], *at = text;
    size_t count = 0;

    netns_output(&n->node, text, sizeof(text), "for p in %d $(pgrep -P %d) $(pgrep -P $(pgrep -d, -P %d)); do "
                 "[ \"$(cat /proc/$p/comm)\" != %s ] || echo $p; done", (int)n->auditor, (int)n->auditor, (int)n->auditor, name);
    while (count < HELPERS && *at) {
        ret[count++] = (pid_t)strtol(at, &at, 10);
        at += strspn(at, "\n");
    }
    return count;
}

struct helper {
    struct node *n;
    const char *name;
    pid_t pids[HELPERS];
};

/* Return whether there are two: a killed one exists until its supervisor notices; the next one follows shortly. */
static bool are_two(void *argument)
{
    struct helper *h = argument;

    return processes(h->n, h->name, h->pids) == 2;
}

static pid_t worker(struct node *n, const char *name)
{
    struct helper h = {.n = n, .name = name};

    cr_assert(netns_until(are_two, &h, NETNS_DEADLINE_MS), "%s", name);
    return h.pids[1]; /* the first is its supervisor */
}

struct all {
    struct node *n;
    const char *name;
    size_t wanted;
    pid_t pids[HELPERS];
};

static bool are_there(void *argument)
{
    struct all *all = argument;

    return processes(all->n, all->name, all->pids) == all->wanted;
}

/* Return whether they have ended with the auditor, however that ends. */
static bool have_ended(void *argument)
{
    const pid_t *pids = argument;

    for (; *pids; pids++)
        if (netns_process_number(*pids, "Pid", 10) == (uint64_t)*pids)
            return false;
    return true;
}

/* With a history, and a group whose members may read, in a copy of /etc/group that only the auditor sees. */
Test(privileges, of_each_process)
{
    static const struct {
        const char *name;
        uint64_t rights;
        size_t count; /* itself and its supervisor */
    } wanted[] = {{"qportwatch", AUDITOR, 1}, {"qportwatch-proc", READER, 2}, {"qportwatch-bpf", LOOKER, 2}, {"qportwatch-hist", 0, 1},
                  {"qportwatch-read", SERVER, 2}};
    pid_t helpers[sizeof(wanted) / sizeof(*wanted) * HELPERS + 1] = {0};
    struct all all = {0};
    size_t n_helpers = 0;
    char text[256];
    json_t *status;
    struct node n;

    node_open(&n);
    netns_run(&n.node, "{ cat /etc/group; echo qportwatch:x:4711:; } >%s/group", n.folder);
    n.auditor = netns_start(&n.node, n.log, (char *[]){"unshare", "-m", "sh", "-c", "mount --bind \"$1/group\" /etc/group && mount -t tmpfs run /run && "
                            "exec " PROGRAM " attach node0 --mode tc --no-tui --no-alerts --history \"$1/history.db\"", "sh", n.folder, NULL});
    netns_until_file(n.log, "node0: attached", NETNS_DEADLINE_MS);
    node_note(&n, "node0");
    node_until_text(&n, "answer.state", "CLEAN");
    status = node_status(&n, NULL);
    cr_expect_eq(node_value(status, "auditor.seccomp"), json_true());
    cr_expect_eq(node_value(status, "auditor.landlock"), json_boolean(qpw_landlock_version() > 0));
    json_decref(status);
    for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++) {
        all = (struct all){.n = &n, .name = wanted[i].name, .wanted = wanted[i].count};
        cr_assert(netns_until(are_there, &all, NETNS_DEADLINE_MS), "%zu processes %s", wanted[i].count, wanted[i].name);
        for (size_t j = 0; j < wanted[i].count; j++) {
            expect_rights(all.pids[j], wanted[i].rights, 2, wanted[i].name);
            if (i)
                helpers[n_helpers++] = all.pids[j];
        }
    }
    /* They have neither a terminal nor a file of the auditor, except those that they need. */
    for (size_t i = 0; i < n_helpers; i++) {
        netns_output(&n.node, text, sizeof(text), "find /proc/%d/fd -type l -printf '%%l\\n' | grep -v '^socket\\|^pipe\\|^/dev/null$\\|^/$\\|/history.db'",
                     (int)helpers[i]);
        cr_expect_str_empty(text, "%d: %s", (int)helpers[i], text);
    }
    node_stop(&n, SIGKILL);
    cr_expect(netns_until(have_ended, helpers, NETNS_DEADLINE_MS), "they live on");
    node_close(&n);
}

/* Expect a process of another user, older than the audit and thus known from /proc only, to be named. */
static void expect_named(struct node *n, const char *eve, uint16_t port)
{
    struct evelog log = {0};
    const json_t *record;
    const char *match;
    int fd = traffic_tcp_open(&n->client, &(struct traffic_tcp){.address = "10.7.0.1", .port = port});

    traffic_tcp_more(fd, 10, 10);
    EVELOG_UNTIL(eve, .name = "inbound-data", .port = port);
    evelog_add(&log, eve);
    record = evelog_last(&log, &(struct evelog_filter){.name = "inbound-data", .port = port});
    match = evelog_fact(record, "process_match"); /* until accepted, only its listener owns it */
    cr_expect(!strcmp(match, "exact") || !strcmp(match, "listener"), "%d: %s", port, match);
    cr_expect(strstr(evelog_fact(record, "executable"), "/ncat"), "%d: %s", port, evelog_fact(record, "executable"));
    evelog_clear(&log);
    close(fd);
}

/* Without the capability to inspect them; while the reader hangs, the audit continues; one that ended is replaced. */
Test(privileges, processes_of_other_users_are_named)
{
    static const uint16_t ports[] = {4441, 4442, 4443};
    char eve[128], text[64];
    pid_t servers[3], hung;
    struct node n;

    node_open(&n);
    snprintf(eve, sizeof(eve), "%s/eve.json", n.folder);
    for (size_t i = 0; i < 3; i++) {
        snprintf(text, sizeof(text), "%d", ports[i]);
        servers[i] = netns_start(&n.node, NULL, (char *[]){"setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
                                 "--inh-caps", "-all", "--bounding-set", "-all", "ncat", "-l", "-k", "-e", "/bin/cat", "10.7.0.1", text, NULL});
        netns_until_port(&n.node, "tcp", ports[i]);
    }
    node_attach(&n, "node0 --mode tc --alerts %s", eve);
    expect_named(&n, eve, ports[0]);
    hung = worker(&n, "qportwatch-proc");
    cr_assert_eq(kill(hung, SIGSTOP), 0);
    netns_until_file(n.log, "the process that reads /proc did not answer or had ended, and was replaced (number 1)", NETNS_DEADLINE_MS);
    cr_expect_neq(worker(&n, "qportwatch-proc"), hung);
    expect_named(&n, eve, ports[1]);
    cr_assert_eq(kill(worker(&n, "qportwatch-proc"), SIGKILL), 0);
    netns_until_file(n.log, "replaced (number 2)", NETNS_DEADLINE_MS);
    expect_named(&n, eve, ports[2]);
    for (size_t i = 0; i < 3; i++)
        netns_stop(servers[i], SIGKILL);
    cr_expect_eq(node_stop(&n, SIGTERM), 0);
    node_nothing_left(&n);
    node_close(&n);
}

struct worker {
    pid_t parent, pid;
};

/* Return whether the replay's child has dropped its privileges. */
static bool is_confined(void *argument)
{
    struct worker *w = argument;
    char text[64];
    struct netns here = netns_here();

    netns_output(&here, text, sizeof(text), "pgrep -P %d || true", (int)w->parent);
    netns_close(&here);
    w->pid = (pid_t)strtol(text, NULL, 10);
    return w->pid > 0 && netns_process_number(w->pid, "Seccomp", 10) == 2;
}

/* It waits for the rest of a capture, with the programs loaded. Its parent has all privileges, but reads none of it. */
Test(privileges, a_replay_reads_without_rights)
{
    static const uint32_t head[] = {0xa1b2c3d4, 0x00040002, 0, 0, 65535, 1};
    struct netns here = netns_here();
    char folder[] = "/tmp/qportwatch-replay.XXXXXX", pipe[64], log[64];
    struct worker w = {0};
    int fd;

    cr_assert(mkdtemp(folder));
    snprintf(pipe, sizeof(pipe), "%s/capture", folder);
    snprintf(log, sizeof(log), "%s/log", folder);
    cr_assert_eq(mkfifo(pipe, 0600), 0);
    fd = open(pipe, O_RDWR | O_CLOEXEC); /* so that neither end waits for the other to open it */
    cr_assert(fd >= 0 && write(fd, head, sizeof(head)) == (ssize_t)sizeof(head));
    w.parent = netns_start(&here, log, (char *[]){PROGRAM, "replay", "--local", "10.7.0.1", pipe, NULL});
    cr_assert(netns_until(is_confined, &w, NETNS_DEADLINE_MS));
    cr_expect_eq(netns_process_number(w.pid, "CapEff", 16) & ~BIT(CAP_BPF), 0, "%016lx", (long)netns_process_number(w.pid, "CapEff", 16));
    cr_expect_eq(netns_process_number(w.pid, "CapPrm", 16), netns_process_number(w.pid, "CapEff", 16));
    cr_expect_eq(netns_process_number(w.pid, "CapBnd", 16), netns_process_number(w.pid, "CapEff", 16));
    cr_expect_eq(netns_process_number(w.pid, "NoNewPrivs", 10), 1);
    close(fd);
    cr_expect_eq(netns_wait(w.parent, NETNS_DEADLINE_MS), 0);
    netns_until_file(log, "0 packets", NETNS_DEADLINE_MS);
    netns_run(&here, "rm -r %s", folder);
    netns_close(&here);
}
