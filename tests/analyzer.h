/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* analyzer.h - what clang-tidy cannot know of functions that it does not see; included before each file by `make lint`. */
#ifndef __bpf__ /* which has no libc */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include "util/error.h"

/* After a call that failed, errno is positive. */
static inline int *analyzer_errno(void)
{
    int *e = __errno_location();

    if (*e <= 0)
        __builtin_unreachable();
    return e;
}
#undef errno
#define errno (*analyzer_errno())

/* An error's code is negative. */
#define qpw_fail(...) \
    ({ \
        int r_ = qpw_fail(__VA_ARGS__); \
        if (r_ >= 0) \
            __builtin_unreachable(); \
        r_; \
    })
#endif
