/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * pressure.h - make room in connection tables before they evict entries by themselves.
 *
 * A full table of the kernel drops its least recently used entry silently. A replay lists every connection, so it
 * removes the same entries beforehand and reports them. Sets of the half-open table report their own evictions, which
 * need not be the oldest of the table.
 */
#ifndef QPW_REPLAY_PRESSURE_H
#define QPW_REPLAY_PRESSURE_H

#include <stdint.h>

#include "auditor/expire.h"
#include "instance/object.h"
#include "util/error.h"

/* Checking after so many frames is soon enough, because each frame opens at most one connection. */
#define QPW_PRESSURE_FRAMES 256u

/*
 * Remove the least recently seen entries, a quarter of the capacity, from each table that is three quarters full (a
 * small one: half; the half-open one, whose sets fill unevenly: three eighths), pass them to expire->ended, if it
 * is set, and add them to expire->expired and *count. Only evicting tables are checked, not the one of established
 * connections. Returns 0 with *ret_frames, for how many frames no table can become so full; or a negative errno with
 * err filled.
 */
int qpw_pressure_relieve(struct qpw_kernel *k, struct qpw_expire *expire, uint64_t *count, uint64_t *ret_frames,
                         struct qpw_error *err);

#endif
