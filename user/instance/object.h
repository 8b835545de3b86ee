/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* object.h - makes a kernel side out of the embedded BPF object, and ends what this process holds of one. */
#ifndef QPW_KERNEL_OBJECT_H
#define QPW_KERNEL_OBJECT_H

#include "instance/kernel.h"

struct qpw_load_options {
    uint32_t max_connections; /* established TCP; the other tables scale with it. 0: default, 65,536 */
    bool replay;              /* capture's clock, no socket table, per-connection counts, `self` */
    bool no_cache;            /* tests: every packet takes the slow path */
    bool no_fast_path;        /* tests: every packet goes through the whole parser */
    bool weakly_ordered;      /* tests: as on a CPU that shows the stores of others in any order */
    bool no_counts;           /* tests: a replay without per-connection counts, hence with the cache */
    uint32_t cache_lines;     /* of the per-CPU cache; power of two, 0: default */
    bool fixed_secret;        /* tests: same hash in each run */
    bool old_verifier;        /* tests: the programs that kernels before 5.13 are given */
    uint32_t programs;        /* which to load, bits by enum qpw_program; 0: all of interfaces; qpw_instance_complete() adds */
};

#define QPW_DEFAULT_CONNECTIONS 65536u
#define QPW_LEAST_CONNECTIONS 1024u      /* what may be asked for, attached or in a replay */
#define QPW_MOST_CONNECTIONS (4u << 20)

/*
 * Makes the maps of the embedded object, probes features, calibrates jiffies, fills the slot queues, sets
 * default time-outs; meanwhile the programs are being verified. No policy is in force yet:
 * qpw_kernel_set_policy() before traffic counts. Everything but the programs may be used from here on.
 * Returns 0, or a negative errno with err filled and *k untouched.
 */
int qpw_kernel_begin(const struct qpw_load_options *options, struct qpw_kernel *k, struct qpw_error *err);

/* Waits for the programs; at once where there is nothing to wait for. 0, or a negative errno with err filled. */
int qpw_kernel_finish(struct qpw_kernel *k, struct qpw_error *err);

/* Default time-outs and full queues of slots, in maps that are otherwise empty. 0, or a negative errno with err filled. */
int qpw_kernel_set_fresh(struct qpw_kernel *k, struct qpw_error *err);

/* Both. On failure *k is untouched. */
int qpw_kernel_load(const struct qpw_load_options *options, struct qpw_kernel *k, struct qpw_error *err);

/* Waits for programs not yet waited for, closes descriptors and the control page; what is attached stays attached. */
void qpw_kernel_close(struct qpw_kernel *k);

#endif
