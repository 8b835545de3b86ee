/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sockets.h - measure what noting its owner adds to the creation of a socket. */
#ifndef QPW_BENCH_SOCKETS_H
#define QPW_BENCH_SOCKETS_H

#include "bench/rig.h"

struct qpw_bench_sockets {
    bool measured;
    double bare_ns;  /* socket(2) and close(2) of a UDP socket */
    double noted_ns; /* the same with the program that notes owners attached */
};

/*
 * Measure in a child process within a private cgroup: alternating rounds with the program attached to that cgroup and
 * without. Returns 0, or a negative errno with err filled.
 */
int qpw_bench_run_sockets(struct qpw_bench_rig *rig, struct qpw_bench_sockets *ret, struct qpw_error *err);

#endif
