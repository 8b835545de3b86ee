/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* link_table.h - links and addresses as rtnetlink messages report them; internal to netlink.c. */
#ifndef QPW_HOST_LINK_TABLE_H
#define QPW_HOST_LINK_TABLE_H

#include <libmnl/libmnl.h>

#include "host/netlink.h"

struct qpw_link_address {
    unsigned ifindex;
    uint8_t addr[16];
    /* IPv4 only: a link may have one address several times, with different prefixes or peers. */
    uint8_t other[16]; /* IFA_ADDRESS */
    uint8_t prefix;
    uint8_t broadcast[16]; /* all zero: none */
};

/* A prefix longer than one address in routing table "local". */
struct qpw_served_device {
    uint8_t addr[16];
    unsigned prefix; /* in bits of 128 */
};

/* A link that was moved to another network namespace. */
struct qpw_moved {
    unsigned ifindex;
    int nsid;             /* the target namespace's id in this one */
    unsigned new_ifindex; /* its ifindex there */
};

#define QPW_MOVED_KEPT 16u

struct qpw_link_table {
    struct qpw_moved moved[QPW_MOVED_KEPT]; /* ring of the latest moves */
    unsigned n_moved;
    struct qpw_link *links;
    size_t n_links;
    struct qpw_link_address *addresses;
    size_t n_addresses;
    struct qpw_served_device *served;
    size_t n_served;
    bool routes_changed; /* routes or rules changed (their contents are not kept); cleared when reported */
    unsigned serial; /* of the most recently added link */
    int ioctl_fd;    /* to read driver names */
};

/*
 * Apply one rtnetlink message (link, address, route, rule, netconf) to the link table; other types are ignored. Of type
 * mnl_cb_t; data is the struct qpw_link_table. Returns MNL_CB_OK, or MNL_CB_ERROR with errno ENOMEM.
 */
int qpw_link_table_message(const struct nlmsghdr *message, void *data);

void qpw_link_table_clear(struct qpw_link_table *p);

/* Build the set of local addresses: sorted, unique, without loopback. The caller frees it. NULL: out of memory. */
struct qpw_local *qpw_link_table_locals(const struct qpw_link_table *p, size_t *ret_count);

struct qpw_link *qpw_link_find(struct qpw_link *links, size_t count, unsigned ifindex);

/* Compare two struct qpw_local by address, then prefix; for qsort(3). */
int qpw_local_order(const void *a, const void *b);

#endif
