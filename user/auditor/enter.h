/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* enter.h - findings entered by the auditor, in addition to those of the programs. */
#ifndef QPW_AUDITOR_ENTER_H
#define QPW_AUDITOR_ENTER_H

#include "auditor/internal.h"

/*
 * Enter a finding for which no more packets may come. If the programs already have it, merge this one into theirs and
 * set *value to the result; without a free slot, report it anyway. Its packets so far stay counted under their original
 * verdict.
 */
void qpw_finding_enter(struct qpw_auditor *a, const struct qpw_finding_key *key, struct qpw_finding *value);

/* Mark the finding as superseded wherever it stands; provisional: only where it is that. */
void qpw_finding_withdraw(struct qpw_auditor *a, const struct qpw_finding_key *key, bool provisional);

/* Return the map that supplies the slots of its quota. */
enum qpw_map qpw_finding_queue(const struct qpw_finding_key *key, const struct qpw_finding *value);

#endif
