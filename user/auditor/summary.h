/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* summary.h - the line that the auditor prints each interval. */
#ifndef QPW_AUDITOR_SUMMARY_H
#define QPW_AUDITOR_SUMMARY_H

#include "facts/answer.h"
#include "facts/totals.h"

/* What passed within so many seconds, and how the node is at now_unix_ns. Returns buf. */
const char *qpw_summary_text(const struct qpw_totals *passed, const struct qpw_answer *answer, uint64_t now_unix_ns,
                             unsigned seconds, char *buf, size_t size);

#endif
