/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* faults_files.c - faults of the policy, the alert log and the syslog collector. */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "faults.h"

/* ---- Policies ---- */

/* Return how many reloads the coverage reports. */
static unsigned reloads(struct campaign *c)
{
    json_t *status = campaign_document(c, "status --json");
    unsigned n = check_events_of(json_object_get(json_object_get(status, "coverage"), "events"),
                                 told_names[TOLD_RELOADED]);

    json_decref(status);
    return n;
}

#define DEFAULT_RETRIES 5u /* tcp_synack_retries */

/*
 * Let the node's stack repeat no SYN+ACK while the policy changes: nobody could say which of both policies it was
 * counted under.
 */
static void set_synack_retries(struct campaign *c, unsigned retries)
{
    netns_run(&c->place.ns[NODE], "sysctl -qw net.ipv4.tcp_synack_retries=%u", retries);
}

void fault_reload_right(struct campaign *c, struct rng *r)
{
    const struct policy *next = policies[rng_below(r, (unsigned)n_policies)];
    char text[4096];
    bool done = false;
    int rc;

    set_synack_retries(c, 0);
    campaign_settle(c, 20);
    policy_text(next, text, sizeof(text));
    faults_write_policy(c, text);
    for (unsigned i = 0; i < 5 && !done; i++) {
        rc = campaign_command(c, text, sizeof(text), "reload");
        if (rc && !strstr(text, "did not answer"))
            campaign_fail(c, "a right policy is taken", "exit status %d: %s", rc, text);
        if (rc) /* on a very busy machine: dropped, or nevertheless done */
            auditor_await_ticks(c, 3);
        done = !rc || reloads(c) > c->coverage.reported[TOLD_RELOADED].most;
    }
    if (!done)
        campaign_fail(c, "a right policy is taken", "not in five tries: %s", text);
    campaign_expect(c, TOLD_RELOADED, 1, 1);
    c->policy = next;
    book_policy(c->book, next);
    set_synack_retries(c, DEFAULT_RETRIES);
}

void fault_reload_wrong(struct campaign *c, struct rng *r)
{
    static const char *const wrong[] = {"inbound tcp 70000 NONSENSE\n", "include nowhere\n", "inbound tcp\n",
                                        "peer\n", "\x01\x02\n", "inbound tcp 445 SMB from=@nobody\n"};
    char text[4096];
    int rc;

    faults_write_policy(c, wrong[rng_below(r, sizeof(wrong) / sizeof(*wrong))]);
    rc = campaign_command(c, text, sizeof(text), "reload");
    if (rc == 1 && strstr(text, "did not answer")) {
        auditor_await_ticks(c, 3);
        campaign_expect(c, TOLD_RELOAD_FAILED, 0, 1);
    } else if (rc != 2) {
        campaign_fail(c, "a wrong policy changes nothing", "exit status %d, not 2: %s", rc, text);
    } else {
        campaign_expect(c, TOLD_RELOAD_FAILED, 1, 1);
    }
    policy_text(c->policy, text, sizeof(text));
    faults_write_policy(c, text);
}

/* ---- The log ---- */

/* Shift the rotated files to make room for a new ".1". False: no record since the last time. */
static bool shift(struct campaign *c, char *log, size_t size)
{
    char from[128], to[128];

    snprintf(log, size, "%s/log/eve.json", c->dir);
    if (access(log, F_OK))
        return false;
    for (unsigned i = c->rotations; i > 0; i--) {
        snprintf(from, sizeof(from), "%s.%u", log, i);
        snprintf(to, sizeof(to), "%s.%u", log, i + 1);
        cr_assert(rename(from, to) == 0, "%s: %s", from, strerror(errno));
    }
    c->rotations++;
    return true;
}

/* Rotate as logrotate does: the newest is .1. */
void fault_rotate(struct campaign *c, struct rng *r)
{
    char log[96], to[128];

    if (!shift(c, log, sizeof(log)))
        return;
    snprintf(to, sizeof(to), "%s.1", log);
    cr_assert(rename(log, to) == 0, "%s: %s", log, strerror(errno));
    if (rng_below(r, 2))
        kill(c->auditor, SIGHUP); /* otherwise it notices on its own */
}

/* Like logrotate's copytruncate, except that nothing may be written between its two steps. */
void fault_truncate(struct campaign *c, struct rng *r)
{
    char log[96];

    kill(c->auditor, SIGSTOP);
    if (shift(c, log, sizeof(log)))
        netns_run(&c->place.ns[NODE], "cp %s %s.1 && truncate -s 0 %s", log, log, log);
    kill(c->auditor, SIGCONT);
    if (rng_below(r, 2))
        kill(c->auditor, SIGHUP);
}

/* Set the size of the tmpfs with the log; 0: the current use. */
static void resize(struct campaign *c, unsigned long bytes)
{
    char path[96], size[32];
    struct statvfs s;

    snprintf(path, sizeof(path), "%s/log", c->dir);
    cr_assert(statvfs(path, &s) == 0, "%s: %s", path, strerror(errno));
    if (!bytes)
        bytes = (s.f_blocks - s.f_bfree) * s.f_frsize;
    snprintf(size, sizeof(size), "size=%lu", bytes ? bytes : s.f_frsize);
    cr_assert(mount("log", path, "tmpfs", MS_REMOUNT, size) == 0, "%s: %s: %s", path, size, strerror(errno));
}

static bool cannot_write(void *campaign)
{
    struct campaign *c = campaign;
    json_t *status = campaign_document(c, "status --json"), *alerts = json_object_get(status, "alerts");
    const char *state = json_string_value(json_object_get(alerts, "state"));
    bool cannot = state && strcmp(state, "written");

    json_decref(status);
    campaign_drain(c);
    return cannot;
}

/* Cause a certain alert: data on an unlisted port from a new address. */
static void find_something(struct campaign *c, struct rng *r)
{
    for (const struct kind *k = tcp_kinds; k->name; k++)
        if (!strcmp(k->name, "tcp-forged"))
            for (unsigned i = 0; i < 8; i++)
                k->run(c, r);
}

/* Nothing is lost, and the failure is reported; an auditor also starts while the disk is full. */
void fault_disk_full(struct campaign *c, struct rng *r)
{
    bool failing = false;

    kill(c->auditor, SIGSTOP);
    resize(c, 0);
    kill(c->auditor, SIGCONT);
    for (unsigned i = 0; i < 20 && !failing; i++) { /* the file's last page has room for some */
        find_something(c, r);
        auditor_await_ticks(c, 3);
        failing = cannot_write(c);
    }
    if (!failing)
        campaign_fail(c, "a full disk is said", "status knows nothing of it after 20 rounds of new findings");
    faults_go_on(c, r, rng_between(r, 1, 30));
    if (rng_below(r, 3) == 0) {
        auditor_stop(c, SIGKILL);
        faults_go_on(c, r, rng_between(r, 1, 10));
        auditor_take_over(c);
    }
    resize(c, LOG_BYTES);
}

/* ---- The collector ---- */

void fault_collector_hangs(struct campaign *c, struct rng *r)
{
    c->collector.hangs = true;
    find_something(c, r);
    faults_go_on(c, r, rng_between(r, 10, 40));
    auditor_await_ticks(c, 2);
    c->collector.hangs = false;
    collector_drain(&c->collector);
}
