/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* mode.h - decide whether an interface is monitored by native XDP or at TC, and why. Changes nothing. */
#ifndef QPW_KERNEL_MODE_H
#define QPW_KERNEL_MODE_H

#include <stdbool.h>

#include "instance/hooks.h"
#include "host/netlink.h"

enum qpw_attach_mode { QPW_MODE_AUTO, QPW_MODE_XDP, QPW_MODE_TC };

struct qpw_mode_choice {
    bool xdp;         /* otherwise TC ingress */
    bool l3;          /* no Ethernet header: use the _l3 programs */
    char why[64];     /* for `status` */
    char advice[400]; /* one line for the user, or empty: benefit and cost of the other mode */
};


/*
 * Choose the mode; auto takes TC, because no known driver benefits from XDP and attaches it without interruption
 * (mode.c).
 *
 * rx: the interface's ingress hooks. Generic XDP is never chosen: it runs after GRO, so it is slower than TC and counts
 * a merged buffer as one packet. Returns 0, or a negative errno with err filled if the interface cannot be monitored at
 * all (lo, an unknown link type) or not as requested.
 */
int qpw_mode_choose(const struct qpw_link *link, enum qpw_attach_mode mode, const struct qpw_hook_list *rx,
                    struct qpw_mode_choice *ret, struct qpw_error *err);

#endif
