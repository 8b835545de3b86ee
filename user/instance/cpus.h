/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cpus.h - how many CPUs a per-CPU map has a value for. */
#ifndef QPW_KERNEL_CPUS_H
#define QPW_KERNEL_CPUS_H

#include <stdint.h>

/*
 * The CPUs that are possible, as the kernel sizes per-CPU values. Without /sys, where that is written, it is measured on
 * a map. A negative errno where neither can be had.
 */
int qpw_possible_cpus(void);

/*
 * Lines of each CPU's cache of connections, a power of two: 1 MiB, and less from 9 CPUs on, of which each has its share of
 * the connections; 8 MiB on all, but at least 128 KiB on each.
 */
uint32_t qpw_cpus_cache_lines(int cpus);

#endif
