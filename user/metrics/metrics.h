/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * metrics.h - a node's facts in the text format of Prometheus.
 *
 * Labels are constants of this program, or names from the policy and of interfaces; never a remote address, a port, a
 * process or a file, so that nobody outside can create series. Rules beyond the first 256 and peers beyond the first
 * 512 are summed up as "other".
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
    bool policy_current;  /* the loaded policy equals its file */
    const json_t *alerts; /* the auditor's report on its alert log, see auditor/alerts.h; null: none */
};

/* Write all metrics. Returns 0, -ENOMEM, or -EIO if anything could not be written. */
int qpw_metrics_write(const struct qpw_metrics *m, FILE *out);

/* Write the metrics of a node on which nothing is attached. */
int qpw_metrics_write_nothing(FILE *out);

#endif
