/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* expiry.h - how long a connection is remembered. Pure: the programs and user space go by the same rule. */
#ifndef QPW_BPF_EXPIRY_H
#define QPW_BPF_EXPIRY_H

#include "packet.h"
#include "qportwatch.h"

/* Return the time-out of a connection in that state, ns. */
static __always_inline __u64 qpw_conn_timeout(const struct qpw_control *control, const struct qpw_conn *c,
                                              __u8 protocol)
{
    switch (c->state) {
    case QPW_STATE_SYN:
    case QPW_STATE_SYN_ACK: return control->half_open_ns;
    case QPW_STATE_ESTABLISHED:
    case QPW_STATE_MIDSTREAM: return control->tcp_ns;
    case QPW_STATE_CLOSED: return control->tail_ns;
    default: return protocol == QPW_IPPROTO_UDP ? control->udp_ns : control->other_ns;
    }
}

static __always_inline int qpw_conn_expired(const struct qpw_control *control, const struct qpw_conn *c,
                                            __u8 protocol, __u64 now)
{
    return (__s64)(now - c->last_ns) > (__s64)qpw_conn_timeout(control, c, protocol);
}

/*
 * Return whether the entry has been idle for twice its time-out. The programs still use one that has only just expired,
 * by which they tell a late answer to the node's own question from a stranger's packet; they ignore one that is over.
 */
static __always_inline int qpw_conn_over(const struct qpw_control *control, const struct qpw_conn *c, __u8 protocol,
                                         __u64 now)
{
    return (__s64)(now - c->last_ns) > 2 * (__s64)qpw_conn_timeout(control, c, protocol);
}

#endif
