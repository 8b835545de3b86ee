/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* clock.h - the programs' clock: jiffies, since a call of ktime costs more than a whole known packet. */
#ifndef QPW_KERNEL_CLOCK_H
#define QPW_KERNEL_CLOCK_H

#include <stdint.h>

#include "qportwatch.h"
#include "util/error.h"

/*
 * Finds HZ (100, 250, 300 or 1000; the kernel does not tell) by timing jiffies against CLOCK_MONOTONIC,
 * and sets tick_ns, jiffies_base and base_ns of *config. Takes some 30 ms. 0, or a negative errno.
 */
int qpw_clock_calibrate(struct qpw_config *config, struct qpw_error *err);

/* CLOCK_MONOTONIC and CLOCK_REALTIME in nanoseconds. */
uint64_t qpw_clock_monotonic_ns(void);
uint64_t qpw_clock_unix_ns(void);

#endif
