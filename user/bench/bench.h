/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * bench.h - what one packet costs on this machine: floors and cases, run in rounds one after another.
 */
#ifndef QPW_BENCH_BENCH_H
#define QPW_BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/rig.h"
#include "util/error.h"

/*
 * Connections of the "64k" cases: as many as fit into the established table of its default size beside
 * the other cases' own.
 */
#define QPW_BENCH_FLOWS 64000u
#define QPW_BENCH_REPEAT 100000u
#define QPW_BENCH_ROUNDS 25
#define QPW_BENCH_ROUNDS_QUICK 3
#define QPW_BENCH_BUDGET_QUICK_NS 6000000000ull
#define QPW_BENCH_MAX_ROUNDS 200

/* What a case does beside sending one frame again and again. Each is a field of struct qpw_bench_case. */
enum qpw_bench_do {
    QPW_DO_ONE = 0,   /* one connection */
    QPW_DO_FLOWS,     /* known connections through the wrapper */
    QPW_DO_RELOAD,    /* the same, each packet the first of its connection after a policy change */
    QPW_DO_OPEN,      /* each packet opens a connection, no table has any at first */
    QPW_DO_OPEN_MANY, /* the same beside 64,000 that are established */
    QPW_DO_ANSWER,    /* each packet is the node's SYN+ACK to a connection not seen before; its socket has an owner, */
    QPW_DO_ANSWER_UNOWNED, /* which is not looked for */
    QPW_DO_FLOOD,     /* as with QPW_DO_OPEN, and the table has been full for long */
    QPW_DO_SCAN,      /* all 65,536 ports of one source, again and again */
    QPW_DO_SCAN_NEW,  /* all ports, each 65,536 from another source */
    QPW_DO_RESCAN,    /* all 65,536 ports of one source, with another sequence number in each sweep, as scanners send them */
    QPW_DO_SHORT,     /* all ten packets of a short connection, from its SYN to the last acknowledgement */
    QPW_DO_TWO_CPUS,  /* one connection, another CPU busy with the same */
};

struct qpw_bench_case {
    const char *name;
    uint8_t tc;       /* 0: XDP ingress; 1: TC */
    uint8_t inbound;  /* TC: the packet is received, else sent */
    uint8_t what;     /* enum qpw_bench_do */
    uint8_t shape;    /* enum qpw_bench_shape */
    uint8_t protocol;
    uint8_t peer;     /* the remote address is a peer's */
    uint16_t port;    /* local port */
};

extern const struct qpw_bench_case qpw_bench_cases[];
extern const size_t qpw_bench_n_cases;

struct qpw_bench_samples {
    double ns[QPW_BENCH_MAX_ROUNDS];
    unsigned n;
};

struct qpw_bench_result {
    struct qpw_bench_samples floors[QPW_FLOOR_COUNT]; /* the wrappers': around the empty program */
    struct qpw_bench_samples *cases;                  /* [qpw_bench_n_cases]; n is 0 where it was not asked for */
    unsigned rounds;
};

double qpw_bench_median(const struct qpw_bench_samples *s);
double qpw_bench_best(const struct qpw_bench_samples *s);

/* ns without what the hook, or the wrapper, costs by itself. */
double qpw_bench_net(const struct qpw_bench_result *r, size_t index);
bool qpw_bench_is_wrapped(const struct qpw_bench_case *c);

#define QPW_BENCH_SHORT_SENT 4u     /* of a short connection's packets, these are the node's, */
#define QPW_BENCH_SHORT_RECEIVED 6u /* and these the other end's */

/* Establishes the connection of a case, or the 64,000 of a wrapped one, by a handshake and data both ways. */
int qpw_bench_prime(struct qpw_bench_rig *rig, const struct qpw_bench_case *c, struct qpw_error *err);

/* One sample of a case or a floor. `cpu`: the calling thread's; `other`: another one for two-cpus, -1: none. */
int qpw_bench_sample_floor(struct qpw_bench_rig *rig, enum qpw_bench_floor floor, double *ret_ns,
                           struct qpw_error *err);
int qpw_bench_sample_case(struct qpw_bench_rig *rig, const struct qpw_bench_case *c, int other, double *ret_ns,
                          struct qpw_error *err);

/*
 * All that `wanted` (an array of qpw_bench_n_cases) names, `rounds` times, on one CPU that a spinner of the
 * lowest priority keeps awake. No further round is begun that would likely end after `budget_ns` (0: no such bound).
 * The caller frees ret->cases. 0, or negative errno with err and *ret untouched.
 */
int qpw_bench_run(struct qpw_bench_rig *rig, const bool *wanted, unsigned rounds, uint64_t budget_ns,
                  struct qpw_bench_result *ret, struct qpw_error *err);

#endif
