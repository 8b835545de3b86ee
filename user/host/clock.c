/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "host/clock.h"

#include <sys/timex.h>
#include <time.h>

#define OFFSET_READINGS 10u
#define OFFSET_CLOSE_NS 10000u

static uint64_t clock_ns(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t qpw_clock_monotonic_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

uint64_t qpw_clock_unix_ns(void)
{
    return clock_ns(CLOCK_REALTIME);
}

uint64_t qpw_clock_boot_ns(void)
{
    return clock_ns(CLOCK_BOOTTIME);
}

uint64_t qpw_clock_error_ns(void)
{
    struct timex t = {0};

    if (adjtimex(&t) < 0 || (t.status & STA_UNSYNC) || t.maxerror <= 0)
        return 0;
    return (uint64_t)t.maxerror * 1000u;
}

uint64_t qpw_clock_boot_to_unix_ns(uint64_t boot_ns)
{
    return clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_BOOTTIME) + boot_ns;
}

int64_t qpw_clock_unix_offset_ns(void)
{
    uint64_t before, after, least = UINT64_MAX;
    int64_t offset = 0;

    for (unsigned i = 0; i < OFFSET_READINGS && least > OFFSET_CLOSE_NS; i++) {
        uint64_t unix_ns;

        before = clock_ns(CLOCK_MONOTONIC);
        unix_ns = clock_ns(CLOCK_REALTIME);
        after = clock_ns(CLOCK_MONOTONIC);
        if (after - before >= least)
            continue; /* preempted between the readings */
        least = after - before;
        offset = (int64_t)(unix_ns - before);
    }
    return offset;
}
