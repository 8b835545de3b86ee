/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sight.h - whether monitoring works now: the auditor, and the programs in the hooks of each interface. */
#ifndef QPW_FACTS_SIGHT_H
#define QPW_FACTS_SIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snapshot/snapshot.h"

/* A heartbeat older than this is stale; the auditor writes one per second. */
#define QPW_HEARTBEAT_STALE_NS 10000000000ull

/* X(symbol, "name") */
#define QPW_WATCHES(X) \
    X(OK, "monitored") \
    X(DOWN, "link down") \
    X(DETACHED, "detached")     /* by a command; only its counters remain */ \
    X(UNHOOKED, "NOT ATTACHED") /* one of our programs is missing from its hook */ \
    X(GONE, "GONE")             /* the interface does not exist */ \
    X(CAPTURE, "capture")       /* replay */
#define QPW_X_WATCH(s, n) QPW_WATCH_##s,
enum qpw_watch_state { QPW_WATCHES(QPW_X_WATCH) QPW_WATCH_COUNT };
const char *qpw_watch_name(unsigned state);

enum qpw_auditor_state {
    QPW_AUDITOR_NONE,   /* its lock is free, or it never wrote a heartbeat */
    QPW_AUDITOR_SILENT, /* running, but its heartbeat is stale */
    QPW_AUDITOR_ALIVE,  /* also in a replay, which needs no auditor */
};

struct qpw_sight {
    enum qpw_auditor_state auditor;
    uint64_t heartbeat_age_ns;    /* UINT64_MAX: no heartbeat ever */
    size_t watched;               /* interfaces to be monitored: all except detached ones */
    size_t unhooked, gone;        /* of these */
    bool blind;                   /* a required part of monitoring is missing */
    const struct qpw_iface_row *first; /* the first unhooked or gone one; NULL: none */
    uint64_t blind_since_unix_ns; /* start of the earliest failure; 0: none, or unknown */
};

/* Return the state of one row of s->ifaces. */
enum qpw_watch_state qpw_watch_of(const struct qpw_snapshot *s, const struct qpw_iface_row *row);

/* Return whether an interface that should be monitored passes packets unseen. */
static inline int qpw_watch_blind(enum qpw_watch_state state)
{
    return state == QPW_WATCH_UNHOOKED || state == QPW_WATCH_GONE;
}

/* Return the state of the snapshot's auditor, and the age of its last heartbeat (UINT64_MAX: never). */
enum qpw_auditor_state qpw_auditor_of(const struct qpw_snapshot *s, uint64_t *ret_age_ns);

void qpw_sight_of(const struct qpw_snapshot *s, struct qpw_sight *ret);

#endif
