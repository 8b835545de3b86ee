/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* link_table.h - links and addresses as rtnetlink messages describe them; internal to netlink.c. */
#ifndef QPW_HOST_LINK_TABLE_H
#define QPW_HOST_LINK_TABLE_H

#include <libmnl/libmnl.h>

#include "host/netlink.h"

struct qpw_address {
    unsigned ifindex;
    uint8_t addr[16];
    /* IPv4 only, where a link may have one address several times: by different prefixes, or with different peers. */
    uint8_t other[16]; /* IFA_ADDRESS */
    uint8_t prefix;
    uint8_t broadcast[16]; /* zero: none */
};

/* A prefix of the routing table "local" that is more than one address. */
struct qpw_served {
    uint8_t addr[16];
    unsigned prefix; /* of 128 */
};

/* A link that was moved to another network namespace, and where to. */
struct qpw_moved {
    unsigned ifindex;
    int nsid;             /* its namespace, by the number it has in this one */
    unsigned new_ifindex; /* its own there */
};

#define QPW_MOVED_KEPT 16u

struct qpw_link_table {
    struct qpw_moved moved[QPW_MOVED_KEPT]; /* the last ones, a ring */
    unsigned n_moved;
    struct qpw_link *links;
    size_t n_links;
    struct qpw_address *addresses;
    size_t n_addresses;
    struct qpw_served *served;
    size_t n_served;
    bool routes_changed; /* routes or rules, of which nothing else is kept; whoever tells of it clears it */
    unsigned serial; /* of the link that was new last */
    int ioctl_fd;    /* for driver names */
};

/*
 * Takes one rtnetlink message (link, address, netconf) into the picture; messages of other kinds
 * change nothing. MNL_CB_OK, or MNL_CB_ERROR with errno ENOMEM. Of type mnl_cb_t; data is the picture.
 */
int qpw_link_table_message(const struct nlmsghdr *message, void *data);

void qpw_link_table_clear(struct qpw_link_table *p);

/* The set of local addresses of the picture, sorted, each once, without loopback. Caller frees. NULL: no memory. */
struct qpw_local *qpw_link_table_locals(const struct qpw_link_table *p, size_t *ret_count);

struct qpw_link *qpw_link_find(struct qpw_link *links, size_t count, unsigned ifindex);

/* In the order of addresses, then of prefixes; of struct qpw_local, for qsort(3). */
int qpw_local_order(const void *a, const void *b);

#endif
