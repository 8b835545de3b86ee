/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/since.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
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

/* Read ".598008" after the seconds. Returns the rest. */
static const char *read_fraction(const char *text, uint64_t *ret_ns)
{
    uint64_t unit = SECOND;

    *ret_ns = 0;
    if (text[0] != '.' || !isdigit((unsigned char)text[1]))
        return text;
    for (text++; isdigit((unsigned char)*text); text++)
        *ret_ns += (uint64_t)(*text - '0') * (unit /= 10);
    return text;
}

static bool two_digits(const char *text, unsigned *ret)
{
    if (!isdigit((unsigned char)text[0]) || !isdigit((unsigned char)text[1]))
        return false;
    *ret = (unsigned)(10 * (text[0] - '0') + text[1] - '0');
    return true;
}

/* Read nothing, "Z", "+0200" or "+02:00" up to the end. False: anything else. */
static bool read_offset(const char *text, int64_t *ret_seconds)
{
    unsigned hours, minutes;
    const char *rest;

    *ret_seconds = 0;
    if (!*text || !strcmp(text, "Z"))
        return true;
    if ((*text != '+' && *text != '-') || !two_digits(text + 1, &hours))
        return false;
    rest = text + (text[3] == ':' ? 4 : 3);
    if (!two_digits(rest, &minutes) || rest[2] || hours > 14 || minutes > 59)
        return false;
    *ret_seconds = (*text == '-' ? -1 : 1) * (int64_t)(hours * 3600 + minutes * 60);
    return true;
}

int qpw_since_parse(const char *text, uint64_t now_unix_ns, uint64_t *ret_unix_ns)
{
    static const char *const formats[] = {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M",
                                          "%Y-%m-%d"};
    unsigned long long number;
    struct tm tm;
    uint64_t fraction_ns = 0;
    int64_t offset;
    const char *rest;
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
        rest = strptime(text, formats[i], &tm);
        if (!rest)
            continue;
        rest = strstr(formats[i], "%S") ? read_fraction(rest, &fraction_ns) : rest;
        if (!read_offset(rest, &offset) || timegm(&tm) - offset < 0)
            continue;
        *ret_unix_ns = (uint64_t)(timegm(&tm) - offset) * SECOND + fraction_ns;
        return 0;
    }
    return -EINVAL;
}

int qpw_until_parse(const char *text, int64_t now, int64_t *ret)
{
    uint64_t zero = (uint64_t)now * SECOND, at;
    int64_t until;

    if (qpw_since_parse(text, zero, &at) < 0)
        return -EINVAL;
    until = (int64_t)(at / SECOND);
    if (strspn(text, "0123456789") + 1 == strlen(text)) /* an age, not a date */
        until = 2 * now - until;
    if (until <= now)
        return -EINVAL;
    *ret = until;
    return 0;
}
