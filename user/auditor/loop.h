/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* loop.h - what the auditor waits for. Used by start.c; the loop itself is in auditor.h. */
#ifndef QPW_AUDITOR_LOOP_H
#define QPW_AUDITOR_LOOP_H

#include "auditor/internal.h"

/* Blocks the signals it will read, opens the timers and registers all descriptors. */
int qpw_loop_open(struct qpw_auditor *a, struct qpw_error *err);
void qpw_loop_close(struct qpw_auditor *a);

#endif
