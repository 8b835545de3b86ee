/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * vouching.h - decide for the programs whether the owner of a companion (FTP's data connection, a lock manager's port)
 * is the owner of the exchange that vouches for it. The programs judge provisionally, and ask with the first packet
 * that the node sends; the answer is written where they look it up. What has ended by then is corrected here.
 */
#ifndef QPW_AUDITOR_VOUCHING_H
#define QPW_AUDITOR_VOUCHING_H

#include "auditor/internal.h"

/* Return 0 or -ENOMEM with err. */
int qpw_vouching_open(struct qpw_auditor *a, struct qpw_error *err);
void qpw_vouching_close(struct qpw_auditor *a);

/* Call after the compiled policy has changed. */
void qpw_vouching_forget(struct qpw_auditor *a);

/*
 * Handle a question of the programs about a companion, with its state at that time: decide, write the answer, and enter
 * and report what follows.
 */
void qpw_vouching_ask(struct qpw_auditor *a, const struct qpw_conn_key *key, const struct qpw_conn *conn);

/* Ask again about sockets in flight between two processes; call at each reading of events. */
void qpw_vouching_in_flight(struct qpw_auditor *a);

/* Ask again about live connections that are undecided, or could not be decided; each is passed once a walk. */
void qpw_vouching_walk_begins(struct qpw_auditor *a);
void qpw_vouching_live(struct qpw_auditor *a, const struct qpw_conn_key *key, const struct qpw_conn *conn);

/*
 * Apply the decision to a finding from the programs, which is provisional if it is a companion's. False: do not report
 * it now, because another replaces it, or it is not decided yet.
 */
bool qpw_vouching_settle(const struct qpw_auditor *a, const struct qpw_finding_key *key, struct qpw_finding *value);

#endif
