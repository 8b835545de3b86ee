/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* kept.h - whether what is counted is being kept beyond its life. */
#ifndef QPW_FACTS_KEPT_H
#define QPW_FACTS_KEPT_H

#include "snapshot/snapshot.h"

/* The record since which the auditor cannot write the history; NULL: it can, or does not try. */
const struct qpw_coverage *qpw_history_stopped(const struct qpw_snapshot *s);

#endif
