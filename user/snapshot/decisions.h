/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* decisions.h - decisions about companions that their entries do not contain yet (struct qpw_decision). */
#ifndef QPW_SNAPSHOT_DECISIONS_H
#define QPW_SNAPSHOT_DECISIONS_H

#include <stdbool.h>

#include "instance/object.h"
#include "snapshot/collection.h"

/* Return whether the decision is about this connection as it was last judged. */
bool qpw_decision_stands(const struct qpw_decision *decision, const struct qpw_conn *conn);

/* Find the valid decision for a connection as read from its table. False: the entry's own verdict applies. */
bool qpw_decision_find(const struct qpw_kernel *k, const struct qpw_conn_key *key, const struct qpw_conn *conn,
                       struct qpw_decision *ret);

/* Apply that decision's verdict, rule and reason to a copy of the connection. */
void qpw_decision_apply(const struct qpw_kernel *k, const struct qpw_conn_key *key, struct qpw_conn *conn);

/*
 * Move the count of such connections to the meters and findings of their decided verdicts; their packets so far stay
 * where they were counted. Call after meters and findings are made. Return 0 or a negative errno.
 */
int qpw_decisions_count(struct qpw_collection *c);

#endif
