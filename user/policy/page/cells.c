/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cells.c - cells of ports and protocols. What is not understood is a fault, never a guess and never "any". */
#include "policy/page/cells.h"

#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/lang/parse.h"

/* A line of a cell, as far as it is read. */
struct scan {
    const char *at;
    const char *end;
    struct qpw_cell_fault *fault;
};

/* Ports of one line that go with the same protocols, before the other cell is known. */
struct group {
    struct qpw_row_ports ports;
    size_t line;
    bool none;    /* "-", "N/A": right for a protocol without ports */
    bool slashed; /* "8080/8443" */
    bool zero;    /* a type of ICMP, or an error */
};

/* One line of a protocol cell. */
struct protocols {
    uint64_t bits[4];
    bool any;
};

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static int unclear(struct qpw_cell_fault *fault, enum qpw_column column, const char *what, const char *text,
                   size_t length)
{
    fault->column = column;
    snprintf(fault->text, sizeof(fault->text), "%s '%.*s'", what, (int)(length > 60 ? 60 : length), text);
    for (char *p = fault->text; *p; p++)
        if (*p == '\n')
            *p = ' ';
    return -EINVAL;
}

static bool is_text(const char *word, size_t length, const char *text)
{
    return strlen(text) == length && !strncasecmp(word, text, length);
}

static bool is_one_of(const char *word, size_t length, const char *const *texts)
{
    for (; *texts; texts++)
        if (is_text(word, length, *texts))
            return true;
    return false;
}

/* ---- Protocols ---- */

static void set_bit(uint64_t bits[4], unsigned protocol)
{
    bits[protocol / 64] |= (uint64_t)1 << protocol % 64;
}

static bool any_in(const uint64_t bits[4])
{
    return bits[0] | bits[1] | bits[2] | bits[3];
}

static bool add_protocol(const char *word, size_t length, uint64_t bits[4])
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
            set_bit(bits, known[i].number);
            return true;
        }
    return false;
}

/* Applications that can be nothing but TCP. */
static bool is_application(const char *word, size_t length)
{
    static const char *const names[] = {"http", "https", "ssl", "tls", "ssh", NULL};

    return is_one_of(word, length, names);
}

static bool is_any(const char *word, size_t length)
{
    return is_text(word, length, "all") || is_text(word, length, "any");
}

static bool is_filler(const char *word, size_t length)
{
    static const char *const words[] = {"and", "or", "port", "ports", "protocol", "protocols", "type", "types", NULL};

    return is_one_of(word, length, words);
}

/* ---- Words ---- */

/* A footnote's mark at p: its bytes, or 0. */
static size_t mark_at(const char *p)
{
    static const char *const marks[] = {"\xe2\x80\xa0", "\xe2\x80\xa1", "\xc2\xb9", "\xc2\xb2",
                                        "\xc2\xb3",     "\xc2\xa7",     "*",        NULL};

    for (size_t i = 0; marks[i]; i++)
        if (!strncmp(p, marks[i], strlen(marks[i])))
            return strlen(marks[i]);
    return 0;
}

static bool is_separator(char c)
{
    return c && strchr(" ,;&|", c) != NULL;
}

/* Past separators and footnote marks. */
static void skip(struct scan *s)
{
    while (s->at < s->end && (is_separator(*s->at) || mark_at(s->at)))
        s->at += is_separator(*s->at) ? 1 : mark_at(s->at);
}

/* The word at s->at: up to a separator, slash, bracket or mark. */
static size_t word_length(const struct scan *s)
{
    size_t length = 0;

    while (s->at + length < s->end && !is_separator(s->at[length]) && !strchr("/()<>+", s->at[length]) &&
           !mark_at(s->at + length))
        length++;
    return length;
}

/* ---- Remarks ---- */

/* Whether a remark may say that the port is not meant, or not both ways. */
static bool restricts(const char *text, size_t length)
{
    char copy[128];

    snprintf(copy, sizeof(copy), "%.*s", (int)(length < sizeof(copy) ? length : sizeof(copy) - 1), text);
    return qpw_denies(copy) || qpw_directions_in(copy);
}

/*
 * "(…)" at s->at: a remark is passed over. One of nothing but protocols is added to bits. Digits, which might be ports,
 * a protocol among other words, and what may take the port back are faults.
 */
static int take_remark(struct scan *s, enum qpw_column column, uint64_t bits[4])
{
    const char *open = s->at, *close = memchr(open, ')', (size_t)(s->end - open));
    uint64_t inner[4] = {0};
    bool protocols = true;
    size_t length;

    if (!close)
        return unclear(s->fault, column, "missing closing bracket:", open, (size_t)(s->end - open));
    length = (size_t)(close + 1 - open);
    if (length > 120)
        return unclear(s->fault, column, "too long a remark in brackets:", open, length);
    for (const char *p = open; p < close; p++)
        if (isdigit((unsigned char)*p) && !(p > open && isalpha((unsigned char)p[-1])))
            return unclear(s->fault, column, "digits in brackets, which may be ports or not:", open, length);
    for (const char *p = open + 1; p < close;) {
        size_t n = 0;

        while (p + n < close && is_word(p[n]))
            n++;
        if (n)
            protocols &= add_protocol(p, n, inner) || is_filler(p, n);
        p += n ? n : 1;
    }
    if (any_in(inner) && (!protocols || !bits))
        return unclear(s->fault, column, "a remark that may restrict the protocol:", open, length);
    if (restricts(open, length))
        return unclear(s->fault, column, "a remark that may take the port back or restrict it:", open, length);
    for (size_t i = 0; bits && i < 4; i++)
        bits[i] |= inner[i];
    s->at = close + 1;
    return 0;
}

/* "<word>" behind a port on its line is a remark; anything else in angle brackets is a value to be filled in. */
static int take_angle(struct scan *s, bool behind_port)
{
    const char *open = s->at, *close = memchr(open, '>', (size_t)(s->end - open));
    size_t length = close ? (size_t)(close + 1 - open) : (size_t)(s->end - open);
    bool plain = *open == '<' && close && length > 2;

    for (size_t i = 1; plain && i + 1 < length; i++)
        plain = isalpha((unsigned char)open[i]) || open[i] == ' ' || open[i] == '-';
    if (!plain || !behind_port || restricts(open, length))
        return unclear(s->fault, QPW_COLUMN_PORT, "not a port:", open, length);
    s->at = close + 1;
    return 0;
}

/* ---- Protocol cells ---- */

static int read_protocol_line(struct scan *s, struct protocols *ret, bool *ret_application)
{
    static const char *const fillers[] = {"and", "or", "protocol", "protocols", "only", "both", NULL};
    bool any = false;

    for (skip(s); s->at < s->end; skip(s)) {
        size_t length = word_length(s);

        if (*s->at == '(') {
            if (take_remark(s, QPW_COLUMN_PROTOCOL, ret->bits) < 0)
                return -EINVAL;
            continue;
        }
        if (!length && (*s->at == '/' || *s->at == '+')) {
            s->at++;
            continue;
        }
        if (is_any(s->at, length) || is_text(s->at, length, "ip"))
            any = true;
        else if (is_application(s->at, length)) {
            set_bit(ret->bits, IPPROTO_TCP);
            *ret_application = true;
        } else if (!length || (!is_one_of(s->at, length, fillers) && !add_protocol(s->at, length, ret->bits)))
            return unclear(s->fault, QPW_COLUMN_PROTOCOL, "not a protocol:", s->at,
                           length ? length : (size_t)(s->end - s->at));
        s->at += length;
    }
    ret->any = any && !any_in(ret->bits); /* "All ICMP" is ICMP */
    return 0;
}

/* The next line of a cell that is not blank; false at its end. */
static bool next_line(const char **at, struct scan *ret)
{
    while (**at == '\n' || **at == ' ')
        (*at)++;
    if (!**at)
        return false;
    ret->at = *at;
    ret->end = *at + strcspn(*at, "\n");
    *at = ret->end;
    return true;
}

/* Lines of the protocol cell into ret; at most QPW_MAX_GROUPS. *ret_n: how many. */
static int read_protocols(const char *cell, struct protocols ret[QPW_MAX_GROUPS], size_t *ret_n, bool *ret_application,
                          struct qpw_cell_fault *fault)
{
    struct scan s = {.fault = fault};

    for (*ret_n = 0; next_line(&cell, &s);) {
        struct protocols line = {.bits = {0}};

        if (read_protocol_line(&s, &line, ret_application) < 0)
            return -EINVAL;
        if (!any_in(line.bits) && !line.any)
            continue; /* a footnote's mark */
        if (*ret_n == QPW_MAX_GROUPS)
            return unclear(fault, QPW_COLUMN_PROTOCOL, "too many lines in one cell:", cell, strlen(cell));
        ret[(*ret_n)++] = line;
    }
    return 0;
}

/* ---- Ports ---- */

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
    return *start == '0' && *at - start > 1 ? -EINVAL : 0; /* 010 may be anything */
}

/* "49,152" or "49 152" may be one number, written with a separator of thousands, or two ports. */
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

/* Behind "-", "to" or "through" at p, or NULL. */
static const char *range_mark(const char *p)
{
    static const char *const words[] = {"-", "to", "through", NULL};

    p += strspn(p, " \n");
    for (size_t i = 0; words[i]; i++) {
        size_t length = strlen(words[i]);

        if (!strncasecmp(p, words[i], length) && (!i || !is_word(p[length]))) {
            p += length;
            return p + strspn(p, " \n");
        }
    }
    return NULL;
}

/* "161", "161-162", "6800 - 7300", "6800 to 7300" at s->at. */
static int take_range(struct scan *s, struct group *group)
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
    if (error < 0 || is_word(*p) || strchr("-+.:", *p ? *p : ' '))
        return unclear(s->fault, QPW_COLUMN_PORT, "not a port or a range of ports from 1 to 65535:", start,
                       strcspn(start, " \n,;/&()"));
    if (last < first)
        return unclear(s->fault, QPW_COLUMN_PORT, "the range runs backwards:", start, (size_t)(p - start));
    if (group->ports.n == QPW_MAX_PORT_RANGES)
        return unclear(s->fault, QPW_COLUMN_PORT, "too many ports in one cell:", start, (size_t)(p - start));
    group->zero |= !first;
    group->ports.ports[group->ports.n++] = (struct qpw_port_range){(uint16_t)first, (uint16_t)last};
    s->at = p;
    if (p > s->end)
        s->end = p + strcspn(p, "\n"); /* a range over a line's end */
    return 0;
}

/* ---- Port cells ---- */

struct port_reader {
    struct group *groups; /* QPW_MAX_GROUPS of them */
    size_t n;
    struct qpw_cell_fault *fault;
};

/* How a line puts ports and protocols together. */
enum style { STYLE_UNKNOWN, STYLE_PORTS_FIRST, STYLE_PROTOCOLS_FIRST };

static bool has_ports(const struct group *group)
{
    return group->ports.n || group->ports.any || group->none;
}

static struct group *new_group(struct port_reader *r, size_t line)
{
    if (r->n == QPW_MAX_GROUPS)
        return NULL;
    r->groups[r->n] = (struct group){.line = line};
    return &r->groups[r->n++];
}

static bool is_none(const char *word, size_t length)
{
    static const char *const words[] = {"-", "none", "n.a.", "na", NULL};

    return is_one_of(word, length, words);
}

/* One word that is a port, a range, "All" or "N/A". */
static int take_port(struct scan *s, struct group *group, size_t length)
{
    const char *word = s->at;
    size_t thousands;

    if (isdigit((unsigned char)*word)) {
        if ((!strchr(", ", word[-1]) || !isdigit((unsigned char)word[-2])) && may_be_thousands(word, s->end, &thousands))
            return unclear(s->fault, QPW_COLUMN_PORT, "one number or several ports? Separate ports with \", \":", word,
                           thousands);
        return take_range(s, group);
    }
    if (is_any(word, length)) {
        group->ports.any = true;
    } else if (is_none(word, length)) {
        group->none = true;
    } else if (is_text(word, length, "n") && !strncasecmp(word, "n/a", 3) && !is_word(word[3])) {
        group->none = true;
        length = 3;
    } else {
        return unclear(s->fault, QPW_COLUMN_PORT, "not a port:", word, length ? length : (size_t)(s->end - word));
    }
    s->at += length;
    return 0;
}

/* A protocol in the port cell: it goes with the ports before or behind it, by what the line began with. */
static int take_port_protocol(struct port_reader *r, struct group **group, enum style *style, bool slash,
                              const uint64_t bits[4], size_t line)
{
    if (*style == STYLE_UNKNOWN)
        *style = STYLE_PROTOCOLS_FIRST;
    if (*style == STYLE_PROTOCOLS_FIRST && has_ports(*group)) {
        if (slash)
            return -EINVAL; /* TCP 80/UDP */
        *group = new_group(r, line);
        if (!*group)
            return -EINVAL;
    }
    for (size_t i = 0; i < 4; i++)
        (*group)->ports.protocols[i] |= bits[i];
    return 0;
}

static int end_line(struct port_reader *r, struct group *group, const char *start, bool slashed, bool protocols)
{
    size_t length = strcspn(start, "\n");

    group->slashed = slashed;
    if (slashed && protocols)
        return unclear(r->fault, QPW_COLUMN_PORT, "two ports, or a port and something else?", start, length);
    if (!has_ports(group) && protocols && qpw_highest_port(group->ports.protocols, false) != 65535)
        group->none = true; /* "ICMP" where others have "80/TCP" */
    if (!has_ports(group))
        return unclear(r->fault, QPW_COLUMN_PORT, protocols ? "a protocol without a port:" : "not a port:", start,
                       length);
    return 0;
}

static int read_port_line(struct port_reader *r, struct scan *s, size_t line)
{
    const char *start = s->at;
    struct group *group = new_group(r, line);
    enum style style = STYLE_UNKNOWN;
    bool slashed = false, protocols = false;

    if (!group)
        return unclear(r->fault, QPW_COLUMN_PORT, "too many lines in one cell:", start, (size_t)(s->end - start));
    for (skip(s); s->at < s->end; skip(s)) {
        bool slash = *s->at == '/' && s->at > start;
        uint64_t bits[4] = {0};
        size_t length, bare;
        bool remark;

        s->at += slash;
        remark = s->at < s->end && *s->at == '(';
        if (remark && take_remark(s, QPW_COLUMN_PORT, bits) < 0)
            return -EINVAL;
        length = remark ? 0 : word_length(s);
        bare = length > 1 && s->at[length - 1] == ':' ? length - 1 : length; /* "TCP: 80" */
        if (length && add_protocol(s->at, bare, bits))
            s->at += length;
        if (any_in(bits)) {
            protocols = true;
            if (take_port_protocol(r, &group, &style, slash, bits, line) < 0)
                return unclear(r->fault, QPW_COLUMN_PORT, "which protocol goes with which port?", start,
                               (size_t)(s->end - start));
        } else if (remark || (length && is_filler(s->at, bare))) {
            s->at += length; /* nothing of a remark is left; "port" */
        } else if (*s->at == '<') {
            if (take_angle(s, group->ports.n) < 0)
                return -EINVAL;
        } else {
            slashed |= slash && style == STYLE_PORTS_FIRST;
            if (style == STYLE_UNKNOWN)
                style = STYLE_PORTS_FIRST;
            if (style == STYLE_PORTS_FIRST && any_in(group->ports.protocols) && !(group = new_group(r, line)))
                return unclear(r->fault, QPW_COLUMN_PORT, "too many ports in one cell:", start,
                               (size_t)(s->end - start));
            if (take_port(s, group, length) < 0)
                return -EINVAL;
        }
    }
    return end_line(r, group, start, slashed, protocols);
}

/* Lines of the port cell. *ret_lines: how many there are. */
static int read_ports(const char *cell, struct port_reader *r, size_t *ret_lines)
{
    struct scan s = {.fault = r->fault};

    *ret_lines = 0;
    for (const char *at = cell; next_line(&at, &s); at = s.end > at ? s.end : at)
        if (read_port_line(r, &s, (*ret_lines)++) < 0)
            return -EINVAL;
    for (size_t i = 0; i < r->n; i++) {
        const struct group *group = &r->groups[i];

        if (group->ports.n + group->ports.any + group->none > 1 && (group->ports.any || group->none))
            return unclear(r->fault, QPW_COLUMN_PORT, "all ports and single ones in one cell:", cell, strlen(cell));
    }
    return 0;
}

/* ---- Both cells together ---- */

static bool contradict(const struct port_reader *r, const struct protocols *lines, size_t n)
{
    uint64_t own[4] = {0}, other[4] = {0};

    for (size_t i = 0; i < r->n; i++)
        for (size_t j = 0; j < 4; j++)
            own[j] |= r->groups[i].ports.protocols[j];
    for (size_t i = 0; i < n; i++) {
        if (lines[i].any)
            return false;
        for (size_t j = 0; j < 4; j++)
            other[j] |= lines[i].bits[j];
    }
    return memcmp(own, other, sizeof(own)) != 0;
}

/* Ports that the port cell gives no protocol get those of the other cell: of the same line, or of all of them. */
static int assign(struct port_reader *r, size_t port_lines, const struct protocols *lines, size_t n,
                  struct qpw_port_cells *ret)
{
    if (n > 1 && port_lines > 1 && n != port_lines) {
        r->fault->column = QPW_COLUMN_OTHER;
        snprintf(r->fault->text, sizeof(r->fault->text), "%zu lines of ports beside %zu lines of protocols", port_lines,
                 n);
        return -EINVAL;
    }
    for (size_t i = 0; i < r->n; i++) {
        struct group *group = &r->groups[i];
        bool parallel = n > 1 && port_lines > 1;

        for (size_t k = parallel ? group->line : 0; k < (parallel ? group->line + 1 : n); k++) {
            for (size_t j = 0; j < 4; j++)
                group->ports.protocols[j] |= lines[k].bits[j];
            if (!lines[k].any)
                continue;
            if (!group->ports.n)
                return unclear(r->fault, QPW_COLUMN_OTHER, "all protocols on all ports is no rule, but the end of",
                               "every rule", 10);
            set_bit(group->ports.protocols, IPPROTO_TCP);
            set_bit(group->ports.protocols, IPPROTO_UDP);
            ret->all_protocols = true;
        }
    }
    return 0;
}

/* Whether the ports fit the protocols: types of ICMP, no ports for GRE, none left out for TCP. */
static int check_group(struct group *group, const char *port, struct qpw_cell_fault *fault)
{
    unsigned highest = qpw_highest_port(group->ports.protocols, false);

    if (!any_in(group->ports.protocols)) {
        fault->column = QPW_COLUMN_PROTOCOL;
        snprintf(fault->text, sizeof(fault->text), "no protocol");
        return -EINVAL;
    }
    if (group->none) {
        if (highest == 65535) {
            fault->column = QPW_COLUMN_PORT;
            snprintf(fault->text, sizeof(fault->text), "no port");
            return -EINVAL;
        }
        group->ports.any = true;
    }
    if (!group->ports.n)
        return 0;
    if (!highest || (highest == 255 && group->slashed))
        return unclear(fault, QPW_COLUMN_PORT, "ports of a protocol that has none:", port, strlen(port));
    if (highest == 65535 ? group->zero : group->ports.ports[group->ports.n - 1].last > highest)
        return unclear(fault, QPW_COLUMN_PORT, highest == 65535
                                                   ? "not a port or a range of ports from 1 to 65535:"
                                                   : "not a type of ICMP:", port, strlen(port));
    return 0;
}

/* Protocols with ports beside others: ports would be types, or "none" would be every port. */
static bool is_mixed(const uint64_t bits[4])
{
    bool ports = false, types = false, none = false;

    for (unsigned protocol = 0; protocol < 256; protocol++) {
        bool has = qpw_protocol_in(bits, protocol);

        if (protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6)
            types |= has;
        else if (protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP)
            ports |= has;
        else
            none |= has;
    }
    return ports + types + none > 1;
}

static int finish(struct port_reader *r, const char *port, struct qpw_port_cells *ret)
{
    for (size_t i = 0; i < r->n; i++) {
        struct group *group = &r->groups[i];

        merge(&group->ports);
        if (is_mixed(group->ports.protocols))
            return unclear(r->fault, QPW_COLUMN_OTHER, "protocols with and without ports in one row:", port,
                           strlen(port));
        if (check_group(group, port, r->fault) < 0)
            return -EINVAL;
        ret->groups[ret->n++] = group->ports;
    }
    return 0;
}

static bool overlap(const struct qpw_row_ports *a, const struct qpw_row_ports *b)
{
    for (size_t i = 0; i < a->n; i++)
        for (size_t j = 0; j < b->n; j++)
            if (a->ports[i].first <= b->ports[j].last && b->ports[j].first <= a->ports[i].last)
                return true;
    return false;
}

/* Groups with the same protocols as the one before them become one: one rule for "389<br>636". Ranges that overlap stay
 * apart, as the page has them. */
static void join_groups(struct port_reader *r)
{
    size_t kept = 0;

    for (size_t i = 1; i < r->n; i++) {
        struct group *into = &r->groups[kept], *from = &r->groups[i];
        bool fits = into->ports.n && from->ports.n && into->ports.n + from->ports.n <= QPW_MAX_PORT_RANGES &&
                    !memcmp(into->ports.protocols, from->ports.protocols, sizeof(into->ports.protocols)) &&
                    !overlap(&into->ports, &from->ports);

        if (!fits) {
            if (++kept != i)
                r->groups[kept] = *from;
            continue;
        }
        memcpy(into->ports.ports + into->ports.n, from->ports.ports, from->ports.n * sizeof(*from->ports.ports));
        into->ports.n += from->ports.n;
        into->zero |= from->zero;
        into->slashed |= from->slashed;
    }
    r->n = r->n ? kept + 1 : 0;
}

static int read_both(const char *port, const char *protocol, const uint64_t titles[4], struct port_reader *r,
                     struct qpw_port_cells *ret)
{
    struct protocols lines[QPW_MAX_GROUPS];
    size_t n = 0, port_lines = 0, own = 0;

    if (read_ports(port, r, &port_lines) < 0)
        return -EINVAL;
    if (protocol && read_protocols(protocol, lines, &n, &ret->application, r->fault) < 0)
        return -EINVAL;
    if (!r->n && !new_group(r, 0))
        return -EINVAL;
    r->groups[0].none |= !has_ports(&r->groups[0]);
    for (size_t i = 0; i < r->n; i++) {
        if (!any_in(r->groups[i].ports.protocols) && titles)
            memcpy(r->groups[i].ports.protocols, titles, sizeof(r->groups[i].ports.protocols));
        own += any_in(r->groups[i].ports.protocols);
    }
    if (own && own < r->n)
        return unclear(r->fault, QPW_COLUMN_PORT, "some ports have a protocol here and some have none:", port,
                       strlen(port));
    if (own && n && contradict(r, lines, n))
        return unclear(r->fault, QPW_COLUMN_OTHER, "the protocols in the two cells contradict each other:", port,
                       strlen(port));
    if (!own && assign(r, port_lines, lines, n, ret) < 0)
        return -EINVAL;
    join_groups(r);
    return finish(r, port, ret);
}

int qpw_cells_read(const char *port, const char *protocol, const uint64_t titles[4], struct qpw_port_cells *ret,
                   struct qpw_cell_fault *fault)
{
    struct port_reader r = {.groups = calloc(QPW_MAX_GROUPS, sizeof(*r.groups)), .fault = fault};
    char *padded = NULL;
    int error;

    *ret = (struct qpw_port_cells){.n = 0};
    /* Two bytes before the text, so that those before any other can be looked at. */
    if (!r.groups || asprintf(&padded, "  %s", port) < 0) {
        free(r.groups);
        return -ENOMEM;
    }
    error = read_both(padded + 2, protocol, titles, &r, ret);
    free(padded);
    free(r.groups);
    return error;
}

bool qpw_is_protocol_cell(const char *cell)
{
    struct protocols lines[QPW_MAX_GROUPS];
    struct qpw_cell_fault fault;
    bool application = false;
    size_t n;

    return read_protocols(cell, lines, &n, &application, &fault) == 0 && n > 0 && !application;
}

bool qpw_is_port_cell(const char *cell)
{
    static const uint64_t tcp[4] = {(uint64_t)1 << IPPROTO_TCP};
    struct qpw_port_cells ports;
    struct qpw_cell_fault fault;

    return qpw_cells_read(cell, NULL, tcp, &ports, &fault) == 0;
}

unsigned qpw_ports_width(const struct qpw_row_ports *ports)
{
    unsigned width = ports->any && qpw_highest_port(ports->protocols, false) == 65535 ? 65535 : 0;

    for (size_t i = 0; i < ports->n; i++)
        width += ports->ports[i].last - ports->ports[i].first + 1u;
    return width;
}
