/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "report/since.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECOND 1000000000ull

static uint64_t unit_seconds(char unit)
{
    switch (unit) {
    case 's': return 1;
    case 'm': return 60;
    case 'h': return 3600;
    case 'd': return 86400;
    case 'w': return 7 * 86400;
    default: return 0;
    }
}

int qpw_since_parse(const char *text, uint64_t now_unix_ns, uint64_t *ret_unix_ns)
{
    static const char *const formats[] = {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M",
                                          "%Y-%m-%d"};
    unsigned long long number;
    struct tm tm;
    char *end;

    if (!isdigit((unsigned char)text[0]))
        return -EINVAL;
    errno = 0;
    number = strtoull(text, &end, 10);
    if (!errno && unit_seconds(*end) && !end[1]) {
        if (number > now_unix_ns / SECOND / unit_seconds(*end))
            return -EINVAL;
        *ret_unix_ns = now_unix_ns - number * unit_seconds(*end) * SECOND;
        return 0;
    }
    for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
        memset(&tm, 0, sizeof(tm));
        end = strptime(text, formats[i], &tm);
        if (end && *end == 'Z')
            end++;
        if (!end || *end || timegm(&tm) < 0)
            continue;
        *ret_unix_ns = (uint64_t)timegm(&tm) * SECOND;
        return 0;
    }
    return -EINVAL;
}
