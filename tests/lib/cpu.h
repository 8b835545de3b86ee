/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cpu.h - on which CPU a test runs: what the programs keep per CPU is then known. */
#ifndef TESTS_LIB_CPU_H
#define TESTS_LIB_CPU_H

#include <stdbool.h>

/* Keep this thread on that CPU, and what it forks. Returns false where it may not run there. */
bool cpu_pin(int cpu);

/* Keep this thread on the CPU that it runs on. */
bool cpu_stay(void);

/* Return in *ret two CPUs that this thread may run on; skip the test where there are none. */
void cpu_need_two(int ret[2]);

#endif
