/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * owner.h - the process behind a socket: noted when it is made or connected, read with the first packets it sends.
 *
 * socket(2) and connect(2) run in the process itself, so even one that ends within a millisecond is known; the
 * note lives in the socket's own storage and can neither be crowded out nor outlive it. Not noted: sockets of the
 * kernel (nfsd, lockd), those older than the audit, packet sockets, subflows of MPTCP. There is no hook at
 * accept(2): what a listener accepts belongs to the listener's owner, unless user space finds the very process.
 */
#ifndef QPW_BPF_OWNER_H
#define QPW_BPF_OWNER_H

#include "maps.h"

#define QPW_AF_PACKET 17 /* include/linux/socket.h */

static __always_inline int qpw_owner_elsewhere(void *ctx)
{
    return config.netns_cookie && bpf_get_netns_cookie(ctx) != config.netns_cookie;
}

static __always_inline void qpw_owner_note(struct qpw_owner *o, const enum qpw_owner_how how)
{
    if (!o)
        return; /* no memory: the owner stays unknown */
    o->when_ns = bpf_ktime_get_ns();
    o->cgroup = bpf_get_current_cgroup_id();
    o->uid = (__u32)bpf_get_current_uid_gid();
    o->how = how;
    bpf_get_current_comm(o->comm, sizeof(o->comm));
    o->tgid = bpf_get_current_pid_tgid() >> 32; /* last: it says that there is an owner */
}

static __always_inline struct qpw_owner *qpw_owner_in(struct bpf_sock *sk)
{
    return bpf_sk_storage_get(&owners, sk, 0, 0);
}

/* Fills w->owner with that of the socket which sends skb, as far as it is known. */
static __noinline int qpw_owner_of_sender(struct __sk_buff *skb, struct qpw_work *w)
{
    struct bpf_sock *sk = skb->sk, *full;
    struct qpw_owner *o;

    if (!sk)
        return 0;
    full = bpf_sk_fullsock(sk);
    if (full) {
        o = qpw_owner_in(full);
        if (o)
            w->owner = *o;
        else if (full->family == QPW_AF_PACKET)
            w->owner.how = QPW_OWNER_PACKET;
        return 0;
    }
    full = bpf_get_listener_sock(sk); /* a SYN+ACK is sent for a connection that has no socket yet */
    if (!full)
        return 0;
    o = qpw_owner_in(full);
    if (o) {
        w->owner = *o;
        w->owner.how = QPW_OWNER_LISTENER;
    }
    return 0;
}

#endif
