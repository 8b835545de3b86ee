/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* listed.h - whether the policy in force, as compiled, has a rule for a port. */
#ifndef QPW_FACTS_LISTED_H
#define QPW_FACTS_LISTED_H

#include <stdbool.h>

#include "snapshot/snapshot.h"

/*
 * Return whether an allowing or weak rule covers that service port, for any remote address. Also true for protocols
 * without service ports (ICMP, others, port 0) and if the policy is unknown, because then nothing can be said against
 * the port.
 */
bool qpw_listed_has(const struct qpw_snapshot *s, unsigned direction, unsigned protocol, unsigned port);

#endif
