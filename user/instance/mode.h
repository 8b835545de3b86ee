/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* mode.h - whether an interface is monitored by native XDP or at TC, and why. Decides only, changes nothing. */
#ifndef QPW_KERNEL_MODE_H
#define QPW_KERNEL_MODE_H

#include <stdbool.h>

#include "instance/hooks.h"
#include "host/netlink.h"

enum qpw_attach_mode { QPW_MODE_AUTO, QPW_MODE_XDP, QPW_MODE_TC };

struct qpw_mode_choice {
    bool xdp;         /* else TC ingress */
    bool l3;          /* no Ethernet header: the _l3 programs */
    char why[64];     /* for `status` */
    char advice[400]; /* one line for the user, or empty: what the other mode would gain and cost */
};


/*
 * auto takes TC: no driver is known that gains by XDP and attaches it without an interruption (mode.c).
 *
 * rx: what stands in the interface's ingress hooks. Generic XDP is never chosen: it runs after GRO,
 * so it is slower than TC and counts merged buffers as one. Returns 0, or a negative errno with err
 * filled where the interface cannot be monitored at all (lo, an unknown link type) or not as asked.
 */
int qpw_mode_choose(const struct qpw_link *link, enum qpw_attach_mode mode, const struct qpw_hook_list *rx,
                    struct qpw_mode_choice *ret, struct qpw_error *err);

#endif
