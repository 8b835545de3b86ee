/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Find the current and former processes of vouching exchanges: as recorded by the programs, by live connections, and as
 * remembered.
 */
#include "auditor/vouching_internal.h"

#include <errno.h>
#include <string.h>

#include "host/clock.h"
#include "host/executable.h"
#include "snapshot/conns.h"

#define SESSION_HOLDERS 2u /* per exchange: FTP servers have one process with and one without privileges */
#define GENERATIONS 4u     /* maximum distance between the listening and the serving process */

/*
 * Find the process at the exchange's end: by its socket's record, and unless by_notes also in the socket table, which
 * takes far longer.
 */
static int find_owner(const struct qpw_ask *ask, const struct qpw_conn_key *key, unsigned direction,
                      const struct qpw_owner *note, struct qpw_process *ret)
{
    if (!ask->by_notes)
        return qpw_owner_of_connection(ask->a->sockets, key, (enum qpw_direction)direction, note, ret);
    *ret = (struct qpw_process){0};
    if (!note || !note->tgid)
        return -ENOENT;
    qpw_owner_describe(ask->a->sockets, note, ret);
    return ret->ended ? -ENOENT : 0;
}

enum descent { DESCENT_NONE, DESCENT_BROKEN, DESCENT_KNOWN };

static enum descent descent(const struct qpw_process *p, int pid)
{
    struct qpw_process one = *p;

    for (unsigned i = 0; i < GENERATIONS && one.pid != pid; i++) {
        if (one.parent_pid <= 1)
            return DESCENT_NONE;
        if (!qpw_process_describe(one.parent_pid, &one))
            return DESCENT_BROKEN;
    }
    return one.pid == pid ? DESCENT_KNOWN : DESCENT_NONE;
}

/* Return the weakest descent of all holders of the companion, or else the maker's. */
static enum descent descent_of(const struct qpw_vouch_companion *c, int pid)
{
    enum descent least = DESCENT_KNOWN, one;

    if (!c->n_holders)
        return c->maker ? descent(c->maker, pid) : DESCENT_NONE;
    for (size_t i = 0; i < c->n_holders; i++) {
        one = c->holders[i].pid == 1 && c->n_holders > 1 ? least : descent(&c->holders[i], pid);
        least = one < least ? one : least;
    }
    return least;
}

/* Add the processes that were examined during that exchange. False: there are none. */
static bool add_session(struct qpw_ask_parents *p, const struct qpw_conn_key *key)
{
    const struct qpw_vouching *v = p->ask->a->vouching;
    size_t before = p->n;

    for (unsigned back = 1; back <= QPW_SESSIONS && p->n < QPW_VOUCH_PARENTS; back++) {
        const struct qpw_session *s = &v->sessions[(v->next_session + QPW_SESSIONS - back) % QPW_SESSIONS];

        if (!s->when_ns || memcmp(&s->key, key, sizeof(*key)))
            continue;
        p->seen[p->n] = s->owner;
        p->of[p->n++] = (struct qpw_vouch_parent){
            .process = s->process, .alive_ns = s->when_ns,
            .same_note = s->owner && s->owner == p->ask->conn->owner && p->ask->conn->direction == QPW_DIR_OUTBOUND};
    }
    return p->n > before;
}

static void add_parent(struct qpw_ask_parents *p, const struct qpw_conn_key *key, uint32_t owner, unsigned direction)
{
    struct qpw_auditor *a = p->ask->a;
    struct qpw_vouch_parent *one;
    struct qpw_owner note;
    bool noted = qpw_conn_owner(&a->kernel, owner, &note) == 0;
    enum descent descends;

    if ((add_session(p, key) && p->ask->by_notes) || p->n == QPW_VOUCH_PARENTS)
        return; /* otherwise also add the current one: inetd's process may have become the server since */
    p->seen[p->n] = owner;
    one = &p->of[p->n];
    *one = (struct qpw_vouch_parent){.same_note = noted && owner == p->ask->conn->owner && note.tgid &&
                                                  note.how != QPW_OWNER_LISTENER};
    if (one->same_note) /* it may have ended since it was described */
        one->process = p->ask->a->vouching->maker;
    else if (find_owner(p->ask, key, direction, noted ? &note : NULL, &one->process) < 0)
        return;
    /* The port mapper serves its own connections; others may have handed them on, as inetd does. */
    one->listened = one->process.match == QPW_MATCH_LISTENER && !p->mapper;
    descends = one->listened ? descent_of(&p->ask->companion, one->process.pid) : DESCENT_NONE;
    one->ancestor = descends == DESCENT_KNOWN;
    one->broken = descends == DESCENT_BROKEN;
    p->n++;
}

void qpw_ask_noted_parents(struct qpw_ask_parents *p, const struct qpw_parent *noted)
{
    const struct qpw_auditor *a = p->ask->a;

    for (size_t i = 0; i < QPW_PARENT_OWNERS; i++) {
        struct qpw_conn_key key = {.local_port = noted->of[i].local_port, .remote_port = noted->of[i].remote_port,
                                   .protocol = noted->protocol};

        if (!key.local_port && !key.remote_port)
            continue;
        memcpy(key.local, noted->of[i].local, 16);
        memcpy(key.remote, p->ask->key->remote, 16);
        add_parent(p, &key, noted->of[i].owner, a->names.rules[p->rule].direction);
    }
}

static void one_connection(const struct qpw_conn_key *key, const struct qpw_conn *conn, void *data)
{
    struct qpw_ask_parents *p = data;

    if (conn->rule != p->rule || !(conn->vlan & QPW_CONN_PARENT) || conn->outcome < QPW_OUTCOME_ANSWERED ||
        memcmp(key->remote, p->ask->key->remote, 16))
        return;
    for (size_t i = 0; i < p->n; i++)
        if (p->seen[i] == conn->owner)
            return;
    add_parent(p, key, conn->owner, conn->direction);
}

/* Find further live parents, because more may have had such exchanges than the programs have slots for. */
void qpw_ask_live_parents(struct qpw_ask_parents *p)
{
    static const enum qpw_conn_class classes[] = {QPW_CLASS_EST, QPW_CLASS_OUT, QPW_CLASS_DGRAM};

    for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++)
        qpw_conns_walk(&p->ask->a->kernel, classes[i], one_connection, p);
}

/* ---- Remembered processes ---- */

bool qpw_session_was_seen(const struct qpw_vouching *v, uint16_t rule, const struct qpw_process *made)
{
    char path[sizeof(made->exe)];

    for (unsigned i = 0; i < QPW_SESSIONS && made->exe[0]; i++) {
        const struct qpw_session *s = &v->sessions[i];

        if (s->when_ns && s->rule == rule && s->process.uid == made->uid && s->process.exe[0] &&
            qpw_executes(made, qpw_executable_bare(s->process.exe, path, sizeof(path))) == QPW_EXECUTES_IT)
            return true;
    }
    return false;
}

static bool is_like_one_seen(const struct qpw_vouching *v, uint16_t rule, const struct qpw_process *p)
{
    for (unsigned i = 0; i < QPW_SESSIONS; i++)
        if (v->sessions[i].when_ns && v->sessions[i].rule == rule && v->sessions[i].process.uid == p->uid &&
            qpw_vouch_same(p, &v->sessions[i].process, v->own_unit) == QPW_OWNER_FITS)
            return true;
    return false;
}

bool qpw_session_were_seen(const struct qpw_vouching *v, uint16_t rule, const struct qpw_vouch_companion *c)
{
    if (!c->maker || !qpw_session_was_seen(v, rule, c->made))
        return false;
    for (size_t i = 0; i < c->n_holders; i++)
        if (!is_like_one_seen(v, rule, &c->holders[i]))
            return false;
    return c->n_holders || c->maker->ended || is_like_one_seen(v, rule, c->maker);
}

void qpw_session_remember_maker(struct qpw_vouching *v, uint16_t rule, const struct qpw_vouch_companion *c)
{
    if (!c->maker || c->maker->ended || qpw_session_was_seen(v, rule, c->made))
        return;
    v->sessions[v->next_session] = (struct qpw_session){.process = *c->maker, .when_ns = qpw_clock_monotonic_ns(), .rule = rule};
    v->next_session = (v->next_session + 1) % QPW_SESSIONS;
}

void qpw_session_remember(struct qpw_auditor *a, const struct qpw_conn_key *key, const struct qpw_conn *conn)
{
    struct qpw_vouching *v = a->vouching;
    struct qpw_socket_holders holders;
    struct qpw_process processes[SESSION_HOLDERS];
    size_t n;

    if (qpw_sockets_holders(a->sockets, key, (enum qpw_direction)conn->direction, /* sparing= */ true, &holders) < 0 ||
        !holders.exact || holders.listener)
        return;
    n = qpw_ask_describe(&holders, processes, SESSION_HOLDERS);
    for (size_t i = 0; i < n; i++) {
        if (processes[i].pid == 1)
            continue;
        v->sessions[v->next_session] = (struct qpw_session){.key = *key, .process = processes[i], .owner = conn->owner, .rule = conn->rule,
                                                        .when_ns = qpw_clock_monotonic_ns()};
        v->next_session = (v->next_session + 1) % QPW_SESSIONS;
    }
}
