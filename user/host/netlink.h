/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * netlink.h - local addresses and links of this network namespace, read once and then followed.
 *
 * Follows the namespace in which qpw_netlink_open() was called. The tables are always complete: if the kernel drops
 * notifications (ENOBUFS), they are dumped again and the differences reported as if each had been notified.
 */
#ifndef QPW_KERNEL_NETLINK_H
#define QPW_KERNEL_NETLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/cleanup.h"
#include "util/error.h"

struct qpw_netlink;

struct qpw_link {
    unsigned ifindex;
    char name[16];
    char driver[32];    /* from ethtool; empty if the device reports none */
    char kind[16];      /* "veth", "bond", "vlan", "bridge"…; empty for hardware and lo */
    uint8_t mac[6];     /* all zero unless the address has 6 bytes */
    uint16_t type;      /* ARPHRD_* */
    unsigned mtu;
    unsigned flags;     /* IFF_* */
    bool up;            /* IFF_UP: enabled by the administrator */
    bool carrier;       /* IFF_LOWER_UP */
    bool forward4;      /* net.ipv4.conf.NAME.forwarding */
    bool forward6;
    unsigned upper;     /* ifindex of its bond, bridge or VRF; 0: none */
    unsigned lower;     /* ifindex of the device below (VLAN, macvlan); 0: none, or in another namespace */
    uint64_t rx_packets; /* device counters, as of the last dump or notification */
    uint64_t tx_packets;
    unsigned serial;    /* changes if a device of the same ifindex is deleted and created again */
    uint32_t pad;       /* explicit, because links are compared as bytes */
};

/* An element of the set of this node's addresses; each appears once, even if several links have it. */
struct qpw_local {
    uint8_t addr[16];
    unsigned prefix; /* 128; less: a prefix that the node serves (`ip route add local`) */
    uint32_t flags; /* QPW_LOCAL_ADDRESS and/or QPW_LOCAL_BROADCAST */
};

struct qpw_netlink_handler {
    /* An address was added, changed its flags or, with flags 0, was removed. */
    void (*local)(void *arg, const struct qpw_local *local);
    /* was NULL: new link; now NULL: link removed; never both. Changed packet counters alone are not reported. */
    void (*link)(void *arg, const struct qpw_link *was, const struct qpw_link *now);
    /* Routes or rules of some table may have changed. */
    void (*routes)(void *arg);
    void *arg;
};

/* Subscribe, then dump everything once. Returns 0, or a negative errno with err filled. */
int qpw_netlink_open(struct qpw_netlink **ret, struct qpw_error *err);
void qpw_netlink_close(struct qpw_netlink *n); /* n may be NULL */
QPW_CLEANUP_POINTER(struct qpw_netlink, qpw_netlink_close)

/* Return a descriptor to poll; readable when there is something to drain. Owned by n. */
int qpw_netlink_fd(const struct qpw_netlink *n);

/*
 * Apply all pending notifications without blocking, then report every difference since the last call (or since open):
 * removed links first, then local addresses, then the other links. `handler` and its functions may be NULL. The tables
 * are already current when it is called. Returns 0, or a negative errno with err filled.
 */
int qpw_netlink_drain(struct qpw_netlink *n, const struct qpw_netlink_handler *handler, struct qpw_error *err);

/* Dump everything again, packet counters included; the next drain reports the differences. */
int qpw_netlink_refresh(struct qpw_netlink *n, struct qpw_error *err);

/* Return the links as last reported. Owned by n, valid until the next drain. */
const struct qpw_link *qpw_netlink_links(const struct qpw_netlink *n, size_t *ret_count);
const struct qpw_local *qpw_netlink_locals(const struct qpw_netlink *n, size_t *ret_count);
const struct qpw_link *qpw_netlink_by_index(const struct qpw_netlink *n, unsigned ifindex); /* NULL: no such link */
const struct qpw_link *qpw_netlink_by_name(const struct qpw_netlink *n, const char *name);

/*
 * Return whether the link that had this ifindex was one of the last few that moved to another network namespace; then
 * also that namespace's id in this one, and the link's ifindex there.
 */
bool qpw_netlink_moved(const struct qpw_netlink *n, unsigned ifindex, int *ret_nsid, unsigned *ret_ifindex);

/* Return whether a is above or below b, over any number of levels: watching both would count packets twice. */
bool qpw_netlink_stacked(const struct qpw_netlink *n, unsigned a, unsigned b);

#endif
