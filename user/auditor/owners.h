/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * owners.h - watch the owners of the node's sockets: new listeners on unlisted ports, and owners that the policy does
 * not name (owner= of a rule). Independent of packets.
 */
#ifndef QPW_AUDITOR_OWNERS_H
#define QPW_AUDITOR_OWNERS_H

#include "auditor/internal.h"

/* Call after the policy is loaded. Return 0 or -ENOMEM with err. */
int qpw_owner_watch_open(struct qpw_auditor *a, struct qpw_error *err);
void qpw_owner_watch_close(struct qpw_auditor *a);

/*
 * Read the listening sockets, and report new ones on unlisted ports and those whose owner the policy does not name. The
 * first reading after attaching reports no listeners, only owners. A failure to read is a warning, once.
 */
void qpw_owner_watch_listeners(struct qpw_auditor *a);

/* Call before and after each walk over the connections (qpw_expire_run()), which passes them to the watch. */
void qpw_owner_watch_walk_begins(struct qpw_auditor *a);
void qpw_owner_watch_walk_ends(struct qpw_auditor *a);

/* After a change of policy: check the owners of all connections again. */
void qpw_owner_watch_forget(struct qpw_auditor *a);

/* Return the number of live connections of rules with owner= whose owner is not known well enough to decide. */
uint64_t qpw_owner_watch_unsure(const struct qpw_auditor *a);

#endif
