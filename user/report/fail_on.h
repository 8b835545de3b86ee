/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * fail_on.h - what turns a report into exit status 3.
 *
 * Conditions about findings look at the open ones that were seen since --since, and never at what is only info: so a check
 * by the hour is green again an hour after. A node that nobody watches is never green: blindness is as serious as high. Other verdicts, and shares, are of packets since attaching, which carry no time.
 */
#ifndef QPW_REPORT_FAIL_ON_H
#define QPW_REPORT_FAIL_ON_H

#include "facts/report.h"

enum qpw_condition_kind {
    QPW_FAIL_GAP,      /* any gap in the coverage, or no auditor */
    QPW_FAIL_BLIND,    /* hook, interface or auditor is missing now */
    QPW_FAIL_SEVERITY, /* a finding of that severity or worse, or blind now */
    QPW_FAIL_ANSWERED, /* a finding that was answered */
    QPW_FAIL_NEW,      /* a finding first seen since --since */
    QPW_FAIL_FOUND,    /* a finding of that verdict */
    QPW_FAIL_PACKETS,  /* a packet of that verdict */
    QPW_FAIL_SHARE,    /* more than `percent` of all packets */
};

struct qpw_condition {
    enum qpw_condition_kind kind;
    uint8_t severity;
    uint8_t verdict;
    double percent;
};

#define QPW_FAIL_ON_USAGE "high, medium, answered, new, blind, a verdict (unexpected, weak, undecided, …), gap or undecided=PERCENT"

/* The hint of util/near.h for a word that is none of these. Returns buf. */
const char *qpw_condition_near(const char *text, char *buf, size_t size);

/* One of QPW_FAIL_ON_USAGE; any verdict may have a share. 0 or -EINVAL. */
int qpw_condition_parse(const char *text, struct qpw_condition *ret);

/* Whether it can be asked of a part of the period only. */
bool qpw_condition_has_time(const struct qpw_condition *c);

/* Whether it holds, and then why, in words. */
bool qpw_condition_holds(const struct qpw_condition *c, const struct qpw_report *r, char *why, size_t size);

#endif
