/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * foreign.h - findings about what was sent from an address that is not the node's. The kernel uses an address before
 * it has told of it: what is in such a finding is looked at again once everything that netlink has to say is read.
 */
#ifndef QPW_AUDITOR_FOREIGN_H
#define QPW_AUDITOR_FOREIGN_H

#include "auditor/internal.h"

/* Return whether the finding of an event is kept back until qpw_foreign_settle(). Not where there are many. */
bool qpw_foreign_hold(struct qpw_auditor *a, const struct qpw_finding_key *key, const struct qpw_finding *value);

/* Return whether there is any. */
bool qpw_foreign_waits(const struct qpw_auditor *a);

/*
 * Report those kept back. Where the address is the node's by what netlink has said so far, it is the policy that decides
 * whether there is anything to report.
 */
void qpw_foreign_settle(struct qpw_auditor *a);

#endif
