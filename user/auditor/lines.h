/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* lines.h - a finding as one plain line for people without a terminal. */
#ifndef QPW_AUDITOR_LINES_H
#define QPW_AUDITOR_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "qportwatch.h"

/*
 * "unexpected inbound tcp/8080 from 10.0.0.9:41234 to 10.0.0.1:8080, answered (evidence handshake, eth0)".
 * ifname may be empty. Returns buf.
 */
const char *qpw_finding_line(const struct qpw_finding_key *key, const struct qpw_finding *value, const char *ifname,
                             char *buf, size_t size);

#endif
