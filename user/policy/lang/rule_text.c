/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/lang/rule_text.h"

#include <ctype.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "policy/lang/parse.h"
#include "policy/lang/services.h"
#include "util/names.h"

static void add(char *buf, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void add(char *buf, size_t size, const char *format, ...)
{
    size_t used = strlen(buf);
    va_list args;

    va_start(args, format);
    vsnprintf(buf + used, size - used, format, args);
    va_end(args);
}

const char *qpw_protocols_text(const uint64_t protocols[4], bool any, char *buf, size_t size)
{
    /* Order: the usual protocols first, the others by number. */
    static const unsigned first[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP, IPPROTO_ICMP, IPPROTO_ICMPV6};

    buf[0] = '\0';
    if (any) {
        add(buf, size, "any");
        return buf;
    }
    for (size_t i = 0; i < sizeof(first) / sizeof(*first); i++)
        if (qpw_protocol_in(protocols, first[i]))
            add(buf, size, "%s%s", *buf ? "," : "", qpw_protocol_name(first[i]));
    for (unsigned protocol = 0; protocol < 256; protocol++)
        if (qpw_protocol_in(protocols, protocol) && !qpw_protocol_name(protocol))
            add(buf, size, "%s%u", *buf ? "," : "", protocol);
    return buf;
}

const char *qpw_ports_text(const struct qpw_port_range *ports, size_t n, bool any, char *buf, size_t size)
{
    buf[0] = '\0';
    if (any)
        add(buf, size, "any");
    for (size_t i = 0; i < n; i++) {
        add(buf, size, "%s%u", i ? "," : "", ports[i].first);
        if (ports[i].last != ports[i].first)
            add(buf, size, "-%u", ports[i].last);
    }
    return buf;
}

const char *qpw_addresses_text(const struct qpw_addresses *set, char *buf, size_t size)
{
    char one[96];

    buf[0] = '\0';
    if (!set->n)
        add(buf, size, "nobody");
    for (size_t i = 0; i < set->n; i++) {
        qpw_range_text(&set->ranges[i], one, sizeof(one));
        if (strlen(buf) + strlen(one) + 24 > size) {
            add(buf, size, "… (%zu more)", set->n - i);
            break;
        }
        add(buf, size, "%s%s", i ? "," : "", one);
    }
    return buf;
}

const char *qpw_keys_text(const struct qpw_keys *keys, char buf[QPW_KEYS_TEXT])
{
    buf[0] = '\0';
    for (size_t i = 0; i < keys->n; i++)
        add(buf, QPW_KEYS_TEXT, "%s%s", i ? ", " : "", keys->text[i]);
    return buf;
}

const char *qpw_until_text(int64_t until, char *buf, size_t size)
{
    time_t seconds = until % 86400 ? until : until - 1;
    struct tm tm;

    buf[0] = '\0';
    if (until)
        strftime(buf, size, until % 86400 ? "%Y-%m-%dT%H:%M:%SZ" : "%Y-%m-%d", gmtime_r(&seconds, &tm));
    return buf;
}

const char *qpw_row_limits_text(const struct qpw_rule *rule, char *buf, size_t size)
{
    char part[256];

    buf[0] = '\0';
    if (rule->flags & QPW_RULE_FROM)
        add(buf, size, " from=%s", qpw_addresses_text(&rule->from, part, sizeof(part)));
    if (rule->flags & QPW_RULE_TO)
        add(buf, size, " to=%s", qpw_addresses_text(&rule->to, part, sizeof(part)));
    if (rule->vlan != QPW_ANY_VLAN && rule->vlan)
        add(buf, size, " vlan=%d", rule->vlan);
    else if (rule->vlan == 0)
        add(buf, size, " vlan=untagged");
    if (rule->iface)
        add(buf, size, " iface=%s", rule->iface);
    if (rule->until)
        add(buf, size, " until=%s", qpw_until_text(rule->until, part, sizeof(part)));
    if (*buf)
        memmove(buf, buf + 1, strlen(buf));
    return buf;
}

const char *qpw_row_marks_text(const struct qpw_rule *rule, char *buf, size_t size)
{
    char speaks[QPW_SPEAKS_ROOM];

    buf[0] = '\0';
    if (rule->flags & QPW_RULE_DEFAULT)
        add(buf, size, " default");
    if (rule->flags & QPW_RULE_OPTIONAL)
        add(buf, size, " optional");
    if (rule->flags & QPW_RULE_WEAK)
        add(buf, size, " weak");
    if (rule->flags & QPW_RULE_ANY_ANSWER)
        add(buf, size, " answers=any-port");
    if (rule->owner)
        add(buf, size, " owner=%s", rule->owner);
    if (rule->speaks)
        add(buf, size, " speaks=%s", qpw_speaks_text(rule->speaks, speaks, sizeof(speaks)));
    if (rule->feature)
        add(buf, size, " feature=%s", rule->feature);
    if (rule->parent)
        add(buf, size, " parent=%s", rule->parent);
    if (*buf)
        memmove(buf, buf + 1, strlen(buf));
    return buf;
}

/* Return whether the text is a file name with a suffix and a line, such as "ports.md:23". */
static bool is_line_of_file(const char *ref)
{
    const char *colon = strrchr(ref, ':'), *dot = colon;

    while (dot && dot > ref && *dot != '.' && *dot != '/')
        dot--;
    return dot && dot > ref && *dot == '.' && isalpha((unsigned char)dot[1]) && colon[1] &&
           strspn(colon + 1, "0123456789") == strlen(colon + 1);
}

bool qpw_ref_is_page(const char *ref, const char *source)
{
    size_t length = source ? strlen(source) : 0;

    return (length && !strncmp(ref, source, length) && (ref[length] == ':' || !ref[length])) || is_line_of_file(ref);
}
