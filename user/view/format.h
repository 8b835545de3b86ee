/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* format.h - figures as short texts that fit a column. All write into buf and return it. */
#ifndef QPW_VIEW_FORMAT_H
#define QPW_VIEW_FORMAT_H

#include <stddef.h>
#include <stdint.h>

/* At most five characters: "0", "9999", "12.3k", "4.56M", "789G"; decimal prefixes. */
const char *qpw_short_number(double value, char *buf, size_t size);
/* Three-part age of at most five characters: "now", "42s", "12m", "5h07", "3d04", "412d". */
const char *qpw_short_age(uint64_t ns, char *buf, size_t size);
/* Share in percent: "0%", "<0.01%", "0.05%", "12.3%", "100%"; whole 0 gives "-". */
const char *qpw_share(uint64_t part, uint64_t whole, char *buf, size_t size);
/*
 * A bar a value, scaled to the greatest, as UTF-8 (at most 3 bytes a value and the end). values: oldest
 * first; zero is a blank, anything above shows at least the lowest bar.
 */
const char *qpw_sparkline(const float *values, size_t n, char *buf, size_t size);

/* Name of a port as /etc/services has it, "" where it has none. Read once at the first call. */
const char *qpw_service_name(unsigned protocol, unsigned port);

#endif
