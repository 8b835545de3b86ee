/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "facts/timeline.h"

#include <string.h>

#include "facts/life.h"

unsigned qpw_timeline_position(const struct qpw_timeline *t, uint64_t unix_ns)
{
    uint64_t span = t->to_unix_ns - t->from_unix_ns;

    if (unix_ns <= t->from_unix_ns || !span)
        return 0;
    if (unix_ns >= t->to_unix_ns)
        return 1000;
    return (unsigned)((long double)(unix_ns - t->from_unix_ns) * 1000 / span);
}

static void add(struct qpw_timeline *t, const struct qpw_finding_row *f)
{
    unsigned part = qpw_timeline_position(t, f->first_unix_ns) * QPW_TIMELINE_PARTS / 1001,
             severity = qpw_finding_severity(f);
    size_t all = 0;

    if (f->first_unix_ns < t->from_unix_ns) {
        t->before++;
        return;
    }
    if (severity > QPW_SEVERITY_INFO)
        severity = QPW_SEVERITY_INFO;
    t->first[part][severity]++;
    for (unsigned i = 0; i <= QPW_SEVERITY_INFO; i++)
        all += t->first[part][i];
    if (all > t->most)
        t->most = all;
}

void qpw_timeline_make(const struct qpw_report *r, struct qpw_timeline *ret)
{
    memset(ret, 0, sizeof(*ret));
    ret->from_unix_ns = r->since_unix_ns > r->s->from_unix_ns ? r->since_unix_ns : r->s->from_unix_ns;
    ret->to_unix_ns = r->s->unix_ns > ret->from_unix_ns ? r->s->unix_ns : ret->from_unix_ns;
    if (ret->to_unix_ns == ret->from_unix_ns)
        return;
    for (size_t i = 0; i < r->found.n_rows; i++)
        add(ret, r->found.rows[i]);
}

void qpw_severities_of(const struct qpw_findings *found, size_t ret[QPW_SEVERITY_INFO + 1])
{
    memset(ret, 0, (QPW_SEVERITY_INFO + 1) * sizeof(*ret));
    for (size_t i = 0; i < found->n_rows; i++) {
        unsigned severity = qpw_finding_severity(found->rows[i]);
        bool closed = qpw_finding_life(found->rows[i]).state == QPW_FINDING_CLOSED;

        ret[closed || severity > QPW_SEVERITY_INFO ? 0 : severity]++;
    }
}
