/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cpus.h - the number of values in a per-CPU map. */
#ifndef QPW_KERNEL_CPUS_H
#define QPW_KERNEL_CPUS_H

#include <stdint.h>

/*
 * Return the number of possible CPUs, which sizes per-CPU values; without /sys it is measured on a map. A negative
 * errno if neither works.
 */
int qpw_possible_cpus(void);

/*
 * Return the lines in each CPU's connection cache, a power of two: 1 MiB per CPU; from 9 CPUs on, less, because each
 * handles fewer connections: 8 MiB in all, but at least 128 KiB per CPU.
 */
uint32_t qpw_cpus_cache_lines(int cpus);

#endif
