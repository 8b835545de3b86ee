/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* automatic.h - the interfaces that `auto` stands for: those of the default routes and of the routes to the peers. */
#ifndef QPW_HOST_AUTOMATIC_H
#define QPW_HOST_AUTOMATIC_H

#include <stddef.h>

#include "host/netlink.h"
#include "policy/lang/policy.h"

/*
 * Find the ifindexes that `auto` means under the current routes: at most `room`, none stacked on another. Returns how
 * many. With policy NULL or zeroed, only the default routes are considered.
 */
size_t qpw_automatic_find(const struct qpw_netlink *links, const struct qpw_policy *policy, unsigned *ret, size_t room);

#endif
