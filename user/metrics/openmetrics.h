/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* openmetrics.h - metrics in the text format 0.0.4 as OpenMetrics 1.0, whose families have names without "_total". */
#ifndef QPW_METRICS_OPENMETRICS_H
#define QPW_METRICS_OPENMETRICS_H

#include <stdbool.h>
#include <stdio.h>

#define QPW_METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"
#define QPW_OPENMETRICS_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"

/* Write the text, which has neither timestamps nor histograms, and its end mark. Return 0, or a negative errno. */
int qpw_openmetrics_write(const char *text, FILE *out);

/* Return whether a client that sends this Accept header (NULL: none) reads OpenMetrics 1.0. */
bool qpw_openmetrics_accepted(const char *accept);

#endif
