/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* changes.h - judge the same connections by two policies, and find where the verdicts differ. */
#ifndef QPW_ADVICE_CHANGES_H
#define QPW_ADVICE_CHANGES_H

#include "advice/what_if.h"
#include "policy/compile/compiled.h"
#include "util/cleanup.h"

struct qpw_changes;

struct qpw_changes *qpw_changes_new(void);
void qpw_changes_free(struct qpw_changes *changes);
QPW_CLEANUP_POINTER(struct qpw_changes, qpw_changes_free)

/* Add a connection of the current run. 0 or -ENOMEM. */
int qpw_changes_add(struct qpw_changes *changes, const struct qpw_conn_key *key, const struct qpw_conn *conn,
                    uint64_t packets);

/* End the current run, first the old policy's, then the new one's; names are its policy's. 0 or -ENOMEM. */
int qpw_changes_end_run(struct qpw_changes *changes, const struct qpw_registry *names);

/*
 * Set *ret to the differences by direction, service, addresses, verdicts and rules. 0 or -ENOMEM; the caller clears it.
 */
int qpw_changes_result(const struct qpw_changes *changes, struct qpw_what_if *ret);

#endif
