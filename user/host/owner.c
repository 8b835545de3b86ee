/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "host/owner.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/cgroup.h"
#include "host/cgroup_unit.h"
#include "host/clock.h"
#include "host/executable.h"
#include "util/text.h"

#define ACTIVATION_NS 5000000000ull /* a socket-activated service has started by then; systemd holds its socket */
#define START_SLACK_NS 20000000ull /* /proc counts start times in ticks of 10 ms */

/* Name the unit or container of a cgroup; left empty if the cgroup is gone. */
static void describe_cgroup(uint64_t id, struct qpw_process *p)
{
    char path[1024], text[sizeof(path) + 8];

    if (!id || qpw_cgroup_path(id, path, sizeof(path)) < 0)
        return;
    snprintf(text, sizeof(text), "0::%s\n", path);
    qpw_cgroup_unit(text, p->unit, sizeof(p->unit));
    qpw_text_clean(p->unit);
    p->container = strchr(p->unit, ' ') != NULL;
}

bool qpw_owner_note(int pid, uint64_t when_ns, struct qpw_owner *ret)
{
    struct qpw_process p;

    if (!qpw_process_describe(pid, &p))
        return false;
    *ret = (struct qpw_owner){.when_ns = when_ns, .cgroup = qpw_cgroup_of(pid), .tgid = (uint32_t)pid, .uid = p.uid,
                              .how = QPW_OWNER_HELD};
    memcpy(ret->comm, p.name, strnlen(p.name, sizeof(ret->comm) - 1));
    return true;
}

void qpw_owner_describe(const struct qpw_sockets *s, const struct qpw_owner *note, struct qpw_process *ret)
{
    enum qpw_match match = note->how == QPW_OWNER_LISTENER ? QPW_MATCH_LISTENER
                           : note->how == QPW_OWNER_HELD   ? QPW_MATCH_EXACT : QPW_MATCH_CREATED;
    uint64_t noted = (uint64_t)((int64_t)note->when_ns + qpw_clock_unix_offset_ns());
    struct qpw_process p = {.match = match};

    /* A process that started after the note merely reuses the pid. */
    if (qpw_proc_is_initial() && qpw_process_describe((int)note->tgid, &p) &&
        p.started_unix_ns <= noted + START_SLACK_NS) {
        if (!p.exe[0]) { /* inspecting it is not permitted */
            qpw_sockets_executable(s, note->exe, p.exe, sizeof(p.exe));
            qpw_text_clean(p.exe);
        }
        *ret = p;
        return;
    }
    p = (struct qpw_process){.match = match, .pid = (int)note->tgid, .uid = note->uid, .ended = true};
    snprintf(p.name, sizeof(p.name), "%.*s", (int)sizeof(note->comm), note->comm);
    qpw_text_clean(p.name);
    qpw_user_name(p.uid, p.user, sizeof(p.user));
    qpw_sockets_executable(s, note->exe, p.exe, sizeof(p.exe));
    qpw_text_clean(p.exe);
    describe_cgroup(note->cgroup, &p);
    *ret = p;
}

const char *qpw_owner_kind_why(const struct qpw_owner *note)
{
    return note->how == QPW_OWNER_PACKET  ? "sent through a packet socket"
           : note->how == QPW_OWNER_MPTCP ? "MPTCP, whose subflows carry no note" : NULL;
}

bool qpw_owner_came_later(const struct qpw_process *listener, const struct qpw_owner *note, uint64_t last_unix_ns)
{
    uint64_t slack_ns = note && note->tgid == 1 ? ACTIVATION_NS : 0;

    if (!note || !note->tgid || note->how == QPW_OWNER_HELD || !last_unix_ns || listener->match != QPW_MATCH_LISTENER)
        return false;
    return listener->pid != (int)note->tgid && listener->started_unix_ns > last_unix_ns + slack_ns;
}

void qpw_owner_made(const struct qpw_sockets *s, const struct qpw_owner *note, struct qpw_process *ret)
{
    *ret = (struct qpw_process){.match = QPW_MATCH_CREATED, .pid = (int)note->tgid, .uid = note->uid, .ended = true};
    qpw_sockets_executable(s, note->exe, ret->exe, sizeof(ret->exe));
    qpw_text_clean(ret->exe);
    describe_cgroup(note->cgroup, ret);
}

bool qpw_owner_hands_over(const struct qpw_sockets *s, const struct qpw_owner *note)
{
    struct qpw_process made;

    if (!note->tgid || note->uid)
        return false;
    qpw_owner_made(s, note, &made);
    return made.exe[0] ? qpw_executes(&made, "/usr/sbin/rpc.nfsd") == QPW_EXECUTES_IT
                       : !strncmp(note->comm, "rpc.nfsd", sizeof(note->comm));
}

/* last_unix_ns: end of the exchange, 0 if it is still going on. Otherwise as qpw_owner_of_connection(). */
static int owner_at(struct qpw_sockets *s, const struct qpw_conn_key *key, enum qpw_direction direction,
                    const struct qpw_owner *note, uint64_t last_unix_ns, struct qpw_process *ret)
{
    int r = qpw_sockets_process(s, key, direction, ret);

    if (note && note->how == QPW_OWNER_PACKET) { /* sent through a packet socket, so no holder of these ports sent it */
        *ret = (struct qpw_process){.match = QPW_MATCH_NONE, .why = qpw_owner_kind_why(note)};
        return 0;
    }
    if (r == 0 && qpw_owner_came_later(ret, note, last_unix_ns)) {
        qpw_owner_describe(s, note, ret);
        return 0;
    }
    if (r == 0 && (ret->match == QPW_MATCH_EXACT || ret->match == QPW_MATCH_LISTENER))
        return 0;
    if (note && qpw_owner_kind_why(note)) {
        *ret = (struct qpw_process){.match = QPW_MATCH_NONE, .why = qpw_owner_kind_why(note)};
        return 0;
    }
    if (!note || !note->tgid)
        return r;
    if (r == 0 && ret->match == QPW_MATCH_KERNEL && direction != QPW_DIR_OUTBOUND && qpw_owner_hands_over(s, note))
        return 0;
    qpw_owner_describe(s, note, ret);
    return 0;
}

int qpw_owner_of_connection(struct qpw_sockets *s, const struct qpw_conn_key *key, enum qpw_direction direction,
                            const struct qpw_owner *note, struct qpw_process *ret)
{
    return owner_at(s, key, direction, note, 0, ret);
}

int qpw_owner_find(struct qpw_sockets *s, const struct qpw_finding_key *key, const struct qpw_finding *value,
                   struct qpw_process *ret)
{
    struct qpw_conn_key tuple;

    if (key->kind != QPW_KIND_PORT) { /* no ports, hence no socket to look up: the note is all there is */
        if (!value->owner.tgid && !qpw_owner_kind_why(&value->owner))
            return -ENOENT;
        *ret = (struct qpw_process){.match = QPW_MATCH_NONE, .why = qpw_owner_kind_why(&value->owner)};
        if (!ret->why)
            qpw_owner_describe(s, &value->owner, ret);
        return 0;
    }
    qpw_finding_tuple(key, value, &tuple);
    return owner_at(s, &tuple, (enum qpw_direction)key->direction, &value->owner,
                    (uint64_t)((int64_t)value->last_ns + qpw_clock_unix_offset_ns()), ret);
}
