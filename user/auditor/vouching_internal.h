/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* vouching_internal.h - the state of vouching.h and its parts, for the files vouching*.c alone. */
#ifndef QPW_AUDITOR_VOUCHING_INTERNAL_H
#define QPW_AUDITOR_VOUCHING_INTERNAL_H

#include "auditor/internal.h"
#include "auditor/vouching.h"
#include "facts/vouch.h"
#include "host/owner.h"
#include "host/rpcbind.h"
#include "policy/compile/judge.h"

#define QPW_RECENT 256u      /* decisions remembered for the findings that come with them */
#define QPW_SESSIONS 128u    /* exchanges that vouch whose processes are remembered */
#define QPW_FITTING 8u       /* parent rules that vouch for one companion */
#define QPW_VOUCH_PARENTS 16u /* owners of parent exchanges that are looked at */
#define QPW_PORT_MAPPER 111u
#define QPW_NFS_PORT 2049u
#define QPW_RPCBIND_AGE_NS 200000000u /* how long the answer of rpcbind, or that there was none, stands */

struct qpw_recent {
    struct qpw_conn_key key;
    uint32_t word; /* enum qpw_vouch_word */
};

/* A process that had an exchange which vouches, as it was then. */
struct qpw_session {
    struct qpw_conn_key key;
    struct qpw_process process;
    uint64_t when_ns; /* CLOCK_MONOTONIC, 0: none */
    uint32_t owner;   /* number of the owner noted */
    uint16_t rule;
};

/* A companion whose socket is on its way from one process to another, as FTP servers hand it over: asked about again. */
#define QPW_IN_FLIGHT 32u
struct qpw_in_flight {
    struct qpw_conn_key key;
    struct qpw_conn conn;
    uint64_t since_ns, next_ns; /* CLOCK_MONOTONIC */
};

struct qpw_vouching {
    struct qpw_session sessions[QPW_SESSIONS];
    unsigned next_session;
    struct qpw_judge *judge; /* of a->compiled; NULL: to be made */
    struct qpw_rpcbind rpcbind;
    bool has_rpcbind;
    uint64_t rpcbind_ns;     /* when it was asked, 0: never */
    /* Of the companion under judgement. */
    struct qpw_process holders[QPW_SOCKET_HOLDERS], servers[QPW_SOCKET_HOLDERS], maker, made;
    char own_unit[128];
    struct qpw_recent recent[QPW_RECENT];
    unsigned next;
    unsigned left;           /* asks of this walk */
    struct qpw_in_flight in_flight[QPW_IN_FLIGHT];
    size_t n_in_flight;
};

/* One companion under judgement, and what came of it so far. */
struct qpw_ask {
    struct qpw_auditor *a;
    const struct qpw_conn_key *key;
    const struct qpw_conn *conn;
    struct qpw_owner note;
    struct qpw_vouch_companion companion;
    bool has_companion;
    bool may_wait; /* that it is in flight is no word yet, */
    bool waits;    /* and it is */
    bool counts;   /* the step that the programs' judgement stands on, or one after it: those before it had no live parent */
    bool by_notes; /* of parents, only what was noted with their sockets is looked at, which is quick */
    uint16_t fitting[QPW_FITTING]; /* parent rules whose exchanges vouch for it; */
    size_t n_fitting;
    uint16_t unknown, other; /* the first rule that came to that, 0: none */
};

/* Who has, or had, the exchanges of a parent rule with the companion's remote end. */
struct qpw_ask_parents {
    struct qpw_ask *ask;
    uint16_t rule;
    bool mapper; /* it is the port mapper's */
    uint32_t seen[QPW_VOUCH_PARENTS]; /* numbers of owners */
    struct qpw_vouch_parent of[QPW_VOUCH_PARENTS];
    size_t n;
};

/* ---- vouching_companion.c ---- */

/* Processes of those that hold a socket, into ret; how many could be described. */
size_t qpw_ask_describe(const struct qpw_socket_holders *from, struct qpw_process *ret, size_t room);

/* Who holds the companion and who made it, into ask->companion; found once. */
void qpw_ask_companion(struct qpw_ask *ask);

/* Who holds the node's NFS port now, by the companion's protocol, into v->servers; how many. */
size_t qpw_ask_servers(struct qpw_ask *ask);

/* What the node's port mapper has registered, borrowed until the next call; NULL: it did not answer. */
const struct qpw_rpcbind *qpw_ask_rpcbind(struct qpw_vouching *v);

/* ---- vouching_parents.c ---- */

/* Fill p with those that the programs noted, and with those of live connections, which takes a walk over all. */
void qpw_ask_noted_parents(struct qpw_ask_parents *p, const struct qpw_parent *noted);
void qpw_ask_live_parents(struct qpw_ask_parents *p);

/* An exchange that vouches has begun: whoever has it may have ended when a companion is asked about. */
void qpw_session_remember(struct qpw_auditor *a, const struct qpw_conn_key *key, const struct qpw_conn *conn);

/* A companion's maker that fitted: others of its user and executable may end before they are looked at. */
void qpw_session_remember_maker(struct qpw_vouching *v, uint16_t rule, const struct qpw_vouch_companion *c);

/* Whether a process of that executable and user was seen with an exchange of the rule, or was a maker that fitted. */
bool qpw_session_was_seen(const struct qpw_vouching *v, uint16_t rule, const struct qpw_process *made);

/* The same of all who hold it, or of the maker of what is closed, and of what the maker executed then. */
bool qpw_session_were_seen(const struct qpw_vouching *v, uint16_t rule, const struct qpw_vouch_companion *c);

/* ---- vouching_decisions.c ---- */

/* What the programs will make of the connection with its next packet, for whoever looks before that. */
void qpw_decision_write(struct qpw_ask *ask, const struct qpw_exchange *exchange, uint32_t word);

/* Takes out decisions that have arrived, or whose connection has ended; all: every one. */
void qpw_decisions_sweep(struct qpw_auditor *a, bool all);

/* ---- vouching_findings.c ---- */

/* What the policy says of the exchange without any parent; whether that is that no rule but weak ones takes it. */
bool qpw_ask_is_unexpected(const struct qpw_ask *ask, const struct qpw_exchange *exchange, struct qpw_judgement *ret);

/* Enters and reports what follows from the word on ask->conn, enum qpw_vouch_word. */
void qpw_ask_conclude(struct qpw_ask *ask, const struct qpw_exchange *exchange, uint32_t word);

#endif
