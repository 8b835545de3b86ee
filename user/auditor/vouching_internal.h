/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* vouching_internal.h - the state of vouching.h and its parts, for the files vouching*.c only. */
#ifndef QPW_AUDITOR_VOUCHING_INTERNAL_H
#define QPW_AUDITOR_VOUCHING_INTERNAL_H

#include "auditor/internal.h"
#include "auditor/vouching.h"
#include "facts/vouch.h"
#include "host/owner.h"
#include "host/rpcbind.h"
#include "policy/compile/judge.h"

#define QPW_RECENT 256u      /* decisions remembered for the findings that belong to them */
#define QPW_SESSIONS 128u    /* vouching exchanges whose processes are remembered */
#define QPW_FITTING 8u       /* maximum number of parent rules that vouch for one companion */
#define QPW_VOUCH_PARENTS 16u /* maximum number of owners of parent exchanges that are examined */
#define QPW_PORT_MAPPER 111u
#define QPW_NFS_PORT 2049u
#define QPW_RPCBIND_AGE_NS 200000000u /* lifetime of rpcbind's answer, or of a failure to answer */

struct qpw_recent {
    struct qpw_conn_key key;
    uint32_t word; /* enum qpw_vouch_word */
};

/* A process that had a vouching exchange, as it was then. */
struct qpw_session {
    struct qpw_conn_key key;
    struct qpw_process process;
    uint64_t when_ns; /* CLOCK_MONOTONIC, 0: none */
    uint32_t owner;   /* number of the recorded owner */
    uint16_t rule;
};

/* A companion whose socket is in flight between two processes, as when FTP servers pass it on; to be asked again. */
#define QPW_IN_FLIGHT 32u
struct qpw_in_flight {
    struct qpw_conn_key key;
    struct qpw_conn conn;
    uint64_t since_ns, next_ns; /* CLOCK_MONOTONIC */
};

struct qpw_vouching {
    struct qpw_session sessions[QPW_SESSIONS];
    unsigned next_session;
    struct qpw_judge *judge; /* for a->compiled; NULL: not made yet */
    struct qpw_rpcbind rpcbind;
    bool has_rpcbind;
    uint64_t rpcbind_ns;     /* when rpcbind was asked, 0: never */
    /* The companion being judged. */
    struct qpw_process holders[QPW_SOCKET_HOLDERS], servers[QPW_SOCKET_HOLDERS], maker, made;
    char own_unit[128];
    struct qpw_recent recent[QPW_RECENT];
    unsigned next;
    unsigned left;           /* questions left in this walk */
    struct qpw_in_flight in_flight[QPW_IN_FLIGHT];
    size_t n_in_flight;
};

/* The judgement of one companion, so far. */
struct qpw_ask {
    struct qpw_auditor *a;
    const struct qpw_conn_key *key;
    const struct qpw_conn *conn;
    struct qpw_owner note;
    struct qpw_vouch_companion companion;
    bool has_companion;
    bool may_wait; /* return no decision while the socket is in flight */
    bool waits;    /* it is in flight */
    bool counts;   /* at or past the step that the programs' judgement is based on; earlier steps had no live parent */
    bool by_notes; /* check only parents recorded with their sockets, which is fast */
    uint16_t fitting[QPW_FITTING]; /* parent rules whose exchanges vouch for it */
    size_t n_fitting;
    uint16_t unknown, other; /* the first rule with that result, 0: none */
};

/* The current and former processes of a parent rule's exchanges with the companion's remote end. */
struct qpw_ask_parents {
    struct qpw_ask *ask;
    uint16_t rule;
    bool mapper; /* the rule is the port mapper's */
    uint32_t seen[QPW_VOUCH_PARENTS]; /* numbers of owners */
    struct qpw_vouch_parent of[QPW_VOUCH_PARENTS];
    size_t n;
};

/* ---- vouching_companion.c ---- */

/* Describe processes that hold a socket, into ret; return how many could be described. */
size_t qpw_ask_describe(const struct qpw_socket_holders *from, struct qpw_process *ret, size_t room);

/* Find the companion's holders and maker, once, into ask->companion. */
void qpw_ask_companion(struct qpw_ask *ask);

/* Find the current holders of the node's NFS port, same protocol, into v->servers; return their number. */
size_t qpw_ask_servers(struct qpw_ask *ask);

/* Return the registrations of the node's port mapper, borrowed until the next call; NULL: it did not answer. */
const struct qpw_rpcbind *qpw_ask_rpcbind(struct qpw_vouching *v);

/* ---- vouching_parents.c ---- */

/* Fill p with the parents recorded by the programs, or with those of live connections, which takes a walk over all. */
void qpw_ask_noted_parents(struct qpw_ask_parents *p, const struct qpw_parent *noted);
void qpw_ask_live_parents(struct qpw_ask_parents *p);

/* Remember the process of a new vouching exchange, because it may have ended when a companion is judged. */
void qpw_session_remember(struct qpw_auditor *a, const struct qpw_conn_key *key, const struct qpw_conn *conn);

/* Remember a maker that fitted, because others of its user and executable may end before they are examined. */
void qpw_session_remember_maker(struct qpw_vouching *v, uint16_t rule, const struct qpw_vouch_companion *c);

/* Return whether a process of that executable and user had an exchange of the rule, or was a maker that fitted. */
bool qpw_session_was_seen(const struct qpw_vouching *v, uint16_t rule, const struct qpw_process *made);

/* The same for all holders, or, if closed, for the maker and for what it executed then. */
bool qpw_session_were_seen(const struct qpw_vouching *v, uint16_t rule, const struct qpw_vouch_companion *c);

/* ---- vouching_decisions.c ---- */

/* Store the decision that the programs will apply with the next packet, for readers until then. */
void qpw_decision_write(struct qpw_ask *ask, const struct qpw_exchange *exchange, uint32_t word);

/* Remove decisions that were applied, or whose connection has ended; all: every one. */
void qpw_decisions_sweep(struct qpw_auditor *a, bool all);

/* ---- vouching_findings.c ---- */

/* Judge the exchange without any parent. Return whether no rule, or only a weak one, covers it. */
bool qpw_ask_is_unexpected(const struct qpw_ask *ask, const struct qpw_exchange *exchange, struct qpw_judgement *ret);

/* Enter and report what follows from the decision (enum qpw_vouch_word) about ask->conn. */
void qpw_ask_conclude(struct qpw_ask *ask, const struct qpw_exchange *exchange, uint32_t word);

#endif
