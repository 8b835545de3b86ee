/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* listening.h - the node's listening sockets compared with its policy and with the requests they received. */
#ifndef QPW_FACTS_LISTENING_H
#define QPW_FACTS_LISTENING_H

#include "facts/owner.h"
#include "host/listeners.h"
#include "policy/compile/compiled.h"
#include "snapshot/snapshot.h"

struct qpw_listening_row {
    const struct qpw_listener *listener;
    uint8_t verdict;   /* ALLOWED, WEAK, IMPLIED or INFRA by the first rule that lists the port; PEER: unlisted, and
                          only peers have used it; UNEXPECTED: unlisted */
    uint16_t rule;     /* 0: none */
    bool loopback;     /* reachable from this host only */
    bool asked;        /* the port received traffic since attaching */
    uint64_t last_asked_unix_ns; /* the last time; 0: no longer known */
    uint8_t owner_word;  /* enum qpw_owner_word: the owner compared with the rule's owner= */
    const char *wanted;  /* that owner=; NULL: the rule names none */
};

/* Input of a list; all borrowed. */
struct qpw_listening_from {
    const struct qpw_listeners *listeners;
    const struct qpw_policy *policy;
    const struct qpw_compiled *compiled; /* the same policy, compiled */
    const struct qpw_registry *names;    /* the names of its rules */
    const struct qpw_snapshot *snapshot; /* the counters; NULL: nothing is attached */
    int64_t now;                         /* Unix seconds, for until= */
};

struct qpw_listening {
    struct qpw_listening_row *rows; /* unlisted and wrong owner first, then by protocol, port and address */
    size_t n;
    size_t n_unlisted;     /* neither loopback nor ephemeral */
    uint16_t *idle;        /* inbound rules in force whose ports have no listener, ascending */
    size_t n_idle;
    bool counted;          /* a snapshot was given, so `asked` is valid */
};

/*
 * Compare listeners with the policy. Rows point into the listeners and the policy. Rules with wide (weak) ranges are
 * never `idle`. Return 0 or -ENOMEM; the caller clears *ret.
 */
int qpw_listening_make(const struct qpw_listening_from *from, struct qpw_listening *ret);
void qpw_listening_clear(struct qpw_listening *l);

/* Return "allowed", "weak", "implied", "infra", "peer" or "unlisted". */
const char *qpw_listening_word(uint8_t verdict);

#endif
