/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* snapshot.h - how long user space takes for one picture of many meters. */
#ifndef QPW_BENCH_SNAPSHOT_H
#define QPW_BENCH_SNAPSHOT_H

#include <stdint.h>

#include "instance/object.h"
#include "util/error.h"

#define QPW_BENCH_METERS 5000u

/*
 * Fills the kernel side, on which nothing may have counted yet, with 5,000 meters that every possible CPU has
 * counted in, and takes the picture of them that the live view takes each second. ret_ns: the median of several.
 * The meters stay. 0, or negative errno with err.
 */
int qpw_bench_snapshot(const struct qpw_kernel *k, uint64_t *ret_ns, struct qpw_error *err);

#endif
