/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* clock.h - the programs' clock: jiffies, since a call of ktime costs more than a whole known packet. */
#ifndef QPW_KERNEL_CLOCK_H
#define QPW_KERNEL_CLOCK_H

#include <stdint.h>

#include "qportwatch.h"
#include "util/error.h"

/*
 * Sets tick_ns, jiffies_base and base_ns of *config from the resolution of the coarse clocks and a few ticks
 * read beside CLOCK_MONOTONIC. Takes two ticks on a quiet machine, up to five on a busy one.
 * 0, or a negative errno.
 */
int qpw_clock_calibrate(struct qpw_config *config, struct qpw_error *err);

/* CLOCK_MONOTONIC and CLOCK_REALTIME in nanoseconds. */
uint64_t qpw_clock_monotonic_ns(void);
uint64_t qpw_clock_unix_ns(void);

/* CLOCK_REALTIME of a moment given as nanoseconds since boot (CLOCK_BOOTTIME), to within some microseconds. */
uint64_t qpw_clock_boot_to_unix_ns(uint64_t boot_ns);

/* What CLOCK_REALTIME is ahead of CLOCK_MONOTONIC: of a few readings, the one between which least time passed. */
int64_t qpw_clock_unix_offset_ns(void);

#endif
