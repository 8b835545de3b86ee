/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * owners.h - watches who holds sockets of the node: listeners that appear on unlisted ports, and owners that the policy
 * does not name (owner= of a rule). Nothing here needs a packet.
 */
#ifndef QPW_AUDITOR_OWNERS_H
#define QPW_AUDITOR_OWNERS_H

#include "auditor/internal.h"

/* After the policy is loaded. 0 or -ENOMEM with err. */
int qpw_owner_watch_open(struct qpw_auditor *a, struct qpw_error *err);
void qpw_owner_watch_close(struct qpw_auditor *a);

/*
 * Reads the sockets that listen and reports what is new on an unlisted port or held by another owner than the policy
 * names. The first reading of an attachment is what was there; it only holds owners against the policy. What cannot be
 * read is a warning, once.
 */
void qpw_owner_watch_listeners(struct qpw_auditor *a);

/* Around each walk over the connections (qpw_expire_run()), which passes them to the watch. */
void qpw_owner_watch_walk_begins(struct qpw_auditor *a);
void qpw_owner_watch_walk_ends(struct qpw_auditor *a);

/* The policy has changed: owners of connections are held against it again. */
void qpw_owner_watch_forget(struct qpw_auditor *a);

/* How many live connections of rules with owner= have an owner that is not known well enough to say. */
uint64_t qpw_owner_watch_unsure(const struct qpw_auditor *a);

#endif
