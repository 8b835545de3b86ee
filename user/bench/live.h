/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* live.h - packets a second through a real receive path: a veth pair in a network namespace of its own. */
#ifndef QPW_BENCH_LIVE_H
#define QPW_BENCH_LIVE_H

#include "bench/bench.h"
#include "bench/render.h"

/*
 * Frames of the 64,000 known connections leave one end of the pair by BPF_PROG_TEST_RUN with live frames (5.18)
 * and are received at the other, on the same CPU, by the XDP program under test or by an empty one; both pass them
 * on to the stack, which throws them away. The pair and its namespace are gone when this returns, or with the process.
 * 0, or negative errno with err and *ret untouched.
 */
int qpw_bench_run_live(struct qpw_bench_rig *rig, struct qpw_bench_live *ret, struct qpw_error *err);

#endif
