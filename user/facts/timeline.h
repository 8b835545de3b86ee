/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* timeline.h - a report's findings over its period: the number first seen in each part of it, by severity. */
#ifndef QPW_FACTS_TIMELINE_H
#define QPW_FACTS_TIMELINE_H

#include "facts/report.h"

#define QPW_TIMELINE_PARTS 60u

struct qpw_timeline {
    uint64_t from_unix_ns, to_unix_ns; /* from <= to; equal: no period to show */
    size_t first[QPW_TIMELINE_PARTS][QPW_SEVERITY_INFO + 1]; /* findings first seen in that part, by enum
                                                                qpw_severity */
    size_t most;   /* maximum of all parts, all severities together */
    size_t before; /* first seen before the period, and counted in no part */
};

/* Cover the report's period, starting at its since_unix_ns if that is later. */
void qpw_timeline_make(const struct qpw_report *r, struct qpw_timeline *ret);

/* Return the position of a time in the period in thousandths, clamped to 0..1000. */
unsigned qpw_timeline_position(const struct qpw_timeline *t, uint64_t unix_ns);

/* Count the report's findings by enum qpw_severity; closed ones are counted in [0]. */
void qpw_severities_of(const struct qpw_findings *found, size_t ret[QPW_SEVERITY_INFO + 1]);

#endif
