/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cell_ports.c - parse cells of ports, which may name protocols, too. */
#include "policy/page/cells_int.h"

#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "policy/lang/parse.h"

/* ---- Numbers and ranges ---- */

static int number_at(const char **at, unsigned *ret)
{
    const char *start = *at;
    unsigned value = 0;

    if (!isdigit((unsigned char)**at))
        return -EINVAL;
    for (; isdigit((unsigned char)**at); (*at)++) {
        value = value * 10 + (unsigned)(**at - '0');
        if (value > 65535)
            return -ERANGE;
    }
    *ret = value;
    return *start == '0' && *at - start > 1 ? -EINVAL : 0; /* 010 is ambiguous: perhaps octal */
}

/* Return whether "49,152" or "49 152" may be one number with a thousands separator rather than two ports. */
static bool may_be_thousands(const char *p, const char *end, size_t *ret_length)
{
    const char *start = p;
    size_t digits = strspn(p, "0123456789");
    unsigned long value = strtoul(p, NULL, 10);
    bool several = false;

    if (!digits || digits > 3)
        return false;
    for (p += digits; p + 3 < end && (*p == ',' || *p == ' ') && isdigit((unsigned char)p[1]); p += 1 + digits) {
        digits = strspn(p + 1, "0123456789");
        if (digits != 3)
            return false;
        value = value * 1000 + strtoul(p + 1, NULL, 10);
        several = true;
        if (value > 65535)
            return false;
    }
    *ret_length = (size_t)(p - start);
    return several;
}

static int by_first(const void *left, const void *right)
{
    return ((const struct qpw_port_range *)left)->first - ((const struct qpw_port_range *)right)->first;
}

void qpw_cell_merge(struct qpw_row_ports *ports)
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

/* Return the end of the "-", "to" or "through" at p, or NULL. */
static const char *range_mark(const char *p)
{
    static const char *const words[] = {"-", "to", "through", NULL};

    p += strspn(p, " \n");
    for (size_t i = 0; words[i]; i++) {
        size_t length = strlen(words[i]);

        if (!strncasecmp(p, words[i], length) && (!i || !qpw_cell_is_word(p[length]))) {
            p += length;
            return p + strspn(p, " \n");
        }
    }
    return NULL;
}

/* "161", "161-162", "6800 - 7300", "6800 to 7300" at s->at. */
static int take_range(struct qpw_scan *s, struct qpw_group *group)
{
    const char *start = s->at, *p = start, *second;
    unsigned first = 0, last;
    int error = number_at(&p, &first);

    last = first;
    second = error == 0 ? range_mark(p) : NULL;
    if (second) {
        p = second;
        error = number_at(&p, &last);
    }
    if (error < 0 || qpw_cell_is_word(*p) || strchr("-+.:", *p ? *p : ' '))
        return qpw_cell_unclear(s->fault, QPW_COLUMN_PORT, "not a port or a range of ports from 1 to 65535:", start,
                       strcspn(start, " \n,;/&()"));
    if (last < first)
        return qpw_cell_unclear(s->fault, QPW_COLUMN_PORT, "the range runs backwards:", start, (size_t)(p - start));
    if (group->ports.n == QPW_MAX_PORT_RANGES)
        return qpw_cell_unclear(s->fault, QPW_COLUMN_PORT, "too many ports in one cell:", start, (size_t)(p - start));
    group->zero |= !first;
    group->ports.ports[group->ports.n++] = (struct qpw_port_range){(uint16_t)first, (uint16_t)last};
    s->at = p;
    if (p > s->end)
        s->end = p + strcspn(p, "\n"); /* the range continues on the next line */
    return 0;
}

/* ---- Lines ---- */

/* The order of ports and protocols on a line. */
enum style { STYLE_UNKNOWN, STYLE_PORTS_FIRST, STYLE_PROTOCOLS_FIRST };

struct qpw_group *qpw_cell_new_group(struct qpw_port_reader *r, size_t line)
{
    if (r->n == QPW_MAX_GROUPS)
        return NULL;
    r->groups[r->n] = (struct qpw_group){.line = line};
    return &r->groups[r->n++];
}

static bool is_none(const char *word, size_t length)
{
    static const char *const words[] = {"-", "none", "n.a.", "na", NULL};

    return qpw_cell_is_one_of(word, length, words);
}

/* Parse one word: a port, a range, "All" or "N/A". */
static int take_port(struct qpw_scan *s, struct qpw_group *group, size_t length)
{
    const char *word = s->at;
    size_t thousands;

    if (isdigit((unsigned char)*word)) {
        if ((!strchr(", ", word[-1]) || !isdigit((unsigned char)word[-2])) && may_be_thousands(word, s->end, &thousands))
            return qpw_cell_unclear(s->fault, QPW_COLUMN_PORT, "one number or several ports? Separate ports with \", \":", word,
                           thousands);
        return take_range(s, group);
    }
    if (qpw_cell_is_any(word, length)) {
        group->ports.any = true;
    } else if (is_none(word, length)) {
        group->none = true;
    } else if (qpw_cell_is_text(word, length, "n") && !strncasecmp(word, "n/a", 3) && !qpw_cell_is_word(word[3])) {
        group->none = true;
        length = 3;
    } else {
        return qpw_cell_unclear(s->fault, QPW_COLUMN_PORT, "not a port:", word, length ? length : (size_t)(s->end - word));
    }
    s->at += length;
    return 0;
}

/* A protocol in the port cell belongs to the ports before or after it, depending on how the line began. */
static int take_port_protocol(struct qpw_port_reader *r, struct qpw_group **group, enum style *style, bool slash,
                              const uint64_t bits[4], size_t line)
{
    if (*style == STYLE_UNKNOWN)
        *style = STYLE_PROTOCOLS_FIRST;
    if (*style == STYLE_PROTOCOLS_FIRST && qpw_cell_has_ports(*group)) {
        if (slash)
            return -EINVAL; /* TCP 80/UDP */
        *group = qpw_cell_new_group(r, line);
        if (!*group)
            return -EINVAL;
    }
    for (size_t i = 0; i < 4; i++)
        (*group)->ports.protocols[i] |= bits[i];
    return 0;
}

static int end_line(struct qpw_port_reader *r, struct qpw_group *group, const char *start, bool slashed, bool protocols)
{
    size_t length = strcspn(start, "\n");

    group->slashed = slashed;
    if (slashed && protocols)
        return qpw_cell_unclear(r->fault, QPW_COLUMN_PORT, "two ports, or a port and something else?", start, length);
    if (!qpw_cell_has_ports(group) && protocols && qpw_highest_port(group->ports.protocols, /* any= */ false) != 65535)
        group->none = true; /* "ICMP" among others such as "80/TCP" */
    if (!qpw_cell_has_ports(group))
        return qpw_cell_unclear(r->fault, QPW_COLUMN_PORT, protocols ? "a protocol without a port:" : "not a port:", start,
                       length);
    return 0;
}

/*
 * Return whether the group's last port may be an abbreviation or no port at all: "8080/81", "5000/1"; "22/6" and
 * "53/17" may be a port and its protocol's number.
 */
static bool is_abbreviated(const struct qpw_group *group)
{
    size_t n = group->ports.n;
    unsigned before = n > 1 ? group->ports.ports[n - 2].last : 0, port = n ? group->ports.ports[n - 1].first : 0;

    return n > 1 && (port == IPPROTO_TCP || port == IPPROTO_UDP || (port < 100 && before >= 100) || (port < 10 && before >= 10));
}

static int read_port_line(struct qpw_port_reader *r, struct qpw_scan *s, size_t line)
{
    const char *start = s->at;
    struct qpw_group *group = qpw_cell_new_group(r, line);
    enum style style = STYLE_UNKNOWN;
    bool slashed = false, protocols = false;

    if (!group)
        return qpw_cell_unclear(r->fault, QPW_COLUMN_PORT, "too many lines in one cell:", start, (size_t)(s->end - start));
    for (qpw_cell_skip(s); s->at < s->end; qpw_cell_skip(s)) {
        bool slash = *s->at == '/' && s->at > start;
        uint64_t bits[4] = {0};
        size_t length, bare;
        bool remark;

        s->at += slash;
        remark = s->at < s->end && *s->at == '(';
        if (remark && qpw_cell_take_remark(s, QPW_COLUMN_PORT, bits) < 0)
            return -EINVAL;
        length = remark ? 0 : qpw_cell_word_length(s);
        bare = length > 1 && s->at[length - 1] == ':' ? length - 1 : length; /* "TCP: 80" */
        if (length && qpw_cell_add_protocol(s->at, bare, bits))
            s->at += length;
        if (qpw_cell_any_in(bits)) {
            protocols = true;
            if (take_port_protocol(r, &group, &style, slash, bits, line) < 0)
                return qpw_cell_unclear(r->fault, QPW_COLUMN_PORT, "which protocol goes with which port?", start,
                               (size_t)(s->end - start));
        } else if (length && group->ports.n && qpw_cell_is_text(s->at, bare, "ports")) {
            return qpw_cell_unclear(r->fault, QPW_COLUMN_PORT, "a number of ports, or ports?", start,
                                    (size_t)(s->end - start));
        } else if (remark || (length && qpw_cell_is_filler(s->at, bare))) {
            s->at += length; /* the word "port", which adds nothing */
        } else if (*s->at == '<') {
            if (qpw_cell_take_angle(s, group->ports.n) < 0)
                return -EINVAL;
        } else {
            slashed |= slash && style == STYLE_PORTS_FIRST;
            if (style == STYLE_UNKNOWN)
                style = STYLE_PORTS_FIRST;
            if (style == STYLE_PORTS_FIRST && qpw_cell_any_in(group->ports.protocols) && !(group = qpw_cell_new_group(r, line)))
                return qpw_cell_unclear(r->fault, QPW_COLUMN_PORT, "too many ports in one cell:", start,
                               (size_t)(s->end - start));
            if (take_port(s, group, length) < 0)
                return -EINVAL;
            if (slash && is_abbreviated(group))
                return qpw_cell_unclear(r->fault, QPW_COLUMN_PORT, "two ports, or a port and something else?", start,
                                        (size_t)(s->end - start));
        }
    }
    return end_line(r, group, start, slashed, protocols);
}

int qpw_cell_read_ports(const char *cell, struct qpw_port_reader *r, size_t *ret_lines)
{
    struct qpw_scan s = {.signs = r->signs, .fault = r->fault};

    *ret_lines = 0;
    for (const char *at = cell; qpw_cell_next_line(&at, &s); at = s.end > at ? s.end : at)
        if (read_port_line(r, &s, (*ret_lines)++) < 0)
            return -EINVAL;
    for (size_t i = 0; i < r->n; i++) {
        const struct qpw_group *group = &r->groups[i];

        if (group->ports.n + group->ports.any + group->none > 1 && (group->ports.any || group->none))
            return qpw_cell_unclear(r->fault, QPW_COLUMN_PORT, "all ports and single ones in one cell:", cell, strlen(cell));
    }
    return 0;
}
