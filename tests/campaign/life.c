/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* life.c - the auditor's life: started, taken over, ended; and waiting for its progress. */
#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "faults.h"
#include "host/clock.h"
#include "instance/instance.h"

#ifndef QPW_BUILD
#define QPW_BUILD "build"
#endif
#define PROGRAM QPW_BUILD "/qportwatch"
#define SECOND_NS 1000000000ull

void campaign_wait(struct campaign *c, unsigned ms)
{
    uint64_t end = qpw_clock_monotonic_ns() + ms * 1000000ull, now;

    while ((now = qpw_clock_monotonic_ns()) < end) {
        struct pollfd frames = {.fd = c->wire.fd, .events = POLLIN};

        poll(&frames, 1, (int)((end - now) / 1000000) + 1);
        campaign_drain(c);
    }
}

/* ---- Waiting ---- */

static bool has_ticked(void *campaign)
{
    struct campaign *c = campaign;
    uint64_t now = __atomic_load_n(&c->kernel.control->heartbeat_ns, __ATOMIC_RELAXED);

    campaign_drain(c);
    c->ticks += now != c->heartbeat_ns;
    c->heartbeat_ns = now;
    return c->ticks == 0 || netns_has_ended(c->auditor);
}

void auditor_await_ticks(struct campaign *c, unsigned ticks)
{
    c->heartbeat_ns = __atomic_load_n(&c->kernel.control->heartbeat_ns, __ATOMIC_RELAXED);
    c->ticks = 0 - (uint64_t)ticks; /* counts up to zero */
    if (!netns_until(has_ticked, c, CAMPAIGN_DEADLINE_MS) && !netns_has_ended(c->auditor))
        campaign_fail(c, "the auditor goes on", "its loop did not go round %u times in %d s", ticks,
                      CAMPAIGN_DEADLINE_MS / 1000);
    if (netns_has_ended(c->auditor))
        campaign_fail(c, "the auditor goes on", "it ended");
}

void campaign_expect(struct campaign *c, enum reported kind, unsigned least, unsigned most)
{
    c->coverage.reported[kind].least += least;
    c->coverage.reported[kind].most += most;
    c->coverage.ever[kind] = c->coverage.ever[kind] || most;
}

struct told_wait {
    struct campaign *c;
    enum reported kind;
    unsigned n;
};

static bool is_told(void *argument)
{
    struct told_wait *w = argument;
    json_t *status = campaign_document(w->c, "status --json");

    w->n = check_events_of(json_object_get(json_object_get(status, "coverage"), "events"), told_names[w->kind]);
    json_decref(status);
    campaign_drain(w->c);
    return w->n >= w->c->coverage.reported[w->kind].least;
}

void campaign_await_told(struct campaign *c, enum reported kind)
{
    struct told_wait w = {.c = c, .kind = kind};

    if (!netns_until(is_told, &w, CAMPAIGN_DEADLINE_MS))
        campaign_fail(c, "every blind interval is stated, none invented", "%u records '%s' after %d s, %u are true",
                      w.n, told_names[kind], CAMPAIGN_DEADLINE_MS / 1000, c->coverage.reported[kind].least);
}

static bool attached_or_ended(void *campaign)
{
    struct campaign *c = campaign;
    static char text[1 << 20];
    json_t *status;
    bool is;

    campaign_drain(c);
    if (netns_has_ended(c->auditor))
        return true;
    if (campaign_command(c, text, sizeof(text), "status --json 2>/dev/null"))
        return false;
    status = json_loads(text, 0, NULL);
    is = json_integer_value(json_object_get(json_object_get(status, "auditor"), "pid")) == c->auditor;
    json_decref(status);
    return is;
}

/* ---- Starting ---- */

static int note_hooks(void *campaign)
{
    struct campaign *c = campaign;
    struct qpw_error err;

    if (!c->following && qpw_instance_find(&c->kernel, &err) == 0)
        c->following = true;
    return (int)bpfleft_add_hooks(netns_ifindex(&c->place.ns[NODE], c->place.node_if), &c->left);
}

void auditor_note_hooks(struct campaign *c)
{
    netns_call(&c->place.ns[NODE], note_hooks, c);
    cr_assert(c->following, "the kernel side cannot be found");
}

pid_t auditor_spawn(struct campaign *c, char *log, size_t size)
{
    static const char *const modes[] = {"--mode xdp", "--mode tc", "--mode tc --tc-hook clsact"};
    char command[1024];
    char *argv[] = {"/bin/sh", "-c", command, NULL};

    snprintf(log, size, "%s/attach.log.%u", c->dir, ++c->launches);
    snprintf(command, sizeof(command),
             "exec " PROGRAM " attach %s --no-tui --interval 2 --alert summary_s=20 --policy %s/policy --alerts "
             "%s/log/eve.json --syslog unix:%s/syslog --udp-timeout %d --other-timeout %d --parent-timeout %d %s",
             c->place.node_if, c->dir, c->dir, c->dir, TIMEOUT_UDP_S, TIMEOUT_OTHER_S, TIMEOUT_PARENT_S,
             modes[c->mode]);
    return netns_start(&c->place.ns[NODE], log, argv);
}

void auditor_await(struct campaign *c, pid_t pid, const char *log)
{
    char tail[1024];

    c->auditor = pid;
    c->started_ns = qpw_clock_monotonic_ns();
    c->young.descriptors = 0;
    if (!netns_until(attached_or_ended, c, CAMPAIGN_DEADLINE_MS) || netns_has_ended(c->auditor)) {
        netns_output(&c->place.ns[NODE], tail, sizeof(tail), "tail -n 3 %s", log);
        campaign_fail(c, "the auditor starts", "it did not: %s", tail);
    }
    campaign_expect(c, TOLD_STARTED, 1, 1);
    auditor_note_hooks(c);
}

static void launch(struct campaign *c)
{
    char log[96];
    pid_t pid;

    collector_drain(&c->collector);
    c->collector.messages = 0;
    pid = auditor_spawn(c, log, sizeof(log));
    auditor_await(c, pid, log);
}

void auditor_start(struct campaign *c)
{
    bool ever[TOLD_KINDS];
    char text[4096];

    policy_text(c->policy, text, sizeof(text));
    faults_write_policy(c, text);
    for (unsigned i = 0; i < 20; i++) {
        campaign_settle(c, 300);
        book_attach(c->book);
        book_policy(c->book, c->policy);
        memcpy(ever, c->coverage.ever, sizeof(ever));
        c->coverage = (struct coverage){0};
        memcpy(c->coverage.ever, ever, sizeof(ever));
        campaign_expect(c, TOLD_ATTACHED, 1, 1);
        launch(c);
        campaign_settle(c, c->mode == MODE_XDP ? 1200 : 20);
        if (check_adopt(c)) {
            c->window_end_ns = qpw_clock_monotonic_ns() + (TIMEOUT_UDP_S + 1) * SECOND_NS;
            return;
        }
        auditor_stop(c, SIGINT);
    }
    cr_assert_fail("no quiet moment to start in");
}

void auditor_take_over(struct campaign *c)
{
    uint64_t heartbeat = __atomic_load_n(&c->kernel.control->heartbeat_ns, __ATOMIC_RELAXED);
    uint64_t before = qpw_clock_monotonic_ns();
    struct coverage *v = &c->coverage;

    launch(c);
    if (v->n_gaps < INTERVALS) {
        v->gaps[v->n_gaps].least_s = (unsigned)((before - heartbeat) / SECOND_NS);
        v->gaps[v->n_gaps++].most_s = (unsigned)((qpw_clock_monotonic_ns() - heartbeat) / SECOND_NS);
    }
    campaign_expect(c, TOLD_GAP, 1, 1);
    book_policy(c->book, c->policy); /* the same policy again */
}

void auditor_stop(struct campaign *c, int signal_number)
{
    int rc;

    c->held_up = c->held_up || signal_number == SIGKILL;
    kill(c->auditor, signal_number);
    rc = netns_wait(c->auditor, CAMPAIGN_DEADLINE_MS);
    c->auditor = 0;
    if (signal_number != SIGKILL && c->following) { /* otherwise we would keep its maps alive */
        qpw_kernel_close(&c->kernel);
        c->following = false;
    }
    if (signal_number != SIGKILL && rc != 0)
        campaign_fail(c, "the auditor ends well", "exit status %d after signal %d", rc, signal_number);
}
