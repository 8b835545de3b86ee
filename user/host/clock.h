/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* clock.h - the clocks of the host. */
#ifndef QPW_HOST_CLOCK_H
#define QPW_HOST_CLOCK_H

#include <stdint.h>

/* CLOCK_MONOTONIC and CLOCK_REALTIME in nanoseconds. */
uint64_t qpw_clock_monotonic_ns(void);
uint64_t qpw_clock_unix_ns(void);

/* CLOCK_REALTIME of a moment given as nanoseconds since boot (CLOCK_BOOTTIME), to within some microseconds. */
uint64_t qpw_clock_boot_to_unix_ns(uint64_t boot_ns);

/* What CLOCK_REALTIME is ahead of CLOCK_MONOTONIC: of a few readings, the one between which least time passed. */
int64_t qpw_clock_unix_offset_ns(void);

#endif
