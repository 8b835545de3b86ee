/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* snapshot.h - measure how long user space takes for a snapshot of many meters. */
#ifndef QPW_BENCH_SNAPSHOT_H
#define QPW_BENCH_SNAPSHOT_H

#include <stdint.h>

#include "instance/object.h"
#include "util/error.h"

#define QPW_BENCH_METERS 5000u

/*
 * Fill an instance that has not counted yet with 5,000 meters that every possible CPU has counted in, and take the
 * snapshot that the live view takes each second. ret_ns: the median of several. The meters stay. Returns 0, or a
 * negative errno with err filled.
 */
int qpw_bench_snapshot(const struct qpw_kernel *k, uint64_t *ret_ns, struct qpw_error *err);

#endif
