/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * presence.h - user space's part of the presence filter (bpf/presence.h): keys that it enters by itself, and the filter made
 * anew when it says "perhaps" of too many that were taken out.
 */
#ifndef QPW_AUDITOR_PRESENCE_H
#define QPW_AUDITOR_PRESENCE_H

#include "instance/kernel.h"

/* A finding of that key is about to be entered, in whichever table. */
void qpw_presence_finding(struct qpw_kernel *k, const struct qpw_finding_key *key);

/* From now on nothing is said to be missing, until the filter is made anew: entries are copied into the tables. */
void qpw_presence_suspend(struct qpw_kernel *k);

/* Is it time to make it anew? */
bool qpw_presence_is_worn(const struct qpw_kernel *k);

/*
 * Makes it anew from the tables, beside the one in force, then swaps them by one store. 0 or a negative errno, and the one
 * in force stays: -EINVAL on a kernel with nohz_full, where nobody can wait for the programs (membarrier(2)).
 */
int qpw_presence_renew(struct qpw_kernel *k);

#endif
