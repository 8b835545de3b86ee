/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* traffic.h - the families that count packets. */
#ifndef QPW_METRICS_TRAFFIC_H
#define QPW_METRICS_TRAFFIC_H

#include "facts/report.h"
#include "metrics/text.h"

/* Write the counters by interface, rule, peer and reason. Returns 0 or -ENOMEM. */
int qpw_metrics_traffic(struct qpw_metrics_text *t, const struct qpw_report *r);

#endif
