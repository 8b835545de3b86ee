/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* listeners.h - the listening sockets of this network namespace and their owners. */
#ifndef QPW_HOST_LISTENERS_H
#define QPW_HOST_LISTENERS_H

#include "host/sockets.h"

struct qpw_listener {
    uint8_t address[16];  /* network order, IPv4 as ::ffff:a.b.c.d; all zero: any address */
    uint16_t port;        /* host order */
    uint8_t protocol;     /* TCP, UDP or SCTP */
    bool v4;              /* accepts IPv4 */
    bool v6;              /* accepts IPv6 */
    bool ephemeral;       /* UDP on an automatically assigned port: usually a client waiting for its answer */
    uint32_t ifindex;     /* ifindex that it is bound to; 0: none */
    char device[16];      /* name of that interface, or empty */
    /*
     * The owner; match is EXACT, KERNEL (`name` is the service if known: nfsd, lockd, vxlan), GONE (ended meanwhile) or
     * NONE (unknown, because /proc does not show every process)
     */
    struct qpw_process owner;
};

struct qpw_listeners {
    /* Sorted by protocol, port, address; sockets that share a port (SO_REUSEPORT) and a process appear once. */
    struct qpw_listener *rows;
    size_t n;
};

/*
 * Read every TCP socket in LISTEN and every bound, unconnected UDP socket, with its process; SCTP only if its module is
 * already loaded, because asking would load it. The caller clears *ret. Returns 0, or a negative errno with err filled.
 */
int qpw_listeners_read(struct qpw_sockets *s, struct qpw_listeners *ret, struct qpw_error *err);
void qpw_listeners_clear(struct qpw_listeners *l);

#endif
