/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * vouch.h - whether who holds a companion (FTP's data connection, a lock manager, a dynamic RPC port) is who has the
 * exchange that vouches for it, its parent.
 */
#ifndef QPW_FACTS_VOUCH_H
#define QPW_FACTS_VOUCH_H

#include "facts/owner.h"
#include "host/rpcbind.h"

/* Who has had a parent exchange. */
struct qpw_vouch_parent {
    struct qpw_process process;
    bool listened; /* it is only known who listened for it: another may have had the exchange, as with inetd; */
    bool ancestor; /* and the companion is that process, or descends from it, */
    bool broken;   /* or might, for a process between them has ended */
    bool same_note; /* it and the companion's maker were noted as one process, with number, user, executable and cgroup */
    uint64_t alive_ns; /* CLOCK_MONOTONIC, when the process was looked at while it had the exchange; 0: it was not */
};

/*
 * A companion: who holds its socket now, and who made it. Several may hold one, and all of them can answer; a maker may
 * have become another program, or have handed it on.
 */
struct qpw_vouch_companion {
    const struct qpw_process *holders; /* as many as were found */
    size_t n_holders;
    bool all;    /* nobody else holds it */
    bool open;   /* the socket is still there */
    bool exact;  /* it is that of the exchange, not only one bound to its port */
    const struct qpw_process *maker; /* as noted with the socket, as it is now; NULL: nothing is noted */
    const struct qpw_process *made;  /* and as it was then: its executable, empty where unknown, and its service */
    uint64_t made_ns;                /* CLOCK_MONOTONIC */
    bool hands_over;                 /* the maker is who hands sockets to the kernel (qpw_owner_hands_over()) */
};

/* What is asked of one companion; all borrowed. */
struct qpw_vouch_question {
    const struct qpw_vouch_companion *companion;
    const struct qpw_vouch_parent *parents; /* as many as are known */
    size_t n_parents;
    bool nfs;       /* a lock manager's, mount's or status daemon's port, or an NFS callback: the kernel's fit */
    bool foreign;   /* its packets come from a socket that no service uses, of raw packets: nobody vouches for it */
    bool registers; /* the parent is the port mapper of this node: what is registered with it fits, too, */
    const struct qpw_rpcbind *rpcbind; /* NULL: it was not asked, or could not be */
    const struct qpw_policy *policy;
    const struct qpw_process *servers; /* who holds the NFS port of this node now, by the same protocol */
    size_t n_servers;
    bool seen_alive; /* user and executable of all who hold it, or of its maker, were those of a living process that fitted */
    uint8_t protocol;
    uint16_t port;   /* local, host order */
    const char *own_unit; /* the auditor's service, or "": that two are in it says nothing */
    int64_t now;
};

/*
 * FITS, OTHER, or UNSURE where not enough is known of either. FITS takes every holder, and that the executable noted when
 * the socket was made is that of one who fits. Where not all holders can be known, or the socket is closed, a maker that
 * lives and fits, and executes what it did then, stands for them. *ret_early (may be NULL): it is OTHER only because it
 * is not registered, as it may be in a moment.
 */
enum qpw_owner_word qpw_vouch_judge(const struct qpw_vouch_question *q, bool *ret_early);

/* Whether the word depends on what is registered with rpcbind. */
bool qpw_vouch_asks_rpcbind(const struct qpw_vouch_question *q);

/*
 * Whether two are the same: one process, the same executable, which is a file and not its path, or the same service or
 * container. Never by a cgroup that is a user's or a session's, which anybody on the node is in, nor by none. UNSURE where
 * one has ended and its path alone is known.
 */
enum qpw_owner_word qpw_vouch_same(const struct qpw_process *a, const struct qpw_process *b, const char *own_unit);

#endif
