/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "auditor/history_frame.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "facts/life.h"
#include "history/frame.h"
#include "host/clock.h"
#include "instance/executables.h"
#include "instance/lives.h"
#include "instance/map_walk.h"
#include "instance/owners.h"
#include "snapshot/collect.h"
#include "snapshot/conns.h"

#define OWNERS 256u /* cached during a walk over connections */
/* Younger connections are left for a later frame: they may not be answered yet, or are moving between tables. */
#define SETTLED_NS 10000000000ull

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

int qpw_audit_frame_write(struct qpw_auditor *a, int fd, bool end, bool last, struct qpw_error *err)
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
