/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* fail_on.h - what turns a report into exit status 3. */
#ifndef QPW_REPORT_FAIL_ON_H
#define QPW_REPORT_FAIL_ON_H

#include "facts/report.h"

struct qpw_condition {
    bool gap;        /* any gap in the coverage; else: */
    uint8_t verdict;
    double percent;  /* of all packets; more than this fails, negative: any packet does */
};

/* A verdict's name, "gap", or "undecided=PERCENT" (any verdict may have a share). 0 or -EINVAL. */
int qpw_condition_parse(const char *text, struct qpw_condition *ret);

/* Whether it holds, and then why, in words. */
bool qpw_condition_holds(const struct qpw_condition *c, const struct qpw_report *r, char *why, size_t size);

#endif
