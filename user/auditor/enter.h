/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* enter.h - findings that the auditor enters beside those of the programs. */
#ifndef QPW_AUDITOR_ENTER_H
#define QPW_AUDITOR_ENTER_H

#include "auditor/internal.h"

/*
 * Enters what no packet may come for any more. Where the programs have, theirs stands, with what this adds to it, and
 * *value becomes that; without a place it is reported all the same. Its packets so far are counted with the verdict that they
 * had.
 */
void qpw_finding_enter(struct qpw_auditor *a, const struct qpw_finding_key *key, struct qpw_finding *value);

/* The map that slots of its quota come from. */
enum qpw_map qpw_finding_queue(const struct qpw_finding_key *key, const struct qpw_finding *value);

#endif
