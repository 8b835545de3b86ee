/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* loop.h - the event sources of the auditor. Used by start.c; the loop itself is declared in auditor.h. */
#ifndef QPW_AUDITOR_LOOP_H
#define QPW_AUDITOR_LOOP_H

#include "auditor/internal.h"

/* Block the signals that are read, open the timers and register all descriptors. */
int qpw_loop_open(struct qpw_auditor *a, struct qpw_error *err);
void qpw_loop_close(struct qpw_auditor *a);

#endif
