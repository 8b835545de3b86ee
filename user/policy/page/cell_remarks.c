/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cell_remarks.c - skip remarks in brackets, unless they may change the meaning of the port. */
#include "policy/page/cells_int.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Return whether the port is needed under a condition only. */
static bool is_conditional(const char *text)
{
    static const char *const words[] = {"optional", "optionally", "if", "when", "where", "as needed", "on demand", NULL};

    return qpw_has_any_of(text, words);
}

/* Return whether a remark may exclude the port, a direction or some hosts, or replace the port. */
static bool restricts(const char *text)
{
    static const char *const words[] = {"unless", "from", "to", "source", "src", "client", "clients", "client-side",
                                        "localhost", "loopback", "local", "internal", "external", "old", "former",
                                        "formerly", "previous", "previously", "legacy", "per", "each", "every", "increment",
                                        "plus", "minus", "up", "down", "random", "dynamic", "ephemeral", "base", "first",
                                        "last", "example", "e.g", NULL};

    return qpw_denies(text) || qpw_directions_in(text) || qpw_has_any_of(text, words) ||
           (qpw_has_words(text, "only") && !qpw_has_words(text, "only if") && !qpw_has_words(text, "only when"));
}

/* Return whether a remark may be about certain nodes, networks, families, platforms or times. */
static bool names_some(const char *text)
{
    static const char *const words[] = {
        "in", "out", "ipv4", "ipv6", "v4", "v6", "windows", "linux", "solaris", "macos", "unix", "aws", "azure", "gcp", "google",
        "vmware", "cloud", "on-prem", "on-premises", "esxi", "node", "nodes", "gateway", "gateways", "primary", "secondary",
        "standby", "witness", "peer", "peers", "host", "hosts", "server", "servers", "network", "networks", "subnet", "vlan",
        "vlans", "lan", "wan", "intra", "inter", "intra-cluster", "inter-cluster", "intracluster", "intercluster",
        "node-to-node", "trusted", "private", "public", "admin", "future", "fallback", "one of", "either", "alternative",
        "alternatively", "new", "newer", "later", "earlier", "since", "version", "release", "interface", "eth0", "eth1",
        "range", "excl", "exclusive", "hex", "odd", "even", "filtered", "firewall", "recommended", "temporary", "dmz", "higher", "upward", "upwards", "above", "below", "min", "max", "alternate", "sequential", "consecutive", "any",
        "all", "or", "station", "stations", "beta", NULL};

    for (const char *p = text; *p; p++) /* "v6+", "eth1" */
        if (isdigit((unsigned char)*p))
            return true;
    return strchr(text, '+') || qpw_has_any_of(text, words);
}

static bool has_letters(const char *text)
{
    for (; *text; text++)
        if (isalpha((unsigned char)*text) || (unsigned char)*text >= 0x80)
            return true;
    return false;
}

/* Keep the remark for the purpose: "(HTTPS)". */
static void keep(struct qpw_cell_signs *signs, const char *text, size_t length)
{
    size_t used = strlen(signs->remarks);

    if (used + length + 2 < sizeof(signs->remarks))
        snprintf(signs->remarks + used, sizeof(signs->remarks) - used, "%s%.*s", used ? " " : "", (int)length, text);
}

/*
 * Parse the remark "(…)" at s->at, and skip it. Protocols, if it consists of nothing else, are added to bits. A fault:
 * digits, which might be ports; a protocol among other words; anything that may take the port back.
 */
int qpw_cell_take_remark(struct qpw_scan *s, enum qpw_page_column column, uint64_t bits[4])
{
    const char *open = s->at, *close = memchr(open, ')', (size_t)(s->end - open));
    char text[128];
    uint64_t inner[4] = {0};
    bool protocols = true;
    size_t length;

    if (!close)
        return qpw_cell_unclear(s->fault, column, "missing closing bracket:", open, (size_t)(s->end - open));
    length = (size_t)(close + 1 - open);
    if (length > 120)
        return qpw_cell_unclear(s->fault, column, "too long a remark in brackets:", open, length);
    for (const char *p = open; p < close; p++)
        if (isdigit((unsigned char)*p) && !(p > open && isalpha((unsigned char)p[-1])))
            return qpw_cell_unclear(s->fault, column, "digits in brackets, which may be ports or not:", open, length);
    for (const char *p = open + 1; p < close;) {
        size_t n = 0;

        while (p + n < close && qpw_cell_is_word(p[n]))
            n++;
        if (n)
            protocols &= qpw_cell_add_protocol(p, n, inner) || qpw_cell_is_filler(p, n);
        p += n ? n : 1;
    }
    if (qpw_cell_any_in(inner) && (!protocols || !bits))
        return qpw_cell_unclear(s->fault, column, "a remark that may restrict the protocol:", open, length);
    snprintf(text, sizeof(text), "%.*s", (int)length, open);
    if (restricts(text) || (!qpw_cell_any_in(inner) && names_some(text)))
        return qpw_cell_unclear(s->fault, column, "a remark that may take the port back or restrict it:", open, length);
    s->signs->optional |= is_conditional(text);
    if (!qpw_cell_any_in(inner) && !is_conditional(text) && has_letters(text) && !qpw_has_words(text, "default"))
        keep(s->signs, open, length);
    for (size_t i = 0; bits && i < 4; i++)
        bits[i] |= inner[i];
    s->at = close + 1;
    return 0;
}

/* Skip "<word>" after a port on its line, which is a remark; other angle brackets are placeholders. */
int qpw_cell_take_angle(struct qpw_scan *s, bool behind_port)
{
    const char *open = s->at, *close = memchr(open, '>', (size_t)(s->end - open));
    size_t length = close ? (size_t)(close + 1 - open) : (size_t)(s->end - open);
    bool plain = *open == '<' && close && length > 2;
    char text[128];

    for (size_t i = 1; plain && i + 1 < length; i++)
        plain = isalpha((unsigned char)open[i]) || open[i] == ' ' || open[i] == '-';
    snprintf(text, sizeof(text), "%.*s", (int)length, open);
    if (!plain || length >= sizeof(text) || !behind_port || restricts(text) || names_some(text))
        return qpw_cell_unclear(s->fault, QPW_COLUMN_PORT, "not a port:", open, length);
    keep(s->signs, open, length);
    s->at = close + 1;
    return 0;
}
