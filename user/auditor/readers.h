/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* readers.h - the process beside the auditor that serves those who may only read (control/readers.h). */
#ifndef QPW_AUDITOR_READERS_H
#define QPW_AUDITOR_READERS_H

#include "auditor/internal.h"

/* Starts it where there is a group to serve. What keeps it from that is said; the audit goes on. */
void qpw_audit_readers_start(struct qpw_auditor *a);

/* Starts it again where it has ended. Once a second. */
void qpw_audit_readers_tick(struct qpw_auditor *a);

/* Ends it, and what runs for readers. */
void qpw_audit_readers_stop(struct qpw_auditor *a);

#endif
