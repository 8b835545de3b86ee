/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "facts/tally.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int by_words(const void *a, const void *b)
{
    const struct qpw_traffic_tally *x = a, *y = b;

    int order = strcmp(x->device, y->device);

    return order ? order : x->direction != y->direction ? x->direction - y->direction : x->verdict - y->verdict;
}

int qpw_traffic_tally(const struct qpw_snapshot *s, struct qpw_traffic_tally **ret, size_t *ret_n)
{
    struct qpw_traffic_tally *rows = calloc(s->n_meters + 1, sizeof(*rows));
    size_t kept = 0;

    if (!rows)
        return -ENOMEM;
    for (size_t i = 0; i < s->n_meters; i++)
        rows[i] = (struct qpw_traffic_tally){qpw_snapshot_iface(s, s->meters[i].key.iface), s->meters[i].key.direction,
                                             s->meters[i].key.verdict, s->meters[i].counts};
    qsort(rows, s->n_meters, sizeof(*rows), by_words);
    for (size_t i = 0; i < s->n_meters; i++) {
        if (kept && !by_words(&rows[kept - 1], &rows[i]))
            qpw_counts_add(&rows[kept - 1].counts, &rows[i].counts);
        else
            rows[kept++] = rows[i];
    }
    *ret = rows;
    *ret_n = kept;
    return 0;
}

void qpw_finding_tally(const struct qpw_snapshot *s, struct qpw_finding_tally *ret)
{
    *ret = (struct qpw_finding_tally){0};
    for (size_t i = 0; i < s->n_findings; i++) {
        const struct qpw_finding_row *f = &s->findings[i];

        if (qpw_finding_open(f))
            ret->open[qpw_finding_severity(f)][f->key.direction][qpw_finding_answered(f)]++;
    }
}

uint64_t qpw_gaps_length(const struct qpw_gap *gaps, size_t n, bool without_auditor)
{
    uint64_t sum = 0, end = 0, from;

    for (size_t i = 0; i < n; i++) {
        if ((gaps[i].kind == QPW_COVERAGE_AUDITOR_GAP) != without_auditor)
            continue;
        from = gaps[i].from_unix_ns > end ? gaps[i].from_unix_ns : end; /* count overlapping gaps once */
        if (gaps[i].to_unix_ns <= from)
            continue;
        sum += gaps[i].to_unix_ns - from;
        end = gaps[i].to_unix_ns;
    }
    return sum;
}
