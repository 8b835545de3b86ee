/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "metrics/traffic.h"

#include <errno.h>
#include <stdlib.h>

#include "facts/tally.h"
#include "metrics/metrics.h"
#include "util/names.h"

/* The counters of each row, as families "…receive_packets_total" and so on. */
static const struct {
    const char *name, *what;
    size_t at; /* offset in struct qpw_counts */
} counted[] = {
    {"receive_packets_total", "packets received", offsetof(struct qpw_counts, rx_packets)},
    {"receive_bytes_total", "bytes received, as on the wire", offsetof(struct qpw_counts, rx_bytes)},
    {"transmit_packets_total", "packets sent", offsetof(struct qpw_counts, tx_packets)},
    {"transmit_bytes_total", "bytes sent, as on the wire", offsetof(struct qpw_counts, tx_bytes)},
    {"connections_total", "connections opened", offsetof(struct qpw_counts, connections)},
};

static uint64_t value_of(const struct qpw_counts *counts, size_t family)
{
    return *(const uint64_t *)((const char *)counts + counted[family].at);
}

static void begin(struct qpw_metrics_text *t, size_t family, char name[64], const char *prefix, const char *by)
{
    char help[160];

    snprintf(name, 64, "%s%s", prefix, counted[family].name);
    snprintf(help, sizeof(help), "%c%s by %s.", counted[family].what[0] - 'a' + 'A', counted[family].what + 1, by);
    qpw_metric_family(t, name, QPW_METRIC_COUNTER, help);
}

static int by_device(struct qpw_metrics_text *t, const struct qpw_snapshot *s)
{
    struct qpw_traffic_tally *rows;
    char name[64];
    size_t n;
    int r = qpw_traffic_tally(s, &rows, &n);

    if (r < 0)
        return r;
    for (size_t family = 0; family < sizeof(counted) / sizeof(*counted); family++) {
        begin(t, family, name, "", "device, direction and verdict");
        for (size_t i = 0; i < n; i++)
            qpw_metric_count(t, value_of(&rows[i].counts, family), "device", rows[i].device, "direction",
                             qpw_direction_name(rows[i].direction), "verdict", qpw_verdict_name(rows[i].verdict), NULL);
    }
    free(rows);
    return 0;
}

/* Named rows, and the sum of those beyond the limit. */
struct named {
    const char *name;
    struct qpw_counts counts;
};

static void write_named(struct qpw_metrics_text *t, const struct named *rows, size_t n, const char *prefix, const char *label)
{
    char name[64];

    for (size_t family = 0; n && family < sizeof(counted) / sizeof(*counted); family++) {
        begin(t, family, name, prefix, label);
        for (size_t i = 0; i < n; i++)
            qpw_metric_count(t, value_of(&rows[i].counts, family), label, rows[i].name, NULL);
    }
}

/* Append to the *n rows; beyond `most`, add to the last one. */
static void add(struct named *rows, size_t *n, size_t most, const char *name, const struct qpw_counts *counts)
{
    if (*n < most)
        rows[(*n)++] = (struct named){name, *counts};
    else if (*n == most)
        rows[(*n)++] = (struct named){"other", *counts};
    else
        qpw_counts_add(&rows[most].counts, counts);
}

/* Write the rules in force only, because rules removed by a reload would come and go with their counts. */
static int by_rule(struct qpw_metrics_text *t, const struct qpw_report *r)
{
    struct named *rows = calloc(r->n_rules + 1, sizeof(*rows));
    size_t n = 0;

    if (!rows)
        return -ENOMEM;
    for (size_t i = 0; i < r->n_rules; i++)
        if (r->rules[i].info->in_force)
            add(rows, &n, QPW_METRIC_RULES, r->rules[i].info->name, &r->rules[i].counts);
    write_named(t, rows, n, "rule_", "rule");
    free(rows);
    return 0;
}

static int by_peer(struct qpw_metrics_text *t, const struct qpw_report *r)
{
    struct named *rows = calloc(r->n_peers + 1, sizeof(*rows));
    size_t n = 0;

    if (!rows)
        return -ENOMEM;
    for (size_t i = 0; i < r->n_peers; i++)
        if (r->peers[i].info->in_force)
            add(rows, &n, QPW_METRIC_PEERS, r->peers[i].info->name, &r->peers[i].counts);
    write_named(t, rows, n, "peer_", "peer");
    free(rows);
    return 0;
}

/* Write the counters that both ends of a pair count alike, so that they can be compared. */
static void by_pair(struct qpw_metrics_text *t, const struct qpw_report *r)
{
    static const struct {
        const char *name, *help;
        size_t at;
    } families[] = {
        {"pair_receive_packets_total", "Packets received from a peer, of unicast IP between static addresses.", offsetof(struct qpw_counts, rx_packets)},
        {"pair_transmit_packets_total", "Packets sent to a peer, of unicast IP between static addresses.", offsetof(struct qpw_counts, tx_packets)},
    };

    for (size_t f = 0; r->n_peers && f < sizeof(families) / sizeof(*families); f++) {
        size_t n = 0;

        qpw_metric_family(t, families[f].name, QPW_METRIC_COUNTER, families[f].help);
        for (size_t i = 0; i < r->n_peers && n < QPW_METRIC_PEERS; i++)
            if (r->peers[i].info->in_force && ++n)
                qpw_metric_count(t, *(const uint64_t *)((const char *)&r->peers[i].pair + families[f].at), "peer",
                                 r->peers[i].info->name, NULL);
    }
}

static void by_reason(struct qpw_metrics_text *t, const char *name, const char *help, const struct qpw_sum *sums)
{
    qpw_metric_family(t, name, QPW_METRIC_COUNTER, help);
    for (unsigned reason = 0; reason < QPW_REASON_COUNT; reason++)
        if (sums[reason].packets)
            qpw_metric_count(t, sums[reason].packets, "reason", qpw_reason_name(reason), NULL);
}

int qpw_metrics_traffic(struct qpw_metrics_text *t, const struct qpw_report *r)
{
    if (by_device(t, r->s) < 0 || by_rule(t, r) < 0 || by_peer(t, r) < 0)
        return -ENOMEM;
    by_pair(t, r);
    by_reason(t, "undecided_packets_total", "Packets that could not be judged, by reason.", r->totals.undecided);
    by_reason(t, "transit_packets_total", "Packets of which neither end is this node, by reason.", r->totals.transit);
    return 0;
}
