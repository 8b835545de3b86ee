/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * sample.h - a snapshot made by hand: a small node with two peers, four rules, allowed traffic, an answered backdoor, a
 * refused probe, an outbound attempt, optional losses.
 */
#ifndef QPW_TESTS_SAMPLE_H
#define QPW_TESTS_SAMPLE_H

#include "snapshot/snapshot.h"

#define SAMPLE_START_NS 1767225600000000000ull /* 2026-01-01T00:00:00Z: attached */
#define SAMPLE_NOW_NS (SAMPLE_START_NS + 3600000000000ull)

enum { SAMPLE_RULE_SMB = 1, SAMPLE_RULE_NFS, SAMPLE_RULE_FTP, SAMPLE_RULE_LDAP, SAMPLE_RULES };
enum { SAMPLE_NODE2 = 1, SAMPLE_NODE3, SAMPLE_PEERS };

/* Fill *ret; tick: seconds after SAMPLE_NOW_NS, with which the counters grow. */
void sample_snapshot(struct qpw_snapshot *ret, unsigned tick);

/* Add rows, which the snapshot owns. */
struct sample_service {
    unsigned protocol, port;
    enum qpw_direction direction;
};
struct qpw_meter_row *sample_meter(struct qpw_snapshot *s, struct sample_service service, enum qpw_verdict verdict, unsigned rule,
                                   unsigned peer);
struct qpw_finding_row *sample_finding(struct qpw_snapshot *s, struct sample_service service, const char *initiator,
                                       const char *responder, enum qpw_outcome outcome);

/* Make a snapshot of n meters on as many ports. */
void sample_many(struct qpw_snapshot *ret, size_t n, unsigned tick);

#endif
