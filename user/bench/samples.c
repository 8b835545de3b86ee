/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* samples.c - statistics of the rounds of one case. */
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

double qpw_bench_median(const struct qpw_bench_samples *s)
{
    double sorted[QPW_BENCH_MAX_ROUNDS];

    if (!s->n)
        return 0;
    memcpy(sorted, s->ns, s->n * sizeof(*sorted));
    qsort(sorted, s->n, sizeof(*sorted), compare);
    return s->n % 2 ? sorted[s->n / 2] : (sorted[s->n / 2 - 1] + sorted[s->n / 2]) / 2;
}

double qpw_bench_best(const struct qpw_bench_samples *s)
{
    double best = s->n ? s->ns[0] : 0;

    for (unsigned i = 1; i < s->n; i++)
        best = s->ns[i] < best ? s->ns[i] : best;
    return best;
}
