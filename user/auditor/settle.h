/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * settle.h - free the slots of settled findings, so that forged sources cannot exhaust a quota for the life of the
 * attachment.
 *
 * Settled: its last record is written, and its exchanges have ended. Oldest first, only if a quota is three quarters
 * full, until half of it is free. A freed finding's counts move to its meter (the map `corrections`), so totals and
 * rows stay exact; the number freed is counted (QPW_STAT_FREED).
 */
#ifndef QPW_AUDITOR_SETTLE_H
#define QPW_AUDITOR_SETTLE_H

#include <stdbool.h>
#include <stdint.h>

#include "instance/object.h"
#include "snapshot/snapshot.h"

struct qpw_settle {
    /* Return whether everything to be written about the row is written. */
    bool (*written)(void *data, const struct qpw_finding_row *row);
    void *data;
    uint64_t quiet_ns; /* minimum time without a packet, after which no CPU's cache holds its slot */
};

/*
 * Add to the correction of a slot of `counters`, which only programs write to. Return 0, or a negative errno: out of
 * memory.
 */
int qpw_slot_correct(struct qpw_kernel *k, uint32_t slot, const struct qpw_counts *by);

/* Check all quotas. *ret_freed: number of slots freed. Return 0, or a negative errno with err filled. */
int qpw_settle_run(struct qpw_kernel *k, const struct qpw_settle *settle, size_t *ret_freed, struct qpw_error *err);

#endif
