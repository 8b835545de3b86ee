/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* decisions.h - what was decided of companions whose entries do not say so yet (struct qpw_decision). */
#ifndef QPW_SNAPSHOT_DECISIONS_H
#define QPW_SNAPSHOT_DECISIONS_H

#include <stdbool.h>

#include "instance/object.h"
#include "snapshot/collection.h"

/* Whether the decision is about this connection as it was judged last. */
bool qpw_decision_stands(const struct qpw_decision *decision, const struct qpw_conn *conn);

/* The decision that stands for this connection, an entry as it was read. False: its own verdict does. */
bool qpw_decision_find(const struct qpw_kernel *k, const struct qpw_conn_key *key, const struct qpw_conn *conn,
                       struct qpw_decision *ret);

/* Puts verdict, rule and reason of that decision into a copy of the connection. */
void qpw_decision_apply(const struct qpw_kernel *k, const struct qpw_conn_key *key, struct qpw_conn *conn);

/*
 * Counts such connections in the rows of their decided verdicts and findings, in place of those that they were counted
 * in; their packets so far stay where they are. After meters and findings are made. 0 or a negative errno.
 */
int qpw_decisions_count(struct qpw_collection *c);

#endif
