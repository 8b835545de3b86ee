/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* live.h - packets per second through a real receive path: a veth pair in a private network namespace. */
#ifndef QPW_BENCH_LIVE_H
#define QPW_BENCH_LIVE_H

#include "bench/bench.h"
#include "bench/render.h"

/*
 * Send frames of the 64,000 known connections from one end of the pair by BPF_PROG_TEST_RUN with live frames (Linux
 * 5.18) and receive them at the other, on the same CPU, with the XDP program under test or an empty one; both pass them
 * on to the stack, which drops them. Pair and namespace are removed on return, or with the process. Returns 0, or a
 * negative errno with err filled and *ret unchanged.
 */
int qpw_bench_run_live(struct qpw_bench_rig *rig, struct qpw_bench_live *ret, struct qpw_error *err);

#endif
