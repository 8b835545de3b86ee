/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sight.h - whether somebody watches now: the auditor, and the programs in the hooks of each interface. */
#ifndef QPW_FACTS_SIGHT_H
#define QPW_FACTS_SIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snapshot/snapshot.h"

/* A heartbeat older than this is stale: the auditor writes one each second. */
#define QPW_HEARTBEAT_STALE_NS 10000000000ull

/* X(symbol, "name") */
#define QPW_WATCHES(X) \
    X(OK, "monitored") \
    X(DOWN, "link down") \
    X(DETACHED, "detached")     /* by a command: only its counters are left */ \
    X(UNHOOKED, "NOT ATTACHED") /* a program of ours is not in its hook any more */ \
    X(GONE, "GONE")             /* there is no such interface now */ \
    X(CAPTURE, "capture")       /* replay */
#define QPW_X_WATCH(s, n) QPW_WATCH_##s,
enum qpw_watch_state { QPW_WATCHES(QPW_X_WATCH) QPW_WATCH_COUNT };
const char *qpw_watch_name(unsigned state);

enum qpw_auditor_state {
    QPW_AUDITOR_NONE,   /* nobody holds its lock, or there never was a heartbeat */
    QPW_AUDITOR_SILENT, /* it lives, but its heartbeat is stale */
    QPW_AUDITOR_ALIVE,  /* also in a replay, which needs none */
};

struct qpw_sight {
    enum qpw_auditor_state auditor;
    uint64_t heartbeat_age_ns;    /* UINT64_MAX: never */
    size_t watched;               /* interfaces that should be: all but the detached ones */
    size_t unhooked, gone;        /* of these */
    bool blind;                   /* something that has to watch does not */
    const struct qpw_iface_row *first; /* the first of the unhooked or gone ones, NULL: none */
    uint64_t blind_since_unix_ns; /* the earliest of what is missing; 0: nothing is, or not known */
};

/* State of one row of s->ifaces. */
enum qpw_watch_state qpw_watch_of(const struct qpw_snapshot *s, const struct qpw_iface_row *row);

/* Whether packets pass that interface unseen although it should be watched. */
static inline int qpw_watch_blind(enum qpw_watch_state state)
{
    return state == QPW_WATCH_UNHOOKED || state == QPW_WATCH_GONE;
}

/* Whether the snapshot's auditor works; the age of its last heartbeat, UINT64_MAX: none ever. */
enum qpw_auditor_state qpw_auditor_of(const struct qpw_snapshot *s, uint64_t *ret_age_ns);

void qpw_sight_of(const struct qpw_snapshot *s, struct qpw_sight *ret);

#endif
