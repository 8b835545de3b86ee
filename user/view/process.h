/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * process.h - processes behind findings, looked up only when asked for, and kept.
 *
 * The view asks for the rows on the screen; a sort or filter by process asks for all, of which so
 * many are looked up between two pictures that a flood of findings cannot make the view expensive.
 */
#ifndef QPW_VIEW_PROCESS_H
#define QPW_VIEW_PROCESS_H

#include "view/more.h"

struct qpw_sockets;
struct qpw_processes;

/* sockets: stays the caller's, and must outlive. 0 or -ENOMEM. */
int qpw_processes_new(struct qpw_sockets *sockets, struct qpw_processes **ret);
void qpw_processes_free(struct qpw_processes *p); /* NULL is fine */

/* To be called with each picture: so many look-ups are allowed again. mono_ns: the clock by which entries grow old. */
void qpw_processes_tick(struct qpw_processes *p, uint64_t mono_ns);

/*
 * "nc[4711] root", with "(listener)" or "(created)" where the match is not exact, "kernel", "gone" of what was answered
 * by a process that has ended, "unknown: REASON", or "" where it is not known; valid until the next call. context: struct
 * qpw_processes.
 */
const char *qpw_processes_text(void *context, const struct qpw_finding_row *finding);

/*
 * The same of a connection, whose row has that id; asked of the source. Shares the look-ups and the room with findings.
 */
const char *qpw_processes_connection(void *context, uint64_t id, const struct qpw_connection *connection);

/* Whom to ask about connections; NULL: nobody. It must outlive. */
void qpw_processes_source(struct qpw_processes *p, const struct qpw_view_more *more);

#endif
