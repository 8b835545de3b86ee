/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "facts/totals.h"
#include "words/numbers.h"

static const struct {
    uint64_t value;
    char prefix;
} units[] = {{1000000000000000000ull, 'E'}, {1000000000000000ull, 'P'}, {1000000000000ull, 'T'},
             {1000000000ull, 'G'},          {1000000ull, 'M'},          {1000ull, 'k'}};

/* Write value / unit with three digits, truncated. `name` follows the prefix. */
static const char *three_digits(uint64_t value, size_t unit, const char *name, char *buf, size_t size)
{
    unsigned whole = value / units[unit].value, hundredths = value % units[unit].value / (units[unit].value / 100);

    if (whole < 10)
        snprintf(buf, size, "%u.%02u %c%s", whole, hundredths, units[unit].prefix, name);
    else if (whole < 100)
        snprintf(buf, size, "%u.%u %c%s", whole, hundredths / 10, units[unit].prefix, name);
    else
        snprintf(buf, size, "%u %c%s", whole, units[unit].prefix, name);
    return buf;
}

const char *qpw_words_count(uint64_t count, char *buf, size_t size)
{
    for (size_t i = 0; units[i].prefix != 'k'; i++)
        if (count >= units[i].value)
            return three_digits(count, i, "", buf, size);
    if (count < 1000)
        snprintf(buf, size, "%u", (unsigned)count);
    else
        snprintf(buf, size, "%u,%03u", (unsigned)(count / 1000), (unsigned)(count % 1000));
    return buf;
}

const char *qpw_words_exact(uint64_t number, char *buf, size_t size)
{
    snprintf(buf, size, "%" PRIu64, number);
    return buf;
}

const char *qpw_words_many(uint64_t count, const char *noun, char *buf, size_t size)
{
    size_t length = strlen(noun);
    const char *end = count == 1 ? "" : length && noun[length - 1] == 's' ? "es" : "s";
    char number[16];

    snprintf(buf, size, "%s %s%s", qpw_words_count(count, number, sizeof(number)), noun, end);
    return buf;
}

const char *qpw_words_bytes(uint64_t bytes, char *buf, size_t size)
{
    for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
        if (bytes >= units[i].value)
            return three_digits(bytes, i, "B", buf, size);
    snprintf(buf, size, "%u B", (unsigned)bytes);
    return buf;
}

const char *qpw_words_traffic(uint64_t packets, uint64_t bytes, char *buf, size_t size)
{
    char number[40], amount[24];

    snprintf(buf, size, "%s, %s", qpw_words_many(packets, "packet", number, sizeof(number)),
             qpw_words_bytes(bytes, amount, sizeof(amount)));
    return buf;
}

const char *qpw_words_share(uint64_t part, uint64_t whole, char *buf, size_t size)
{
    double percent = qpw_percent_of(part, whole);

    if (!part || !whole || part == whole)
        snprintf(buf, size, "%.0f %%", percent);
    else if (percent < 0.1)
        snprintf(buf, size, "<0.1 %%");
    else if (percent > 99.9)
        snprintf(buf, size, ">99.9 %%");
    else
        snprintf(buf, size, "%.1f %%", percent);
    return buf;
}

const char *qpw_words_share_short(uint64_t part, uint64_t whole, char *buf, size_t size)
{
    double percent = qpw_percent_of(part, whole);
    bool partial = part && part != whole;

    if (partial && percent < 1)
        snprintf(buf, size, "<1%%");
    else if (partial && percent > 99)
        snprintf(buf, size, ">99%%");
    else
        snprintf(buf, size, "%.0f%%", percent);
    return buf;
}

const char *qpw_words_figure(double value, int decimals, const char *unit, char *buf, size_t size)
{
    char number[32];

    if (!decimals && value >= 1000)
        qpw_words_count((uint64_t)(value + 0.5), number, sizeof(number));
    else
        snprintf(number, sizeof(number), "%.*f", decimals, value);
    snprintf(buf, size, "%s%s%s", number, *unit ? " " : "", unit);
    return buf;
}

const char *qpw_words_short(double value, char *buf, size_t size)
{
    static const char prefixes[] = "kMGTPE";
    int prefix = 0;

    if (value > 0 && value < 9.95 && value != (double)(int)value) {
        snprintf(buf, size, "%.1f", value);
        return buf;
    }
    if (!(value >= 9999.5)) {
        snprintf(buf, size, "%.0f", value);
        return buf;
    }
    for (value /= 1000; value >= 999.5 && prefixes[prefix + 1]; value /= 1000)
        prefix++;
    snprintf(buf, size, value < 9.995 ? "%.2f%c" : value < 99.95 ? "%.1f%c" : "%.0f%c", value, prefixes[prefix]);
    return buf;
}

const char *qpw_words_rate(double bytes_per_second, bool bits, char *buf, size_t size)
{
    char number[16];

    snprintf(buf, size, "%s %s", qpw_words_short(bits ? 8 * bytes_per_second : bytes_per_second, number, sizeof(number)),
             bits ? "bit/s" : "B/s");
    return buf;
}

const char *qpw_words_sparkline(const float *values, size_t n, char *buf, size_t size)
{
    static const char bars[][4] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    float top = 0;
    size_t used = 0;

    for (size_t i = 0; i < n; i++)
        top = values[i] > top ? values[i] : top;
    for (size_t i = 0; i < n && used + 4 < size; i++) {
        int bar = top > 0 ? (int)(values[i] / top * 7.999f) : 0;

        used += (size_t)snprintf(buf + used, size - used, "%s", values[i] > 0 ? bars[bar] : " ");
    }
    buf[used] = '\0';
    return buf;
}
