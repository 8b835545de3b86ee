/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "words/words.h"

#define SECOND 1000000000ull
#define DAY 86400u

const char *qpw_words_duration(uint64_t ns, char *buf, size_t size)
{
    static const struct {
        unsigned seconds;
        const char *name;
    } units[] = {{DAY, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}};
    uint64_t s = (int64_t)ns < 0 ? 0 : ns / SECOND, rest; /* the clock was set back meanwhile: treat as no time */
    size_t i = 0;

    while (i < 3 && s < units[i].seconds)
        i++;
    rest = i < 3 ? s % units[i].seconds / units[i + 1].seconds : 0;
    if (rest)
        snprintf(buf, size, "%" PRIu64 " %s %" PRIu64 " %s", s / units[i].seconds, units[i].name, rest,
                 units[i + 1].name);
    else
        snprintf(buf, size, "%" PRIu64 " %s", s / units[i].seconds, units[i].name);
    return buf;
}

const char *qpw_words_seconds(unsigned ms, char *buf, size_t size)
{
    snprintf(buf, size, "%g s", ms / 1000.0);
    return buf;
}

const char *qpw_words_age(uint64_t ns, char *buf, size_t size)
{
    uint64_t s = ns / SECOND;

    if (s < 1)
        snprintf(buf, size, "now");
    else if (s < 100)
        snprintf(buf, size, "%" PRIu64 "s", s);
    else if (s < 6000)
        snprintf(buf, size, "%" PRIu64 "m", s / 60);
    else if (s < DAY)
        snprintf(buf, size, "%" PRIu64 "h%02u", s / 3600, (unsigned)(s / 60 % 60));
    else if (s < 100ull * DAY)
        snprintf(buf, size, "%" PRIu64 "d%02u", s / DAY, (unsigned)(s / 3600 % 24));
    else
        snprintf(buf, size, "%" PRIu64 "d", s / DAY);
    return buf;
}

static const char *format_time(uint64_t unix_ns, const char *format, char *buf, size_t size)
{
    time_t seconds = unix_ns / SECOND;
    struct tm tm;

    gmtime_r(&seconds, &tm);
    if (!strftime(buf, size, format, &tm))
        *buf = '\0';
    return buf;
}

static bool same_day(uint64_t a_unix_ns, uint64_t b_unix_ns)
{
    return a_unix_ns / SECOND / DAY == b_unix_ns / SECOND / DAY;
}

const char *qpw_words_time(uint64_t unix_ns, char *buf, size_t size)
{
    return format_time(unix_ns, "%Y-%m-%d %H:%M:%SZ", buf, size);
}

const char *qpw_words_time_of(uint64_t unix_ns, bool local, bool brief, char *buf, size_t size)
{
    time_t seconds = (time_t)(unix_ns / SECOND);
    struct tm tm;

    if (!local)
        return format_time(unix_ns, brief ? "%m-%d %H:%MZ" : "%Y-%m-%d %H:%M:%SZ", buf, size);
    localtime_r(&seconds, &tm);
    if (!strftime(buf, size, brief ? "%m-%d %H:%M" : "%Y-%m-%d %H:%M:%S%z", &tm))
        *buf = '\0';
    return buf;
}

const char *qpw_words_moment(uint64_t unix_ns, uint64_t now_unix_ns, char *buf, size_t size)
{
    if (unix_ns)
        return format_time(unix_ns, same_day(unix_ns, now_unix_ns) ? "%H:%M:%S" : "%m-%d %H:%M", buf, size);
    snprintf(buf, size, "-");
    return buf;
}

const char *qpw_words_period(uint64_t from_unix_ns, uint64_t to_unix_ns, char *buf, size_t size)
{
    bool short_end = same_day(from_unix_ns, to_unix_ns);
    char from[32], to[32], span[32];

    if (!to_unix_ns) {
        snprintf(buf, size, "none");
        return buf;
    }
    snprintf(buf, size, "%s to %s UTC (%s)", format_time(from_unix_ns, "%Y-%m-%d %H:%M:%S", from, sizeof(from)),
             format_time(to_unix_ns, short_end ? "%H:%M:%S" : "%Y-%m-%d %H:%M:%S", to, sizeof(to)),
             qpw_words_duration(to_unix_ns > from_unix_ns ? to_unix_ns - from_unix_ns : 0, span, sizeof(span)));
    return buf;
}
