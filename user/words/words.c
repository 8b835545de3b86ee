/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "words/words.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "util/names.h"

#define SECOND 1000000000ull

/* Three digits of value / unit, cut and not rounded, so that it never shows more than there was. */
static void three_digits(uint64_t value, uint64_t unit, const char *name, char *buf, size_t size)
{
    unsigned whole = value / unit, rest = value % unit / (unit / 100);

    if (whole < 10)
        snprintf(buf, size, "%u.%02u %s", whole, rest, name);
    else if (whole < 100)
        snprintf(buf, size, "%u.%u %s", whole, rest / 10, name);
    else
        snprintf(buf, size, "%u %s", whole, name);
}

static const uint64_t units[] = {1000000000000000000ull, 1000000000000000ull, 1000000000000ull, 1000000000ull,
                                 1000000ull, 1000ull};

const char *qpw_words_count(uint64_t count, char *buf, size_t size)
{
    static const char *const names[] = {"E", "P", "T", "G", "M"};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (count >= units[i]) {
            three_digits(count, units[i], names[i], buf, size);
            return buf;
        }
    if (count < 1000)
        snprintf(buf, size, "%u", (unsigned)count);
    else
        snprintf(buf, size, "%u,%03u", (unsigned)(count / 1000), (unsigned)(count % 1000));
    return buf;
}

const char *qpw_words_bytes(uint64_t bytes, char *buf, size_t size)
{
    static const char *const names[] = {"EB", "PB", "TB", "GB", "MB", "kB"};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (bytes >= units[i]) {
            three_digits(bytes, units[i], names[i], buf, size);
            return buf;
        }
    snprintf(buf, size, "%u B", (unsigned)bytes);
    return buf;
}

const char *qpw_words_share(uint64_t part, uint64_t whole, char *buf, size_t size)
{
    double percent = whole ? 100.0 * (double)part / (double)whole : 0;

    if (!part || !whole)
        snprintf(buf, size, "0 %%");
    else if (part == whole)
        snprintf(buf, size, "100 %%");
    else if (percent < 0.1)
        snprintf(buf, size, "<0.1 %%");
    else if (percent > 99.9)
        snprintf(buf, size, ">99.9 %%");
    else
        snprintf(buf, size, "%.1f %%", percent);
    return buf;
}

const char *qpw_words_duration(uint64_t ns, char *buf, size_t size)
{
    uint64_t s = ns / SECOND;

    if (s < 60)
        snprintf(buf, size, "%" PRIu64 " s", s);
    else if (s < 3600)
        snprintf(buf, size, "%" PRIu64 " min %" PRIu64 " s", s / 60, s % 60);
    else if (s < 86400)
        snprintf(buf, size, "%" PRIu64 " h %" PRIu64 " min", s / 3600, s % 3600 / 60);
    else
        snprintf(buf, size, "%" PRIu64 " d %" PRIu64 " h", s / 86400, s % 86400 / 3600);
    return buf;
}

static const char *format_time(uint64_t unix_ns, const char *format, char *buf, size_t size)
{
    time_t seconds = unix_ns / SECOND;
    struct tm tm;

    gmtime_r(&seconds, &tm);
    if (!strftime(buf, size, format, &tm))
        buf[0] = '\0';
    return buf;
}

const char *qpw_words_moment(uint64_t unix_ns, uint64_t now_unix_ns, char *buf, size_t size)
{
    bool today = unix_ns / SECOND / 86400 == now_unix_ns / SECOND / 86400;

    if (!unix_ns) {
        snprintf(buf, size, "-");
        return buf;
    }
    return format_time(unix_ns, today ? "%H:%M:%S" : "%m-%d %H:%M", buf, size);
}

const char *qpw_words_day(uint64_t unix_ns, char *buf, size_t size)
{
    return format_time(unix_ns, "%Y-%m-%d %H:%M:%S", buf, size);
}

const char *qpw_words_period(uint64_t from_unix_ns, uint64_t to_unix_ns, char *buf, size_t size)
{
    char from[32], to[32], span[32];

    if (!to_unix_ns)
        return "none";
    snprintf(buf, size, "%s to %s UTC (%s)", qpw_words_day(from_unix_ns, from, sizeof(from)),
             qpw_words_day(to_unix_ns, to, sizeof(to)),
             qpw_words_duration(to_unix_ns > from_unix_ns ? to_unix_ns - from_unix_ns : 0, span, sizeof(span)));
    return buf;
}

const char *qpw_words_end(unsigned kind, const uint8_t addr[16], char *buf, size_t size)
{
    const uint8_t *mac = addr + 10;

    if (kind != QPW_KIND_ETHERTYPE)
        return qpw_address_text(addr, buf, size);
    snprintf(buf, size, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
    return buf;
}

const char *qpw_words_prefix(const uint8_t prefix[16], char *buf, size_t size)
{
    char text[46];

    qpw_address_text(prefix, text, sizeof(text));
    snprintf(buf, size, "%s/%s", text, strchr(text, '.') ? "24" : "48");
    return buf;
}

const char *qpw_words_service(unsigned kind, unsigned protocol, unsigned port, char *buf, size_t size)
{
    char name[32];

    qpw_protocol_text(kind, protocol, port, name, sizeof(name));
    switch (kind) {
    case QPW_KIND_PORT:
        snprintf(buf, size, port ? "%s %u" : "%s", name, port);
        break;
    case QPW_KIND_ICMP:
        snprintf(buf, size, "%s type %u", name, port);
        break;
    case QPW_KIND_PROTOCOL:
        snprintf(buf, size, qpw_protocol_name(protocol) ? "%s" : "protocol %s", name);
        break;
    case QPW_KIND_ETHERTYPE:
        snprintf(buf, size, "%s", name);
        break;
    default:
        snprintf(buf, size, "any");
        break;
    }
    return buf;
}

const char *qpw_words_verdict(unsigned verdict)
{
    static const char *const meanings[QPW_VERDICT_COUNT] = {
        [QPW_VERDICT_NONE] = "not judged",
        [QPW_VERDICT_TRANSIT] = "not this node's",
        [QPW_VERDICT_PEER] = "between nodes of the cluster",
        [QPW_VERDICT_UNDECIDED] = "who asked whom is not known",
        [QPW_VERDICT_ALLOWED] = "a row of the policy names it",
        [QPW_VERDICT_WEAK] = "only a row that covers very much",
        [QPW_VERDICT_INFRA] = "what any IP node needs",
        [QPW_VERDICT_IMPLIED] = "companion of a row",
        [QPW_VERDICT_UNEXPECTED] = "no row explains it",
    };

    return verdict < QPW_VERDICT_COUNT ? meanings[verdict] : "";
}
