/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* tracepoint.h - tracepoint ids and record layouts, from tracefs. */
#ifndef QPW_HOST_TRACEPOINT_H
#define QPW_HOST_TRACEPOINT_H

/* Return the id of an event ("sched/sched_process_exec") for perf_event_open(2), or a negative errno. */
int qpw_tracepoint_id(const char *event);

/*
 * Return the offset of a field of that many bytes in the event's record, which differs between kernels. -ENOENT: no
 * such field; or another negative errno.
 */
int qpw_tracepoint_field(const char *event, const char *field, unsigned bytes);

#endif
