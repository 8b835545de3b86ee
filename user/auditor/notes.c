/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Keep the programs that record owners of sockets attached. The audit also works without them. */
#include <bpf/bpf.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "auditor/internal.h"
#include "host/clock.h"
#include "host/listeners.h"
#include "host/owner.h"
#include "instance/map_walk.h"
#include "instance/owners.h"
#include "words/numbers.h"

#define RETRY_SECONDS 10u

/* Track executables if, and only if, owners of sockets are recorded. */
static void follow_executables(struct qpw_auditor *a)
{
    struct qpw_error err = {"owners of sockets are not noted"};
    char before[sizeof(a->meta.executables_missing)];

    if (a->executables.slots && !a->meta.owners_missing[0])
        return;
    snprintf(before, sizeof(before), "%s", a->meta.executables_missing);
    qpw_executables_detach(&a->kernel, &a->executables);
    a->meta.executables_missing[0] = '\0';
    if (!a->meta.owners_missing[0] && qpw_executables_attach(&a->kernel, &a->executables, &err) == 0)
        return;
    snprintf(a->meta.executables_missing, sizeof(a->meta.executables_missing), "%.159s", err.text);
    if (!a->meta.owners_missing[0] && !before[0])
        qpw_auditor_notify(a, QPW_NOTIFY_WARNING, "the executables of processes that end quickly remain unknown: %s", err.text);
}

static int attach(struct qpw_auditor *a, struct qpw_error *err)
{
    uint64_t cgroup = a->meta.owners_cgroup;
    int r = qpw_owners_attach(&a->kernel, &cgroup, err);

    a->meta.owners_cgroup = cgroup;
    a->meta.owners_missing[0] = '\0';
    if (r < 0)
        snprintf(a->meta.owners_missing, sizeof(a->meta.owners_missing), "%.159s", err->text);
    return r;
}

void qpw_notes_begin(struct qpw_auditor *a)
{
    struct qpw_error err;
    unsigned left;
    char count[32];

    if (qpw_owners_detach(0, &left, NULL) == 0 && left)
        qpw_auditor_notify(a, QPW_NOTIFY_NOTE, "removed %s that an earlier run left at the root cgroup",
                qpw_words_many(left, "program", count, sizeof(count)));
    if (attach(a, &err) < 0)
        qpw_auditor_notify(a, QPW_NOTIFY_WARNING, "processes that end quickly remain unknown: %s", err.text);
    follow_executables(a);
    qpw_notes_older(a); /* new sockets have their own records from now on: none is missed */
}

/* ---- Sockets without a record ---- */

struct older {
    struct qpw_auditor *a;
    struct qpw_owner note; /* of the previous socket's process, because many have the same */
    uint64_t when_ns;
};

static void note_socket(void *arg, const struct qpw_held_socket *socket)
{
    struct older *o = arg;
    struct qpw_kernel *k = &o->a->kernel;
    struct qpw_owner note;

    if (o->note.tgid != (uint32_t)socket->pid && !qpw_owner_note(socket->pid, o->when_ns, &o->note)) {
        o->note.tgid = 0;
        return;
    }
    note = o->note;
    note.exe = qpw_executables_of(&o->a->executables, note.tgid);
    if (socket->listens && !socket->shared) {
        note.how = QPW_OWNER_LISTENER;
        bpf_map_update_elem(k->map_fd[QPW_MAP_listeners], &socket->key, &note, BPF_ANY);
    } else if (!socket->listens) {
        bpf_map_update_elem(k->map_fd[QPW_MAP_older], &socket->cookie, &note, BPF_ANY);
    }
}

/*
 * Remove records of an earlier reading, because those sockets are closed. The key is at most as large as a
 * connection's.
 */
static void remove_before(int fd, uint64_t when_ns)
{
    struct qpw_conn_key key;
    struct qpw_map_walk walk = qpw_map_walk(fd, &key);
    struct qpw_owner note;

    while (qpw_map_next(&walk))
        if (bpf_map_lookup_elem(fd, &key, &note) == 0 && note.when_ns < when_ns)
            bpf_map_delete_elem(fd, &key);
}

void qpw_notes_older(struct qpw_auditor *a)
{
    struct older o = {.a = a, .when_ns = qpw_clock_monotonic_ns()};
    struct qpw_error err;

    if (a->meta.owners_missing[0])
        return;
    if (qpw_sockets_held(a->sockets, note_socket, &o, &err) < 0) {
        qpw_auditor_notify(a, QPW_NOTIFY_WARNING, "owners of older sockets remain unknown: %s", err.text);
        return;
    }
    remove_before(a->kernel.map_fd[QPW_MAP_older], o.when_ns);
    remove_before(a->kernel.map_fd[QPW_MAP_listeners], o.when_ns);
}

static bool same_end(const struct qpw_listener *x, const struct qpw_listener *y)
{
    return x->protocol == y->protocol && x->port == y->port && !memcmp(x->address, y->address, 16);
}

/*
 * Record a listener. Those of MPTCP and of the kernel never have a record of their own. Keep a recorded process that
 * still holds it.
 */
static void note_listener(struct qpw_auditor *a, const struct qpw_listener *l, uint64_t when_ns)
{
    int fd = a->kernel.map_fd[QPW_MAP_listeners];
    struct qpw_conn_key key = {.protocol = l->protocol, .local_port = l->port};
    struct qpw_owner note;
    bool known;

    memcpy(key.local, l->address, sizeof(key.local));
    known = bpf_map_lookup_elem(fd, &key, &note) == 0;
    if (known && (l->owner.match == QPW_MATCH_NONE || note.tgid == (uint32_t)l->owner.pid)) {
        note.when_ns = when_ns;
    } else {
        if (l->owner.match != QPW_MATCH_EXACT || !qpw_owner_note(l->owner.pid, when_ns, &note))
            return;
        note.exe = qpw_executables_of(&a->executables, note.tgid);
        note.how = QPW_OWNER_LISTENER;
    }
    bpf_map_update_elem(fd, &key, &note, BPF_ANY);
}

void qpw_notes_listeners(struct qpw_auditor *a, const struct qpw_listeners *l)
{
    uint64_t when_ns = qpw_clock_monotonic_ns();
    bool shared;

    if (a->meta.owners_missing[0])
        return;
    for (size_t i = 0; i < l->n; i++) {
        const struct qpw_listener *one = &l->rows[i];

        shared = (i && same_end(one, one - 1)) || (i + 1 < l->n && same_end(one, one + 1));
        if (one->protocol == IPPROTO_TCP && !shared)
            note_listener(a, one, when_ns);
    }
    remove_before(a->kernel.map_fd[QPW_MAP_listeners], when_ns);
}

/* ---- Presence ---- */

/* Return whether all programs are attached; report if they no longer are. */
static bool are_there(struct qpw_auditor *a)
{
    int count = qpw_owners_count(qpw_kernel_instance(&a->kernel));

    if (count < 0 || count == QPW_OWNER_PROGRAMS)
        return true; /* an error on querying does not mean that they are gone */
    if (!a->meta.owners_missing[0]) {
        qpw_auditor_notify(a, QPW_NOTIFY_WARNING, "%d of the %d programs that note the owners of sockets are gone from the root cgroup",
                QPW_OWNER_PROGRAMS - count, QPW_OWNER_PROGRAMS);
        qpw_coverage_add(&a->coverage, QPW_COVERAGE_OWNERS_LOST, 0, "%d of %d programs are gone from the root cgroup.",
                         QPW_OWNER_PROGRAMS - count, QPW_OWNER_PROGRAMS);
    }
    return false;
}

void qpw_notes_check(struct qpw_auditor *a)
{
    struct qpw_error err;
    bool missing = a->meta.owners_missing[0];

    if ((missing && a->ticks % RETRY_SECONDS) || are_there(a))
        return;
    if (attach(a, &err) == 0) {
        qpw_coverage_add(&a->coverage, QPW_COVERAGE_OWNERS_NOTED, 0, "The programs are at the root cgroup again.");
        qpw_auditor_notify(a, QPW_NOTIFY_NOTE, "owners of sockets are noted again");
        qpw_notes_older(a);
    } else if (!missing) {
        qpw_auditor_notify(a, QPW_NOTIFY_WARNING, "processes that end quickly remain unknown: %s", err.text);
    }
    follow_executables(a);
    qpw_meta_write(&a->kernel, &a->meta, NULL);
}

void qpw_notes_end(struct qpw_auditor *a)
{
    qpw_executables_detach(&a->kernel, &a->executables);
}
