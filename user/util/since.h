/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef QPW_UTIL_SINCE_H
#define QPW_UTIL_SINCE_H

#include <stdint.h>

/*
 * Parse "45s", "90m", "12h", "7d", "2w" before `now`, or "2026-01-31", with "T12:00", "T12:00:30" or "T12:00:30.25" (or
 * a blank for the T) and an optional "Z" for UTC or an offset ("+0200", "+02:00"), so that the program's own output can
 * be read back. Returns 0, or -EINVAL with *ret unchanged.
 */
int qpw_since_parse(const char *text, uint64_t now_unix_ns, uint64_t *ret_unix_ns);

/*
 * The same for a future time, in Unix seconds: an age counts forward from now. Returns 0, or -EINVAL, also if it is
 * past.
 */
int qpw_until_parse(const char *text, int64_t now, int64_t *ret);

#endif
