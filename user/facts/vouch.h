/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * vouch.h - whether a companion (FTP's data connection, a lock manager, a dynamic RPC port) belongs to the process of
 * the exchange that vouches for it, its parent.
 */
#ifndef QPW_FACTS_VOUCH_H
#define QPW_FACTS_VOUCH_H

#include "facts/owner.h"
#include "host/rpcbind.h"

/* A process that had a parent exchange. */
struct qpw_vouch_parent {
    struct qpw_process process;
    bool listened; /* known only as the listener; another process may have had the exchange, as with inetd */
    bool ancestor; /* the companion is that process or descends from it */
    bool broken;   /* a process between them has ended, so it may descend from it */
    bool same_note; /* it and the companion's maker were recorded as one process: same pid, user, executable and
                       cgroup */
    uint64_t alive_ns; /* CLOCK_MONOTONIC when the process was examined during the exchange; 0: it was not */
};

/*
 * A companion's socket: its current holders and its maker. Several processes may hold a socket, and each of them can
 * answer; a maker may have executed another program or passed the socket on.
 */
struct qpw_vouch_companion {
    const struct qpw_process *holders; /* those that were found */
    size_t n_holders;
    bool all;    /* no other process holds it */
    bool open;   /* the socket still exists */
    bool exact;  /* it is the exchange's own socket, not merely one bound to its port */
    const struct qpw_process *maker; /* as recorded with the socket, in its current state; NULL: not recorded */
    const struct qpw_process *made;  /* its state when it made the socket: executable, empty if unknown, and service */
    uint64_t made_ns;                /* CLOCK_MONOTONIC */
    bool hands_over;                 /* the maker passes sockets to the kernel (qpw_owner_hands_over()) */
};

/* The question about one companion; all borrowed. */
struct qpw_vouch_question {
    const struct qpw_vouch_companion *companion;
    const struct qpw_vouch_parent *parents; /* those that are known */
    size_t n_parents;
    bool nfs;       /* a port of a lock manager, mount or status daemon, or an NFS callback: the kernel is a fitting
                       owner */
    bool foreign;   /* its packets come from a raw-packet socket that no service uses, so no process vouches for it */
    bool registers; /* the parent is this node's port mapper: processes registered with it fit, too */
    const struct qpw_rpcbind *rpcbind; /* NULL: not asked, or no answer */
    const struct qpw_policy *policy;
    const struct qpw_process *servers; /* current holders of this node's NFS port, same protocol */
    size_t n_servers;
    bool seen_alive; /* user and executable of all holders, or of the maker, equal those of a living process that
                        fitted */
    uint8_t protocol;
    uint16_t port;   /* local, host order */
    const char *own_unit; /* the auditor's unit, or "": two processes in it need not be related */
    int64_t now;
};

/*
 * Return FITS, OTHER, or UNSURE if too little is known. FITS requires that every holder fits, and that the executable
 * recorded when the socket was made is that of a fitting process. If not all holders can be known, or the socket is
 * closed, the maker stands for them, provided that it lives, fits and still executes the same program. *ret_early (may
 * be NULL): it is OTHER only because it is not registered yet, which may change in a moment.
 */
enum qpw_owner_word qpw_vouch_judge(const struct qpw_vouch_question *q, bool *ret_early);

/* Return whether the result depends on registrations with rpcbind. */
bool qpw_vouch_asks_rpcbind(const struct qpw_vouch_question *q);

/*
 * Return whether two processes are the same owner: one process, the same executable (the file, not only its path), or
 * the same service or container. A cgroup of a user or a session does not count, because anyone on the node may be in
 * it; nor does the absence of one. UNSURE if one has ended and only its path is known.
 */
enum qpw_owner_word qpw_vouch_same(const struct qpw_process *a, const struct qpw_process *b, const char *own_unit);

#endif
