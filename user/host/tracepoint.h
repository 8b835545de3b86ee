/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* tracepoint.h - what tracefs says of the kernel's tracepoints. */
#ifndef QPW_HOST_TRACEPOINT_H
#define QPW_HOST_TRACEPOINT_H

/* Number of the event "sched/sched_process_exec", as perf_event_open(2) wants it; or a negative errno. */
int qpw_tracepoint_id(const char *event);

/*
 * Offset of a field of so many bytes in the event's record, which is not the same in every kernel. -ENOENT: it has no
 * such field; or another negative errno.
 */
int qpw_tracepoint_field(const char *event, const char *field, unsigned bytes);

#endif
