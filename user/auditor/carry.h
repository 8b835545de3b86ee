/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * carry.h - carry the counters and findings of another version's instance over to this one.
 *
 * Its programs are replaced in their hooks (qpw_hooks_replace()), so each packet is counted by exactly one of the two.
 * Names, interface numbers, records and life-cycle steps are copied before; counters and findings afterwards, when they
 * are final: as corrections, which no program writes to. Connections are not carried over: the socket table knows those
 * of TCP, others start as after attaching.
 */
#ifndef QPW_AUDITOR_CARRY_H
#define QPW_AUDITOR_CARRY_H

#include "auditor/internal.h"
#include "util/cleanup.h"

/*
 * Open the maps behind a->replaced and copy what the new counters refer to; call before the policy is compiled and
 * anything is attached. Sets a->carry; it stays NULL, with the reason in *why, if this version cannot read the maps.
 */
void qpw_carry_begin(struct qpw_auditor *a, struct qpw_error *why);

struct qpw_row_usage {
    size_t meters, findings;
    size_t left_out; /* without a free slot; their counts are in the meter or an overflow row */
};

/*
 * Copy counters and findings; call once a->replaced is in no hook any more. Return 0, or a negative errno with err
 * filled.
 */
int qpw_carry_finish(struct qpw_auditor *a, struct qpw_row_usage *ret, struct qpw_error *err);

/* Return when the instance's last auditor was alive, by CLOCK_MONOTONIC; 0: unknown. */
uint64_t qpw_carry_heartbeat_ns(const struct qpw_carry *carry);

/* Return when it was attached, by the programs' clock; 0: unknown. */
uint64_t qpw_carry_attached_ns(const struct qpw_carry *carry);

void qpw_carry_close(struct qpw_carry *carry); /* NULL is fine */
QPW_CLEANUP_POINTER(struct qpw_carry, qpw_carry_close)

#endif
