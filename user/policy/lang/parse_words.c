/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/lang/parse.h"
#include "util/array.h"
#include "util/near.h"

unsigned qpw_column_in(const struct qpw_word *word, const char *at)
{
    unsigned column = word->column;

    for (const char *p = word->text; p < at; p++)
        column += (*p & 0xc0) != 0x80;
    return column;
}

static bool read_number(const char **text, unsigned highest, unsigned *ret)
{
    const char *p = *text;
    unsigned value = 0;

    if (!isdigit((unsigned char)*p))
        return false;
    for (; isdigit((unsigned char)*p); p++) {
        value = value * 10 + (unsigned)(*p - '0');
        if (value > highest)
            return false;
    }
    *ret = value;
    *text = p;
    return true;
}

static int by_first(const void *left, const void *right)
{
    const struct qpw_port_range *a = left, *b = right;

    return a->first - b->first;
}

static size_t merge_ports(struct qpw_port_range *ranges, size_t n)
{
    size_t kept = 0;

    qsort(ranges, n, sizeof(*ranges), by_first);
    for (size_t i = 1; i < n; i++) {
        if (ranges[i].first > ranges[kept].last + 1u)
            ranges[++kept] = ranges[i];
        else if (ranges[i].last > ranges[kept].last)
            ranges[kept].last = ranges[i].last;
    }
    return kept + 1;
}

int qpw_parse_ports(const struct qpw_where *where, const struct qpw_word *word, const char *text, unsigned highest,
                    struct qpw_port_list *ret, struct qpw_error *err)
{
    struct qpw_port_range ranges[QPW_MAX_PORT_RANGES];
    unsigned lowest = highest > 255 ? 1 : 0;
    size_t n = 0;

    if (!strcmp(text, "any")) {
        *ret = (struct qpw_port_list){.any = true};
        return 0;
    }
    if (!highest)
        return qpw_fail_at(err, where, qpw_column_in(word, text), "these protocols have no ports; write any");
    for (const char *p = text;; p++) {
        const char *at = p;
        unsigned first, last;

        if (n == QPW_MAX_PORT_RANGES)
            return qpw_fail_at(err, where, qpw_column_in(word, at), "more than %u ports and ranges in one rule",
                               QPW_MAX_PORT_RANGES);
        if (!read_number(&p, highest, &first) || first < lowest)
            return qpw_fail_at(err, where, qpw_column_in(word, at), "'%s' is not a port; use numbers %u-%u, ranges, or any", at,
                               lowest, highest);
        last = first;
        if (*p == '-') {
            p++;
            if (!read_number(&p, highest, &last) || last < lowest)
                return qpw_fail_at(err, where, qpw_column_in(word, at), "'%s' is not a range of ports", at);
            if (last < first)
                return qpw_fail_at(err, where, qpw_column_in(word, at), "the range %u-%u is reversed", first, last);
        }
        if (*p && *p != ',')
            return qpw_fail_at(err, where, qpw_column_in(word, p), "'%s' where a comma or the end of the ports was expected",
                               p);
        ranges[n++] = (struct qpw_port_range){(uint16_t)first, (uint16_t)last};
        if (!*p)
            break;
    }
    n = merge_ports(ranges, n);
    struct qpw_port_range *copy = malloc(n * sizeof(*copy));
    if (!copy)
        return qpw_fail(err, -ENOMEM, "%s: out of memory", where->file);
    memcpy(copy, ranges, n * sizeof(*copy));
    *ret = (struct qpw_port_list){.ranges = copy, .n = n};
    return 0;
}

int qpw_parse_protocols(const struct qpw_where *where, const struct qpw_word *word, uint64_t ret_protocols[4],
                        bool *ret_any, struct qpw_error *err)
{
    static const struct {
        const char *name;
        unsigned number;
    } known[] = {{"tcp", IPPROTO_TCP}, {"udp", IPPROTO_UDP}, {"sctp", IPPROTO_SCTP},
                 {"icmp", IPPROTO_ICMP}, {"icmp6", IPPROTO_ICMPV6}};
    uint64_t protocols[4] = {0};

    if (!strcmp(word->text, "any")) {
        memset(ret_protocols, 0xff, sizeof(protocols));
        *ret_any = true;
        return 0;
    }
    for (const char *p = word->text;; p++) {
        size_t length = strcspn(p, ",");
        const char *end = p;
        unsigned number = 256;

        for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
            if (strlen(known[i].name) == length && !strncmp(known[i].name, p, length))
                number = known[i].number;
        if (number == 256 && (!read_number(&end, 255, &number) || end != p + length)) {
            struct qpw_near near = qpw_near_to(p, length);
            char hint[48];

            for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
                qpw_near_offer(&near, known[i].name);
            return qpw_fail_at(err, where, qpw_column_in(word, p),
                               "'%.*s' is not a protocol: tcp, udp, sctp, icmp, icmp6, a number, or any%s", (int)length, p,
                               qpw_near_hint(&near, hint, sizeof(hint)));
        }
        protocols[number / 64] |= (uint64_t)1 << number % 64;
        p += length;
        if (!*p)
            break;
    }
    memcpy(ret_protocols, protocols, sizeof(protocols));
    *ret_any = false;
    return 0;
}

unsigned qpw_highest_port(const uint64_t protocols[4], bool any)
{
    bool ports = false, types = false, none = any;

    for (unsigned protocol = 0; protocol < 256 && !any; protocol++) {
        if (!qpw_protocol_in(protocols, protocol))
            continue;
        if (protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP)
            ports = true;
        else if (protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6)
            types = true;
        else
            none = true;
    }
    return none || (ports && types) ? 0 : ports ? 65535 : 255;
}

int qpw_parse_until(const struct qpw_where *where, const struct qpw_word *word, const char *text, int64_t *ret,
                    struct qpw_error *err)
{
    struct tm tm = {0}, again;
    const char *end = strptime(text, "%Y-%m-%d", &tm);
    bool day = end && !*end && strlen(text) == 10;
    time_t seconds;

    if (end && *end == 'T') {
        end = strptime(end + 1, "%H:%M:%SZ", &tm);
        if (!end || *end || strlen(text) != 20)
            end = NULL;
    } else if (!day) {
        end = NULL;
    }
    again = tm;
    seconds = end ? timegm(&again) : 0;
    if (!end || again.tm_mday != tm.tm_mday || again.tm_mon != tm.tm_mon || again.tm_sec != tm.tm_sec || seconds <= 0)
        return qpw_fail_at(err, where, qpw_column_in(word, text),
                           "'%s' is not a day (2027-03-01) or a time (2027-03-01T12:00:00Z)", text);
    *ret = seconds + (day ? 86400 : 0);
    return 0;
}

/* Return how long the name at the beginning of a text is; 0: it begins with none. */
static size_t name_length(const char *text)
{
    return strchr("._+-", text[0]) ? 0 : strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789._+-");
}

bool qpw_is_name(const char *text)
{
    size_t length = name_length(text);

    return length && !text[length] && length < QPW_NAME_LEN;
}

int qpw_parse_name(const struct qpw_where *where, const struct qpw_word *word, const char *text,
                   char ret[QPW_NAME_LEN], struct qpw_error *err)
{
    size_t length = name_length(text);

    if (!length || text[length])
        return qpw_fail_at(err, where, qpw_column_in(word, text),
                           "'%s' is not a name: lower-case letters, digits and . _ + -", text);
    if (length >= QPW_NAME_LEN)
        return qpw_fail_at(err, where, qpw_column_in(word, text), "a name has at most %u characters", QPW_NAME_LEN - 1);
    memcpy(ret, text, length + 1);
    return 0;
}

const char *qpw_word_value(const struct qpw_word *word, const char *key)
{
    size_t length = strlen(key);

    if (word->quoted || strncmp(word->text, key, length) || word->text[length] != '=')
        return NULL;
    return word->text + length + 1;
}

static const struct qpw_address_set *find_set(const struct qpw_policy *policy, const char *name, size_t length)
{
    for (size_t i = 0; i < policy->n_sets; i++)
        if (strlen(policy->sets[i].name) == length && !strncmp(policy->sets[i].name, name, length))
            return &policy->sets[i];
    return NULL;
}

int qpw_parse_addresses(const struct qpw_policy *policy, const struct qpw_where *where, const struct qpw_word *word,
                        const char *text, struct qpw_addresses *set, struct qpw_error *err)
{
    int ret = 0;

    for (const char *p = text; ret == 0; p++) {
        size_t length = strcspn(p, ",");
        struct qpw_range range;
        const char *why;
        char copy[96];

        if (*p == '@') {
            const struct qpw_address_set *named = find_set(policy, p + 1, length - 1);

            struct qpw_near near = qpw_near_to(p + 1, length - 1);
            char hint[80];

            for (size_t i = 0; i < policy->n_sets; i++)
                qpw_near_offer(&near, policy->sets[i].name);
            if (!named) {
                qpw_fail_at(err, where, qpw_column_in(word, p), "no address set is named '%.*s'%s", (int)length - 1, p + 1,
                            qpw_near_hint(&near, hint, sizeof(hint)));
                return -ENOENT;
            }
            ret = qpw_addresses_add_all(set, &named->addresses);
        } else {
            snprintf(copy, sizeof(copy), "%.*s", (int)length, p);
            if (length >= sizeof(copy))
                return qpw_fail_at(err, where, qpw_column_in(word, p), "'%s…' is not an address", copy);
            if (qpw_range_parse(copy, &range, &why) < 0)
                return qpw_fail_at(err, where, qpw_column_in(word, p),
                                   strncmp(why, "has ", 4) ? "'%s': %s" : "%s %s", copy, why);
            ret = qpw_addresses_add(set, &range);
        }
        p += length;
        if (!*p)
            break;
    }
    if (ret == -E2BIG)
        return qpw_fail_at(err, where, word->column, "more than %u addresses and ranges", QPW_MAX_RANGES);
    return ret < 0 ? qpw_fail(err, ret, "%s: out of memory", where->file) : 0;
}

void qpw_ports_into_name(const struct qpw_port_range *ports, size_t n, char *name, size_t size)
{
    size_t used = strlen(name);

    for (size_t i = 0; i < n && used < size; i++) {
        int more = snprintf(name + used, size - used, i ? "+%u" : "%u", ports[i].first);

        used += (size_t)more;
        if (used < size && ports[i].last != ports[i].first)
            used += (size_t)snprintf(name + used, size - used, "-%u", ports[i].last);
    }
}

int qpw_policy_warn(struct qpw_policy *policy, const struct qpw_where *where, const char *format, ...)
{
    char **slot = QPW_ADD(policy->warnings, policy->n_warnings);
    char what[384];
    va_list args;

    if (!slot)
        return -ENOMEM;
    va_start(args, format);
    vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    if ((where ? asprintf(slot, "%s:%u: %s", where->file, where->line, what) : asprintf(slot, "%s", what)) < 0)
        return -ENOMEM;
    policy->n_warnings++;
    return 0;
}

int qpw_expect_words(const struct qpw_policy_statement *statement, size_t least, size_t most, const char *example,
                     struct qpw_error *err)
{
    if (statement->n_words >= least && statement->n_words <= most)
        return 0;
    return qpw_fail_at(err, &statement->where,
                       statement->n_words > most ? statement->words[most].column : statement->words[0].column,
                       "%s for '%s'; write: %s", statement->n_words > most ? "too many words" : "missing words",
                       statement->words[0].text, example);
}
