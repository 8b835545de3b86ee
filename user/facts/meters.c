/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "facts/meters.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int by_key(const void *a, const void *b)
{
    return memcmp(&((const struct qpw_meter_sum *)a)->key, &((const struct qpw_meter_sum *)b)->key,
                  sizeof(struct qpw_meter_key));
}

static int by_bytes(const void *a, const void *b)
{
    const struct qpw_meter_sum *x = a, *y = b;
    uint64_t left = qpw_sum_of(&x->counts).bytes, right = qpw_sum_of(&y->counts).bytes;

    return left != right ? (left < right ? 1 : -1) : by_key(a, b);
}

int qpw_meters_sum(const struct qpw_snapshot *s, struct qpw_meter_sum **ret, size_t *ret_n)
{
    struct qpw_meter_sum *sums = calloc(s->n_meters + 1, sizeof(*sums));
    size_t kept = 0;

    if (!sums)
        return -ENOMEM;
    for (size_t i = 0; i < s->n_meters; i++) {
        sums[i] = (struct qpw_meter_sum){s->meters[i].key, s->meters[i].counts, s->meters[i].first_unix_ns};
        sums[i].key.reason = 0;
        sums[i].key.peer = 0;
        sums[i].key.apart = QPW_APART_NONE;
    }
    qsort(sums, s->n_meters, sizeof(*sums), by_key);
    for (size_t i = 0; i < s->n_meters; i++) {
        struct qpw_meter_sum *last = kept ? &sums[kept - 1] : NULL;

        if (!last || by_key(last, &sums[i])) {
            sums[kept++] = sums[i];
            continue;
        }
        qpw_counts_add(&last->counts, &sums[i].counts);
        qpw_earlier(&last->first_unix_ns, sums[i].first_unix_ns);
    }
    qsort(sums, kept, sizeof(*sums), by_bytes);
    *ret = sums;
    *ret_n = kept;
    return 0;
}
