/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "auditor/history.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "auditor/history_frame.h"
#include "history/read.h"
#include "history/writer.h"
#include "control/peer.h"
#include "host/clock.h"
#include "instance/lives.h"
#include "policy/lang/flat.h"
#include "util/text.h"

#define MINUTE_NS 60000000000ull
#define END_MS 2500 /* short, because a client waits for the end */
#define RECALLED (QPW_FIRST_SEEN / 2) /* keep the other half for new ones */

/* end: of the attachment; last: of this auditor. */
static int send_frame(struct qpw_auditor *a, bool end, bool last, struct qpw_error *err)
{
    int fd = memfd_create("qportwatch-history", MFD_CLOEXEC), r;

    if (fd < 0)
        return qpw_fail(err, -errno, "%s", strerror(errno));
    r = qpw_audit_frame_write(a, fd, end, last, err);
    if (r == 0) {
        r = qpw_history_send(a->history->fd, fd);
        if (r < 0)
            qpw_fail(err, r, "%s", strerror(-r));
    }
    close(fd);
    a->history->busy = r == 0;
    return r;
}

/* ---- Results ---- */

static void stopped(struct qpw_auditor *a, const char *why)
{
    if (a->history->stopped)
        return;
    a->history->stopped = true;
    qpw_coverage_add(&a->coverage, QPW_COVERAGE_HISTORY_STOPPED, 0, "%.110s", why);
    qpw_auditor_notify(a, QPW_NOTIFY_WARNING, "the history is not being written: %s; what is counted meanwhile is added once it can be", why);
}

static void take_result(struct qpw_auditor *a, const struct qpw_history_result *result)
{
    struct qpw_audit_history *h = a->history;

    h->busy = false;
    if (result->set_aside[0]) {
        qpw_coverage_add(&a->coverage, QPW_COVERAGE_HISTORY_SET_ASIDE, 0, "Damaged; now %.90s", result->set_aside);
        qpw_auditor_notify(a, QPW_NOTIFY_WARNING, "the history was damaged; it was moved to %s, and a new one is begun", result->set_aside);
    }
    if (result->removed)
        qpw_auditor_notify(a, QPW_NOTIFY_WARNING, "the history's file had been removed: a new one begins with all that was counted since it was attached");
    if (result->state == QPW_HISTORY_STOPPED) {
        stopped(a, result->why);
        return;
    }
    h->cut_ns = h->next_cut_ns;
    free(h->policy);
    h->policy = NULL;
    if (h->stopped) {
        h->stopped = false;
        qpw_coverage_add(&a->coverage, QPW_COVERAGE_HISTORY_RESUMED, 0, "Nothing that was counted meanwhile is missing.");
        qpw_auditor_notify(a, QPW_NOTIFY_NOTE, "the history is being written again; nothing that was counted meanwhile is missing");
    }
}

/* Clean up after the process has ended, or failed. */
static void reap(struct qpw_auditor *a)
{
    struct qpw_audit_history *h = a->history;

    if (h->fd >= 0)
        close(h->fd);
    h->fd = -1;
    if (h->pid > 0) {
        kill(h->pid, SIGKILL);
        waitpid(h->pid, NULL, WNOHANG); /* a process stuck on a hung disk ends later, and is then reaped by init */
    }
    h->pid = 0;
    h->busy = false;
}

static void start(struct qpw_auditor *a, uint64_t minute)
{
    char standard[1100];
    struct qpw_audit_history *h = a->history;
    struct qpw_error err;

    h->again = minute;
    if (qpw_history_start(a->options.history, !strcmp(a->options.history, qpw_history_path(standard, sizeof(standard))), &h->pid, &h->fd, &err) < 0)
        stopped(a, err.text);
}

/* Return the time up to which an earlier auditor counted connections, from its last frame; 0 if it cannot be read. */
static uint64_t counted_before(const struct qpw_auditor *a)
{
    struct qpw_history_reader *r = NULL;
    int64_t until = 0;

    if (qpw_history_open(a->options.history, &r, NULL) == 0)
        until = qpw_history_talkers_until(r, a->meta.attached_unix_ns);
    qpw_history_close(r);
    return until ? (uint64_t)(until - qpw_clock_unix_offset_ns()) : a->reported_until_ns;
}

void qpw_audit_history_begin(struct qpw_auditor *a)
{
    if (!a->options.history || !*a->options.history)
        return;
    a->history = calloc(1, sizeof(*a->history));
    if (!a->history)
        return;
    a->history->fd = -1;
    if (a->taken_over)
        a->history->cut_ns = counted_before(a);
    qpw_audit_history_policy(a);
    start(a, 0);
}

static bool recall(const char *path, int64_t first, void *arg)
{
    const struct qpw_auditor *a = arg;
    struct qpw_first_seen earlier = {.unix_ns = (uint64_t)first * 1000000000};
    struct qpw_program_key program = {""};

    if (strlen(path) >= sizeof(program.path))
        return true;
    memcpy(program.path, path, strlen(path));
    return qpw_first_seen_put(&a->kernel, &program, &earlier) != -E2BIG; /* an existing entry stays */
}

void qpw_audit_history_recall(struct qpw_auditor *a)
{
    struct qpw_history_reader *r = NULL;
    struct qpw_error err;

    if (a->taken_over || !a->options.history || !*a->options.history || qpw_history_open(a->options.history, &r, NULL) < 0)
        return; /* the writer reports errors */
    qpw_history_programs(r, RECALLED, recall, a, &err);
    qpw_history_close(r);
}

void qpw_audit_history_policy(struct qpw_auditor *a)
{
    struct qpw_audit_history *h = a->history;

    if (!h)
        return;
    free(h->policy);
    h->policy = qpw_policy_flat(&a->policy); /* NULL: out of memory, or the files have changed meanwhile */
    h->policy_unix_ns = qpw_clock_unix_ns();
    if (a->by[0])
        qpw_text_cut(h->policy_by, sizeof(h->policy_by), a->by);
    else
        qpw_peer_describe(getpid(), h->policy_by, sizeof(h->policy_by));
}

void qpw_audit_history_tick(struct qpw_auditor *a)
{
    struct qpw_audit_history *h = a->history;
    struct qpw_history_result result;
    uint64_t minute = qpw_clock_unix_ns() / MINUTE_NS;
    struct qpw_error err;
    bool gone = false;

    if (!h)
        return;
    if (h->fd >= 0 && qpw_history_answer(h->fd, &result, &gone))
        take_result(a, &result);
    if (gone) {
        stopped(a, "the process that writes it has ended; it is started again within a minute");
        reap(a);
    }
    if (h->fd < 0 && minute != h->again)
        start(a, minute);
    if (h->fd < 0 || h->busy || minute == h->minute)
        return;
    h->minute = minute;
    if (send_frame(a, /* end= */ false, /* last= */ false, &err) < 0)
        stopped(a, err.text);
}

static bool wait_for_answer(struct qpw_auditor *a, uint64_t until_ns)
{
    struct qpw_audit_history *h = a->history;
    struct pollfd end = {.fd = h->fd, .events = POLLIN};
    struct qpw_history_result result;
    bool gone = false;

    while (h->busy && !gone && qpw_clock_monotonic_ns() < until_ns) {
        poll(&end, 1, 50);
        if (qpw_history_answer(h->fd, &result, &gone))
            take_result(a, &result);
    }
    return !h->busy;
}

void qpw_audit_history_end(struct qpw_auditor *a, bool detached)
{
    struct qpw_audit_history *h = a->history;
    uint64_t until_ns = qpw_clock_monotonic_ns() + END_MS * 1000000ull;
    struct qpw_error err = {"it does not answer"};
    bool written = false;

    if (!h)
        return;
    if (h->fd >= 0 && wait_for_answer(a, until_ns) && send_frame(a, detached, /* last= */ true, &err) == 0)
        written = wait_for_answer(a, until_ns) && !h->stopped;
    if (!written)
        qpw_auditor_notify(a, QPW_NOTIFY_WARNING, "what was counted since the last minute%s: %s",
                detached ? " is missing in the history" : " comes into the history with the next auditor", h->stopped ? "it cannot be written" : err.text);
    if (h->fd >= 0)
        close(h->fd); /* which makes it exit */
    h->fd = -1;
    for (int i = 0; i < 20 && h->pid > 0 && written; i++) {
        if (waitpid(h->pid, NULL, WNOHANG) == h->pid)
            h->pid = 0;
        else
            usleep(25000);
    }
    reap(a);
    free(h->policy);
    free(h);
    a->history = NULL;
}
