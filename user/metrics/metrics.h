/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * metrics.h - a node for a monitoring system: the text format of Prometheus, of facts alone.
 *
 * Labels are words of this program, and names out of the policy and of interfaces. Never a remote address, a port, a
 * process or a file: nobody outside can make series. A rule beyond the first 256 and a peer beyond the first 512 are added
 * up as "other".
 */
#ifndef QPW_METRICS_METRICS_H
#define QPW_METRICS_METRICS_H

#include <jansson.h>
#include <stdio.h>

#include "facts/report.h"

#define QPW_METRIC_RULES 256u
#define QPW_METRIC_PEERS 512u

struct qpw_metrics {
    const struct qpw_report *report;
    bool policy_current;  /* what is loaded is what its file says */
    const json_t *alerts; /* what the auditor says of its alert log, see auditor/alerts.h; null: there is none */
};

/* 0, -ENOMEM, or -EIO where something could not be written. */
int qpw_metrics_write(const struct qpw_metrics *m, FILE *out);

/* Of a node on which nothing is attached. */
int qpw_metrics_write_nothing(FILE *out);

#endif
