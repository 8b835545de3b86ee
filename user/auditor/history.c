/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "auditor/history.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "facts/life.h"
#include "history/frame.h"
#include "history/read.h"
#include "history/writer.h"
#include "control/peer.h"
#include "host/clock.h"
#include "instance/executables.h"
#include "instance/lives.h"
#include "instance/map_walk.h"
#include "instance/owners.h"
#include "policy/lang/flat.h"
#include "snapshot/collect.h"
#include "snapshot/conns.h"
#include "util/text.h"
#include "words/words.h"

#define MINUTE_NS 60000000000ull
#define END_MS 2500 /* short, because a client waits for the end */
#define RECALLED (QPW_FIRST_SEEN / 2) /* keep the other half for new ones */
#define OWNERS 256u /* cached during a walk over connections */
/* Younger connections are left for a later frame: they may not be answered yet, or are moving between tables. */
#define SETTLED_NS 10000000000ull

struct qpw_audit_history {
    pid_t pid;          /* 0: ended, or not started */
    int fd;
    bool busy;          /* it is writing a frame */
    bool stopped;       /* the last frame could not be written, as reported */
    uint64_t minute;    /* Unix minute of the last frame, 0: none yet */
    uint64_t again;     /* minute of its last start */
    uint64_t cut_ns;    /* programs' clock: connections that started earlier were counted in an earlier frame */
    uint64_t next_cut_ns;
    char *policy;       /* text for the next frame; NULL: none */
    char policy_by[96];
    uint64_t policy_unix_ns;
};

/* ---- Contents of a frame ---- */

struct owner_name {
    uint32_t number;
    char comm[16];
};

struct talkers {
    struct qpw_auditor *a;
    struct qpw_history_frame *frame;
    uint64_t cut_ns, until_ns; /* count connections that started between these */
    int64_t unix_offset_ns;
    struct owner_name owners[OWNERS];
};

static const char *owner_of(struct talkers *t, uint32_t number)
{
    struct owner_name *known = &t->owners[number % OWNERS];
    struct qpw_owner owner;

    if (!number)
        return "";
    if (known->number != number) {
        known->number = number;
        known->comm[0] = '\0';
        if (qpw_conn_owner(&t->a->kernel, number, &owner) == 0)
            memcpy(known->comm, owner.comm, sizeof(known->comm));
    }
    return known->comm;
}

/* Return whether a connection gets a row. Basic network traffic and transit have too many ends for one each. */
static bool is_talker(const struct qpw_conn *conn)
{
    return conn->verdict != QPW_VERDICT_NONE && conn->verdict != QPW_VERDICT_TRANSIT && conn->verdict != QPW_VERDICT_INFRA &&
           (conn->direction == QPW_DIR_INBOUND || conn->direction == QPW_DIR_OUTBOUND) &&
           (conn->conn_class != QPW_CLASS_HALF || conn->outcome >= QPW_OUTCOME_ANSWERED);
}

static void add_talker(const struct qpw_conn_key *key, const struct qpw_conn *conn, void *data)
{
    struct talkers *t = data;
    struct qpw_history_talker talker = {.first_unix_ns = conn->first_ns + t->unix_offset_ns, .last_unix_ns = conn->last_ns + t->unix_offset_ns,
                                        .connections = conn->first_ns >= t->cut_ns && conn->first_ns < t->until_ns, .outcome = conn->outcome};

    if (!is_talker(conn) || (conn->last_ns < t->cut_ns && conn->first_ns < t->cut_ns))
        return;
    talker.key = (struct qpw_meter_key){
        .kind = key->local_port || key->remote_port ? QPW_KIND_PORT : QPW_KIND_PROTOCOL, .protocol = key->protocol,
        .direction = conn->direction, .scope = qpw_conn_scope(conn), .verdict = conn->verdict, .rule = conn->rule, .iface = conn->iface,
        .peer = qpw_conn_peer(conn), .port = conn->direction == QPW_DIR_INBOUND ? key->local_port : key->remote_port};
    memcpy(talker.remote, key->remote, sizeof(talker.remote));
    snprintf(talker.process, sizeof(talker.process), "%.15s", owner_of(t, conn->owner));
    qpw_frame_put(t->frame, QPW_FRAME_TALKERS, &talker, sizeof(talker));
}

/* last: this auditor makes no further frame. Return the time up to which connections are counted, in Unix time. */
static uint64_t put_talkers(struct qpw_auditor *a, struct qpw_history_frame *frame, bool last)
{
    struct talkers t = {.a = a, .frame = frame, .cut_ns = a->history->cut_ns, .unix_offset_ns = qpw_clock_unix_offset_ns()};
    uint64_t now = qpw_kernel_now_ns(&a->kernel);

    t.until_ns = last || now < SETTLED_NS ? now : now - SETTLED_NS;
    t.until_ns = t.until_ns > t.cut_ns ? t.until_ns : t.cut_ns;
    a->history->next_cut_ns = t.until_ns;
    for (int c = QPW_CLASS_NONE + 1; c < QPW_CLASS_COUNT; c++)
        qpw_conns_walk(&a->kernel, c, add_talker, &t);
    return t.until_ns + (uint64_t)t.unix_offset_ns;
}

static void put_findings(struct qpw_auditor *a, struct qpw_history_frame *frame, const struct qpw_snapshot *s)
{
    for (size_t i = 0; i < s->n_findings; i++) {
        struct qpw_finding_life life = qpw_finding_life(&s->findings[i]);
        struct qpw_history_finding f = {.row = s->findings[i], .state = life.state, .closed = life.by, .state_unix_ns = life.when_unix_ns};

        f.row.lives = NULL;
        f.row.explained = f.row.acknowledged = f.row.reopened = NULL;
        if (life.step) {
            memcpy(f.who, life.step->who, sizeof(f.who));
            memcpy(f.reason, life.step->reason, sizeof(f.reason));
        }
        qpw_executable_path(&a->kernel, f.row.value.owner.exe, f.exe, sizeof(f.exe));
        qpw_frame_put(frame, QPW_FRAME_FINDINGS, &f, sizeof(f));
    }
}

static void put_listeners(struct qpw_auditor *a, struct qpw_history_frame *frame)
{
    int fd = a->kernel.map_fd[QPW_MAP_listening];
    struct qpw_listening_key key;
    struct qpw_map_walk walk = qpw_map_walk(fd, &key);
    struct qpw_listening_note note;

    while (qpw_map_next(&walk)) {
        struct qpw_history_listener listener = {.port = key.port, .protocol = key.protocol};

        if (!key.protocol || bpf_map_lookup_elem(fd, &key, &note) < 0)
            continue;
        listener.first_unix_ns = note.first_unix_ns;
        memcpy(listener.program, key.program, sizeof(listener.program));
        qpw_frame_put(frame, QPW_FRAME_LISTENERS, &listener, sizeof(listener));
    }
}

static void put_programs(struct qpw_auditor *a, struct qpw_history_frame *frame)
{
    int fd = a->kernel.map_fd[QPW_MAP_first_seen];
    struct qpw_program_key key;
    struct qpw_map_walk walk = qpw_map_walk(fd, &key);
    struct qpw_first_seen first;

    while (qpw_map_next(&walk)) {
        struct qpw_history_program program = {0};

        if (bpf_map_lookup_elem(fd, &key, &first) < 0)
            continue;
        program.first_unix_ns = first.unix_ns;
        memcpy(program.path, key.path, sizeof(program.path));
        program.path[sizeof(program.path) - 1] = '\0';
        qpw_frame_put(frame, QPW_FRAME_PROGRAMS, &program, sizeof(program));
    }
}

static int make_frame(struct qpw_auditor *a, int fd, bool end, bool last, struct qpw_error *err)
{
    struct qpw_collect_options options = {.brief = true, .links = a->netlink, .lock = QPW_LOCK_HELD, .auditor = {getpid(), getpid()}};
    struct qpw_snapshot s = {0};
    uint64_t until;
    struct qpw_history_frame *frame = calloc(1, sizeof(*frame));
    int r = frame ? qpw_collect(&a->kernel, &options, &s, err) : qpw_fail(err, -ENOMEM, "out of memory");

    if (r == 0) {
        frame->fd = fd;
        qpw_frame_put_snapshot(frame, &s);
        put_findings(a, frame, &s);
        put_listeners(a, frame);
        put_programs(a, frame);
        if (a->history->policy) {
            qpw_frame_put(frame, QPW_FRAME_POLICY, a->history->policy, strlen(a->history->policy));
            qpw_frame_put(frame, QPW_FRAME_BY, a->history->policy_by, strlen(a->history->policy_by));
        }
        qpw_snapshot_clear(&s);
        until = put_talkers(a, frame, last);
        r = qpw_frame_finish(frame, &(struct qpw_frame_end){qpw_kernel_instance(&a->kernel), end, a->history->policy_unix_ns, until});
        if (r < 0)
            qpw_fail(err, r, "%s", strerror(-r));
    }
    free(frame);
    return r;
}

/* end: of the attachment; last: of this auditor. */
static int send_frame(struct qpw_auditor *a, bool end, bool last, struct qpw_error *err)
{
    int fd = memfd_create("qportwatch-history", MFD_CLOEXEC), r;

    if (fd < 0)
        return qpw_fail(err, -errno, "%s", strerror(errno));
    r = make_frame(a, fd, end, last, err);
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
