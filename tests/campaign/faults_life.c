/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* faults_life.c - faults of the auditor's process. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "faults.h"
#include "instance/instance.h"

#ifndef QPW_BUILD
#define QPW_BUILD "build"
#endif
#define PROGRAM QPW_BUILD "/qportwatch"

/* Killed while traffic continues; the next auditor takes over the kernel's counts and reports the gap. */
void fault_kill(struct campaign *c, struct rng *r)
{
    auditor_stop(c, SIGKILL);
    faults_go_on(c, r, rng_between(r, 1, 40));
    campaign_wait(c, rng_below(r, 2500));
    auditor_take_over(c);
}

/* Ended and started again: a new audit of what is already open. */
void fault_restart(struct campaign *c, struct rng *r)
{
    campaign_settle(c, 50);
    auditor_stop(c, rng_below(r, 2) ? SIGINT : SIGTERM);
    check_alerts(c, true); /* everything seen has been written by then */
    c->book->attached = false;
    faults_go_on(c, r, rng_between(r, 1, 10));
    auditor_start(c);
}

static void stop(struct campaign *c)
{
    kill(c->auditor, SIGSTOP);
    c->stopped = c->held_up = true;
}

static void go(struct campaign *c)
{
    kill(c->auditor, SIGCONT);
    c->stopped = false;
}

void fault_stop_and_continue(struct campaign *c, struct rng *r)
{
    stop(c);
    faults_go_on(c, r, rng_between(r, 1, 60));
    for (unsigned i = 0; i < 3; i++)
        faults_any_command(c, r);
    go(c);
}

/* ---- Two at once ---- */

static bool one_has_ended(void *pids)
{
    return netns_has_ended(((pid_t *)pids)[0]) || netns_has_ended(((pid_t *)pids)[1]);
}

/* Two processes want to take over at the same moment: one does, the other reports why not. */
void fault_attach_race(struct campaign *c, struct rng *r)
{
    char log[2][96];
    pid_t pids[2];
    unsigned winner;
    int rc;

    auditor_stop(c, SIGKILL);
    faults_go_on(c, r, rng_below(r, 5));
    collector_drain(&c->collector);
    c->collector.messages = 0;
    for (unsigned i = 0; i < 2; i++)
        pids[i] = auditor_spawn(c, log[i], sizeof(log[i]));
    if (!netns_until(one_has_ended, pids, CAMPAIGN_DEADLINE_MS))
        campaign_fail(c, "one auditor at a time", "two of them after %d s", CAMPAIGN_DEADLINE_MS / 1000);
    winner = netns_has_ended(pids[0]);
    rc = netns_wait(pids[!winner], CAMPAIGN_DEADLINE_MS);
    if (rc != 1)
        campaign_fail(c, "one auditor at a time", "the second ended with status %d, not 1", rc);
    c->coverage.n_gaps = INTERVALS; /* the start cannot be attributed exactly */
    auditor_await(c, pids[winner], log[winner]);
    campaign_expect(c, TOLD_GAP, 1, 1);
    book_policy(c->book, c->policy);
}

/* Two "detach" at once, and a reader: everything ends, once. */
void fault_detach_race(struct campaign *c, struct rng *r)
{
    char *detach[] = {PROGRAM, "detach", NULL}, *look[] = {PROGRAM, rng_below(r, 2) ? "status" : "report", NULL};
    pid_t pids[3];
    int rc[3];

    campaign_settle(c, 50);
    qpw_kernel_close(&c->kernel);
    c->following = false;
    for (unsigned i = 0; i < 3; i++)
        pids[i] = netns_start(&c->place.ns[NODE], NULL, i == 1 ? look : detach);
    for (unsigned i = 0; i < 3; i++)
        rc[i] = netns_wait(pids[i], CAMPAIGN_DEADLINE_MS);
    if ((rc[0] && rc[2]) || rc[0] > 1 || rc[2] > 1 || rc[1] > 3)
        campaign_fail(c, "detach ends everything", "two of them ended with status %d and %d, and '%s' with %d", rc[0],
                      rc[2], look[1], rc[1]);
    rc[0] = netns_wait(c->auditor, CAMPAIGN_DEADLINE_MS);
    c->auditor = 0;
    if (rc[0])
        campaign_fail(c, "the auditor ends well", "exit status %d after detach", rc[0]);
    check_alerts(c, true);
    check_nothing_left(c);
    c->book->attached = false;
    faults_go_on(c, r, rng_below(r, 5));
    auditor_start(c);
}

/* A request to a stopped auditor fails soon, and is not carried out later when nobody waits for it. */
void fault_asked_while_stopped(struct campaign *c, struct rng *r)
{
    static const char *const requests[] = {"detach", "reload", "detach node0"};
    const char *request = requests[rng_below(r, 3)];
    char text[2048];
    int rc;

    if (strcmp(c->place.node_if, "node0"))
        return;
    campaign_settle(c, 50);
    stop(c);
    rc = campaign_command(c, text, sizeof(text), "%s", request);
    go(c);
    if (rc != 1)
        campaign_fail(c, "a stopped auditor is said to be", "'%s' ended with status %d, not 1: %s", request, rc, text);
    auditor_await_ticks(c, 3);
}

/* ---- Memory ---- */

static uint64_t address_space(pid_t pid)
{
    unsigned long pages = 0;
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
    FILE *f = fopen(path, "re");
    cr_assert(f && fscanf(f, "%lu", &pages) == 1, "%s", path);
    fclose(f);
    return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/*
 * Allocations fail for a while. The auditor reports that and continues; what it could not report then it reports later.
 */
void fault_no_memory(struct campaign *c, struct rng *r)
{
    struct rlimit before, little;

    c->held_up = true;
    cr_assert(prlimit(c->auditor, RLIMIT_AS, NULL, &before) == 0);
    little = (struct rlimit){address_space(c->auditor) + rng_below(r, 64) * 4096, before.rlim_max};
    cr_assert(prlimit(c->auditor, RLIMIT_AS, &little, NULL) == 0);
    faults_go_on(c, r, rng_between(r, 5, 40));
    if (!netns_has_ended(c->auditor))
        auditor_await_ticks(c, 4);
    cr_assert(prlimit(c->auditor, RLIMIT_AS, &before, NULL) == 0 || errno == ESRCH);
    if (netns_has_ended(c->auditor))
        campaign_fail(c, "the auditor goes on", "it ended with status %d where memory was short",
                      netns_wait(c->auditor, CAMPAIGN_DEADLINE_MS));
}

/* Create a group with a memory limit below this process's own; false: not possible. */
static bool make_group(char *group, size_t size, const char **limit)
{
    static const char *const roots[] = {"/sys/fs/cgroup/memory", "/sys/fs/cgroup"};
    static const char *const files[] = {"memory.limit_in_bytes", "memory.max"};
    char line[512], path[512] = "", file[1024];
    FILE *f = fopen("/proc/self/cgroup", "re");
    bool v2 = true;

    while (f && fgets(line, sizeof(line), f)) {
        line[strcspn(line, "\n")] = '\0';
        if (strstr(line, ":memory:")) {
            v2 = false;
            snprintf(path, sizeof(path), "%s", strrchr(line, ':') + 1);
        } else if (!strncmp(line, "0::", 3) && v2) {
            snprintf(path, sizeof(path), "%s", line + 3);
        }
    }
    if (f)
        fclose(f);
    snprintf(group, size, "%s%s/qportwatch-campaign-%d", roots[v2], path, (int)getpid());
    if (mkdir(group, 0755) < 0)
        return false;
    snprintf(file, sizeof(file), "%s/%s", group, files[v2]);
    *limit = files[v2];
    if (access(file, W_OK) == 0)
        return true;
    rmdir(group);
    return false;
}

static bool write_number(const char *folder, const char *file, long number)
{
    char path[1024];

    snprintf(path, sizeof(path), "%s/%s", folder, file);
    FILE *f = fopen(path, "w");
    bool written = f && fprintf(f, "%ld\n", number) > 0;

    return f && fclose(f) == 0 && written;
}

static bool auditor_is_gone(void *campaign)
{
    struct campaign *c = campaign;

    campaign_drain(c);
    return netns_has_ended(c->auditor);
}

static bool group_is_gone(void *group)
{
    return rmdir(group) == 0 || errno == ENOENT;
}

/* A group's memory limit makes the kernel kill the auditor at any point of its work. */
void fault_oom_kill(struct campaign *c, struct rng *r)
{
    char group[768];
    const char *limit;

    if (!make_group(group, sizeof(group), &limit)) {
        fprintf(stderr, "step %u: no group with a limit of memory can be made here; killed instead\n", c->step);
        fault_kill(c, r);
        return;
    }
    write_number(group, "memory.swappiness", 0);
    if (write_number(group, limit, 65536) && write_number(group, "cgroup.procs", c->auditor)) {
        faults_go_on(c, r, rng_between(r, 5, 40));
        if (!netns_until(auditor_is_gone, c, 20000)) /* it allocated nothing new */
            kill(c->auditor, SIGKILL);
    } else {
        kill(c->auditor, SIGKILL);
    }
    auditor_stop(c, SIGKILL);
    cr_assert(netns_until(group_is_gone, group, CAMPAIGN_DEADLINE_MS), "%s: %s", group, strerror(errno));
    auditor_take_over(c);
}
