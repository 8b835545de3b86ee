/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ahead.h - read ahead of the caller, on a thread of its own: reading, uncompressing and hashing take about as long as
 * what is done with the bytes.
 */
#ifndef QPW_REPLAY_AHEAD_H
#define QPW_REPLAY_AHEAD_H

#include <stddef.h>
#include <stdint.h>

#include "util/cleanup.h"

struct qpw_ahead;

/* Read up to `size` bytes. Returns how many; 0 at the end, or after an error, which it keeps in `data`. */
typedef size_t (*qpw_ahead_fn)(void *data, uint8_t *to, size_t size);

/*
 * Start the thread. It alone calls `read`, which must not wait for ever, until the end or qpw_ahead_stop(). Returns an
 * object that the caller stops, or NULL: no memory or no thread; the caller then calls `read` itself.
 */
struct qpw_ahead *qpw_ahead_start(qpw_ahead_fn read, void *data);

/*
 * Copy up to `size` of the next bytes, waiting for them. Returns how many; 0 at the end: all that `read` has written to
 * `data` can be seen then.
 */
size_t qpw_ahead_take(struct qpw_ahead *ahead, uint8_t *to, size_t size);

/* End the thread after the call of `read` that it is in, and free the object. */
void qpw_ahead_stop(struct qpw_ahead *ahead);
QPW_CLEANUP_POINTER(struct qpw_ahead, qpw_ahead_stop)

#endif
