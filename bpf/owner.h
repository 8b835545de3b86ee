/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * owner.h - the process behind a socket: noted when it is created or connected, read with the first packets it sends.
 *
 * socket(2) and connect(2) run in the process itself, so even one that ends within a millisecond is known; the
 * note lives in the socket's own storage and can neither be crowded out nor outlive it. Not noted: sockets of the
 * kernel (nfsd, lockd), packet sockets, subflows of MPTCP; the last two differ in what they send. There is no hook at
 * accept(2): what a listener accepts belongs to the listener's owner, unless user space finds the very process. Sockets
 * older than the audit are noted beside, by user space.
 */
#ifndef QPW_BPF_OWNER_H
#define QPW_BPF_OWNER_H

#include "executable.h"
#include "maps.h"
#include "open.h"

#define QPW_AF_INET 2    /* include/linux/socket.h */
#define QPW_AF_PACKET 17 /* include/linux/socket.h */
#define QPW_SOCK_RAW 3   /* include/linux/net.h */

static __always_inline int qpw_owner_elsewhere(void *ctx)
{
    return config.netns_cookie && bpf_get_netns_cookie(ctx) != config.netns_cookie;
}

static __always_inline void qpw_owner_note(struct qpw_owner *o, const enum qpw_owner_how how)
{
    __u32 tgid = bpf_get_current_pid_tgid() >> 32;

    if (!o)
        return; /* no memory: the owner stays unknown */
    o->when_ns = qpw_now();
    o->cgroup = bpf_get_current_cgroup_id();
    o->uid = (__u32)bpf_get_current_uid_gid();
    o->how = how;
    o->number = 0;
    bpf_get_current_comm(o->comm, sizeof(o->comm));
    o->exe = qpw_exe_current(tgid, o->when_ns);
    o->tgid = tgid; /* written last: it marks the owner as complete */
}

static __always_inline struct qpw_owner *qpw_owner_in(struct bpf_sock *sk)
{
    return bpf_sk_storage_get(&owners, sk, 0, 0);
}

/* Return whether a raw or packet socket, which builds its own segments, sent this TCP segment. */
static __noinline int qpw_is_handmade(struct __sk_buff *skb)
{
    struct bpf_sock *sk = skb->sk;

    sk = sk ? bpf_sk_fullsock(sk) : 0;
    return sk && (sk->family == QPW_AF_PACKET || sk->type == QPW_SOCK_RAW);
}

static __always_inline int qpw_owner_is(const struct qpw_owner *a, const struct qpw_owner *b)
{
    const __u64 *x = (const __u64 *)a->comm, *y = (const __u64 *)b->comm;

    return a->tgid == b->tgid && a->how == b->how && a->uid == b->uid && a->cgroup == b->cgroup &&
           a->exe == b->exe && x[0] == y[0] && x[1] == y[1];
}

static __always_inline struct qpw_owner_set *qpw_owner_set(__u32 index)
{
    index &= QPW_OWNER_SETS - 1;
    return bpf_map_lookup_elem(&owner_table, &index);
}

/* Enter w->owner in the set in place of the owner numbered longest ago. Returns the number that one had. */
static __always_inline __u32 qpw_owner_replace(struct qpw_work *w, struct qpw_owner_set *set, __u32 index, __u32 way,
                                               __u64 *ret_last)
{
    struct qpw_owner_entry *e = &set->entry[way & (QPW_OWNER_WAYS - 1)];
    __u32 before = e->owner.number, version = (before >> QPW_OWNER_INDEX_BITS) + 1;

    *ret_last = e->last_ns;
    w->owner.number = QPW_OWNER_NUMBER(version + (version >> 11), index, way & (QPW_OWNER_WAYS - 1));
    e->owner = w->owner;
    e->last_ns = w->now;
    return before;
}

/* Give the number out once more if it names w->owner. Nothing may be called while the lock is held. */
static __noinline int qpw_owner_has_number(struct qpw_work *w, __u32 number)
{
    struct qpw_owner_set *set = qpw_owner_set(QPW_OWNER_SET(number));
    struct qpw_owner_entry *e;
    int same;

    if (!number || !set)
        return 0;
    e = &set->entry[QPW_OWNER_WAY(number)];
    bpf_spin_lock(&set->lock);
    same = e->owner.number == number && qpw_owner_is(&e->owner, &w->owner);
    if (same) {
        e->owner.when_ns = w->owner.when_ns;
        e->last_ns = w->now;
    }
    bpf_spin_unlock(&set->lock);
    if (same)
        w->owner.number = number;
    return same;
}

/*
 * Take the sets in turn, so that all fill evenly whatever the process numbers are; two CPUs in the same set do no harm.
 */
static __noinline int qpw_owner_enter(struct qpw_work *w)
{
    __u32 index = owner_turn++ & (QPW_OWNER_SETS - 1), oldest = 0, evicted;
    struct qpw_owner_set *set = qpw_owner_set(index);
    __u64 least = ~0ull, last = 0;

    if (!set)
        return 0;
    bpf_spin_lock(&set->lock);
#pragma unroll
    for (__u32 way = 0; way < QPW_OWNER_WAYS; way++)
        if (set->entry[way].last_ns < least) {
            least = set->entry[way].last_ns;
            oldest = way;
        }
    evicted = qpw_owner_replace(w, set, index, oldest, &last);
    bpf_spin_unlock(&set->lock);
    if (evicted && w->now - last < control.tcp_ns)
        qpw_stat(QPW_LOSS_OWNER_EVICTED);
    return 0;
}

/*
 * Give w->owner its number in the table of owners. Mostly it has one already: the socket has carried it since its
 * first packet, or another socket of the process was given it lately.
 */
__noinline __u32 qpw_owner_number(void)
{
    struct qpw_work *w = qpw_work();
    struct qpw_owner_set *set;
    struct qpw_owner_entry *e;

    if (!w)
        return 0;
    if (w->owner.number) {
        set = qpw_owner_set(QPW_OWNER_SET(w->owner.number));
        e = set ? &set->entry[QPW_OWNER_WAY(w->owner.number)] : 0;
        if (e && e->owner.number == w->owner.number && e->owner.how == w->owner.how) {
            e->last_ns = w->now;
            return w->owner.number;
        }
    }
    set = qpw_owner_set(w->owner.tgid);
    if (!set || qpw_owner_has_number(w, set->latest))
        return w->owner.number;
    qpw_owner_enter(w);
    set->latest = w->owner.number;
    return w->owner.number;
}

/* Copy the owner that the socket o is noted with into w->owner; how: QPW_OWNER_NONE as it was noted. */
static __always_inline void qpw_owner_take(struct qpw_work *w, struct qpw_owner *o, const enum qpw_owner_how how)
{
    w->owner = *o;
    if (how)
        w->owner.how = how;
    o->number = qpw_owner_number();
}

/* Return the note of a listening socket: from its own storage, or from user space if it is older than the audit. */
static __always_inline struct qpw_owner *qpw_owner_of_listener(struct qpw_work *w, struct bpf_sock *sk)
{
    struct qpw_owner *o = qpw_owner_in(sk);
    struct qpw_conn_key *key = &w->listener;
    __u32 word;

    if (o)
        return o;
    __builtin_memset(key, 0, sizeof(*key));
    key->protocol = QPW_IPPROTO_TCP;
    key->local_port = (__u16)sk->src_port;
    if (sk->family == QPW_AF_INET) {
        word = sk->src_ip4;
        if (word) { /* else any address, written as IPv6 has it */
            key->local[10] = key->local[11] = 0xff;
            qpw_set_word(key->local + 12, word);
        }
    } else {
#pragma unroll
        for (int i = 0; i < 4; i++) {
            word = sk->src_ip6[i];
            qpw_set_word(key->local + 4 * i, word);
        }
    }
    return bpf_map_lookup_elem(&listeners, key);
}

/*
 * With SYN cookies no socket is behind a SYN+ACK: the listener is that which the other end's packet would be given to.
 */
static __noinline int qpw_owner_by_lookup(struct __sk_buff *skb, struct qpw_work *w)
{
    struct qpw_owner *o = 0;
    struct bpf_sock *sk;

    if (qpw_tuple(/* any_remote= */ 0) == sizeof(w->tuple.ipv4))
        sk = bpf_sk_lookup_tcp(skb, &w->tuple, sizeof(w->tuple.ipv4), -1, 0);
    else
        sk = bpf_sk_lookup_tcp(skb, &w->tuple, sizeof(w->tuple.ipv6), -1, 0);
    if (!sk)
        return 0;
    if (sk->state == QPW_TCP_LISTEN)
        o = qpw_owner_of_listener(w, sk);
    bpf_sk_release(sk);
    if (o)
        qpw_owner_take(w, o, QPW_OWNER_LISTENER);
    return 0;
}

#define QPW_TCP_HEADER 20u
#define QPW_TCP_OPTIONS 40u
#define QPW_OPTION_END 0
#define QPW_OPTION_NOP 1
#define QPW_OPTION_MPTCP 30 /* RFC 8684, 3 */

#define QPW_OPTION_FOUND 0xffu

/*
 * The TCP option at that byte of w->header: QPW_OPTION_FOUND, it is one of MPTCP; 0, nothing follows it; else where the
 * next one is. Global: the verifier goes through it once, and not once for each option.
 */
__noinline __u32 qpw_option_after(__u32 at)
{
    struct qpw_work *w = qpw_work();
    __u8 kind, bytes;

    if (!w)
        return 0;
    kind = w->header[at & 63];
    bytes = w->header[(at + 1) & 63];
    if (kind == QPW_OPTION_MPTCP)
        return QPW_OPTION_FOUND;
    if (kind == QPW_OPTION_NOP)
        return at + 1;
    return kind == QPW_OPTION_END || bytes < 2 || bytes > QPW_TCP_OPTIONS ? 0 : at + bytes;
}

/* Return whether this segment, which need not be linear, carries an option of MPTCP. */
static __noinline int qpw_is_mptcp(struct __sk_buff *skb, struct qpw_work *w)
{
    __u32 start = w->pkt.l4_offset + QPW_TCP_HEADER, at = 0, n;
    __u8 *option = w->header;

    if (w->pkt.protocol != QPW_IPPROTO_TCP || w->pkt.fragment || bpf_skb_load_bytes(skb, start - 8, option, 1))
        return 0;
    n = (option[0] >> 4) * 4u;
    if (n <= QPW_TCP_HEADER)
        return 0;
    n = ((n - QPW_TCP_HEADER - 1) & 63) + 1; /* verifier: never 0, and never above, in the register used */
    if (n > QPW_TCP_OPTIONS)
        return 0;
    barrier_var(n);
    if (bpf_skb_load_bytes(skb, start, option, n))
        return 0;
#pragma clang loop unroll(disable)
    for (__u32 i = 0; i < QPW_TCP_OPTIONS && at + 1 < n; i++) {
        at = qpw_option_after(at);
        if (!at || at == QPW_OPTION_FOUND)
            return !!at;
    }
    return 0;
}

/* No process is known of the sender, but what kind of socket it is. */
static __always_inline void qpw_owner_kind(struct qpw_work *w, const enum qpw_owner_how how)
{
    __builtin_memset(&w->owner, 0, sizeof(w->owner));
    w->owner.how = how;
    qpw_owner_number();
}

/* Note the owner of a full socket that has none in its storage. */
static __noinline int qpw_owner_of_older(struct __sk_buff *skb, struct qpw_work *w, __u32 family)
{
    __u64 cookie = bpf_get_socket_cookie(skb);
    struct qpw_owner *o = bpf_map_lookup_elem(&older, &cookie);

    if (o)
        qpw_owner_take(w, o, QPW_OWNER_NONE);
    else if (family == QPW_AF_PACKET)
        qpw_owner_kind(w, QPW_OWNER_PACKET);
    else if (qpw_is_mptcp(skb, w))
        qpw_owner_kind(w, QPW_OWNER_MPTCP);
    return 0;
}

/* Fill w->owner with the owner of the socket that sends skb; it has a number if it is known. */
__noinline __u32 qpw_owner_of_sender(struct __sk_buff *skb)
{
    struct bpf_sock *sk = skb->sk, *full;
    struct qpw_work *w = qpw_work();
    struct qpw_owner *o;

    if (!w)
        return 0;
    if (!sk)
        return w->pkt.protocol == QPW_IPPROTO_TCP && (w->pkt.tcp_flags & QPW_TCP_SYN) && (w->pkt.tcp_flags & QPW_TCP_ACK)
                   ? qpw_owner_by_lookup(skb, w) : 0;
    full = bpf_sk_fullsock(sk);
    if (full) {
        o = qpw_owner_in(full);
        if (!o)
            return qpw_owner_of_older(skb, w, full->family);
        qpw_owner_take(w, o, QPW_OWNER_NONE);
        return 0;
    }
    full = bpf_get_listener_sock(sk); /* a SYN+ACK is sent for a connection that has no socket yet */
    o = full ? qpw_owner_of_listener(w, full) : 0;
    if (o)
        qpw_owner_take(w, o, QPW_OWNER_LISTENER);
    else if (qpw_is_mptcp(skb, w))
        qpw_owner_kind(w, QPW_OWNER_MPTCP);
    return 0;
}

#endif
