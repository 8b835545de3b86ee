/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* automatic.h - the interfaces that `auto` stands for: what carries the default route and the routes to the peers. */
#ifndef QPW_HOST_AUTOMATIC_H
#define QPW_HOST_AUTOMATIC_H

#include <stddef.h>

#include "host/netlink.h"
#include "policy/lang/policy.h"

/*
 * Their ifindexes as routes stand now, at most `room`, none above or below another one; how many. policy NULL or zeroed:
 * the default routes alone.
 */
size_t qpw_automatic_find(const struct qpw_netlink *links, const struct qpw_policy *policy, unsigned *ret, size_t room);

#endif
