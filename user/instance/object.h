/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* object.h - create an instance from the embedded BPF object, and release what this process holds of one. */
#ifndef QPW_KERNEL_OBJECT_H
#define QPW_KERNEL_OBJECT_H

#include "instance/kernel.h"

struct qpw_load_options {
    uint32_t max_connections; /* established TCP; other tables scale with it. 0: default, 65,536 */
    bool replay;              /* the capture's clock, no socket table, `self` */
    bool no_cache;            /* send every packet down the slow path */
    bool no_fast_path;        /* tests: send every packet through the whole parser */
    bool weakly_ordered;      /* tests: behave as on a CPU that reorders stores, and whose programs set no bits */
    bool no_counts;           /* a replay without per-connection counts, which rule the cache out */
    uint32_t cache_lines;     /* of each CPU's cache; a power of two, 0: default */
    bool fixed_secret;        /* tests: the same hash in each run */
    bool old_verifier;        /* tests: use the programs for kernels before 5.13 */
    /* Bits by enum qpw_program; 0: all interface programs; qpw_instance_complete() adds more. */
    uint32_t programs;
};

#define QPW_DEFAULT_CONNECTIONS 65536u
#define QPW_LEAST_CONNECTIONS 1024u      /* lower limit for attach and replay */
#define QPW_MOST_CONNECTIONS (4u << 20)

/*
 * Create the embedded object's maps, probe features, calibrate jiffies, fill the slot queues and set default time-outs
 * while the programs are being verified. No policy is in force yet: call qpw_kernel_set_policy() before traffic counts.
 * Everything but the programs is usable from here on. Returns 0, or a negative errno with err filled and *k unchanged.
 */
int qpw_kernel_begin(const struct qpw_load_options *options, struct qpw_kernel *k, struct qpw_error *err);

/* Wait for the programs, if any are pending. Returns 0, or a negative errno with err filled. */
int qpw_kernel_finish(struct qpw_kernel *k, struct qpw_error *err);

/*
 * Set default time-outs and fill the slot queues, in otherwise empty maps. Returns 0, or a negative errno with err
 * filled.
 */
int qpw_kernel_set_fresh(struct qpw_kernel *k, struct qpw_error *err);

/* Begin and finish. On failure *k is unchanged. */
int qpw_kernel_load(const struct qpw_load_options *options, struct qpw_kernel *k, struct qpw_error *err);

/* Wait for pending programs, close descriptors and the control page; attached programs stay attached. */
void qpw_kernel_close(struct qpw_kernel *k);

#endif
