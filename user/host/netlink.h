/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * netlink.h - local addresses and links of this network namespace, read once and followed.
 *
 * Follows the namespace in which qpw_netlink_open() was called. The picture held here is always
 * whole: when the kernel drops notifications (ENOBUFS) it is read again and the differences are
 * told as if each had been notified.
 */
#ifndef QPW_KERNEL_NETLINK_H
#define QPW_KERNEL_NETLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

struct qpw_netlink;

struct qpw_link {
    unsigned ifindex;
    char name[16];
    char driver[32];    /* by ethtool; empty where the device has none to tell */
    char kind[16];      /* "veth", "bond", "vlan", "bridge"…; empty for hardware and lo */
    uint8_t mac[6];     /* zero where the address is not of 6 bytes */
    uint16_t type;      /* ARPHRD_* */
    unsigned mtu;
    unsigned flags;     /* IFF_* */
    bool up;            /* IFF_UP: by the administrator */
    bool carrier;       /* IFF_LOWER_UP */
    bool forward4;      /* net.ipv4.conf.NAME.forwarding */
    bool forward6;
    unsigned upper;     /* ifindex of the bond, bridge or VRF it is a part of, 0: none */
    unsigned lower;     /* ifindex of the device below (VLAN, macvlan), 0: none or in another namespace */
    uint64_t rx_packets; /* as the device counts, at the last whole reading or notification */
    uint64_t tx_packets;
    unsigned serial;    /* another one when a device of the same ifindex was deleted and made again */
    uint32_t pad;       /* links are compared whole */
};

/* One entry of the set of addresses that are this node's: each address once, on however many links it is. */
struct qpw_local {
    uint8_t addr[16];
    unsigned prefix; /* of 128; less: a prefix that the node serves (`ip route add local`) */
    uint32_t flags; /* QPW_LOCAL_ADDRESS, QPW_LOCAL_BROADCAST (either, or both) */
};

struct qpw_netlink_handler {
    /* An address became ours, changed its flags, or (flags 0) is no longer ours. */
    void (*local)(void *arg, const struct qpw_local *local);
    /* was NULL: a new link; now NULL: it is gone. Never both. Packet counters alone are no change. */
    void (*link)(void *arg, const struct qpw_link *was, const struct qpw_link *now);
    /* Routes or rules of whatever table have changed, or may have. */
    void (*routes)(void *arg);
    void *arg;
};

/* Subscribes, then reads everything once. 0, or a negative errno with err filled. */
int qpw_netlink_open(struct qpw_netlink **ret, struct qpw_error *err);
void qpw_netlink_close(struct qpw_netlink *n); /* NULL is fine */

/* Readable when there is something to drain. For epoll; owned by n. */
int qpw_netlink_fd(const struct qpw_netlink *n);

/*
 * Takes in all that is waiting, without blocking, then tells the handler what is different since
 * the last call (or since open). Links that are gone first, then local addresses, then the other
 * links. `handler` or its functions may be NULL. The picture is already the new one when it is called.
 */
int qpw_netlink_drain(struct qpw_netlink *n, const struct qpw_netlink_handler *handler, struct qpw_error *err);

/* Reads everything again (also the packet counters); differences are told by the next drain. */
int qpw_netlink_refresh(struct qpw_netlink *n, struct qpw_error *err);

/* The picture as last told. Valid until the next drain; owned by n. */
const struct qpw_link *qpw_netlink_links(const struct qpw_netlink *n, size_t *ret_count);
const struct qpw_local *qpw_netlink_locals(const struct qpw_netlink *n, size_t *ret_count);
const struct qpw_link *qpw_netlink_by_index(const struct qpw_netlink *n, unsigned ifindex); /* NULL: not there */
const struct qpw_link *qpw_netlink_by_name(const struct qpw_netlink *n, const char *name);

/*
 * Whether the link that had that ifindex is gone because it was moved to another network namespace, of the last few such:
 * the number that namespace has in this one, and the link's ifindex there.
 */
bool qpw_netlink_moved(const struct qpw_netlink *n, unsigned ifindex, int *ret_nsid, unsigned *ret_ifindex);

/* True if a is above or below b, over any number of steps: watching both would count packets twice. */
bool qpw_netlink_stacked(const struct qpw_netlink *n, unsigned a, unsigned b);

#endif
