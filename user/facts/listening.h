/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* listening.h - what the node's sockets wait for, held against its policy and against what was asked. */
#ifndef QPW_FACTS_LISTENING_H
#define QPW_FACTS_LISTENING_H

#include "facts/owner.h"
#include "host/listeners.h"
#include "policy/compile/compiled.h"
#include "snapshot/snapshot.h"

struct qpw_listening_row {
    const struct qpw_listener *listener;
    uint8_t verdict;   /* ALLOWED, WEAK, IMPLIED or INFRA by the first rule that lists the port; PEER: unlisted, and
                          only peers have asked it; UNEXPECTED: unlisted */
    uint16_t rule;     /* 0: none */
    bool loopback;     /* reachable from this host alone */
    bool asked;        /* somebody has asked the port since attaching, */
    uint64_t last_asked_unix_ns; /* and then; 0: not known any more */
    uint8_t owner_word;  /* enum qpw_owner_word: the owner against owner= of the rule */
    const char *wanted;  /* that owner=; NULL: it names nobody */
};

/* What a list is made of; all borrowed. */
struct qpw_listening_from {
    const struct qpw_listeners *listeners;
    const struct qpw_policy *policy;
    const struct qpw_compiled *compiled; /* of that policy, */
    const struct qpw_registry *names;    /* with its names */
    const struct qpw_snapshot *snapshot; /* what was counted; NULL: nothing is attached */
    int64_t now;                         /* Unix seconds, for until= */
};

struct qpw_listening {
    struct qpw_listening_row *rows; /* unlisted and of another owner first, then by protocol, port and address */
    size_t n;
    size_t n_unlisted;     /* not loopback, not ephemeral */
    uint16_t *idle;        /* inbound rules in force on ports nobody listens on, ascending */
    size_t n_idle;
    bool counted;          /* a snapshot was given: `asked` means something */
};

/*
 * Pure: rows point into the listeners and the policy. Rules of wide (weak) ranges are never `idle`. The caller clears
 * *ret. 0 or -ENOMEM.
 */
int qpw_listening_make(const struct qpw_listening_from *from, struct qpw_listening *ret);
void qpw_listening_clear(struct qpw_listening *l);

/* "allowed", "weak", "implied", "infra", "peer" or "unlisted". */
const char *qpw_listening_word(uint8_t verdict);

#endif
