/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* bench.h - measure the cost of a packet on this machine: floors and cases, in consecutive rounds. */
#ifndef QPW_BENCH_BENCH_H
#define QPW_BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/rig.h"
#include "util/error.h"

/*
 * Connections of the "64k" cases: as many as fit into the established table of default size beside those of the other
 * cases.
 */
#define QPW_BENCH_FLOWS 64000u
#define QPW_BENCH_REPEAT 100000u
#define QPW_BENCH_ROUNDS 25
#define QPW_BENCH_ROUNDS_QUICK 3
#define QPW_BENCH_BUDGET_QUICK_NS 6000000000ull
#define QPW_BENCH_MAX_ROUNDS 200

/* What a case measures besides repeating one frame; stored in struct qpw_bench_case.what. */
enum qpw_bench_do {
    QPW_DO_ONE = 0,   /* one connection */
    QPW_DO_FLOWS,     /* known connections, through the wrapper */
    QPW_DO_RELOAD,    /* the same, each packet being the first of its connection after a policy change */
    QPW_DO_OPEN,      /* each packet opens a connection; all tables are initially empty */
    QPW_DO_OPEN_MANY, /* the same beside 64,000 established connections */
    QPW_DO_ANSWER,    /* each packet is the node's SYN+ACK of a new connection; its socket has an owner */
    QPW_DO_ANSWER_UNOWNED, /* the same, but the owner is not looked up */
    QPW_DO_FLOOD,     /* as QPW_DO_OPEN, with the table full for a long time */
    QPW_DO_SCAN,      /* all 65,536 ports of one source, repeatedly */
    QPW_DO_SCAN_NEW,  /* all ports, each sweep of 65,536 from a new source */
    QPW_DO_RESCAN,    /* all 65,536 ports of one source, with a new sequence number in each sweep, as scanners use */
    QPW_DO_SHORT,     /* all ten packets of a short connection, from SYN to last acknowledgement */
    QPW_DO_TWO_CPUS,  /* one connection, while another CPU does the same */
};

struct qpw_bench_case {
    const char *name;
    uint8_t tc;       /* 0: XDP ingress; 1: TC */
    uint8_t inbound;  /* TC: the packet is received; otherwise sent */
    uint8_t what;     /* enum qpw_bench_do */
    uint8_t shape;    /* enum qpw_bench_shape */
    uint8_t protocol;
    uint8_t peer;     /* the remote address belongs to a peer */
    uint16_t port;    /* local port */
};

extern const struct qpw_bench_case qpw_bench_cases[];
extern const size_t qpw_bench_n_cases;

struct qpw_bench_samples {
    double ns[QPW_BENCH_MAX_ROUNDS];
    unsigned n;
};

struct qpw_bench_result {
    struct qpw_bench_samples floors[QPW_FLOOR_COUNT]; /* for wrappers: around the empty program */
    struct qpw_bench_samples *cases;                  /* [qpw_bench_n_cases]; n is 0 if it was not selected */
    unsigned rounds;
};

double qpw_bench_median(const struct qpw_bench_samples *s);
double qpw_bench_best(const struct qpw_bench_samples *s);

/* Return a case's ns minus the cost of the hook or the wrapper itself. */
double qpw_bench_net(const struct qpw_bench_result *r, size_t index);
bool qpw_bench_is_wrapped(const struct qpw_bench_case *c);

/* A full direction of an Ethernet link: IP packets of that many bytes, each with this much more on the wire. */
#define QPW_BENCH_MTU 1500u
#define QPW_BENCH_FRAMING 38u /* header, checksum, preamble, gap */
extern const unsigned qpw_bench_links[];
extern const size_t qpw_bench_n_links;

/*
 * Return the share of one core, 1 being all of it, that the hook's program needs for one direction of a link of `gbit`
 * Gbit/s, full of packets of known connections: of 64,000 if that case was measured, of one otherwise. NAN: neither was.
 */
double qpw_bench_core_share(const struct qpw_bench_result *r, bool tc, unsigned gbit);

#define QPW_BENCH_SHORT_SENT 4u     /* packets of a short connection that the node sends */
#define QPW_BENCH_SHORT_RECEIVED 6u /* and that it receives */

/* Establish a case's connection, or the 64,000 of a wrapped case, by handshake and data in both directions. */
int qpw_bench_prime(struct qpw_bench_rig *rig, const struct qpw_bench_case *c, struct qpw_error *err);

/* Take one sample of a case or a floor. `cpu`: the calling thread's; `other`: a second one for two-cpus, -1: none. */
int qpw_bench_sample_floor(struct qpw_bench_rig *rig, enum qpw_bench_floor floor, double *ret_ns,
                           struct qpw_error *err);
int qpw_bench_sample_case(struct qpw_bench_rig *rig, const struct qpw_bench_case *c, int other, double *ret_ns,
                          struct qpw_error *err);

/*
 * Run everything in `wanted` (an array of qpw_bench_n_cases) `rounds` times on one CPU, which a spinner of the lowest
 * priority keeps awake. No further round starts if it would probably end after `budget_ns` (0: unlimited). The caller
 * frees ret->cases. Returns 0, or a negative errno with err filled and *ret unchanged.
 */
int qpw_bench_run(struct qpw_bench_rig *rig, const bool *wanted, unsigned rounds, uint64_t budget_ns,
                  struct qpw_bench_result *ret, struct qpw_error *err);

#endif
