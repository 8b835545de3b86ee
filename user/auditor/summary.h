/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* summary.h - the line that the auditor prints each interval. */
#ifndef QPW_AUDITOR_SUMMARY_H
#define QPW_AUDITOR_SUMMARY_H

#include "facts/answer.h"
#include "facts/totals.h"

struct qpw_summary {
    const struct qpw_totals *passed; /* traffic of the interval */
    const struct qpw_answer *answer;
    uint64_t now_unix_ns;
    unsigned seconds;                /* length of the interval */
    const char *reported; /* the previous line's headline: if unchanged, only its state is printed; NULL: none */
};

/* Describe the interval's traffic and the node's current state. Returns buf. */
const char *qpw_summary_text(const struct qpw_summary *summary, char *buf, size_t size);

#endif
