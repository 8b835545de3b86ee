/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "snapshot/crossing.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define MAX_OUTBOUND 64u /* per host; more of them are a scan and reported as one */

/* Return whether the row may be one half of an exchange. */
static bool is_half(const struct qpw_finding_row *row)
{
    return row->key.kind == QPW_KIND_PORT && row->key.protocol != IPPROTO_TCP && !row->key.aggregated &&
           row->value.outcome == QPW_OUTCOME_ATTEMPTED &&
           !(row->value.flags & (QPW_FINDING_MULTICAST | QPW_FINDING_SUPERSEDED)) &&
           (row->key.direction == QPW_DIR_INBOUND || row->key.direction == QPW_DIR_OUTBOUND) &&
           (row->key.verdict == QPW_VERDICT_UNEXPECTED || row->key.verdict == QPW_VERDICT_WEAK ||
            row->key.verdict == QPW_VERDICT_IMPLIED);
}

static const uint8_t *remote_of(const struct qpw_finding_row *row)
{
    return row->key.direction == QPW_DIR_INBOUND ? row->key.initiator : row->key.responder;
}

/* Sort by remote end, outbound first, newest of these first. */
static int by_remote(const void *a, const void *b)
{
    const struct qpw_finding_row *x = *(struct qpw_finding_row *const *)a, *y = *(struct qpw_finding_row *const *)b;
    int order = memcmp(remote_of(x), remote_of(y), 16);

    if (order)
        return order;
    if (x->key.direction != y->key.direction)
        return x->key.direction == QPW_DIR_OUTBOUND ? -1 : 1;
    return (x->value.last_ns < y->value.last_ns) - (x->value.last_ns > y->value.last_ns);
}

/* Return the time between the end of one and the start of the other; 0: they overlap. */
static uint64_t gap(const struct qpw_finding *x, const struct qpw_finding *y)
{
    if (x->first_ns > y->last_ns)
        return x->first_ns - y->last_ns;
    return y->first_ns > x->last_ns ? y->first_ns - x->last_ns : 0;
}

static void set(struct qpw_finding_row *row, const struct qpw_finding_row *other)
{
    row->crossed.protocol = other->key.protocol;
    row->crossed.port = other->key.port;
}

/* Pair each outbound row of one remote end (the first `out` of n) with the inbound row nearest in time. */
static void cross_host(struct qpw_finding_row **rows, size_t out, size_t n, uint64_t within_ns)
{
    for (size_t o = 0; o < out && o < MAX_OUTBOUND; o++) {
        struct qpw_finding_row *best = NULL;
        uint64_t least = within_ns;

        for (size_t i = out; i < n; i++) {
            uint64_t apart = gap(&rows[o]->value, &rows[i]->value);

            if (apart <= least && (!best || apart < least)) {
                least = apart;
                best = rows[i];
            }
        }
        if (!best)
            continue;
        set(rows[o], best);
        set(best, rows[o]);
    }
}

int qpw_findings_cross(struct qpw_finding_row *rows, size_t n, uint64_t within_ns)
{
    struct qpw_finding_row **halves = malloc((n + 1) * sizeof(*halves));
    size_t count = 0, end, out;

    if (!halves)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        if (is_half(&rows[i]))
            halves[count++] = &rows[i];
    qsort(halves, count, sizeof(*halves), by_remote);
    for (size_t begin = 0; begin < count; begin = end) {
        out = 0;
        for (end = begin; end < count && !memcmp(remote_of(halves[end]), remote_of(halves[begin]), 16); end++)
            out += halves[end]->key.direction == QPW_DIR_OUTBOUND;
        cross_host(halves + begin, out, end - begin, within_ns);
    }
    free(halves);
    return 0;
}
