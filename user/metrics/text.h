/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * text.h - the text format of Prometheus 0.0.4: families, and samples with labels. Apart from the end mark, the output
 * is also valid OpenMetrics. Label values are untrusted: cleaned and escaped.
 */
#ifndef QPW_METRICS_TEXT_H
#define QPW_METRICS_TEXT_H

#include <stdint.h>
#include <stdio.h>

enum qpw_metric_type { QPW_METRIC_GAUGE, QPW_METRIC_COUNTER };

struct qpw_metrics_text {
    FILE *out;
    const char *name; /* of the current family; borrowed */
};

/* Start a family. name: without "qportwatch_"; of a counter, with "_total". */
void qpw_metric_family(struct qpw_metrics_text *t, const char *name, enum qpw_metric_type type, const char *help);

/* Write a sample of the family; labels are pairs of name and value, at most 8, followed by NULL. */
void qpw_metric_count(struct qpw_metrics_text *t, uint64_t value, ...) __attribute__((sentinel));
/* The same for a time: in ns since 1970, written as seconds. */
void qpw_metric_time(struct qpw_metrics_text *t, uint64_t unix_ns, ...) __attribute__((sentinel));

/* Write a family of one sample without labels. */
void qpw_metric_gauge(struct qpw_metrics_text *t, const char *name, uint64_t value, const char *help);

#endif
