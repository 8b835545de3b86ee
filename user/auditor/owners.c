/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "auditor/owners.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "auditor/alerts.h"
#include "auditor/users.h"
#include "auditor/vouching.h"
#include "facts/connections.h"
#include "facts/listening.h"
#include "facts/owner.h"
#include "host/clock.h"
#include "host/listeners.h"
#include "host/owner.h"
#include "snapshot/conns.h"
#include "words/owner.h"
#include "words/words.h"

#define PATIENCE 3u          /* readings to wait for the unknown owner of a new listener */
#define MAX_WAITING 64u
#define MEMO 1024u           /* cached owners that fit a rule; new entries replace old ones */
#define SOCKETS_A_WALK 64u   /* look-ups in the socket table, by far the most expensive part */

/* A new listener whose owner is still unknown. */
struct waiting {
    struct qpw_listening_key key;
    unsigned rounds;
    bool here; /* present in this reading */
};

/* A recorded owner that fits a rule and port. */
struct memo {
    uint32_t owner; /* number of the record, 0: free */
    uint16_t rule;
    uint16_t port;
};

struct qpw_owner_watch {
    struct waiting waiting[MAX_WAITING];
    size_t n_waiting;
    bool failed;         /* the sockets could not be read, as reported */
    bool named;          /* some rule in force names an owner */
    /* State of one walk over the connections. */
    unsigned lookups;    /* left */
    uint64_t candidates; /* connections that needed a look-up so far */
    uint64_t skip;       /* number of these that earlier walks handled */
    uint64_t unsure;
    uint64_t unsure_last; /* of the last complete walk */
    struct memo memo[MEMO];
};

static struct qpw_owner_question question(const struct qpw_auditor *a, uint16_t rule, unsigned direction,
                                          unsigned protocol, unsigned port)
{
    return (struct qpw_owner_question){.policy = &a->policy, .rule = a->names.rules[rule].name,
                                       .direction = (uint8_t)direction, .protocol = (uint8_t)protocol,
                                       .port = (uint16_t)port, .now = time(NULL)};
}

/* ---- Listeners ---- */

static struct qpw_listening_key key_of(const struct qpw_listener *l, bool known)
{
    struct qpw_listening_key key = {.port = l->port, .protocol = l->protocol};
    char program[256] = "";

    if (known)
        qpw_owner_program(&l->owner, program, sizeof(program));
    memcpy(key.program, program, strnlen(program, sizeof(key.program) - 1));
    return key;
}

static bool get_note(const struct qpw_auditor *a, const struct qpw_listening_key *key, struct qpw_listening_note *ret)
{
    return bpf_map_lookup_elem(a->kernel.map_fd[QPW_MAP_listening], key, ret) == 0;
}

/*
 * Store a note. If the map is full, a restarted auditor may report the listener again, unless it is in the log's tail.
 */
static void set_note(const struct qpw_auditor *a, const struct qpw_listening_key *key, uint32_t state)
{
    struct qpw_listening_note note = {.first_unix_ns = qpw_clock_unix_ns(), .state = state}, before;

    if (get_note(a, key, &before))
        note.first_unix_ns = before.first_unix_ns;
    bpf_map_update_elem(a->kernel.map_fd[QPW_MAP_listening], key, &note, BPF_ANY);
}

static struct qpw_engine_socket socket_of(const struct qpw_listening_row *row)
{
    const struct qpw_listener *l = row->listener;
    struct qpw_engine_socket s = {
        .key = {.kind = QPW_KIND_PORT, .protocol = l->protocol, .port = l->port, .direction = QPW_DIR_INBOUND,
                .verdict = row->verdict},
        .rule = row->rule, .device = l->device, .owner = &l->owner};

    memcpy(s.key.responder, l->address, 16);
    if (!l->v6)
        memset(s.key.responder + 10, 0xff, 2); /* 0.0.0.0 is stored as all zero, like :: */
    return s;
}

/* Return whether the owner of a new listener has been awaited long enough. */
static bool waited_enough(struct qpw_owner_watch *w, const struct qpw_listening_key *key)
{
    for (size_t i = 0; i < w->n_waiting; i++)
        if (!memcmp(&w->waiting[i].key, key, sizeof(*key))) {
            w->waiting[i].here = true;
            return ++w->waiting[i].rounds >= PATIENCE;
        }
    if (w->n_waiting == MAX_WAITING)
        return true;
    w->waiting[w->n_waiting++] = (struct waiting){.key = *key, .rounds = 1, .here = true};
    return false;
}

static void forget_waiting(struct qpw_owner_watch *w)
{
    size_t kept = 0;

    for (size_t i = 0; i < w->n_waiting; i++)
        if (w->waiting[i].here) {
            w->waiting[kept] = w->waiting[i];
            w->waiting[kept++].here = false;
        }
    w->n_waiting = kept;
}

static void report_new(struct qpw_auditor *a, const struct qpw_listener *l)
{
    char service[48], process[64];

    qpw_words_service(QPW_KIND_PORT, l->protocol, l->port, service, sizeof(service));
    qpw_words_owner(&l->owner, process, sizeof(process));
    qpw_auditor_notify(a, QPW_NOTIFY_FINDING, "new listener on an unlisted port: %s%s%s%s", service, *process ? " (" : "", process,
            *process ? ")" : "");
}

static void look_if_new(struct qpw_auditor *a, const struct qpw_listening_row *row, bool first)
{
    bool known = qpw_owner_known(&row->listener->owner);
    struct qpw_listening_key key = key_of(row->listener, known), nobody = key_of(row->listener, /* known= */ false);
    struct qpw_engine_socket socket = socket_of(row);
    struct qpw_listening_note note;

    if (!get_note(a, &key, &note)) {
        bool new = !first && row->verdict == QPW_VERDICT_UNEXPECTED;

        note.state = QPW_LISTENING_SEEN;
        if (known && get_note(a, &nobody, &note)) /* reported, or present, before its owner was known */
            new = false;
        if (new && !known && !waited_enough(a->owner_watch, &key))
            return;
        if (new) {
            note.state = QPW_LISTENING_NEW;
            report_new(a, row->listener);
        }
        set_note(a, &key, note.state);
    }
    if (note.state == QPW_LISTENING_NEW && row->verdict == QPW_VERDICT_UNEXPECTED &&
        qpw_alerts_listener(a, &socket) == 0)
        set_note(a, &key, QPW_LISTENING_REPORTED);
}

static void look_at_owner(struct qpw_auditor *a, const struct qpw_listening_row *row)
{
    struct qpw_engine_socket socket = socket_of(row);

    socket.wanted = row->wanted;
    if (row->owner_word == QPW_OWNER_OTHER)
        qpw_alerts_other_owner(a, &socket);
}

static int read_listening(struct qpw_auditor *a, struct qpw_listeners *ret_listeners, struct qpw_listening *ret,
                          struct qpw_error *err)
{
    struct qpw_listening_from from = {.listeners = ret_listeners, .policy = &a->policy, .compiled = &a->compiled,
                                      .names = &a->names, .now = time(NULL)};
    int r = qpw_listeners_read(a->sockets, ret_listeners, err);

    return r < 0 ? r : qpw_listening_make(&from, ret);
}

void qpw_owner_watch_listeners(struct qpw_auditor *a)
{
    static const struct qpw_listening_key start;
    struct qpw_owner_watch *w = a->owner_watch;
    struct qpw_listeners listeners = {0};
    struct qpw_listening listening = {0};
    struct qpw_listening_note note;
    struct qpw_error err = {"out of memory"};
    bool first = !get_note(a, &start, &note);

    if (read_listening(a, &listeners, &listening, &err) < 0) {
        if (!w->failed)
            qpw_auditor_notify(a, QPW_NOTIFY_WARNING, "new listeners are not reported: %s", err.text);
        w->failed = true;
        qpw_listeners_clear(&listeners);
        return;
    }
    w->failed = false;
    qpw_notes_listeners(a, &listeners);
    for (size_t i = 0; i < listening.n; i++) {
        const struct qpw_listening_row *row = &listening.rows[i];

        if (row->loopback || row->listener->ephemeral || row->listener->owner.match == QPW_MATCH_GONE)
            continue;
        look_if_new(a, row, first);
        look_at_owner(a, row);
    }
    forget_waiting(w);
    if (first)
        set_note(a, &start, QPW_LISTENING_SEEN);
    qpw_listening_clear(&listening);
    qpw_listeners_clear(&listeners);
}

/* ---- Connections ---- */

static struct memo *memo_of(struct qpw_owner_watch *w, const struct qpw_conn *conn, uint16_t port)
{
    uint32_t hash = (conn->owner * 0x9e3779b1u) ^ (conn->rule * 0x85ebca6bu) ^ (port * 0xc2b2ae35u);

    return &w->memo[(hash ^ hash >> 15) % MEMO];
}

static void report_connection(struct qpw_auditor *a, const struct qpw_conn_key *key, const struct qpw_conn *conn,
                              const struct qpw_process *owner, const char *wanted)
{
    struct qpw_connection_ends ends = qpw_connection_ends(key, conn);
    struct qpw_engine_socket socket = {
        .key = {.kind = QPW_KIND_PORT, .protocol = key->protocol, .port = ends.to_port, .direction = conn->direction,
                .verdict = conn->verdict},
        .exchange = true, .initiator_port = ends.from_port, .rule = conn->rule, .wanted = wanted, .owner = owner};

    memcpy(socket.key.initiator, ends.from, 16);
    memcpy(socket.key.responder, ends.to, 16);
    qpw_alerts_other_owner(a, &socket);
}

/*
 * Return whether this connection may be looked up now; if there are very many, each has its turn in one of the walks.
 */
static bool may_look_up(struct qpw_owner_watch *w)
{
    if (w->candidates++ < w->skip || !w->lookups)
        return false;
    w->lookups--;
    return true;
}

/* Judge by the recorded owner if it fits, else by the current holder of the socket, which may have been passed on. */
static enum qpw_owner_word judge_owner(struct qpw_auditor *a, const struct qpw_conn_key *key,
                                       const struct qpw_conn *conn, struct qpw_process *ret_owner,
                                       const char **ret_wanted)
{
    uint16_t port = qpw_connection_ends(key, conn).to_port;
    struct qpw_owner_question q = question(a, conn->rule, conn->direction, key->protocol, port);
    struct memo *memo = memo_of(a->owner_watch, conn, port);
    struct qpw_owner note;
    bool noted;

    if (conn->owner && memo->owner == conn->owner && memo->rule == conn->rule && memo->port == port)
        return QPW_OWNER_FITS;
    noted = qpw_conn_owner(&a->kernel, conn->owner, &note) == 0 && note.tgid;
    if (noted) {
        qpw_owner_describe(a->sockets, &note, ret_owner);
        if (qpw_owner_of_rule(&q, ret_owner, ret_wanted) == QPW_OWNER_FITS) {
            *memo = (struct memo){conn->owner, conn->rule, port};
            return QPW_OWNER_FITS;
        }
    }
    if (!may_look_up(a->owner_watch))
        return QPW_OWNER_UNSURE;
    qpw_owner_of_connection(a->sockets, key, (enum qpw_direction)conn->direction, noted ? &note : NULL, ret_owner);
    return qpw_owner_of_rule(&q, ret_owner, ret_wanted);
}

/* Check a live connection. An inbound one must have been answered; until then its socket is the listener's. */
static void on_live(const struct qpw_conn_key *key, const struct qpw_conn *conn, void *data)
{
    struct qpw_auditor *a = data;
    struct qpw_process owner = {0};
    const char *wanted = NULL;

    qpw_vouching_live(a, key, conn);
    qpw_users_see(a, key, conn);
    if (!a->owner_watch->named || !conn->rule || conn->rule >= a->names.n_rules)
        return;
    if (conn->direction != QPW_DIR_OUTBOUND &&
        (conn->direction != QPW_DIR_INBOUND || conn->outcome < QPW_OUTCOME_ANSWERED))
        return;
    switch (judge_owner(a, key, conn, &owner, &wanted)) {
    case QPW_OWNER_FITS: break;
    case QPW_OWNER_OTHER: report_connection(a, key, conn, &owner, wanted); break;
    case QPW_OWNER_UNSURE: a->owner_watch->unsure++; break;
    }
}

void qpw_owner_watch_walk_begins(struct qpw_auditor *a)
{
    qpw_vouching_walk_begins(a);
    a->owner_watch->lookups = SOCKETS_A_WALK;
    a->owner_watch->candidates = a->owner_watch->unsure = 0;
}

void qpw_owner_watch_walk_ends(struct qpw_auditor *a)
{
    struct qpw_owner_watch *w = a->owner_watch;

    w->unsure_last = w->unsure;
    w->skip = w->lookups ? 0 : w->skip + SOCKETS_A_WALK;
    if (w->skip >= w->candidates)
        w->skip = 0;
}

/* ---- The watch ---- */

int qpw_owner_watch_open(struct qpw_auditor *a, struct qpw_error *err)
{
    a->owner_watch = calloc(1, sizeof(*a->owner_watch));
    if (!a->owner_watch)
        return qpw_fail(err, -ENOMEM, "out of memory");
    a->expire.live = on_live;
    a->expire.live_data = a;
    qpw_owner_watch_forget(a);
    return 0;
}

void qpw_owner_watch_forget(struct qpw_auditor *a)
{
    struct qpw_owner_watch *w = a->owner_watch;

    if (!w)
        return; /* not opened yet */
    w->named = qpw_policy_names_owners(&a->policy, time(NULL));
    memset(w->memo, 0, sizeof(w->memo));
}

uint64_t qpw_owner_watch_unsure(const struct qpw_auditor *a)
{
    return a->owner_watch ? a->owner_watch->unsure_last : 0;
}

void qpw_owner_watch_close(struct qpw_auditor *a)
{
    free(a->owner_watch);
    a->owner_watch = NULL;
}
