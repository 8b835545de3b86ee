/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * vouching.h - decides for the programs whether who holds a companion (FTP's data connection, a lock manager's port) is
 * who has the exchange that vouches for it. They judge provisionally and ask with the first packet that the node sends;
 * the answer is written where they look it up, and what has ended by then is put right here.
 */
#ifndef QPW_AUDITOR_VOUCHING_H
#define QPW_AUDITOR_VOUCHING_H

#include "auditor/internal.h"

/* 0 or -ENOMEM with err. */
int qpw_vouching_open(struct qpw_auditor *a, struct qpw_error *err);
void qpw_vouching_close(struct qpw_auditor *a);

/* The compiled policy is another. */
void qpw_vouching_forget(struct qpw_auditor *a);

/* The programs ask about a companion, as it was then. Decides, tells them, and enters and reports what follows from it. */
void qpw_vouching_ask(struct qpw_auditor *a, const struct qpw_conn_key *key, const struct qpw_conn *conn);

/* Asks again about those whose sockets were on their way between two processes; at each reading of events. */
void qpw_vouching_in_flight(struct qpw_auditor *a);

/* A live connection, once in each walk over them: what is still undecided, or could not be known, is asked again. */
void qpw_vouching_walk_begins(struct qpw_auditor *a);
void qpw_vouching_live(struct qpw_auditor *a, const struct qpw_conn_key *key, const struct qpw_conn *conn);

/*
 * A finding as the programs tell it, provisional where it is a companion's: puts in what was decided. false: it need not be
 * reported now, for another takes its place, or it is decided yet.
 */
bool qpw_vouching_settle(const struct qpw_auditor *a, const struct qpw_finding_key *key, struct qpw_finding *value);

#endif
