/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * conn.h - the shared tables of connections: find, store, move, end. One table a quota (see maps.h).
 */
#ifndef QPW_BPF_CONN_H
#define QPW_BPF_CONN_H

#include "event.h"
#include "maps.h"

/* Finds the entry of key. Established first for TCP: it is what a flood cannot fill. */
static __always_inline struct qpw_conn *qpw_conn_find(const struct qpw_conn_key *key)
{
    struct qpw_conn *c;

    if (key->protocol == QPW_IPPROTO_TCP)
        c = bpf_map_lookup_elem(&conns_est, key);
    else
        c = bpf_map_lookup_elem(&conns_dgram, key);
    if (!c)
        c = bpf_map_lookup_elem(&conns_out, key);
    if (!c)
        c = bpf_map_lookup_elem(&conns_half, key);
    return c;
}


static __always_inline long qpw_conn_insert(__u8 conn_class, const struct qpw_conn_key *key, const struct qpw_conn *c)
{
    switch (conn_class) {
    case QPW_CLASS_EST: return bpf_map_update_elem(&conns_est, key, c, BPF_NOEXIST);
    case QPW_CLASS_OUT: return bpf_map_update_elem(&conns_out, key, c, BPF_NOEXIST);
    case QPW_CLASS_DGRAM: return bpf_map_update_elem(&conns_dgram, key, c, BPF_NOEXIST);
    default: return bpf_map_update_elem(&conns_half, key, c, BPF_NOEXIST);
    }
}

static __always_inline struct qpw_conn *qpw_conn_in(__u8 conn_class, const struct qpw_conn_key *key)
{
    switch (conn_class) {
    case QPW_CLASS_EST: return bpf_map_lookup_elem(&conns_est, key);
    case QPW_CLASS_OUT: return bpf_map_lookup_elem(&conns_out, key);
    case QPW_CLASS_DGRAM: return bpf_map_lookup_elem(&conns_dgram, key);
    default: return bpf_map_lookup_elem(&conns_half, key);
    }
}

static __always_inline void qpw_conn_delete(__u8 conn_class, const struct qpw_conn_key *key)
{
    long rc;

    switch (conn_class) {
    case QPW_CLASS_EST: rc = bpf_map_delete_elem(&conns_est, key); break;
    case QPW_CLASS_OUT: rc = bpf_map_delete_elem(&conns_out, key); break;
    case QPW_CLASS_DGRAM: rc = bpf_map_delete_elem(&conns_dgram, key); break;
    default: rc = bpf_map_delete_elem(&conns_half, key); break;
    }
    if (!rc)
        qpw_stat(QPW_STAT_CLOSED(conn_class));
}

/*
 * Stores w->conn under w->key in the table it names. The established table does not evict: when it is
 * full the connection lives among the half-open or outgoing ones (counted), still known, but may be evicted.
 * Returns the table it is in now, 0 where there was no place at all.
 */
__noinline __u32 qpw_conn_store_work(void)
{
    struct qpw_work *w = qpw_work();
    __u8 conn_class;
    long rc;

    if (!w)
        return 0;
    conn_class = w->conn.conn_class;
    rc = qpw_conn_insert(conn_class, &w->key, &w->conn);
    if (rc && rc != -17 /* EEXIST: another CPU was first, its entry is the truth */) {
        qpw_stat(conn_class == QPW_CLASS_EST     ? QPW_LOSS_CONN_EST_FULL
                 : conn_class == QPW_CLASS_OUT   ? QPW_LOSS_CONN_OUT_FULL
                 : conn_class == QPW_CLASS_DGRAM ? QPW_LOSS_CONN_DGRAM_FULL
                                                 : QPW_LOSS_CONN_HALF_FULL);
        if (conn_class == QPW_CLASS_HALF)
            return 0;
        /* What the node opened keeps the place that no flood can reach. */
        conn_class = conn_class == QPW_CLASS_EST && w->conn.direction == QPW_DIR_OUTBOUND ? QPW_CLASS_OUT
                                                                                          : QPW_CLASS_HALF;
        w->conn.conn_class = conn_class;
        rc = qpw_conn_insert(conn_class, &w->key, &w->conn);
    }
    if (!rc)
        qpw_stat(QPW_STAT_OPENED(conn_class));
    return conn_class;
}

/* The same, and the entry. */
static __always_inline struct qpw_conn *qpw_conn_store(struct qpw_work *w)
{
    __u32 conn_class = qpw_conn_store_work();

    return conn_class ? qpw_conn_in((__u8)conn_class, &w->key) : 0;
}

/* Moves entry c of w->key into another table; returns its new place. */
static __always_inline struct qpw_conn *qpw_conn_move(struct qpw_work *w, struct qpw_conn *c, __u8 conn_class)
{
    __u8 old = c->conn_class;

    if (old == conn_class)
        return c;
    w->conn = *c;
    w->conn.conn_class = conn_class;
    c = qpw_conn_store(w);
    if (c && c->conn_class != old)
        qpw_conn_delete(old, &w->key);
    return c;
}

static __always_inline __u64 qpw_conn_timeout(const struct qpw_conn *c, __u8 protocol)
{
    switch (c->state) {
    case QPW_STATE_SYN:
    case QPW_STATE_SYN_ACK: return control.half_open_ns;
    case QPW_STATE_ESTABLISHED:
    case QPW_STATE_MIDSTREAM: return control.tcp_ns;
    case QPW_STATE_CLOSED: return control.tail_ns;
    default: return protocol == QPW_IPPROTO_UDP ? control.udp_ns : control.other_ns;
    }
}

static __always_inline int qpw_conn_expired(const struct qpw_conn *c, __u8 protocol, __u64 now)
{
    return (__s64)(now - c->last_ns) > (__s64)qpw_conn_timeout(c, protocol);
}

#endif
