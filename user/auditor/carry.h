/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * carry.h - what another version's kernel side has counted and found goes on under this one's.
 *
 * Its programs are replaced where they stand (qpw_hooks_replace()), so each packet is counted by one of the two. Names,
 * numbers of interfaces, records and steps of findings' lives are copied before; counters and findings afterwards,
 * when they are final: as corrections, which no program writes to. Connections are not carried: the socket table
 * knows TCP's, others begin as after an attachment.
 */
#ifndef QPW_AUDITOR_CARRY_H
#define QPW_AUDITOR_CARRY_H

#include "auditor/internal.h"

/*
 * Before the policy is compiled and anything attached: opens the maps behind a->replaced and copies what the new counters
 * refer to. Sets a->carry; it stays NULL where the maps hold what this version cannot read, with why in *why.
 */
void qpw_carry_begin(struct qpw_auditor *a, struct qpw_error *why);

struct qpw_row_usage {
    size_t meters, findings;
    size_t left_out; /* findings and meters that found no place; their counts stand in the rows of what is left */
};

/* After a->replaced stands in no hook any more. 0, or a negative errno with err filled. */
int qpw_carry_finish(struct qpw_auditor *a, struct qpw_row_usage *ret, struct qpw_error *err);

/* When the kernel side's last auditor was seen alive, by CLOCK_MONOTONIC; 0: not known. */
uint64_t qpw_carry_heartbeat_ns(const struct qpw_carry *carry);

/* When it was attached, by the programs' clock; 0: not known. */
uint64_t qpw_carry_attached_ns(const struct qpw_carry *carry);

void qpw_carry_close(struct qpw_carry *carry); /* NULL is fine */

#endif
