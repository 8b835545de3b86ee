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
    bool ancestor; /* and the companion is that process, or descends from it */
};

/* What is asked of one companion; all borrowed. */
struct qpw_vouch_question {
    const struct qpw_process *companion;
    const struct qpw_vouch_parent *parents; /* as many as are known */
    size_t n_parents;
    bool nfs;       /* a lock manager's, mount's or status daemon's port, or an NFS callback: the kernel's fit */
    bool foreign;   /* its packets come from a socket that no service uses, of raw packets: nobody vouches for it */
    bool registers; /* the parent is the port mapper of this node: what is registered with it fits, too, */
    const struct qpw_rpcbind *rpcbind; /* NULL: it could not be asked */
    const struct qpw_policy *policy;
    bool serves_nfs; /* the companion's program is known to hold the NFS port of this node */
    uint8_t protocol;
    uint16_t port;   /* local, host order */
    const char *own_unit; /* the auditor's service, or "": that two are in it says nothing */
    int64_t now;
};

/* FITS, OTHER, or UNSURE where not enough is known of either. */
enum qpw_owner_word qpw_vouch_judge(const struct qpw_vouch_question *q);

/*
 * Whether two are the same: one process, the same executable, or the same service or container. Never by a cgroup that is
 * a user's or a session's, which anybody on the node is in, nor by none.
 */
enum qpw_owner_word qpw_vouch_same(const struct qpw_process *a, const struct qpw_process *b, const char *own_unit);

#endif
