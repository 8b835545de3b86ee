/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "auditor/lines.h"

#include <stdio.h>
#include <string.h>

#include "facts/severity.h"
#include "util/names.h"
#include "words/words.h"

const char *qpw_finding_line(const struct qpw_finding_key *key, const struct qpw_finding *value, const char *ifname,
                             char *buf, size_t size)
{
    const char *verdict = qpw_verdict_name(key->verdict), *direction = qpw_words_direction(key->direction);
    bool ports = key->kind == QPW_KIND_PORT;
    char from[128], to[128], service[48];

    qpw_words_service(key->kind, key->protocol, key->port, service, sizeof(service));
    if (key->kind == QPW_KIND_ETHERTYPE) {
        snprintf(buf, size, "%s %s %s%s%s", verdict, direction, service, *ifname ? " on " : "", ifname);
        return buf;
    }
    snprintf(buf, size, "%s %s %s from %s to %s, %s (evidence %s%s%s)", verdict, direction, service,
             qpw_words_endpoint(key->initiator, ports ? value->initiator_port : 0, from, sizeof(from)),
             qpw_words_endpoint(key->responder, ports ? key->port : 0, to, sizeof(to)), qpw_outcome_name(value->outcome),
             qpw_evidence_name(value->evidence), *ifname ? ", " : "", ifname);
    return buf;
}

/* Return whether an answered exchange is the first of its service, and record it. */
static bool is_first_of_service(struct qpw_console *c, const struct qpw_finding_row *row)
{
    struct qpw_service service;

    if (!qpw_finding_service(row, &service))
        return true;
    for (unsigned i = 0; i < c->n_services; i++)
        if (!memcmp(&c->services[i], &service, sizeof(service)))
            return false;
    if (c->n_services < sizeof(c->services) / sizeof(*c->services))
        c->services[c->n_services++] = service;
    return true;
}

bool qpw_console_has_line(struct qpw_console *c, const struct qpw_finding_row *row)
{
    if (qpw_finding_answered(row)) {
        if (is_first_of_service(c, row))
            return true;
        c->further++;
        return false;
    }
    if (row->value.flags & QPW_FINDING_MULTICAST)
        return false;
    if (c->left) {
        c->left--;
        return true;
    }
    c->held++;
    return false;
}

struct qpw_console_due qpw_console_tick(struct qpw_console *c)
{
    struct qpw_console_due due = {.further = c->further};
    bool more = c->held > c->held_before;

    c->further = 0;
    c->held_before = c->held;
    if (more && ++c->held_seconds < QPW_CONSOLE_HELD_SECONDS)
        return due;
    due.held = c->held;
    if (!more)
        c->left = QPW_CONSOLE_LINES;
    c->held = c->held_before = c->held_seconds = 0;
    return due;
}
