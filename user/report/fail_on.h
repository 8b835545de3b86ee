/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * fail_on.h - the conditions under which a report exits with status 3.
 *
 * Conditions on findings consider the open ones seen since --since, except those that are only info, so that an hourly
 * check passes again an hour later. A node without monitoring never passes: blindness is as serious as high. Conditions
 * on other verdicts, and shares, count packets since attaching, because these carry no time.
 */
#ifndef QPW_REPORT_FAIL_ON_H
#define QPW_REPORT_FAIL_ON_H

#include "facts/report.h"

enum qpw_condition_kind {
    QPW_FAIL_GAP,      /* any gap in the coverage, or no auditor */
    QPW_FAIL_BLIND,    /* a hook, an interface or the auditor is missing now */
    QPW_FAIL_SEVERITY, /* a finding of that severity or worse, or blind now */
    QPW_FAIL_ANSWERED, /* an answered finding */
    QPW_FAIL_NEW,      /* a finding first seen since --since */
    QPW_FAIL_FOUND,    /* a finding with that verdict */
    QPW_FAIL_PACKETS,  /* a packet with that verdict */
    QPW_FAIL_SHARE,    /* more than `percent` of all packets */
};

struct qpw_condition {
    enum qpw_condition_kind kind;
    uint8_t severity;
    uint8_t verdict;
    double percent;
};

#define QPW_FAIL_ON_USAGE "high, medium, answered, new, blind, a verdict (unexpected, weak, undecided, …), gap or undecided=PERCENT"

/* Write util/near.h's hint for an unknown word. Returns buf. */
const char *qpw_condition_near(const char *text, char *buf, size_t size);

/* Parse one of QPW_FAIL_ON_USAGE; any verdict may have a share. Returns 0 or -EINVAL. */
int qpw_condition_parse(const char *text, struct qpw_condition *ret);

/* Return whether the condition can be restricted to a part of the period. */
bool qpw_condition_has_time(const struct qpw_condition *c);

/* Return whether the condition holds, and why in words. */
bool qpw_condition_holds(const struct qpw_condition *c, const struct qpw_report *r, char *why, size_t size);

#endif
