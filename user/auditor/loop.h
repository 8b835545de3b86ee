/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* loop.h - what the auditor waits for. Used by start.c; the loop itself is in auditor.h. */
#ifndef QPW_AUDIT_LOOP_H
#define QPW_AUDIT_LOOP_H

#include "auditor/internal.h"

/* Blocks the signals it will read, opens the timers and registers all descriptors. */
int qpw_loop_open(struct qpw_auditor *a, struct qpw_error *err);
void qpw_loop_close(struct qpw_auditor *a);

/* The client's descriptor wakes the loop until it is closed. 0 or a negative errno. */
int qpw_loop_watch_client(struct qpw_auditor *a, int fd);

#endif
