/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * process.h - processes behind findings, looked up only when asked for, and kept.
 *
 * The view asks for the rows on the screen; a sort or filter by process asks for all, of which so
 * many are looked up between two pictures that a flood of findings cannot make the view expensive.
 */
#ifndef QPW_VIEW_PROCESS_H
#define QPW_VIEW_PROCESS_H

#include "snapshot/snapshot.h"

struct qpw_sockets;
struct qpw_processes;

/* sockets: stays the caller's, and must outlive. 0 or -ENOMEM. */
int qpw_processes_new(struct qpw_sockets *sockets, struct qpw_processes **ret);
void qpw_processes_free(struct qpw_processes *p); /* NULL is fine */

/* To be called with each picture: so many look-ups are allowed again. mono_ns: the clock by which entries grow old. */
void qpw_processes_tick(struct qpw_processes *p, uint64_t mono_ns);

/*
 * "nc[4711] root", "kernel", "gone" of what was answered by a process that has ended, or "" where it is not known; valid
 * until the next call. context: struct qpw_processes.
 */
const char *qpw_processes_text(void *context, const struct qpw_finding_row *finding);

#endif
