/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* lines.h - a finding as one plain line, for output without a terminal. */
#ifndef QPW_AUDITOR_LINES_H
#define QPW_AUDITOR_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "facts/service.h"
#include "qportwatch.h"

/*
 * Write "unexpected inbound tcp/8080 from 10.0.0.9:41234 to 10.0.0.1:8080, answered (evidence handshake, eth0)". ifname
 * may be empty. Returns buf.
 */
const char *qpw_finding_line(const struct qpw_finding_key *key, const struct qpw_finding *value, const char *ifname,
                             char *buf, size_t size);

#define QPW_CONSOLE_LINES 5u         /* about attempts, until a second passes without further ones */
#define QPW_CONSOLE_HELD_SECONDS 10u /* between two lines about withheld ones, while they continue */

/*
 * State that decides which findings get a line of their own, and counts the others. Initialize left to
 * QPW_CONSOLE_LINES, all else to 0.
 */
struct qpw_console {
    struct qpw_service services[256]; /* their first answered exchange has a line */
    unsigned n_services;
    unsigned left;        /* lines still permitted about attempts */
    unsigned held;        /* attempts without a line since the last line about them */
    unsigned held_before; /* its value a second ago */
    unsigned held_seconds;
    unsigned further;     /* answered exchanges of services that have a line, since the last line about them */
};

/*
 * Return whether a new or changed finding gets a line: the first answered exchange of each service does, attempts
 * within the limit, unanswered broadcasts and multicasts never. Others are counted.
 */
bool qpw_console_has_line(struct qpw_console *c, const struct qpw_finding_row *finding);

/* Once a second: return the numbers to report about findings without a line, 0: nothing. */
struct qpw_console_due {
    unsigned held, further;
};
struct qpw_console_due qpw_console_tick(struct qpw_console *c);

#endif
