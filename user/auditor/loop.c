/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "auditor/loop.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "auditor/alerts.h"
#include "auditor/foreign.h"
#include "auditor/found.h"
#include "auditor/history.h"
#include "auditor/lives.h"
#include "auditor/owners.h"
#include "auditor/privileges.h"
#include "auditor/readers.h"
#include "auditor/routes.h"
#include "auditor/samples.h"
#include "auditor/sources.h"
#include "auditor/vouching.h"
#include "control/control.h"
#include "control/sender.h"
#include "host/clock.h"
#include "words/words.h"

#define SECOND_NS 1000000000u
#define POLL_NS 50000000u
#define FIRST_POLL_NS 20000000u
#define IDLE_POLLS 20u       /* polls without an event before only wake-ups trigger reading */
#define EXPIRE_SECONDS 5u    /* between walks over the connections */
#define CLOCK_STEP_NS 500000000  /* a larger step means the clock was set, not slewed */
#define LISTENERS_SECONDS 5u /* between readings of the listening sockets */
#define SETTLE_SECONDS 15u   /* between checks of the quotas of findings */
#define RESEED_SECONDS 600u  /* between full readings of the socket table */

/* Set a periodic timer with a different first interval. */
static int set_timer(int fd, uint64_t first_ns, uint64_t every_ns)
{
    struct itimerspec t = {.it_value = {first_ns / SECOND_NS, first_ns % SECOND_NS},
                           .it_interval = {every_ns / SECOND_NS, every_ns % SECOND_NS}};

    return timerfd_settime(fd, 0, &t, NULL) < 0 ? -errno : 0;
}

/*
 * Block every signal that would terminate the process, except those for its own faults, and SIGQUIT, which should dump
 * core.
 */
static int open_signals(struct qpw_auditor *a)
{
    static const int single[] = {SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGHUP, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGPWR,
                                 SIGSTKFLT, SIGXCPU, SIGXFSZ};
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < sizeof(single) / sizeof(*single); i++)
        sigaddset(&set, single[i]);
    for (int i = SIGRTMIN; i <= SIGRTMAX; i++)
        sigaddset(&set, i);
    a->no_signal_ns = qpw_clock_boot_ns(); /* a pending one would have terminated the process */
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return -errno;
    signal(SIGPIPE, SIG_IGN);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int add_sources(struct qpw_auditor *a)
{
    const struct {
        int fd;
        enum qpw_source source;
    } sources[] = {{a->signal_fd, QPW_SOURCE_SIGNAL},
                   {a->tick_fd, QPW_SOURCE_TICK},
                   {a->poll_fd, QPW_SOURCE_POLL},
                   {ring_buffer__epoll_fd(a->ring), QPW_SOURCE_RING},
                   {qpw_netlink_fd(a->netlink), QPW_SOURCE_NETLINK},
                   {a->end.fd, QPW_SOURCE_CONTROL}};

    for (size_t i = 0; i < sizeof(sources) / sizeof(*sources); i++) {
        int r = qpw_sources_add(a, sources[i].fd, sources[i].source);

        if (r < 0)
            return r;
    }
    return 0;
}

int qpw_loop_open(struct qpw_auditor *a, struct qpw_error *err)
{
    int r;

    a->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    a->signal_fd = open_signals(a);
    a->tick_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    a->poll_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (a->epoll_fd < 0 || a->signal_fd < 0 || a->tick_fd < 0 || a->poll_fd < 0)
        return qpw_fail(err, -errno, "opening the event loop: %s", strerror(errno));
    r = set_timer(a->tick_fd, SECOND_NS, SECOND_NS);
    if (r == 0)
        r = add_sources(a);
    return r < 0 ? qpw_fail(err, r, "opening the event loop: %s", strerror(-r)) : 0;
}

void qpw_loop_close(struct qpw_auditor *a)
{
    int fds[] = {a->epoll_fd, a->signal_fd, a->tick_fd, a->poll_fd};

    for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

/* Stop on a signal. If the sender is not proven to have the right, keep the instance counting, as after kill -9. */
static void stop(struct qpw_auditor *a, const struct signalfd_siginfo *info)
{
    a->stop = true;
    qpw_sender_describe(info, a->by, sizeof(a->by));
    if (!qpw_sender_may_control(info, a->no_signal_ns, &a->unproven))
        a->options.keep = true;
}

static void reload(struct qpw_auditor *a, const struct signalfd_siginfo *info)
{
    struct qpw_error why, refusal;

    qpw_sender_describe(info, a->by, sizeof(a->by));
    if (qpw_sender_may_control(info, a->no_signal_ns, &why)) {
        json_decref(qpw_audit_reload(a, NULL));
    } else {
        qpw_fail(&refusal, 0, "%s: the sender %s; use 'qportwatch reload'", a->by, why.text);
        qpw_requests_refused(a, "reload", refusal.text);
    }
    a->by[0] = '\0';
}

static void ignore(struct qpw_auditor *a, const struct signalfd_siginfo *info)
{
    char by[sizeof(a->by)];
    struct qpw_error why;

    qpw_sender_describe(info, by, sizeof(by));
    qpw_fail(&why, 0, "%s means nothing to the auditor", by);
    qpw_requests_refused(a, NULL, why.text);
}

static void on_signal(struct qpw_auditor *a)
{
    struct signalfd_siginfo info;
    uint64_t now = qpw_clock_boot_ns();

    while (read(a->signal_fd, &info, sizeof(info)) == sizeof(info)) {
        switch (info.ssi_signo) {
        case SIGINT:
        case SIGTERM: stop(a, &info); break;
        case SIGUSR2: reload(a, &info); break;
        case SIGHUP: qpw_alerts_reopen(a); break;
        default: ignore(a, &info); break;
        }
        now = qpw_clock_boot_ns();
    }
    a->no_signal_ns = now;
}

/*
 * Read events. A wake-up is not sent per packet; it starts a second of polling every 50 ms, so that events shortly
 * after are handled in time.
 */
static int read_events(struct qpw_auditor *a, struct qpw_error *err)
{
    int r = 0;

    qpw_vouching_in_flight(a);
    if (qpw_events_read(a)) {
        a->idle_polls = 0;
        if (!a->polling)
            set_timer(a->poll_fd, FIRST_POLL_NS, POLL_NS);
        a->polling = true;
    } else if (a->polling && ++a->idle_polls == IDLE_POLLS) {
        set_timer(a->poll_fd, 0, 0);
        a->polling = false;
    }
    if (qpw_foreign_waits(a))
        r = qpw_watch_netlink(a, err);
    qpw_foreign_settle(a);
    return r;
}

static void recompile_if_due(struct qpw_auditor *a)
{
    bool expired = a->next_expiry && time(NULL) >= a->next_expiry;
    struct qpw_error err;

    if (!expired && !a->addresses_changed)
        return;
    a->addresses_changed = false;
    if (qpw_audit_recompile(a, &err) < 0)
        qpw_auditor_notify(a, QPW_NOTIFY_WARNING, "the policy cannot be recompiled: %s", err.text);
    else if (expired)
        qpw_auditor_notify(a, QPW_NOTIFY_NOTE, "a rule of the policy has expired (until=) and no longer matches");
}

/*
 * Detect steps of the system clock, and a suspended machine. Timers use the monotonic clock, records the system's. A
 * step is recorded, and times remembered as Unix time are shifted; call before any other use of the system clock in a
 * round of the loop.
 */
static void follow_clock(struct qpw_auditor *a)
{
    int64_t offset = (int64_t)(qpw_clock_unix_ns() - qpw_clock_monotonic_ns()), by = offset - a->clock_offset_ns;
    char span[64];

    if (a->clock_offset_ns && llabs(by) < CLOCK_STEP_NS) {
        a->clock_offset_ns = offset; /* slewed: negligible */
        return;
    }
    if (a->clock_offset_ns) {
        qpw_alerts_clock_stepped(a, by);
        qpw_words_duration((uint64_t)llabs(by), span, sizeof(span));
        qpw_coverage_add(&a->coverage, QPW_COVERAGE_CLOCK_STEPPED, 0, "The clock was set %s by %s.",
                         by < 0 ? "back" : "forward", span);
        qpw_auditor_notify(a, QPW_NOTIFY_NOTE, "the system's clock was set %s by %s", by < 0 ? "back" : "forward", span);
    }
    a->clock_offset_ns = offset;
}

static int on_second(struct qpw_auditor *a, struct qpw_error *err)
{
    struct qpw_error trouble;
    int r;

    a->ticks++;
    on_signal(a); /* updates the time at which none was pending */
    if (a->stop)
        return 0;
    a->kernel.control->heartbeat_ns = qpw_clock_monotonic_ns();
    r = read_events(a, err);
    if (r < 0)
        return r;
    qpw_events_tick(a);
    qpw_alerts_tick(a);
    qpw_requests_tick(a);
    qpw_audit_readers_tick(a);
    qpw_audit_history_tick(a);
    qpw_samples_tick(a);
    qpw_audit_found_tick(a);
    qpw_privileges_tick(a);
    qpw_routes_tick(a);
    recompile_if_due(a);
    if (a->options.automatic && a->routes_due)
        qpw_automatic_attach(a);
    qpw_service_alive();
    if (a->ticks % LISTENERS_SECONDS == 0)
        qpw_owner_watch_listeners(a);
    if (a->ticks % EXPIRE_SECONDS == 0) {
        qpw_owner_watch_walk_begins(a);
        if (qpw_expire_run(&a->kernel, &a->expire, &trouble) < 0)
            qpw_auditor_notify(a, QPW_NOTIFY_WARNING, "%s", trouble.text);
        qpw_owner_watch_walk_ends(a);
    }
    if (a->ticks % SETTLE_SECONDS == 0)
        qpw_alerts_settle(a);
    if (a->ticks % RESEED_SECONDS == 0 && qpw_events_seed(a, &trouble) < 0)
        qpw_auditor_notify(a, QPW_NOTIFY_WARNING, "%s", trouble.text);
    if (a->ticks % RESEED_SECONDS == 0) {
        qpw_executables_read(&a->kernel, &a->executables);
        qpw_notes_older(a);
        qpw_audit_lives_sweep(a);
    }
    qpw_watch_check(a);
    qpw_runs_tick(a);
    qpw_notes_check(a);
    if (a->ticks % SETTLE_SECONDS == 0)
        qpw_executables_make_room(&a->kernel, &a->executables);
    if (a->ticks % a->options.interval == 0) {
        qpw_events_catch_up(a);
        qpw_summary_print(a);
    }
    return 0;
}

static int dispatch(struct qpw_auditor *a, uint64_t data, struct qpw_error *err)
{
    uint64_t expirations;
    int fd, r = 0;

    switch (qpw_sources_of(data, &fd)) {
    case QPW_SOURCE_SIGNAL: on_signal(a); return 0;
    case QPW_SOURCE_TICK:
        return read(a->tick_fd, &expirations, sizeof(expirations)) == sizeof(expirations) ? on_second(a, err) : 0;
    case QPW_SOURCE_POLL:
        if (read(a->poll_fd, &expirations, sizeof(expirations)) == sizeof(expirations))
            r = read_events(a, err);
        qpw_alerts_flush(a);
        return r;
    case QPW_SOURCE_RING: return read_events(a, err);
    case QPW_SOURCE_NETLINK: return qpw_watch_netlink(a, err);
    case QPW_SOURCE_CONTROL: qpw_requests_accept(a); return 0;
    case QPW_SOURCE_CLIENT: qpw_requests_serve(a, fd); return 0;
    }
    return 0;
}

int qpw_auditor_step(struct qpw_auditor *a, int milliseconds, struct qpw_error *err)
{
    struct epoll_event events[8];
    int n = epoll_wait(a->epoll_fd, events, 8, milliseconds), r = 0;

    if (n < 0 && errno != EINTR)
        return qpw_fail(err, -errno, "waiting: %s", strerror(errno));
    follow_clock(a);
    for (int i = 0; r == 0 && i < n && !a->stop; i++)
        r = dispatch(a, events[i].data.u64, err);
    return r < 0 ? r : a->stop;
}

int qpw_auditor_run(struct qpw_auditor *a, struct qpw_error *err)
{
    int r;

    do
        r = qpw_auditor_step(a, -1, err);
    while (r == 0);
    return r < 0 ? r : 0;
}
