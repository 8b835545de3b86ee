/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* kept.h - whether the history is being written. */
#ifndef QPW_FACTS_KEPT_H
#define QPW_FACTS_KEPT_H

#include "snapshot/snapshot.h"

/*
 * Return the record of the time since when the auditor cannot write the history. NULL: it can, or none is configured.
 */
const struct qpw_coverage *qpw_history_stopped(const struct qpw_snapshot *s);

#endif
