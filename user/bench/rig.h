/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * rig.h - the programs under test and the floors, loaded into this process and attached to nothing, and
 * running frames through them with BPF_PROG_TEST_RUN.
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
    QPW_FLOOR_PASS = 0, /* XDP_PASS and nothing else */
    QPW_FLOOR_ARRAY,    /* IPv4 parse and per-CPU array counter */
    QPW_FLOOR_HASH,     /* IPv4 parse and per-CPU hash counter */
    QPW_FLOOR_WRAP_XDP, /* the wrapper of many flows */
    QPW_FLOOR_EMPTY,    /* TC_ACT_UNSPEC and nothing else */
    QPW_FLOOR_WRAP_TC,
    QPW_FLOOR_MEASURED, /* those before have a cost of their own to know */
    QPW_FLOOR_SEND = QPW_FLOOR_MEASURED, /* sends live frames, each of another flow */
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
    uint64_t load_ns;      /* median of them: maps, programs of XDP in and TC out, policy */
    uint64_t policy_ns;    /* the policy alone, written while the programs were being verified */
    uint32_t *live;        /* while they are hidden; else NULL */
    uint64_t picture_ns;   /* how long a picture of QPW_BENCH_METERS meters takes */
};

#define QPW_BENCH_STARTS 3 /* at most */

/* Local port of the allowed TCP and UDP service, and one that no rule names. */
#define QPW_BENCH_TCP_PORT 445
#define QPW_BENCH_UDP_PORT 2049
#define QPW_BENCH_CLOSED_PORT 4444

/* Loads both objects with a policy that has one peer, after timing `starts`, at least 1, of such loads. 0, or negative errno with err and *rig untouched. */
int qpw_bench_rig_open(struct qpw_bench_rig *rig, unsigned starts, struct qpw_error *err);
void qpw_bench_rig_close(struct qpw_bench_rig *rig);

/*
 * Sends the frame through a program `repeat` times on the calling thread's CPU. ret_ns: nanoseconds of one
 * run as the kernel measured, whole ones rounded down (half of one added); may be NULL. 0 or negative errno.
 */
int qpw_bench_send(int prog_fd, const struct qpw_bench_frame *frame, uint32_t repeat, double *ret_ns,
                   struct qpw_error *err);

/* Points the wrapper (of TC, or of XDP) at a program and sets the flows it makes, on all CPUs. */
int qpw_bench_wrap(struct qpw_bench_rig *rig, bool tc, int prog_fd, const struct qpw_bench_flows *flows,
                   struct qpw_error *err);

/* Reads the events away, as the auditor does. */
void qpw_bench_drain(struct qpw_bench_rig *rig);

/*
 * Has what lets a packet pass by the tables of established connections say that there are none, as if there were. 0, or
 * -ENOMEM with err. Then qpw_bench_show_established().
 */
int qpw_bench_hide_established(struct qpw_bench_rig *rig, struct qpw_error *err);
void qpw_bench_show_established(struct qpw_bench_rig *rig);

/* Empties the half-open connections. */
int qpw_bench_forget_half_open(struct qpw_bench_rig *rig, struct qpw_error *err);

/* What the verifier went through, and the program's size; 0 where the kernel does not say. */
struct qpw_bench_size {
    uint32_t verified; /* instructions processed */
    uint32_t xlated;   /* bytes */
    uint32_t jited;    /* bytes */
};
struct qpw_bench_size qpw_bench_program_size(const struct qpw_bench_rig *rig, enum qpw_program program);

#endif
