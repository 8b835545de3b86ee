/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * process.h - processes behind findings, looked up on demand and cached.
 *
 * The view asks for the rows on the screen; sorting or filtering by process asks for all rows. Look-ups between two
 * snapshots are limited, so that a flood of findings cannot make the view expensive.
 */
#ifndef QPW_VIEW_PROCESS_H
#define QPW_VIEW_PROCESS_H

#include "view/more.h"

struct qpw_sockets;
struct qpw_processes;

/* Create the cache; sockets remain the caller's and must outlive it. Returns 0 or -ENOMEM. */
int qpw_processes_new(struct qpw_sockets *sockets, struct qpw_processes **ret);
void qpw_processes_free(struct qpw_processes *p); /* p may be NULL */

/* Renew the budget of look-ups; call with each snapshot. mono_ns: the clock by which entries age. */
void qpw_processes_tick(struct qpw_processes *p, uint64_t mono_ns);

/*
 * Return "nc[4711] root", with "(listener)" or "(created)" if the match is not exact, "kernel", "gone" if a process
 * that has ended answered, "unknown: REASON", or "" if not known yet; valid until the next call. context: struct
 * qpw_processes.
 */
const char *qpw_processes_text(void *context, const struct qpw_finding_row *finding);

/* The same for a connection, whose row has that id; asks the source. Shares budget and cache with findings. */
const char *qpw_processes_connection(void *context, uint64_t id, const struct qpw_connection *connection);

/* Set the source for connections; NULL: none. It must outlive the cache. */
void qpw_processes_source(struct qpw_processes *p, const struct qpw_view_more *more);

#endif
