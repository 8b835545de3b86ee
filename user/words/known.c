/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "words/known.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/array.h"
#include "util/file.h"
#include "util/names.h"
#include "util/text.h"

struct named_range {
    struct qpw_range range;
    char name[QPW_KNOWN_NAME];
};

struct named_port {
    uint16_t port;
    uint8_t protocol;
    char name[QPW_KNOWN_NAME];
};

/* Searched in order; the first match wins. */
struct names {
    struct named_range *ranges;
    size_t n_ranges;
    struct named_port *ports;
    size_t n_ports;
};

static struct names of_hosts, of_policy;

static void clear(struct names *n)
{
    free(n->ranges);
    free(n->ports);
    *n = (struct names){0};
}

void qpw_known_clear(void)
{
    clear(&of_hosts);
    clear(&of_policy);
}

static int add_range(struct names *n, const struct qpw_range *range, const char *format, const char *name)
{
    struct named_range *slot = QPW_ADD(n->ranges, n->n_ranges);

    if (!slot)
        return -ENOMEM;
    n->n_ranges++;
    slot->range = *range;
    snprintf(slot->name, sizeof(slot->name), format, name);
    qpw_text_clean(slot->name);
    return 0;
}

static int add_ranges(struct names *n, const struct qpw_addresses *of, const char *format, const char *name)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < of->n; i++)
        r = add_range(n, &of->ranges[i], format, name);
    return r;
}

/* ---- The hosts file ---- */

/* Parse a line: an address, its name, further names. Returns 0, -EINVAL for anything else, or -ENOMEM. */
static int take_line(char *line, struct names *n)
{
    char *rest = line, *address, *name;
    struct qpw_range range;
    uint8_t addr[16];

    line[strcspn(line, "#\r\n")] = '\0';
    address = strtok_r(rest, " \t", &rest);
    if (!address)
        return 0;
    name = strtok_r(NULL, " \t", &rest);
    address[strcspn(address, "%")] = '\0'; /* drop a link-local address's interface */
    if (!name || qpw_address_parse(address, addr) < 0)
        return -EINVAL;
    range.first = range.last = qpw_address_number(addr);
    return add_range(n, &range, "%s", name);
}

int qpw_known_hosts(const char *path, struct qpw_error *err)
{
    int fd = qpw_file_open(path, err), r = 0;
    FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
    struct names found = {0};
    char *line = NULL;
    size_t room = 0;

    if (fd < 0)
        return fd == -ENOENT ? qpw_fail(err, fd, "%s: %s", path, strerror(ENOENT)) : fd;
    for (unsigned n = 1; file && r == 0 && getline(&line, &room, file) >= 0; n++) {
        r = take_line(line, &found);
        if (r == -EINVAL)
            qpw_fail(err, r, "%s:%u: not an address and its name, as in /etc/hosts", path, n);
        else if (r < 0)
            qpw_fail(err, r, "out of memory");
    }
    free(line);
    if (file)
        fclose(file);
    if (r < 0) {
        clear(&found);
        return r;
    }
    clear(&of_hosts);
    of_hosts = found;
    return 0;
}

/* ---- The policy ---- */

static int by_size(const void *a, const void *b)
{
    const struct named_range *x = a, *y = b;
    qpw_u128 left = x->range.last - x->range.first, right = y->range.last - y->range.first;

    if ((x->name[0] == '@') != (y->name[0] == '@'))
        return x->name[0] == '@' ? 1 : -1; /* names of peers before those of sets */
    return left != right ? left < right ? -1 : 1 : strcmp(x->name, y->name);
}

/* Add the ports of rules that list a single port, for one or more protocols; the first such rule names it. */
static int add_ports(struct names *n, const struct qpw_policy *policy)
{
    n->ports = calloc(3 * policy->n_rules + 1, sizeof(*n->ports));
    if (!n->ports)
        return -ENOMEM;
    for (size_t i = 0; i < policy->n_rules; i++) {
        static const uint8_t protocols[] = {6, 17, 132}; /* tcp, udp, sctp */
        const struct qpw_rule *rule = &policy->rules[i];

        if (!rule->purpose || !strcmp(rule->purpose, QPW_TODO_PURPOSE) || rule->n_ports != 1 ||
            rule->ports[0].first != rule->ports[0].last || rule->flags & (QPW_RULE_DISABLED | QPW_RULE_ANY_PROTOCOL))
            continue;
        for (size_t k = 0; k < sizeof(protocols); k++) {
            if (!(rule->protocols[protocols[k] / 64] >> protocols[k] % 64 & 1))
                continue;
            n->ports[n->n_ports] = (struct named_port){.port = rule->ports[0].first, .protocol = protocols[k]};
            snprintf(n->ports[n->n_ports].name, sizeof(n->ports[0].name), "%s", rule->purpose);
            qpw_text_clean(n->ports[n->n_ports++].name);
        }
    }
    return 0;
}

int qpw_known_policy(const struct qpw_policy *policy)
{
    struct names found = {0};
    int r = add_ports(&found, policy);

    for (size_t i = 0; r == 0 && i < policy->n_peers; i++)
        r = add_ranges(&found, &policy->peers[i].addresses, "%s", policy->peers[i].name);
    for (size_t i = 0; r == 0 && i < policy->n_sets; i++)
        r = add_ranges(&found, &policy->sets[i].addresses, "@%s", policy->sets[i].name);
    if (r < 0) {
        clear(&found);
        return r;
    }
    if (found.n_ranges)
        qsort(found.ranges, found.n_ranges, sizeof(*found.ranges), by_size);
    clear(&of_policy);
    of_policy = found;
    return 0;
}

/* ---- Look-up ---- */

const char *qpw_known_name(const uint8_t addr[16])
{
    qpw_u128 number = qpw_address_number(addr);

    for (const struct names *n = &of_hosts; n; n = n == &of_hosts ? &of_policy : NULL)
        for (size_t i = 0; i < n->n_ranges; i++)
            if (number >= n->ranges[i].range.first && number <= n->ranges[i].range.last)
                return n->ranges[i].name;
    return "";
}

const char *qpw_known_purpose(unsigned protocol, unsigned port)
{
    for (size_t i = 0; i < of_policy.n_ports; i++)
        if (of_policy.ports[i].port == port && of_policy.ports[i].protocol == protocol)
            return of_policy.ports[i].name;
    return "";
}
