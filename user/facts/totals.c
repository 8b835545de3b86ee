/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "facts/totals.h"

struct qpw_sum qpw_sum_of(const struct qpw_counts *counts)
{
    return (struct qpw_sum){counts->rx_packets + counts->tx_packets, counts->rx_bytes + counts->tx_bytes};
}

double qpw_percent_of(uint64_t part, uint64_t whole)
{
    return whole ? 100.0 * (double)part / (double)whole : 0;
}

void qpw_counts_add(struct qpw_counts *to, const struct qpw_counts *more)
{
    to->connections += more->connections;
    to->rx_packets += more->rx_packets;
    to->rx_bytes += more->rx_bytes;
    to->tx_packets += more->tx_packets;
    to->tx_bytes += more->tx_bytes;
}

void qpw_earlier(uint64_t *first, uint64_t other)
{
    if (other && (!*first || other < *first))
        *first = other;
}

static void add(struct qpw_sum *to, struct qpw_sum more)
{
    to->packets += more.packets;
    to->bytes += more.bytes;
}

void qpw_totals_of(const struct qpw_snapshot *s, struct qpw_totals *ret)
{
    struct qpw_totals t = {0};

    for (size_t i = 0; i < s->n_meters; i++) {
        const struct qpw_meter_key *key = &s->meters[i].key;
        struct qpw_sum sum = qpw_sum_of(&s->meters[i].counts);
        unsigned verdict = key->verdict < QPW_VERDICT_COUNT ? key->verdict : QPW_VERDICT_NONE;
        unsigned reason = key->reason < QPW_REASON_COUNT ? key->reason : QPW_REASON_NONE;

        add(&t.all, sum);
        add(&t.by_verdict[verdict], sum);
        add(&t.by_direction[key->direction < QPW_DIR_COUNT ? key->direction : QPW_DIR_UNKNOWN], sum);
        if (verdict == QPW_VERDICT_UNDECIDED)
            add(&t.undecided[reason], sum);
        if (verdict == QPW_VERDICT_TRANSIT)
            add(&t.transit[reason], sum);
    }
    *ret = t;
}

static void subtract(struct qpw_sum *sums, const struct qpw_sum *before, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        sums[i].packets = sums[i].packets > before[i].packets ? sums[i].packets - before[i].packets : 0;
        sums[i].bytes = sums[i].bytes > before[i].bytes ? sums[i].bytes - before[i].bytes : 0;
    }
}

struct qpw_totals qpw_totals_since(const struct qpw_totals *now, const struct qpw_totals *before)
{
    struct qpw_totals t = *now;

    subtract(&t.all, &before->all, 1);
    subtract(t.by_verdict, before->by_verdict, QPW_VERDICT_COUNT);
    subtract(t.by_direction, before->by_direction, QPW_DIR_COUNT);
    subtract(t.undecided, before->undecided, QPW_REASON_COUNT);
    subtract(t.transit, before->transit, QPW_REASON_COUNT);
    return t;
}
