/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "facts/report.h"

#include <stdlib.h>
#include <string.h>

static int make(const struct qpw_snapshot *s, uint64_t since_unix_ns, struct qpw_report *report)
{
    int r = qpw_answer_make(s, &report->answer);

    if (r < 0)
        return r;
    qpw_totals_of(s, &report->totals);
    r = qpw_meters_sum(s, &report->meters, &report->n_meters);
    if (r < 0)
        return r;
    r = qpw_findings_make(s, since_unix_ns, &report->found);
    if (r < 0)
        return r;
    r = qpw_peers_sum(s, &report->peers, &report->n_peers);
    if (r < 0)
        return r;
    r = qpw_rules_use(s, &report->rules, &report->n_rules);
    if (r < 0)
        return r;
    return qpw_gaps_make(s, since_unix_ns, &report->gaps, &report->n_gaps);
}

int qpw_report_make(const struct qpw_snapshot *s, uint64_t since_unix_ns, struct qpw_report *ret)
{
    struct qpw_report report = {.s = s, .since_unix_ns = since_unix_ns};
    int r = make(s, since_unix_ns, &report);

    if (r < 0) {
        qpw_report_clear(&report);
        return r;
    }
    *ret = report;
    return 0;
}

void qpw_report_clear(struct qpw_report *report)
{
    qpw_findings_clear(&report->found);
    free(report->meters);
    free(report->peers);
    free(report->rules);
    free(report->gaps);
    memset(report, 0, sizeof(*report));
}
