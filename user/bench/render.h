/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* render.h - write the results of a bench run as a table or as JSON. */
#ifndef QPW_BENCH_RENDER_H
#define QPW_BENCH_RENDER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "bench/bench.h"
#include "bench/sockets.h"

/* Measurements besides the cost of packets. */
struct qpw_bench_machine {
    char cpu[96];
    char kernel[96];
    int cpus;               /* possible CPUs */
    uint64_t memory_bytes;  /* of all maps */
    unsigned starts;  /* whose median load_ns is */
    uint64_t load_ns;
    uint64_t policy_ns;
    uint64_t snapshot_ns; /* of QPW_BENCH_METERS meters */
    struct qpw_bench_size size[QPW_PROG_COUNT];
    struct qpw_bench_sockets sockets;
};

/* Packets per second of one receiving CPU. `measured` false: not requested. */
struct qpw_bench_live {
    bool measured;
    double empty_pps;
    double audit_pps;
};

void qpw_bench_machine_of(const struct qpw_bench_rig *rig, struct qpw_bench_machine *ret);

/* Print the results; targets: with the project's limits and aims. Returns 0 or -ENOMEM. */
int qpw_bench_print(FILE *out, const struct qpw_bench_machine *m, const struct qpw_bench_result *r,
                    const struct qpw_bench_live *live, bool targets);

/* Build the results as JSON; the caller releases them. NULL: out of memory. */
json_t *qpw_bench_json(const struct qpw_bench_machine *m, const struct qpw_bench_result *r,
                       const struct qpw_bench_live *live, bool targets);

/* ---- Targets ---- */

struct qpw_bench_target {
    char what[72];
    double value;
    double must; /* upper limit */
    double aim;
    const char *unit;
};
#define QPW_BENCH_MAX_TARGETS 32

/* Fill in the targets that this run can judge. Returns how many. */
size_t qpw_bench_targets(const struct qpw_bench_machine *m, const struct qpw_bench_result *r,
                         struct qpw_bench_target ret[QPW_BENCH_MAX_TARGETS]);

#endif
