/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* timeline.h - a report's findings over its period: how many were first seen in each part of it, and how serious they are. */
#ifndef QPW_FACTS_TIMELINE_H
#define QPW_FACTS_TIMELINE_H

#include "facts/report.h"

#define QPW_TIMELINE_PARTS 60u

struct qpw_timeline {
    uint64_t from_unix_ns, to_unix_ns; /* to is not before from; alike: there is no time to show */
    size_t first[QPW_TIMELINE_PARTS][QPW_SEVERITY_INFO + 1]; /* findings first seen in that part, by enum qpw_severity */
    size_t most;   /* of one part, all severities */
    size_t before; /* first seen before the period, and in no part of it */
};

/* Of the report's period, or of what of it is since the report's since_unix_ns. */
void qpw_timeline_make(const struct qpw_report *r, struct qpw_timeline *ret);

/* Where a time lies in it, in thousandths: 0 to 1000, also for what is outside. */
unsigned qpw_timeline_place(const struct qpw_timeline *t, uint64_t unix_ns);

/* Findings of the report by enum qpw_severity, closed ones left out; those are in [0]. */
void qpw_severities_of(const struct qpw_findings *found, size_t ret[QPW_SEVERITY_INFO + 1]);

#endif
