/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "facts/report.h"

#include <stdlib.h>
#include <string.h>

int qpw_report_make(const struct qpw_snapshot *s, uint64_t since_unix_ns, struct qpw_report *ret)
{
    struct qpw_report r = {.s = s, .since_unix_ns = since_unix_ns};
    int rc = qpw_answer_make(s, &r.answer);

    qpw_totals_of(s, &r.totals);
    rc = rc ? rc : qpw_meters_sum(s, &r.meters, &r.n_meters);
    rc = rc ? rc : qpw_findings_make(s, since_unix_ns, &r.found);
    rc = rc ? rc : qpw_peers_sum(s, &r.peers, &r.n_peers);
    rc = rc ? rc : qpw_rules_use(s, &r.rules, &r.n_rules);
    rc = rc ? rc : qpw_gaps_make(s, since_unix_ns, &r.gaps, &r.n_gaps);
    if (rc < 0) {
        qpw_report_clear(&r);
        return rc;
    }
    *ret = r;
    return 0;
}

void qpw_report_clear(struct qpw_report *r)
{
    qpw_findings_clear(&r->found);
    free(r->meters);
    free(r->peers);
    free(r->rules);
    free(r->gaps);
    memset(r, 0, sizeof(*r));
}
