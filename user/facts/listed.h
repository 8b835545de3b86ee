/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* listed.h - whether the policy in force has a rule for a port, as its compiled tables say. */
#ifndef QPW_FACTS_LISTED_H
#define QPW_FACTS_LISTED_H

#include <stdbool.h>

#include "snapshot/snapshot.h"

/*
 * Whether an allowing or weak rule, from whichever address, is for that service port. True also where there are no such
 * ports (ICMP, other protocols, port 0) and where the policy is not known, since nothing can be said against it.
 */
bool qpw_listed_has(const struct qpw_snapshot *s, unsigned direction, unsigned protocol, unsigned port);

#endif
