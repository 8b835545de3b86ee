/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* listeners.h - the sockets of this network namespace that wait to be asked, and who holds them. */
#ifndef QPW_HOST_LISTENERS_H
#define QPW_HOST_LISTENERS_H

#include "host/sockets.h"

struct qpw_listener {
    uint8_t address[16];  /* network order, IPv4 as ::ffff:a.b.c.d; all zero: any address */
    uint16_t port;        /* host order */
    uint8_t protocol;     /* TCP, UDP or SCTP */
    bool v4;              /* takes IPv4, */
    bool v6;              /* IPv6 */
    bool ephemeral;       /* UDP on a port the kernel hands out by itself: mostly a client waiting for its answer */
    uint32_t ifindex;     /* of the interface it is bound to, 0: none */
    char device[16];      /* its name, or empty */
    struct qpw_process owner; /* match: EXACT, KERNEL, GONE (ended meanwhile) or NONE (unknown: /proc does not show all);
                                 KERNEL: `name` is the service where it is known (nfsd, lockd, vxlan) */
};

struct qpw_listeners {
    struct qpw_listener *rows; /* by protocol, port, address; one of those that share a port (SO_REUSEPORT) and a process */
    size_t n;
};

/*
 * Read every TCP socket in LISTEN and every UDP socket that is bound and not connected, with its process. SCTP only
 * where its module is loaded already: asking would load it. The caller clears *ret. 0, or a negative errno with err.
 */
int qpw_listeners_read(struct qpw_sockets *s, struct qpw_listeners *ret, struct qpw_error *err);
void qpw_listeners_clear(struct qpw_listeners *l);

#endif
