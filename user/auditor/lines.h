/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* lines.h - a finding as one plain line for people without a terminal. */
#ifndef QPW_AUDITOR_LINES_H
#define QPW_AUDITOR_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "facts/service.h"
#include "qportwatch.h"

/*
 * "unexpected inbound tcp/8080 from 10.0.0.9:41234 to 10.0.0.1:8080, answered (evidence handshake, eth0)".
 * ifname may be empty. Returns buf.
 */
const char *qpw_finding_line(const struct qpw_finding_key *key, const struct qpw_finding *value, const char *ifname,
                             char *buf, size_t size);

#define QPW_CONSOLE_LINES 5u         /* about attempts, until a second passes without more of them */
#define QPW_CONSOLE_HELD_SECONDS 10u /* between two lines about what was held back, while it goes on */

/* Which findings have a line of their own, and how many had none. left begins as QPW_CONSOLE_LINES, all else as 0. */
struct qpw_console {
    struct qpw_service services[256]; /* whose first answered exchange was told */
    unsigned n_services;
    unsigned left;        /* lines about attempts that may still be told */
    unsigned held;        /* attempts without a line since the last line about them */
    unsigned held_before; /* as many a second ago */
    unsigned held_seconds;
    unsigned further;     /* answered exchanges of services told before, since the last line about them */
};

/*
 * Whether a finding that is news has a line: the first answered exchange of each service does, attempts while there is
 * room, broadcasts and multicasts that nobody answered never. What has none is counted.
 */
bool qpw_console_has_line(struct qpw_console *c, const struct qpw_finding_row *finding);

/* Once a second: what to say of those without a line, 0 for nothing. */
struct qpw_console_due {
    unsigned held, further;
};
struct qpw_console_due qpw_console_tick(struct qpw_console *c);

#endif
