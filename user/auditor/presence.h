/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * presence.h - user space's part of the presence filter (bpf/presence.h): add keys that the auditor enters, and rebuild
 * the filter when too many removed keys cause false positives.
 */
#ifndef QPW_AUDITOR_PRESENCE_H
#define QPW_AUDITOR_PRESENCE_H

#include "instance/kernel.h"

/* Add the key of a finding that is about to be entered, in any table. */
void qpw_presence_finding(struct qpw_kernel *k, const struct qpw_finding_key *key);

/* Make the filter report nothing as absent until it is rebuilt, while entries are copied into the tables. */
void qpw_presence_suspend(struct qpw_kernel *k);

/* Return whether the filter should be rebuilt. */
bool qpw_presence_is_worn(const struct qpw_kernel *k);

/*
 * Rebuild it from the tables beside the one in force, then swap them with one store. Return 0, or a negative errno with
 * the old one still in force: -EINVAL on a kernel with nohz_full, where waiting for the programs is impossible
 * (membarrier(2)).
 */
int qpw_presence_renew(struct qpw_kernel *k);

#endif
