/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* changes.h - the same connections judged by two policies, one after the other, and where the verdicts part. */
#ifndef QPW_ADVICE_CHANGES_H
#define QPW_ADVICE_CHANGES_H

#include "policy/compile/compiled.h"
#include "advice/what_if.h"

struct qpw_changes;

struct qpw_changes *qpw_changes_new(void);
void qpw_changes_free(struct qpw_changes *changes);

/* A connection of the present run. 0 or -ENOMEM. */
int qpw_changes_add(struct qpw_changes *changes, const struct qpw_conn_key *key, const struct qpw_conn *conn,
                    uint64_t packets);

/* The present run is over: names are its policy's. The first call ends the old policy's run, the second the new one's.
 * 0 or -ENOMEM. */
int qpw_changes_end_run(struct qpw_changes *changes, const struct qpw_registry *names);

/* Rows by direction, service, addresses, verdicts and rules. 0 or -ENOMEM; the caller clears. */
int qpw_changes_result(const struct qpw_changes *changes, struct qpw_what_if *ret);

#endif
