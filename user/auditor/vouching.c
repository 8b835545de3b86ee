/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "auditor/vouching.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "auditor/alerts.h"
#include "facts/connections.h"
#include "facts/vouch.h"
#include "host/clock.h"
#include "host/executable.h"
#include "host/owner.h"
#include "host/rpcbind.h"
#include "policy/compile/judge.h"
#include "snapshot/conns.h"

#define RECENT 256u              /* decisions remembered for the findings that come with them */
#define SESSIONS 128u            /* exchanges that vouch whose processes are remembered, */
#define SESSION_HOLDERS 2u       /* with so many of each: FTP servers have one with and one without rights */
#define MAX_PARENTS 16u          /* owners of parent exchanges that are looked at */
#define ASKS_A_WALK 64u
#define GENERATIONS 4u           /* of processes, between who listens and who serves */
#define RPCBIND_MS 100u          /* that it is waited for, */
#define RPCBIND_AGE_NS 200000000u /* and how long its answer, or that there was none, stands */
#define PORT_MAPPER 111u
#define NFS_PORT 2049u

struct recent {
    struct qpw_conn_key key;
    uint32_t word; /* enum qpw_vouch_word */
};

/* A process that had an exchange which vouches, as it was then. */
struct session {
    struct qpw_conn_key key;
    struct qpw_process process;
    uint64_t when_ns; /* CLOCK_MONOTONIC, 0: none */
    uint32_t owner;   /* number of the owner noted */
    uint16_t rule;
};

struct qpw_vouching {
    struct session sessions[SESSIONS];
    unsigned next_session;
    struct qpw_judge *judge; /* of a->compiled; NULL: to be made */
    struct qpw_rpcbind rpcbind;
    bool has_rpcbind;
    uint64_t rpcbind_ns;     /* when it was asked, 0: never */
    /* Of the companion under judgement. */
    struct qpw_process holders[QPW_SOCKET_HOLDERS], servers[QPW_SOCKET_HOLDERS], maker, made;
    char own_unit[128];
    struct recent recent[RECENT];
    unsigned next;
    unsigned left;           /* asks of this walk */
};

/* One companion under judgement, and what came of it so far. */
struct ask {
    struct qpw_auditor *a;
    const struct qpw_conn_key *key;
    const struct qpw_conn *conn;
    struct qpw_owner note;
    struct qpw_vouch_companion companion;
    bool has_companion;
    bool by_notes; /* of parents, only what was noted with their sockets is looked at, which is quick */
    bool fits;
    uint16_t unknown, other; /* the first rule that came to that, 0: none */
};

/* ---- Who has the companion ---- */

static size_t describe_holders(const struct qpw_socket_holders *from, struct qpw_process *ret, size_t room)
{
    enum qpw_match match = from->exact && !from->listener ? QPW_MATCH_EXACT : QPW_MATCH_LISTENER;
    size_t n = 0;

    for (size_t i = 0; i < from->n && n < room; i++) {
        ret[n] = (struct qpw_process){.match = match};
        if (qpw_process_describe(from->pid[i], &ret[n]))
            n++;
    }
    return n;
}

/* The maker first: it may end within milliseconds. */
static void find_companion(struct ask *ask)
{
    struct qpw_vouching *v = ask->a->vouching;
    struct qpw_vouch_companion *c = &ask->companion;
    struct qpw_socket_holders holders;

    if (ask->has_companion)
        return;
    ask->has_companion = true;
    if (qpw_conn_owner(&ask->a->kernel, ask->conn->owner, &ask->note) < 0)
        ask->note = (struct qpw_owner){0};
    if (ask->note.tgid) {
        qpw_owner_describe(ask->a->sockets, &ask->note, &v->maker);
        qpw_owner_made(ask->a->sockets, &ask->note, &v->made);
        c->maker = &v->maker;
        c->made = &v->made;
        c->made_ns = ask->note.when_ns;
        c->hands_over = qpw_owner_hands_over(ask->a->sockets, &ask->note);
    }
    if (qpw_sockets_holders(ask->a->sockets, ask->key, (enum qpw_direction)ask->conn->direction, false, &holders) < 0)
        return;
    c->all = holders.all;
    c->open = holders.open;
    c->exact = holders.exact;
    c->holders = v->holders;
    c->n_holders = describe_holders(&holders, v->holders, QPW_SOCKET_HOLDERS);
    if (holders.n && !c->n_holders)
        c->open = false; /* they have ended, and the socket with them */
}

/* ---- Who has the parent exchange ---- */

struct parents {
    struct ask *ask;
    uint16_t rule;
    bool mapper; /* it is the port mapper's */
    uint32_t seen[MAX_PARENTS]; /* numbers of owners */
    struct qpw_vouch_parent of[MAX_PARENTS];
    size_t n;
};

/* Who holds the exchange's end: by the note of its socket, or by the socket table as well, which takes far longer. */
static int find_owner(const struct ask *ask, const struct qpw_conn_key *key, unsigned direction,
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

/* Of all who hold the companion, or else of its maker: the least. */
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

/* Who was looked at while he had that exchange. False: nobody was. */
static bool add_session(struct parents *p, const struct qpw_conn_key *key)
{
    const struct qpw_vouching *v = p->ask->a->vouching;
    size_t before = p->n;

    for (unsigned back = 1; back <= SESSIONS && p->n < MAX_PARENTS; back++) {
        const struct session *s = &v->sessions[(v->next_session + SESSIONS - back) % SESSIONS];

        if (!s->when_ns || memcmp(&s->key, key, sizeof(*key)))
            continue;
        p->seen[p->n] = s->owner;
        p->of[p->n++] = (struct qpw_vouch_parent){
            .process = s->process, .alive_ns = s->when_ns,
            .same_note = s->owner && s->owner == p->ask->conn->owner && p->ask->conn->direction == QPW_DIR_OUTBOUND};
    }
    return p->n > before;
}

static void add_parent(struct parents *p, const struct qpw_conn_key *key, uint32_t owner, unsigned direction)
{
    struct qpw_auditor *a = p->ask->a;
    struct qpw_vouch_parent *one;
    struct qpw_owner note;
    bool noted = qpw_conn_owner(&a->kernel, owner, &note) == 0;
    enum descent descends;

    if (p->n == MAX_PARENTS || add_session(p, key))
        return;
    p->seen[p->n] = owner;
    one = &p->of[p->n];
    *one = (struct qpw_vouch_parent){.same_note = noted && owner == p->ask->conn->owner && note.tgid &&
                                                  note.how != QPW_OWNER_LISTENER};
    if (one->same_note) /* which may have ended since it was described */
        one->process = p->ask->a->vouching->maker;
    else if (find_owner(p->ask, key, direction, noted ? &note : NULL, &one->process) < 0)
        return;
    /* The port mapper serves all by itself; others may have handed the connection on, as inetd does. */
    one->listened = one->process.match == QPW_MATCH_LISTENER && !p->mapper;
    descends = one->listened ? descent_of(&p->ask->companion, one->process.pid) : DESCENT_NONE;
    one->ancestor = descends == DESCENT_KNOWN;
    one->broken = descends == DESCENT_BROKEN;
    p->n++;
}

static void noted_parents(struct parents *p, const struct qpw_parent *parent)
{
    const struct qpw_auditor *a = p->ask->a;

    for (size_t i = 0; i < QPW_PARENT_OWNERS; i++) {
        struct qpw_conn_key key = {.local_port = parent->of[i].local_port, .remote_port = parent->of[i].remote_port,
                                   .protocol = parent->protocol};

        if (!key.local_port && !key.remote_port)
            continue;
        memcpy(key.local, parent->of[i].local, 16);
        memcpy(key.remote, p->ask->key->remote, 16);
        add_parent(p, &key, parent->of[i].owner, a->names.rules[p->rule].direction);
    }
}

static void one_connection(const struct qpw_conn_key *key, const struct qpw_conn *conn, void *data)
{
    struct parents *p = data;

    if (conn->rule != p->rule || !(conn->vlan & QPW_CONN_PARENT) || conn->outcome < QPW_OUTCOME_ANSWERED ||
        memcmp(key->remote, p->ask->key->remote, 16))
        return;
    for (size_t i = 0; i < p->n; i++)
        if (p->seen[i] == conn->owner)
            return;
    add_parent(p, key, conn->owner, conn->direction);
}

/* More have had such exchanges than the programs have places for: those that still live are found. */
static void live_parents(struct parents *p)
{
    static const enum qpw_conn_class classes[] = {QPW_CLASS_EST, QPW_CLASS_OUT, QPW_CLASS_DGRAM};

    for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++)
        qpw_conns_walk(&p->ask->a->kernel, classes[i], one_connection, p);
}

/* ---- What fits ---- */

static bool covers(const struct qpw_auditor *a, uint16_t id, uint16_t port)
{
    const char *name = id < a->names.n_rules ? a->names.rules[id].name : "";

    for (size_t i = 0; i < a->policy.n_rules; i++) {
        const struct qpw_rule *rule = &a->policy.rules[i];

        for (size_t k = 0; !strcmp(rule->name, name) && k < rule->n_ports; k++)
            if (port >= rule->ports[k].first && port <= rule->ports[k].last)
                return true;
    }
    return false;
}

static const struct qpw_rpcbind *ask_rpcbind(struct qpw_vouching *v)
{
    uint64_t now = qpw_clock_monotonic_ns();

    if (!v->rpcbind_ns || now - v->rpcbind_ns > RPCBIND_AGE_NS) {
        qpw_rpcbind_clear(&v->rpcbind);
        v->has_rpcbind = qpw_rpcbind_read(RPCBIND_MS, &v->rpcbind) == 0;
        v->rpcbind_ns = qpw_clock_monotonic_ns();
    }
    return v->has_rpcbind ? &v->rpcbind : NULL;
}

/* Who holds the node's NFS port now, by the companion's protocol. */
static size_t find_servers(struct ask *ask)
{
    struct qpw_vouching *v = ask->a->vouching;
    struct qpw_conn_key key = {.local_port = NFS_PORT, .protocol = ask->key->protocol};
    struct qpw_socket_holders holders;

    memcpy(key.local, ask->key->local, 16);
    if (qpw_sockets_holders(ask->a->sockets, &key, QPW_DIR_INBOUND, false, &holders) < 0)
        return 0;
    return describe_holders(&holders, v->servers, QPW_SOCKET_HOLDERS);
}

/* Whether a process of that executable and user was seen with an exchange of the rule, or was a maker that fitted. */
static bool was_seen(const struct qpw_vouching *v, uint16_t rule, const struct qpw_process *made)
{
    char path[sizeof(made->exe)];

    for (unsigned i = 0; i < SESSIONS && made->exe[0]; i++) {
        const struct session *s = &v->sessions[i];

        if (s->when_ns && s->rule == rule && s->process.uid == made->uid && s->process.exe[0] &&
            qpw_executes(made, qpw_executable_bare(s->process.exe, path, sizeof(path))) == QPW_EXECUTES_IT)
            return true;
    }
    return false;
}

static bool is_like_one_seen(const struct qpw_vouching *v, uint16_t rule, const struct qpw_process *p)
{
    for (unsigned i = 0; i < SESSIONS; i++)
        if (v->sessions[i].when_ns && v->sessions[i].rule == rule && v->sessions[i].process.uid == p->uid &&
            qpw_vouch_same(p, &v->sessions[i].process, v->own_unit) == QPW_OWNER_FITS)
            return true;
    return false;
}

/* The same of all who hold it, or of the maker of what is closed, and of what the maker executed then. */
static bool were_seen(const struct qpw_vouching *v, uint16_t rule, const struct qpw_vouch_companion *c)
{
    if (!c->maker || !was_seen(v, rule, c->made))
        return false;
    for (size_t i = 0; i < c->n_holders; i++)
        if (!is_like_one_seen(v, rule, &c->holders[i]))
            return false;
    return c->n_holders || c->maker->ended || is_like_one_seen(v, rule, c->maker);
}

static void remember_maker(struct qpw_vouching *v, uint16_t rule, const struct qpw_vouch_companion *c)
{
    if (!c->maker || c->maker->ended || was_seen(v, rule, c->made))
        return;
    v->sessions[v->next_session] = (struct session){.process = *c->maker, .when_ns = qpw_clock_monotonic_ns(), .rule = rule};
    v->next_session = (v->next_session + 1) % SESSIONS;
}

/* What was noted of the parents may be enough; those that live are sought only where it is not. */
static enum qpw_owner_word judge(struct ask *ask, uint16_t parent, const struct qpw_parent *noted, bool *ret_early)
{
    struct qpw_auditor *a = ask->a;
    bool inbound = ask->conn->direction == QPW_DIR_INBOUND, mapper = covers(a, parent, PORT_MAPPER);
    struct parents parents = {.ask = ask, .rule = parent, .mapper = mapper};
    struct qpw_vouch_question q = {
        .companion = &ask->companion, .parents = parents.of, .nfs = mapper || covers(a, parent, NFS_PORT),
        .registers = mapper && inbound, .policy = &a->policy, .protocol = ask->key->protocol,
        .port = ask->key->local_port, .own_unit = a->vouching->own_unit, .now = time(NULL)};
    enum qpw_owner_word word;

    find_companion(ask);
    q.foreign = ask->note.how == QPW_OWNER_PACKET;
    if (q.registers && !q.foreign) {
        q.servers = a->vouching->servers;
        q.n_servers = find_servers(ask);
    }
    q.seen_alive = ask->companion.maker && ask->companion.maker->ended &&
                   was_seen(a->vouching, parent, ask->companion.made);
    ask->by_notes = true;
    noted_parents(&parents, noted);
    ask->by_notes = false;
    q.n_parents = parents.n;
    word = qpw_vouch_judge(&q, ret_early);
    if (word == QPW_OWNER_FITS)
        return word;
    if (qpw_vouch_asks_rpcbind(&q))
        q.rpcbind = ask_rpcbind(a->vouching);
    parents.n = 0;
    noted_parents(&parents, noted);
    q.n_parents = parents.n;
    word = qpw_vouch_judge(&q, ret_early);
    if (word != QPW_OWNER_FITS && noted->turn) {
        live_parents(&parents);
        q.n_parents = parents.n;
        word = qpw_vouch_judge(&q, ret_early);
    }
    if (word == QPW_OWNER_UNSURE && were_seen(a->vouching, parent, &ask->companion)) {
        q.seen_alive = true;
        word = qpw_vouch_judge(&q, ret_early);
    }
    return word;
}

/* What was decided of this owner and port is decided, unless it was that nobody knows. */
static uint32_t known_word(const struct qpw_auditor *a, const struct qpw_vouch_key *key)
{
    struct qpw_vouch vouch;

    if (bpf_map_lookup_elem(a->kernel.map_fd[QPW_MAP_vouches], key, &vouch) < 0 || vouch.word == QPW_VOUCH_UNKNOWN ||
        (int64_t)(qpw_kernel_now_ns(&a->kernel) - vouch.when_ns) >= (int64_t)a->kernel.control->parent_ns)
        return QPW_VOUCH_NONE;
    return vouch.word;
}

/* One step of the policy that an exchange of the rule `parent` would vouch for. */
static void one_step(void *data, uint16_t rule, uint16_t parent)
{
    struct ask *ask = data;
    struct qpw_auditor *a = ask->a;
    uint64_t now = qpw_kernel_now_ns(&a->kernel);
    struct qpw_parent_key of = {.rule = parent};
    struct qpw_vouch_key key = {.owner = ask->conn->owner, .local_port = ask->key->local_port, .parent = parent,
                                .protocol = ask->key->protocol, .outbound = ask->conn->direction == QPW_DIR_OUTBOUND};
    struct qpw_vouch vouch = {.when_ns = now};
    enum qpw_owner_word word;
    struct qpw_parent noted;
    bool early = false;

    memcpy(of.remote, ask->key->remote, 16);
    if (bpf_map_lookup_elem(a->kernel.map_fd[QPW_MAP_parents], &of, &noted) < 0 ||
        ((int64_t)(now - noted.last_ns) >= (int64_t)a->kernel.control->parent_ns && rule != ask->conn->rule))
        return;
    vouch.word = known_word(a, &key);
    if (!vouch.word) {
        word = judge(ask, parent, &noted, &early);
        if (word == QPW_OWNER_FITS)
            remember_maker(a->vouching, parent, &ask->companion);
        vouch.word = word == QPW_OWNER_FITS ? QPW_VOUCH_FITS : word == QPW_OWNER_OTHER ? QPW_VOUCH_OTHER : QPW_VOUCH_UNKNOWN;
        if (early) /* what registers in a moment is asked for again */
            vouch.when_ns = now - a->kernel.control->parent_ns + RPCBIND_AGE_NS;
        bpf_map_update_elem(a->kernel.map_fd[QPW_MAP_vouches], &key, &vouch, BPF_ANY);
    }
    if (vouch.word == QPW_VOUCH_FITS)
        ask->fits = true;
    else if (vouch.word == QPW_VOUCH_OTHER && !ask->other)
        ask->other = rule;
    else if (vouch.word == QPW_VOUCH_UNKNOWN && !ask->unknown)
        ask->unknown = rule;
}

/* ---- What follows ---- */

/* The finding of the connection under that verdict, as the programs would enter it (bpf/finding.h). */
static void fill(const struct ask *ask, uint8_t verdict, struct qpw_finding_key *ret_key, struct qpw_finding *ret_value)
{
    const struct qpw_conn *conn = ask->conn;
    struct qpw_connection_ends ends = qpw_connection_ends(ask->key, conn);

    *ret_key = (struct qpw_finding_key){.port = ends.to_port, .kind = QPW_KIND_PORT, .protocol = ask->key->protocol,
                                        .direction = conn->direction, .verdict = verdict};
    memcpy(ret_key->initiator, ends.from, 16);
    memcpy(ret_key->responder, ends.to, 16);
    *ret_value = (struct qpw_finding){
        .first_ns = conn->first_ns, .last_ns = conn->last_ns, .initiator_port = ends.from_port,
        .vlan = conn->vlan & QPW_VLAN_ID, .iface = conn->iface, .evidence = conn->evidence, .outcome = conn->outcome,
        .scope = qpw_conn_scope(conn), .changes = 1, .owner = ask->note};
    if (conn->flags & QPW_CONN_REMOTE_FIRST)
        ret_value->flags = QPW_FINDING_REMOTE_FIRST;
    else if (conn->direction == QPW_DIR_OUTBOUND && conn->conn_class != QPW_CLASS_HALF)
        ret_value->flags = QPW_FINDING_NODE;
}

static int table_of(const struct qpw_auditor *a, const struct qpw_finding *value)
{
    return a->kernel.map_fd[value->outcome >= QPW_OUTCOME_ANSWERED ? QPW_MAP_answered : QPW_MAP_findings];
}

/* The queue of the slots of its quota, as qpw_finding_quota() in bpf/finding.h has it. */
static enum qpw_map queue_of(const struct qpw_finding_key *key, const struct qpw_finding *value)
{
    if (value->outcome >= QPW_OUTCOME_ANSWERED)
        return key->verdict == QPW_VERDICT_IMPLIED ? QPW_MAP_implied_slots : QPW_MAP_answered_slots;
    return value->flags & QPW_FINDING_NODE ? QPW_MAP_node_slots : QPW_MAP_finding_slots;
}

/*
 * Enters what no packet may come for any more. Where the programs have, theirs stands; without a place it is reported all
 * the same. Its packets so far are counted with the verdict that they had.
 */
static void enter(struct qpw_auditor *a, const struct qpw_finding_key *key, struct qpw_finding *value)
{
    int table = table_of(a, value), queue = a->kernel.map_fd[queue_of(key, value)];
    struct qpw_finding known;

    if (bpf_map_lookup_elem(table, key, &known) == 0) {
        if (known.reason != value->reason) { /* an implied one whose owner is not known */
            known.reason = value->reason;
            known.provisional = 0;
            known.changes++;
            bpf_map_update_elem(table, key, &known, BPF_EXIST);
        }
        return;
    }
    if (bpf_map_lookup_and_delete_elem(queue, NULL, &value->slot) < 0) {
        value->slot = 0;
        return;
    }
    if (bpf_map_update_elem(table, key, value, BPF_NOEXIST) < 0) {
        bpf_map_update_elem(queue, NULL, &value->slot, BPF_ANY);
        value->slot = 0;
    }
}

/* What was entered as a companion is not one. */
static void supersede_implied(const struct ask *ask)
{
    static const enum qpw_map tables[] = {QPW_MAP_answered, QPW_MAP_findings};
    struct qpw_finding_key key;
    struct qpw_finding value;

    fill(ask, QPW_VERDICT_IMPLIED, &key, &value);
    for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
        int fd = ask->a->kernel.map_fd[tables[i]];

        if (bpf_map_lookup_elem(fd, &key, &value) < 0 || !value.provisional || (value.flags & QPW_FINDING_SUPERSEDED))
            continue; /* else another's, who fits, stands there too */
        value.flags |= QPW_FINDING_SUPERSEDED;
        value.changes++;
        bpf_map_update_elem(fd, &key, &value, BPF_EXIST);
    }
}

/* No rule without a parent takes it either. */
static bool is_unexpected(struct ask *ask, struct qpw_exchange exchange)
{
    struct qpw_judgement plain;

    exchange.parent_live = NULL;
    plain = qpw_policy_judge(ask->a->vouching->judge, &exchange);
    return plain.verdict == QPW_VERDICT_UNEXPECTED || plain.verdict == QPW_VERDICT_WEAK;
}

/* It may have gone on since it was asked for. */
static void refresh(struct ask *ask, struct qpw_conn *conn)
{
    static const enum qpw_conn_class classes[] = {QPW_CLASS_EST, QPW_CLASS_OUT, QPW_CLASS_DGRAM, QPW_CLASS_HALF};
    struct qpw_conn now;

    for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++)
        if (qpw_conns_find(&ask->a->kernel, classes[i], ask->key, &now) == 0 && now.first_ns == conn->first_ns) {
            *conn = now;
            return;
        }
}

static void conclude(struct ask *ask, const struct qpw_exchange *exchange, uint32_t word)
{
    struct qpw_auditor *a = ask->a;
    struct qpw_conn conn = *ask->conn;
    struct qpw_finding_key key;
    struct qpw_finding value;

    if (word != QPW_VOUCH_OTHER && word != QPW_VOUCH_UNKNOWN)
        return;
    if (word == QPW_VOUCH_OTHER && !is_unexpected(ask, *exchange))
        return;
    refresh(ask, &conn);
    ask->conn = &conn;
    find_companion(ask); /* for its note, also where an earlier decision stands */
    fill(ask, word == QPW_VOUCH_OTHER ? QPW_VERDICT_UNEXPECTED : QPW_VERDICT_IMPLIED, &key, &value);
    value.rule = word == QPW_VOUCH_OTHER ? ask->other : ask->unknown;
    value.reason = word == QPW_VOUCH_OTHER ? QPW_REASON_OTHER_OWNER : QPW_REASON_OWNER_UNKNOWN;
    if (word == QPW_VOUCH_OTHER)
        supersede_implied(ask);
    enter(a, &key, &value);
    qpw_events_finding(a, &key, &value);
}

static void remember(struct qpw_vouching *v, const struct qpw_conn_key *key, uint32_t word)
{
    v->recent[v->next] = (struct recent){.key = *key, .word = word};
    v->next = (v->next + 1) % RECENT;
}

static uint16_t index_of(const struct qpw_auditor *a, uint8_t number)
{
    for (size_t i = 0; i < a->n_watched; i++)
        if (a->watched[i].number == number)
            return (uint16_t)a->watched[i].ifindex;
    return 0;
}

/* An exchange that vouches has begun: whoever has it may have ended when a companion is asked about. */
static void remember_session(struct qpw_auditor *a, const struct qpw_conn_key *key, const struct qpw_conn *conn)
{
    struct qpw_vouching *v = a->vouching;
    struct qpw_socket_holders holders;
    struct qpw_process processes[SESSION_HOLDERS];
    size_t n;

    if (qpw_sockets_holders(a->sockets, key, (enum qpw_direction)conn->direction, true, &holders) < 0 ||
        !holders.exact || holders.listener)
        return;
    n = describe_holders(&holders, processes, SESSION_HOLDERS);
    for (size_t i = 0; i < n; i++) {
        if (processes[i].pid == 1)
            continue;
        v->sessions[v->next_session] = (struct session){.key = *key, .process = processes[i], .owner = conn->owner, .rule = conn->rule,
                                                        .when_ns = qpw_clock_monotonic_ns()};
        v->next_session = (v->next_session + 1) % SESSIONS;
    }
}

void qpw_vouching_ask(struct qpw_auditor *a, const struct qpw_conn_key *key, const struct qpw_conn *conn)
{
    struct qpw_connection_ends ends = qpw_connection_ends(key, conn);
    struct qpw_vouching *v = a->vouching;
    struct ask ask = {.a = a, .key = key, .conn = conn};
    struct qpw_exchange exchange = {
        .direction = conn->direction, .kind = QPW_KIND_PORT, .protocol = key->protocol, .port = ends.to_port,
        .initiator_port = ends.from_port, .vlan = conn->vlan & QPW_VLAN_ID, .ifindex = index_of(a, conn->iface),
        .initiator = ends.from, .responder = ends.to};
    uint32_t word;

    if (!qpw_protocol_has_ports(key->protocol) ||
        (conn->direction != QPW_DIR_INBOUND && conn->direction != QPW_DIR_OUTBOUND))
        return;
    if (conn->vlan & QPW_CONN_PARENT)
        remember_session(a, key, conn);
    if (!(conn->vlan & QPW_CONN_PROVISIONAL))
        return;
    if (!v->judge && qpw_judge_new(&a->compiled, &v->judge) < 0)
        return; /* out of memory: asked again with the next walk */
    qpw_policy_companions(v->judge, &exchange, one_step, &ask);
    word = ask.fits      ? QPW_VOUCH_FITS
           : ask.unknown ? QPW_VOUCH_UNKNOWN
           : ask.other   ? QPW_VOUCH_OTHER
                         : QPW_VOUCH_NONE;
    remember(v, key, word);
    qpw_kernel_touch(&a->kernel, key);
    conclude(&ask, &exchange, word);
}

/* ---- Later ---- */

void qpw_vouching_walk_begins(struct qpw_auditor *a)
{
    a->vouching->left = ASKS_A_WALK;
}

void qpw_vouching_live(struct qpw_auditor *a, const struct qpw_conn_key *key, const struct qpw_conn *conn)
{
    if (!(conn->vlan & QPW_CONN_PROVISIONAL) || !a->vouching->left ||
        (conn->direction != QPW_DIR_OUTBOUND && conn->outcome < QPW_OUTCOME_ANSWERED))
        return;
    a->vouching->left--;
    qpw_vouching_ask(a, key, conn);
}

bool qpw_vouching_settle(const struct qpw_auditor *a, const struct qpw_finding_key *key, struct qpw_finding *value)
{
    const struct qpw_vouching *v = a->vouching;
    struct qpw_conn_key tuple;

    if (!value->provisional)
        return true;
    qpw_finding_tuple(key, value, &tuple);
    for (unsigned back = 1; back <= RECENT; back++) {
        const struct recent *r = &v->recent[(v->next + RECENT - back) % RECENT];

        if (memcmp(&r->key, &tuple, sizeof(tuple)))
            continue;
        value->provisional = 0;
        if (r->word == QPW_VOUCH_UNKNOWN)
            value->reason = QPW_REASON_OWNER_UNKNOWN;
        return r->word == QPW_VOUCH_FITS || r->word == QPW_VOUCH_UNKNOWN;
    }
    return false;
}

/* ---- Being there ---- */

int qpw_vouching_open(struct qpw_auditor *a, struct qpw_error *err)
{
    struct qpw_process self = {0};

    a->vouching = calloc(1, sizeof(*a->vouching));
    if (!a->vouching)
        return qpw_fail(err, -ENOMEM, "out of memory");
    if (qpw_process_describe((int)getpid(), &self))
        snprintf(a->vouching->own_unit, sizeof(a->vouching->own_unit), "%s", self.unit);
    return 0;
}

void qpw_vouching_forget(struct qpw_auditor *a)
{
    if (!a->vouching)
        return;
    qpw_judge_free(a->vouching->judge);
    a->vouching->judge = NULL;
}

void qpw_vouching_close(struct qpw_auditor *a)
{
    if (!a->vouching)
        return;
    qpw_vouching_forget(a);
    qpw_rpcbind_clear(&a->vouching->rpcbind);
    free(a->vouching);
    a->vouching = NULL;
}
