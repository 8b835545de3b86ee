/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "facts/speaks.h"

#include <errno.h>
#include <stdlib.h>

static int by_service(const void *left, const void *right)
{
    const struct qpw_speaks_row *a = left, *b = right;

    if (a->direction != b->direction)
        return a->direction - b->direction;
    if (a->protocol != b->protocol)
        return a->protocol - b->protocol;
    return a->port != b->port ? a->port - b->port : a->rule - b->rule;
}

static int by_weight(const void *left, const void *right)
{
    const struct qpw_speaks_row *a = left, *b = right;
    uint64_t other_a = a->judged[QPW_JUDGED_MISMATCH], other_b = b->judged[QPW_JUDGED_MISMATCH];

    if (other_a != other_b)
        return other_a < other_b ? 1 : -1;
    return a->connections != b->connections ? (a->connections < b->connections ? 1 : -1) : by_service(a, b);
}

static void add(struct qpw_speaks_row *row, const struct qpw_speaks_row *more)
{
    row->connections += more->connections;
    for (size_t i = 0; i < QPW_JUDGED_COUNT; i++)
        row->judged[i] += more->judged[i];
}

/* One row per meter of a port; the meters of one service differ in interface, scope and peer. Returns how many. */
static size_t rows_of(const struct qpw_snapshot *s, struct qpw_speaks_row *rows)
{
    size_t n = 0;

    for (size_t i = 0; i < s->n_meters; i++) {
        const struct qpw_meter_row *m = &s->meters[i];

        if (m->key.kind != QPW_KIND_PORT || m->key.verdict != QPW_VERDICT_ALLOWED || !m->key.rule)
            continue;
        rows[n] = (struct qpw_speaks_row){.port = m->key.port, .protocol = m->key.protocol, .direction = m->key.direction,
                                          .rule = m->key.rule, .connections = m->counts.connections};
        for (size_t as = QPW_JUDGED_UNASKED + 1; as < QPW_JUDGED_VALUES; as++)
            rows[n].judged[as] = m->judged[as];
        n++;
    }
    return n;
}

/* Those that were counted; 0: this port was not looked at. */
static uint64_t counted(const struct qpw_speaks_row *row)
{
    uint64_t sum = 0;

    for (size_t as = QPW_JUDGED_UNASKED + 1; as < QPW_JUDGED_VALUES; as++)
        sum += row->judged[as];
    return sum;
}

int qpw_speaks_rows(const struct qpw_snapshot *s, struct qpw_speaks_row **ret, size_t *ret_n)
{
    struct qpw_speaks_row *rows = calloc(s->n_meters + 1, sizeof(*rows));
    size_t n, merged = 0, kept = 0;

    if (!rows)
        return -ENOMEM;
    n = rows_of(s, rows);
    qsort(rows, n, sizeof(*rows), by_service);
    for (size_t i = 0; i < n; i++) {
        if (merged && !by_service(&rows[merged - 1], &rows[i]))
            add(&rows[merged - 1], &rows[i]);
        else
            rows[merged++] = rows[i];
    }
    for (size_t i = 0; i < merged; i++) {
        uint64_t sum = counted(&rows[i]);

        if (!sum)
            continue;
        rows[kept] = rows[i];
        if (rows[kept].connections < sum) /* a connection is counted in its meter first: this was read later */
            rows[kept].connections = sum;
        rows[kept].judged[QPW_JUDGED_MUTE] = rows[kept].connections - sum;
        kept++;
    }
    qsort(rows, kept, sizeof(*rows), by_weight);
    *ret = rows;
    *ret_n = kept;
    return 0;
}

uint64_t qpw_speaks_judged(const struct qpw_speaks_row *row)
{
    return row->judged[QPW_JUDGED_MATCH] + row->judged[QPW_JUDGED_MISMATCH];
}
