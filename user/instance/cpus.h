/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cpus.h - how many CPUs a per-CPU map has a value for. */
#ifndef QPW_KERNEL_CPUS_H
#define QPW_KERNEL_CPUS_H

/*
 * The CPUs that are possible, as the kernel sizes per-CPU values. Without /sys, where that is written, it is measured on
 * a map. A negative errno where neither can be had.
 */
int qpw_possible_cpus(void);

#endif
