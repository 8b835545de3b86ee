/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * settle.h - frees the places of findings that have settled, so that forged sources cannot use up a quota for as long
 * as the attachment lives.
 *
 * Settled: its last record is written, and its exchanges have ended. Oldest first, only where a quota is three quarters
 * full, until half of it is free. What a finding has counted becomes its meter's (the map `corrections`), so totals and
 * rows stay exact; how many were freed is counted (QPW_STAT_FREED).
 */
#ifndef QPW_AUDITOR_SETTLE_H
#define QPW_AUDITOR_SETTLE_H

#include <stdbool.h>
#include <stdint.h>

#include "instance/object.h"
#include "snapshot/snapshot.h"

struct qpw_settle {
    /* Whether all that is to be written about the row is written. */
    bool (*written)(void *data, const struct qpw_finding_row *row);
    void *data;
    uint64_t quiet_ns; /* nothing was seen of it for longer than that: no CPU's cache knows its slot any more */
};

/* Adds to what is to be added to a slot of `counters`, which only programs write to. 0 or a negative errno: no memory. */
int qpw_slot_correct(struct qpw_kernel *k, uint32_t slot, const struct qpw_counts *by);

/* Looks at all quotas. *ret_freed: how many places. 0, or a negative errno with err filled. */
int qpw_settle_run(struct qpw_kernel *k, const struct qpw_settle *settle, size_t *ret_freed, struct qpw_error *err);

#endif
