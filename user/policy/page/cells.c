/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cells.c - combine the cells of ports and protocols. Unclear text is a fault, never guessed, never "any". */
#include "policy/page/cells_int.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/lang/parse.h"

static bool contradict(const struct qpw_port_reader *r, const struct qpw_protocol_line *lines, size_t n)
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

/* Assign the other cell's protocols to ports without any: those of the same line, or of all lines. */
static int assign(struct qpw_port_reader *r, size_t port_lines, const struct qpw_protocol_line *lines, size_t n,
                  struct qpw_port_cells *ret)
{
    if (n > 1 && port_lines > 1 && n != port_lines) {
        r->fault->column = QPW_COLUMN_OTHER;
        snprintf(r->fault->text, sizeof(r->fault->text), "%zu lines of ports beside %zu lines of protocols", port_lines,
                 n);
        return -EINVAL;
    }
    if (n > 1 && port_lines == 1 && r->n == 1 && r->groups[0].ports.n == n) {
        r->fault->column = QPW_COLUMN_OTHER;
        snprintf(r->fault->text, sizeof(r->fault->text), "%zu ports beside %zu lines of protocols: which goes with which?", n, n);
        return -EINVAL;
    }
    for (size_t i = 0; i < r->n; i++) {
        struct qpw_group *group = &r->groups[i];
        bool parallel = n > 1 && port_lines > 1;

        for (size_t k = parallel ? group->line : 0; k < (parallel ? group->line + 1 : n); k++) {
            for (size_t j = 0; j < 4; j++)
                group->ports.protocols[j] |= lines[k].bits[j];
            if (!lines[k].any)
                continue;
            if (!group->ports.n)
                return qpw_cell_unclear(r->fault, QPW_COLUMN_OTHER, "all protocols on all ports is no rule, but the end of",
                               "every rule", 10);
            qpw_cell_set_bit(group->ports.protocols, IPPROTO_TCP);
            qpw_cell_set_bit(group->ports.protocols, IPPROTO_UDP);
            ret->signs.all_protocols = true;
        }
    }
    return 0;
}

/* Check that the ports fit the protocols: types for ICMP, no ports for GRE, ports for TCP. */
static int check_group(struct qpw_group *group, const char *port, struct qpw_cell_fault *fault)
{
    unsigned highest = qpw_highest_port(group->ports.protocols, /* any= */ false);

    if (!qpw_cell_any_in(group->ports.protocols)) {
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
        return qpw_cell_unclear(fault, QPW_COLUMN_PORT, "ports of a protocol that has none:", port, strlen(port));
    if (highest == 65535 ? group->zero : group->ports.ports[group->ports.n - 1].last > highest)
        return qpw_cell_unclear(fault, QPW_COLUMN_PORT, highest == 65535
                                                   ? "not a port or a range of ports from 1 to 65535:"
                                                   : "not a type of ICMP:", port, strlen(port));
    return 0;
}

/* Return whether protocols with and without ports are mixed: ports would become types, or "none" every port. */
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

static int finish(struct qpw_port_reader *r, const char *port, struct qpw_port_cells *ret)
{
    for (size_t i = 0; i < r->n; i++) {
        struct qpw_group *group = &r->groups[i];

        qpw_cell_merge(&group->ports);
        if (is_mixed(group->ports.protocols))
            return qpw_cell_unclear(r->fault, QPW_COLUMN_OTHER, "protocols with and without ports in one row:", port,
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

/*
 * Merge successive groups with the same protocols, so that "389<br>636" gives one rule. Overlapping ranges stay
 * separate, as on the page.
 */
static void join_groups(struct qpw_port_reader *r)
{
    size_t kept = 0;

    for (size_t i = 1; i < r->n; i++) {
        struct qpw_group *into = &r->groups[kept], *from = &r->groups[i];
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

static int read_both(const char *port, const char *protocol, const uint64_t titles[4], struct qpw_port_reader *r,
                     struct qpw_port_cells *ret)
{
    struct qpw_protocol_line lines[QPW_MAX_GROUPS];
    size_t n = 0, port_lines = 0, own = 0;

    if (qpw_cell_read_ports(port, r, &port_lines) < 0)
        return -EINVAL;
    if (protocol && qpw_cell_read_protocols(protocol, lines, &n, &ret->signs, r->fault) < 0)
        return -EINVAL;
    if (!r->n && !qpw_cell_new_group(r, 0))
        return -EINVAL;
    r->groups[0].none |= !qpw_cell_has_ports(&r->groups[0]);
    for (size_t i = 0; i < r->n; i++) {
        if (!qpw_cell_any_in(r->groups[i].ports.protocols) && titles)
            memcpy(r->groups[i].ports.protocols, titles, sizeof(r->groups[i].ports.protocols));
        own += qpw_cell_any_in(r->groups[i].ports.protocols);
    }
    if (own && own < r->n)
        return qpw_cell_unclear(r->fault, QPW_COLUMN_PORT, "some ports have a protocol here and some have none:", port,
                       strlen(port));
    if (own && n && contradict(r, lines, n))
        return qpw_cell_unclear(r->fault, QPW_COLUMN_OTHER, "the protocols in the two cells contradict each other:", port,
                       strlen(port));
    if (!own && assign(r, port_lines, lines, n, ret) < 0)
        return -EINVAL;
    join_groups(r);
    return finish(r, port, ret);
}

int qpw_cells_read(const char *port, const char *protocol, const uint64_t titles[4], struct qpw_port_cells *ret,
                   struct qpw_cell_fault *fault)
{
    struct qpw_port_reader r = {.groups = calloc(QPW_MAX_GROUPS, sizeof(*r.groups)),
                                .signs = &ret->signs,
                                .fault = fault};
    char *padded = NULL;
    int error;

    *ret = (struct qpw_port_cells){.n = 0};
    /* Put two bytes before the text, so that the parser can look back from any position. */
    if (!r.groups || asprintf(&padded, "  %s", port) < 0) {
        free(r.groups);
        return -ENOMEM;
    }
    error = read_both(padded + 2, protocol, titles, &r, ret);
    free(padded);
    free(r.groups);
    return error;
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
    unsigned width = ports->any && qpw_highest_port(ports->protocols, /* any= */ false) == 65535 ? 65535 : 0;

    for (size_t i = 0; i < ports->n; i++)
        width += ports->ports[i].last - ports->ports[i].first + 1u;
    return width;
}
