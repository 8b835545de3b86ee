/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "auditor/vouching.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "auditor/vouching_internal.h"
#include "facts/connections.h"
#include "host/clock.h"
#include "snapshot/conns.h"
#include "snapshot/decisions.h"

#define ASKS_A_WALK 64u
#define IN_FLIGHT_AGAIN_NS 20000000u
#define IN_FLIGHT_NS 150000000u

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

/* Judge by the recorded parents if that suffices; look for live ones only otherwise, because that is expensive. */
static enum qpw_owner_word judge(struct qpw_ask *ask, uint16_t parent, const struct qpw_parent *noted, bool *ret_early)
{
    struct qpw_auditor *a = ask->a;
    bool inbound = ask->conn->direction == QPW_DIR_INBOUND, mapper = covers(a, parent, QPW_PORT_MAPPER);
    struct qpw_ask_parents parents = {.ask = ask, .rule = parent, .mapper = mapper};
    struct qpw_vouch_question q = {
        .companion = &ask->companion, .parents = parents.of, .nfs = mapper || covers(a, parent, QPW_NFS_PORT),
        .registers = mapper && inbound, .policy = &a->policy, .protocol = ask->key->protocol,
        .port = ask->key->local_port, .own_unit = a->vouching->own_unit, .now = time(NULL)};
    enum qpw_owner_word word;

    qpw_ask_companion(ask);
    q.foreign = ask->note.how == QPW_OWNER_PACKET;
    if (q.registers && !q.foreign) {
        q.servers = a->vouching->servers;
        q.n_servers = qpw_ask_servers(ask);
    }
    q.seen_alive = ask->companion.maker && ask->companion.maker->ended &&
                   qpw_session_was_seen(a->vouching, parent, ask->companion.made);
    ask->by_notes = true;
    qpw_ask_noted_parents(&parents, noted);
    ask->by_notes = false;
    q.n_parents = parents.n;
    word = qpw_vouch_judge(&q, ret_early);
    if (word == QPW_OWNER_FITS)
        return word;
    if (qpw_vouch_asks_rpcbind(&q))
        q.rpcbind = qpw_ask_rpcbind(a->vouching);
    parents.n = 0;
    qpw_ask_noted_parents(&parents, noted);
    q.n_parents = parents.n;
    word = qpw_vouch_judge(&q, ret_early);
    if (word != QPW_OWNER_FITS && noted->turn) {
        qpw_ask_live_parents(&parents);
        q.n_parents = parents.n;
        word = qpw_vouch_judge(&q, ret_early);
    }
    if (word == QPW_OWNER_UNSURE && qpw_session_were_seen(a->vouching, parent, &ask->companion)) {
        q.seen_alive = true;
        word = qpw_vouch_judge(&q, ret_early);
    }
    return word;
}

/* Return the stored decision about this owner and port, unless it was "unknown" or has expired. */
static uint32_t known_word(const struct qpw_auditor *a, const struct qpw_vouch_key *key)
{
    struct qpw_vouch vouch;

    if (bpf_map_lookup_elem(a->kernel.map_fd[QPW_MAP_vouches], key, &vouch) < 0 || vouch.word == QPW_VOUCH_UNKNOWN ||
        (int64_t)(qpw_kernel_now_ns(&a->kernel) - vouch.when_ns) >= (int64_t)a->kernel.control->parent_ns)
        return QPW_VOUCH_NONE;
    return vouch.word;
}

/* Return whether the socket is open and was made by a process, but no process holds it. */
static bool is_in_flight(const struct qpw_vouch_companion *c)
{
    return c->open && c->all && !c->n_holders && c->maker && !c->hands_over;
}

/* Detect whether the programs' judgement is based on any of the steps; it is not if the policy has changed since. */
static void find_judged_step(void *data, uint16_t rule, uint16_t parent)
{
    struct qpw_ask *ask = data;

    (void)parent;
    ask->counts &= rule != ask->conn->rule;
}

/*
 * Judge one step of the policy that an exchange of the rule `parent` would vouch for. The decision is stored for later
 * connections; for this one, a parent that appeared after its last packet does not count.
 */
static void one_step(void *data, uint16_t rule, uint16_t parent)
{
    struct qpw_ask *ask = data;
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
        if (word == QPW_OWNER_UNSURE && ask->may_wait && is_in_flight(&ask->companion)) {
            ask->waits = true;
            return;
        }
        if (word == QPW_OWNER_FITS)
            qpw_session_remember_maker(a->vouching, parent, &ask->companion);
        vouch.word = word == QPW_OWNER_FITS ? QPW_VOUCH_FITS : word == QPW_OWNER_OTHER ? QPW_VOUCH_OTHER : QPW_VOUCH_UNKNOWN;
        if (early) /* it may register in a moment, so let the decision expire soon */
            vouch.when_ns = now - a->kernel.control->parent_ns + QPW_RPCBIND_AGE_NS;
        bpf_map_update_elem(a->kernel.map_fd[QPW_MAP_vouches], &key, &vouch, BPF_ANY);
    }
    ask->counts |= rule == ask->conn->rule;
    if (!ask->counts)
        return;
    if (vouch.word == QPW_VOUCH_FITS && ask->n_fitting < QPW_FITTING)
        ask->fitting[ask->n_fitting++] = parent;
    else if (vouch.word == QPW_VOUCH_OTHER && !ask->other)
        ask->other = rule;
    else if (vouch.word == QPW_VOUCH_UNKNOWN && !ask->unknown)
        ask->unknown = rule;
}

/* ---- Questions ---- */

static void remember(struct qpw_vouching *v, const struct qpw_conn_key *key, uint32_t word)
{
    v->recent[v->next] = (struct qpw_recent){.key = *key, .word = word};
    v->next = (v->next + 1) % QPW_RECENT;
}

static uint16_t index_of(const struct qpw_auditor *a, uint8_t number)
{
    for (size_t i = 0; i < a->n_watched; i++)
        if (a->watched[i].number == number)
            return (uint16_t)a->watched[i].ifindex;
    return 0;
}

static bool wait_for(struct qpw_vouching *v, const struct qpw_conn_key *key, const struct qpw_conn *conn, uint64_t since_ns)
{
    uint64_t now = qpw_clock_monotonic_ns();

    if (v->n_in_flight == QPW_IN_FLIGHT)
        return false;
    v->in_flight[v->n_in_flight++] = (struct qpw_in_flight){
        .key = *key, .conn = *conn, .since_ns = since_ns ? since_ns : now, .next_ns = now + IN_FLIGHT_AGAIN_NS};
    return true;
}

/* since_ns: when it was first found in flight, 0: now. */
static void ask_about(struct qpw_auditor *a, const struct qpw_conn_key *key, const struct qpw_conn *conn, uint64_t since_ns)
{
    struct qpw_connection_ends ends = qpw_connection_ends(key, conn);
    struct qpw_vouching *v = a->vouching;
    struct qpw_ask ask = {.a = a, .key = key, .conn = conn, .may_wait = v->n_in_flight < QPW_IN_FLIGHT &&
                          (!since_ns || qpw_clock_monotonic_ns() - since_ns < IN_FLIGHT_NS)};
    struct qpw_exchange exchange = {
        .direction = conn->direction, .kind = QPW_KIND_PORT, .protocol = key->protocol, .port = ends.to_port,
        .initiator_port = ends.from_port, .vlan = conn->vlan & QPW_VLAN_ID, .ifindex = index_of(a, conn->iface),
        .initiator = ends.from, .responder = ends.to};
    uint32_t word;

    if (!qpw_protocol_has_ports(key->protocol) ||
        (conn->direction != QPW_DIR_INBOUND && conn->direction != QPW_DIR_OUTBOUND))
        return;
    if (conn->vlan & QPW_CONN_PARENT)
        qpw_session_remember(a, key, conn);
    if (!(conn->vlan & QPW_CONN_PROVISIONAL))
        return;
    if (!v->judge && qpw_judge_new(&a->compiled, &v->judge) < 0)
        return; /* out of memory: asked again in the next walk */
    ask.counts = true;
    qpw_policy_companions(v->judge, &exchange, find_judged_step, &ask);
    qpw_policy_companions(v->judge, &exchange, one_step, &ask);
    if (ask.waits && !ask.n_fitting && wait_for(v, key, conn, since_ns))
        return;
    word = ask.n_fitting ? QPW_VOUCH_FITS
           : ask.unknown ? QPW_VOUCH_UNKNOWN
           : ask.other   ? QPW_VOUCH_OTHER
                         : QPW_VOUCH_NONE;
    remember(v, key, word);
    qpw_decision_write(&ask, &exchange, word);
    qpw_kernel_touch(&a->kernel, key);
    qpw_ask_conclude(&ask, &exchange, word);
}

void qpw_vouching_ask(struct qpw_auditor *a, const struct qpw_conn_key *key, const struct qpw_conn *conn)
{
    ask_about(a, key, conn, 0);
}

void qpw_vouching_in_flight(struct qpw_auditor *a)
{
    struct qpw_vouching *v = a->vouching;
    uint64_t now = v->n_in_flight ? qpw_clock_monotonic_ns() : 0;

    for (size_t i = v->n_in_flight; i-- > 0;) {
        struct qpw_in_flight one = v->in_flight[i];

        if (now < one.next_ns)
            continue;
        v->in_flight[i] = v->in_flight[--v->n_in_flight];
        ask_about(a, &one.key, &one.conn, one.since_ns);
    }
}

/* ---- Repeated questions ---- */

void qpw_vouching_walk_begins(struct qpw_auditor *a)
{
    a->vouching->left = ASKS_A_WALK;
    qpw_decisions_sweep(a, /* all= */ false);
}

void qpw_vouching_live(struct qpw_auditor *a, const struct qpw_conn_key *key, const struct qpw_conn *conn)
{
    struct qpw_decision decision;

    if (!(conn->vlan & QPW_CONN_PROVISIONAL) || !a->vouching->left ||
        (conn->direction != QPW_DIR_OUTBOUND && conn->outcome < QPW_OUTCOME_ANSWERED))
        return;
    if (qpw_decision_find(&a->kernel, key, conn, &decision) && decision.reason != QPW_REASON_OWNER_UNKNOWN)
        return; /* already decided; the next packet applies it */
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
    for (unsigned back = 1; back <= QPW_RECENT; back++) {
        const struct qpw_recent *r = &v->recent[(v->next + QPW_RECENT - back) % QPW_RECENT];

        if (memcmp(&r->key, &tuple, sizeof(tuple)))
            continue;
        value->provisional = 0;
        if (r->word == QPW_VOUCH_UNKNOWN)
            value->reason = QPW_REASON_OWNER_UNKNOWN;
        return r->word == QPW_VOUCH_FITS || r->word == QPW_VOUCH_UNKNOWN;
    }
    return false;
}

/* ---- Start and end ---- */

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
    qpw_decisions_sweep(a, /* all= */ true);
    qpw_judge_free(a->vouching->judge);
    a->vouching->judge = NULL;
}

void qpw_vouching_close(struct qpw_auditor *a)
{
    if (!a->vouching)
        return;
    qpw_judge_free(a->vouching->judge);
    qpw_rpcbind_clear(&a->vouching->rpcbind);
    free(a->vouching);
    a->vouching = NULL;
}
