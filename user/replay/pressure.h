/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * pressure.h - makes room in tables of connections before they push entries out by themselves.
 *
 * A full table of the kernel drops its least recently used entry without a word. A replay lists every
 * connection, so it takes the oldest out first: the same ones, but they are told of. A set of the half-open table
 * tells by itself of what it pushes out, which need not be the oldest of all.
 */
#ifndef QPW_REPLAY_PRESSURE_H
#define QPW_REPLAY_PRESSURE_H

#include <stdint.h>

#include "auditor/expire.h"
#include "instance/object.h"
#include "util/error.h"

/* A check after so many frames is in time: each opens one connection at most. */
#define QPW_PRESSURE_FRAMES 256u

/*
 * Takes as many as a quarter of its places, the least recently seen, out of each table that is three quarters full (a
 * small one: half; the half-open one, whose sets fill unevenly: three eighths), and tells expire->ended of them; they
 * are added to expire->expired and *count. Only tables that push out are looked at, not that of established
 * connections. 0, or a negative errno with err.
 */
int qpw_pressure_relieve(struct qpw_kernel *k, struct qpw_expire *expire, uint64_t *count, struct qpw_error *err);

#endif
