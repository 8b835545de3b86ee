/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * rig.h - load the programs under test and the floors into this process without attaching them, and run frames through
 * them with BPF_PROG_TEST_RUN.
 */
#ifndef QPW_BENCH_RIG_H
#define QPW_BENCH_RIG_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/bench_flows.h"
#include "bench/frames.h"
#include "instance/object.h"
#include "util/error.h"

struct bpf_object;
struct ring_buffer;

/* Programs of bench.bpf.c. */
enum qpw_bench_floor {
    QPW_FLOOR_PASS = 0, /* only XDP_PASS */
    QPW_FLOOR_ARRAY,    /* IPv4 parse and per-CPU array counter */
    QPW_FLOOR_HASH,     /* IPv4 parse and per-CPU hash counter */
    QPW_FLOOR_WRAP_XDP, /* the wrapper of many flows */
    QPW_FLOOR_EMPTY,    /* only TC_ACT_UNSPEC */
    QPW_FLOOR_WRAP_TC,
    QPW_FLOOR_MEASURED, /* the floors before have a cost worth measuring */
    QPW_FLOOR_SEND = QPW_FLOOR_MEASURED, /* sends live frames, each of a different flow */
    QPW_FLOOR_COUNT
};

struct qpw_bench_rig {
    struct qpw_kernel kernel;
    struct bpf_object *floors;
    int floor_fd[QPW_FLOOR_COUNT];
    int flows_fd;          /* the wrapper's state */
    int target_fd[2];      /* the program arrays: XDP, TC */
    struct ring_buffer *events;
    unsigned starts;       /* how many were timed */
    uint64_t load_ns;      /* their median: maps, programs of XDP ingress and TC egress, policy */
    uint64_t policy_ns;    /* the policy alone, written during verification */
    uint32_t *live;        /* while established connections are hidden; otherwise NULL */
    uint64_t snapshot_ns; /* duration of a snapshot of QPW_BENCH_METERS meters */
};

#define QPW_BENCH_STARTS 3 /* upper limit */

/* Local ports of the allowed TCP and UDP services, and one that no rule names. */
#define QPW_BENCH_TCP_PORT 445
#define QPW_BENCH_UDP_PORT 2049
#define QPW_BENCH_CLOSED_PORT 4444

/*
 * Load both objects with a policy that has one peer, after timing `starts`, at least 1, of such loads. Returns 0, or a
 * negative errno with err filled and *rig unchanged.
 */
int qpw_bench_rig_open(struct qpw_bench_rig *rig, unsigned starts, struct qpw_error *err);
void qpw_bench_rig_close(struct qpw_bench_rig *rig);

/*
 * Run the frame through a program `repeat` times on the calling thread's CPU. ret_ns (may be NULL): nanoseconds per run
 * as the kernel measured, which rounds down (so half of one is added). Returns 0, or a negative errno with err filled.
 */
int qpw_bench_send(int prog_fd, const struct qpw_bench_frame *frame, uint32_t repeat, double *ret_ns,
                   struct qpw_error *err);

/* Set the TC or XDP wrapper's program, and the flows that it generates, on all CPUs. */
int qpw_bench_wrap(struct qpw_bench_rig *rig, bool tc, int prog_fd, const struct qpw_bench_flows *flows,
                   struct qpw_error *err);

/* Consume the events, as the auditor does. */
void qpw_bench_drain(struct qpw_bench_rig *rig);

/*
 * Zero the counts of live connections, so that packets skip the tables of established ones as if these were empty.
 * Returns 0, or -ENOMEM with err filled. Undo with qpw_bench_show_established().
 */
int qpw_bench_hide_established(struct qpw_bench_rig *rig, struct qpw_error *err);
void qpw_bench_show_established(struct qpw_bench_rig *rig);

/* Take out of the table of half-open connections all but those that are held there, which are established. */
int qpw_bench_forget_half_open(struct qpw_bench_rig *rig, struct qpw_error *err);

/* The verifier's work and the program's size; 0 if the kernel does not report them. */
struct qpw_bench_size {
    uint32_t verified; /* instructions processed */
    uint32_t xlated;   /* bytes */
    uint32_t jited;    /* bytes */
};
struct qpw_bench_size qpw_bench_program_size(const struct qpw_bench_rig *rig, enum qpw_program program);

#endif
