/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/page/cells.h"

#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

bool qpw_has_words(const char *text, const char *words)
{
    size_t length = strlen(words);

    for (const char *p = text; (p = strcasestr(p, words)); p++)
        if ((p == text || !is_word(p[-1])) && !is_word(p[length]))
            return true;
    return false;
}

static int unclear(char *why, size_t size, const char *what, const char *text, size_t length)
{
    snprintf(why, size, "%s '%.*s'", what, (int)(length > 60 ? 60 : length), text);
    return -EINVAL;
}

/* ---- Words of a port or protocol cell ---- */

/* The next word of a cell, past separators and footnote marks; 0 at the end. */
static size_t next_word(const char **at)
{
    static const char *const marks[] = {"\xe2\x80\xa0", "\xe2\x80\xa1", "\xc2\xb9", "\xc2\xb2",
                                        "\xc2\xb3",     "\xc2\xa7",     NULL};
    const char *p = *at;
    size_t length = 0;

    for (bool again = true; again;) {
        again = false;
        while (*p && strchr(" \n,;/&*|", *p)) {
            p++;
            again = true;
        }
        for (size_t i = 0; marks[i]; i++)
            if (!strncmp(p, marks[i], strlen(marks[i]))) {
                p += strlen(marks[i]);
                again = true;
            }
    }
    while (p[length] && !strchr(" \n,;/&*|()", p[length])) {
        bool mark = false;

        for (size_t i = 0; marks[i]; i++)
            mark |= !strncmp(p + length, marks[i], strlen(marks[i]));
        if (mark)
            break;
        length++;
    }
    *at = p;
    return length;
}

/* Past "(…)": a remark, unless it has digits, which might be ports. */
static int skip_remark(const char **at, char *why, size_t size)
{
    const char *close = strchr(*at, ')');

    if (!close)
        return unclear(why, size, "a bracket is not closed:", *at, strlen(*at));
    for (const char *p = *at; p < close; p++)
        if (isdigit((unsigned char)*p) && !(p > *at && isalpha((unsigned char)p[-1])))
            return unclear(why, size, "digits in brackets, which may be ports or not:", *at, (size_t)(close + 1 - *at));
    *at = close + 1;
    return 0;
}

static bool is_text(const char *word, size_t length, const char *text)
{
    return strlen(text) == length && !strncasecmp(word, text, length);
}

static bool add_protocol(const char *word, size_t length, struct qpw_row_ports *ret)
{
    static const struct {
        const char *name;
        unsigned number;
    } known[] = {{"tcp", IPPROTO_TCP}, {"udp", IPPROTO_UDP}, {"sctp", IPPROTO_SCTP}, {"icmp", IPPROTO_ICMP},
                 {"icmpv4", IPPROTO_ICMP}, {"icmpv6", IPPROTO_ICMPV6}, {"icmp6", IPPROTO_ICMPV6}, {"gre", IPPROTO_GRE},
                 {"esp", IPPROTO_ESP}, {"ah", IPPROTO_AH}, {"igmp", IPPROTO_IGMP}, {"vrrp", 112}, {"ospf", 89},
                 {"tcp4", IPPROTO_TCP}, {"tcp6", IPPROTO_TCP}};

    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        if (is_text(word, length, known[i].name)) {
            ret->protocols[known[i].number / 64] |= (uint64_t)1 << known[i].number % 64;
            return true;
        }
    return false;
}

static bool is_any(const char *word, size_t length)
{
    return is_text(word, length, "all") || is_text(word, length, "any");
}

static bool is_filler(const char *word, size_t length)
{
    return is_text(word, length, "and") || is_text(word, length, "or") || is_text(word, length, "port") ||
           is_text(word, length, "ports") || is_text(word, length, "protocols") || is_text(word, length, "protocol");
}

int qpw_cell_protocols(const char *cell, struct qpw_row_ports *ret, char *why, size_t size)
{
    const char *at = cell;
    size_t length;

    while ((length = next_word(&at)) || *at == '(') {
        if (!length) {
            if (skip_remark(&at, why, size) < 0)
                return -EINVAL;
            continue;
        }
        if (is_any(at, length) || is_text(at, length, "ip"))
            ret->any_protocol = true;
        else if (!is_filler(at, length) && !add_protocol(at, length, ret))
            return unclear(why, size, "not a protocol:", at, length);
        at += length;
    }
    if (*at)
        return unclear(why, size, "not understood in a cell of protocols:", at, strlen(at));
    return 0;
}

/* ---- Ports ---- */

static int number_at(const char **at, unsigned *ret)
{
    unsigned value = 0;

    if (!isdigit((unsigned char)**at))
        return -EINVAL;
    for (; isdigit((unsigned char)**at); (*at)++) {
        value = value * 10 + (unsigned)(**at - '0');
        if (value > 65535)
            return -ERANGE;
    }
    *ret = value;
    return 0;
}

static int by_first(const void *left, const void *right)
{
    return ((const struct qpw_port_range *)left)->first - ((const struct qpw_port_range *)right)->first;
}

static void merge(struct qpw_row_ports *ports)
{
    size_t kept = 0;

    if (ports->n < 2)
        return;
    qsort(ports->ports, ports->n, sizeof(*ports->ports), by_first);
    for (size_t i = 1; i < ports->n; i++) {
        if (ports->ports[i].first > ports->ports[kept].last)
            ports->ports[++kept] = ports->ports[i];
        else if (ports->ports[i].last > ports->ports[kept].last)
            ports->ports[kept].last = ports->ports[i].last;
    }
    ports->n = kept + 1;
}

/* "161", "161-162", "6800 - 7300", "6800 to 7300" at *at. */
static int range_at(const char **at, struct qpw_row_ports *ret, char *why, size_t size)
{
    const char *start = *at, *p = *at;
    unsigned first = 0, last;
    int error = number_at(&p, &first);
    const char *after = p;

    last = first;
    while (*after == ' ' || *after == '\n')
        after++;
    if (error == 0 && (*after == '-' || (!strncasecmp(after, "to", 2) && !isalnum((unsigned char)after[2])))) {
        after += *after == '-' ? 1 : 2;
        while (*after == ' ' || *after == '\n')
            after++;
        error = number_at(&after, &last);
        p = after;
    }
    if (error < 0 || !first || is_word(*p) || *p == '-' || *p == '+' || *p == '.')
        return unclear(why, size, "not a port or a range of ports from 1 to 65535:", start,
                       strcspn(start, " \n,;/&()"));
    if (last < first)
        return unclear(why, size, "the range runs backwards:", start, (size_t)(p - start));
    if (ret->n == QPW_MAX_PORT_RANGES)
        return unclear(why, size, "too many ports in one cell:", start, (size_t)(p - start));
    ret->ports[ret->n++] = (struct qpw_port_range){(uint16_t)first, (uint16_t)last};
    *at = p;
    return 0;
}

int qpw_cell_ports(const char *cell, struct qpw_row_ports *ret, char *why, size_t size)
{
    const char *at = cell;
    size_t length;

    while ((length = next_word(&at)) || *at == '(') {
        int error = 0;

        if (!length) {
            error = skip_remark(&at, why, size);
        } else if (isdigit((unsigned char)*at)) {
            error = range_at(&at, ret, why, size);
        } else if (is_any(at, length) || is_text(at, length, "n") /* N/A */ || is_text(at, length, "-") ||
                   is_text(at, length, "none")) {
            ret->any = true;
            at += length;
            if (!strncasecmp(at, "/a", 2))
                at += 2;
        } else if (is_filler(at, length) || add_protocol(at, length, ret)) {
            at += length;
        } else {
            error = unclear(why, size, "not a port:", at, length);
        }
        if (error < 0)
            return error;
    }
    if (*at)
        return unclear(why, size, "not understood in a cell of ports:", at, strlen(at));
    if (ret->any && ret->n)
        return unclear(why, size, "all ports and single ones in one cell:", cell, strlen(cell));
    merge(ret);
    return 0;
}

/* ---- Titles and headings ---- */

enum qpw_column qpw_column_of(const char *title)
{
    static const struct {
        const char *words;
        enum qpw_column column;
    } known[] = {{"direction", QPW_COLUMN_DIRECTION},
                 {"port", QPW_COLUMN_PORT},
                 {"ports", QPW_COLUMN_PORT},
                 {"port(s)", QPW_COLUMN_PORT},
                 {"protocol", QPW_COLUMN_PROTOCOL},
                 {"protocols", QPW_COLUMN_PROTOCOL},
                 {"protocol(s)", QPW_COLUMN_PROTOCOL},
                 {"transport", QPW_COLUMN_PROTOCOL},
                 {"source", QPW_COLUMN_SOURCE},
                 {"from", QPW_COLUMN_SOURCE},
                 {"initiator", QPW_COLUMN_SOURCE},
                 {"destination", QPW_COLUMN_DESTINATION},
                 {"target", QPW_COLUMN_DESTINATION},
                 {"to", QPW_COLUMN_DESTINATION},
                 {"use", QPW_COLUMN_USE},
                 {"purpose", QPW_COLUMN_USE},
                 {"description", QPW_COLUMN_USE},
                 {"service", QPW_COLUMN_USE},
                 {"application", QPW_COLUMN_USE},
                 {"usage", QPW_COLUMN_USE},
                 {"used for", QPW_COLUMN_USE},
                 {"feature", QPW_COLUMN_USE},
                 {"function", QPW_COLUMN_USE}};

    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        if (qpw_has_words(title, known[i].words))
            return known[i].column;
    return QPW_COLUMN_OTHER;
}

unsigned qpw_directions_in(const char *text)
{
    static const struct {
        const char *words;
        unsigned directions;
    } known[] = {{"inbound", 1u << QPW_DIR_INBOUND},
                 {"ingress", 1u << QPW_DIR_INBOUND},
                 {"incoming", 1u << QPW_DIR_INBOUND},
                 {"outbound", 1u << QPW_DIR_OUTBOUND},
                 {"egress", 1u << QPW_DIR_OUTBOUND},
                 {"outgoing", 1u << QPW_DIR_OUTBOUND},
                 {"bidirectional", 1u << QPW_DIR_INBOUND | 1u << QPW_DIR_OUTBOUND},
                 {"bi-directional", 1u << QPW_DIR_INBOUND | 1u << QPW_DIR_OUTBOUND}};
    unsigned directions = 0;

    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        if (qpw_has_words(text, known[i].words))
            directions |= known[i].directions;
    return directions;
}

bool qpw_names_node(const char *text, const char *node)
{
    static const char *const words[] = {"node",      "nodes", "cluster", "storage", "array",
                                        "appliance", "filer", "qumulo",  NULL};

    if (node)
        return qpw_has_words(text, node);
    for (size_t i = 0; words[i]; i++)
        if (qpw_has_words(text, words[i]))
            return true;
    return false;
}

char *qpw_purpose_text(const char *cell)
{
    static const char *const cut_from[] = {", if you ", " if you enable", ", when you ", NULL};
    static const char *const drop[] = {"(by default)", "(optional)", NULL};
    char *text = strdup(cell);
    size_t length;

    if (!text)
        return NULL;
    text[strcspn(text, "\n")] = '\0';
    for (size_t i = 0; cut_from[i]; i++) {
        char *found = strcasestr(text, cut_from[i]);

        if (found)
            *found = '\0';
    }
    for (size_t i = 0; drop[i]; i++) {
        char *found = strcasestr(text, drop[i]);

        if (found)
            memmove(found, found + strlen(drop[i]), strlen(found + strlen(drop[i])) + 1);
    }
    length = strlen(text);
    while (length && strchr(" .,;:*", text[length - 1]))
        text[--length] = '\0';
    return text;
}
