/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* render.h - the figures of a bench run as a table, or as JSON. */
#ifndef QPW_BENCH_RENDER_H
#define QPW_BENCH_RENDER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "bench/bench.h"
#include "bench/sockets.h"

/* What was measured beside the packets' cost. */
struct qpw_bench_machine {
    char cpu[96];
    char kernel[96];
    int cpus;               /* possible ones */
    uint64_t memory_bytes;  /* of all maps */
    unsigned starts;  /* of which load_ns is the median */
    uint64_t load_ns;
    uint64_t policy_ns;
    uint64_t picture_ns;    /* of QPW_BENCH_METERS meters */
    struct qpw_bench_size size[QPW_PROG_COUNT];
    struct qpw_bench_sockets sockets;
};

/* Packets a second, of one receiving CPU. `measured` false: not asked for. */
struct qpw_bench_live {
    bool measured;
    double empty_pps;
    double audit_pps;
};

void qpw_bench_machine_of(const struct qpw_bench_rig *rig, struct qpw_bench_machine *ret);

/* targets: with what this project has set itself as limits and aims. 0 or -ENOMEM. */
int qpw_bench_print(FILE *out, const struct qpw_bench_machine *m, const struct qpw_bench_result *r,
                    const struct qpw_bench_live *live, bool targets);

/* NULL: out of memory. The caller decrefs. */
json_t *qpw_bench_json(const struct qpw_bench_machine *m, const struct qpw_bench_result *r,
                       const struct qpw_bench_live *live, bool targets);

/* ---- Targets ---- */

struct qpw_bench_target {
    char what[72];
    double value;
    double must; /* not above it */
    double aim;
    const char *unit;
};
#define QPW_BENCH_MAX_TARGETS 32

/* The targets that this run can speak of. Returns how many were written. */
size_t qpw_bench_targets(const struct qpw_bench_machine *m, const struct qpw_bench_result *r,
                         struct qpw_bench_target ret[QPW_BENCH_MAX_TARGETS]);

#endif
