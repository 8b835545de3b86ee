/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* clock.h - the clocks of the host. */
#ifndef QPW_HOST_CLOCK_H
#define QPW_HOST_CLOCK_H

#include <stdint.h>

/* Read CLOCK_MONOTONIC or CLOCK_REALTIME, in nanoseconds. */
uint64_t qpw_clock_monotonic_ns(void);
uint64_t qpw_clock_unix_ns(void);

/* Return CLOCK_BOOTTIME in nanoseconds: it is never set, and it includes suspended time. */
uint64_t qpw_clock_boot_ns(void);

/*
 * Return the maximum error of CLOCK_REALTIME in nanoseconds, as its synchronisation reports it to the kernel; 0: not
 * synchronised.
 */
uint64_t qpw_clock_error_ns(void);

/* Convert nanoseconds since boot (CLOCK_BOOTTIME) to CLOCK_REALTIME, accurate to some microseconds. */
uint64_t qpw_clock_boot_to_unix_ns(uint64_t boot_ns);

/* Return CLOCK_REALTIME minus CLOCK_MONOTONIC, in nanoseconds, from the quickest of a few paired readings. */
int64_t qpw_clock_unix_offset_ns(void);

#endif
