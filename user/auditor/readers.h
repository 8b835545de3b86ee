/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* readers.h - start and stop the process that serves read-only users (control/readers.h). */
#ifndef QPW_AUDITOR_READERS_H
#define QPW_AUDITOR_READERS_H

#include "auditor/internal.h"

/* Start it if the group exists. A failure is reported, and the audit continues. */
void qpw_audit_readers_start(struct qpw_auditor *a);

/* Once a second: restart it if it has ended. */
void qpw_audit_readers_tick(struct qpw_auditor *a);

/* End it, and the commands that it runs. */
void qpw_audit_readers_stop(struct qpw_auditor *a);

#endif
