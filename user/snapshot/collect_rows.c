/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Make findings and meters from their tables, and assign each packet to one of them. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "snapshot/collect_maps.h"
#include "snapshot/collection.h"
#include "snapshot/crossing.h"
#include "snapshot/decisions.h"
#include "util/array.h"
#include "util/cleanup.h"

/* ---- Findings ---- */

static int by_key(const void *a, const void *b)
{
    const struct qpw_raw_finding *x = a, *y = b;
    int order = memcmp(&x->key, &y->key, sizeof(x->key));

    return order ? order : x->rank - y->rank;
}

/* Read the three tables into c->raw, sorted so that entries with the same key are adjacent. */
static int read_raw_findings(struct qpw_collection *c)
{
    QPW_CLEANUP(qpw_entries_clear) struct qpw_entries attempted = {0};
    QPW_CLEANUP(qpw_entries_clear) struct qpw_entries answered = {0};
    QPW_CLEANUP(qpw_entries_clear) struct qpw_entries reserved = {0};
    int r = qpw_entries_read(c->k->map_fd[QPW_MAP_findings], sizeof(struct qpw_finding_key), sizeof(struct qpw_finding),
                             &attempted);

    if (r < 0)
        return r;
    r = qpw_entries_read(c->k->map_fd[QPW_MAP_answered], sizeof(struct qpw_finding_key), sizeof(struct qpw_finding), &answered);
    if (r < 0)
        return r;
    r = qpw_entries_read_singly(c->k->map_fd[QPW_MAP_reserved], sizeof(struct qpw_reserved_key), sizeof(struct qpw_reserved),
                                &reserved);
    if (r < 0)
        return r;
    c->raw = calloc(attempted.count + answered.count + reserved.count + 1, sizeof(*c->raw));
    if (!c->raw)
        return -ENOMEM;
    for (size_t i = 0; i < answered.count; i++)
        c->raw[c->n_raw++] = (struct qpw_raw_finding){((struct qpw_finding_key *)answered.keys)[i],
                                                  ((struct qpw_finding *)answered.values)[i], 0};
    for (size_t i = 0; i < reserved.count; i++)
        c->raw[c->n_raw++] = (struct qpw_raw_finding){((struct qpw_reserved *)reserved.values)[i].key,
                                                  ((struct qpw_reserved *)reserved.values)[i].value, 1};
    for (size_t i = 0; i < attempted.count; i++)
        c->raw[c->n_raw++] = (struct qpw_raw_finding){((struct qpw_finding_key *)attempted.keys)[i],
                                                  ((struct qpw_finding *)attempted.values)[i], 2};
    qsort(c->raw, c->n_raw, sizeof(*c->raw), by_key);
    return 0;
}

/* Add packets and bytes only: connections of a finding are also counted in its meter. */
static void add_packets(struct qpw_counts *to, const struct qpw_counts *from)
{
    to->rx_packets += from->rx_packets;
    to->rx_bytes += from->rx_bytes;
    to->tx_packets += from->tx_packets;
    to->tx_bytes += from->tx_bytes;
}

/* Merge another entry with the same key into a finding's row. */
static void merge_finding(struct qpw_finding_row *row, const struct qpw_raw_finding *raw)
{
    struct qpw_finding *to = &row->value;
    const struct qpw_finding *from = &raw->value;

    if (from->first_ns < to->first_ns)
        to->first_ns = from->first_ns;
    if (from->last_ns > to->last_ns)
        to->last_ns = from->last_ns;
    if (from->outcome > to->outcome) {
        to->outcome = from->outcome;
        to->unseen = from->unseen;
    }
    if (from->evidence > to->evidence)
        to->evidence = from->evidence;
    to->flags |= from->flags & ~QPW_FINDING_SUPERSEDED;
    if (from->other_port)
        to->other_port = from->other_port;
    for (unsigned end = 0; end < 2; end++)
        if (from->speaks[end] > to->speaks[end])
            to->speaks[end] = from->speaks[end];
    to->changes += from->changes;
}

static int make_findings(struct qpw_collection *c)
{
    struct qpw_snapshot *s = &c->s;
    struct qpw_finding_row *row = NULL;

    s->findings = calloc(c->n_raw + 1, sizeof(*s->findings));
    if (!s->findings)
        return -ENOMEM;
    for (size_t i = 0; i < c->n_raw; i++) {
        const struct qpw_raw_finding *raw = &c->raw[i];

        if (row && !memcmp(&row->key, &raw->key, sizeof(raw->key))) {
            merge_finding(row, raw);
        } else {
            row = &s->findings[s->n_findings++];
            row->key = raw->key;
            row->value = raw->value;
            row->flow_id = qpw_finding_flow_id(&raw->key);
            if (raw->value.outcome >= QPW_OUTCOME_ANSWERED) /* this table's entry was made by the answer; earlier
                                                               attempts are in another table */
                row->answered_unix_ns = qpw_collection_unix(c, raw->value.first_ns);
        }
        if (raw->value.slot && raw->value.slot < QPW_COUNTER_SLOTS) {
            add_packets(&row->counts, &c->counts[raw->value.slot]);
            row->counts.connections += c->counts[raw->value.slot].connections;
        }
        row->first_unix_ns = qpw_collection_unix(c, row->value.first_ns);
        row->last_unix_ns = qpw_collection_unix(c, row->value.last_ns);
    }
    return qpw_findings_cross(s->findings, s->n_findings, s->control.udp_ns);
}

/* ---- Meters ---- */

struct qpw_meter_row *qpw_collection_add_meter(struct qpw_collection *c, const struct qpw_meter_key *key, uint32_t slot,
                                               uint64_t first_ns)
{
    struct qpw_snapshot *s = &c->s;
    struct qpw_meter_row *row = QPW_ADD(s->meters, s->n_meters);

    if (!row)
        return NULL;
    s->n_meters++;
    row->key = *key;
    row->first_unix_ns = qpw_collection_unix(c, first_ns);
    if (slot < QPW_COUNTER_SLOTS)
        c->row_of[slot] = s->n_meters;
    return row;
}

static int read_meters(struct qpw_collection *c)
{
    struct qpw_entries e;
    int r = qpw_entries_read(c->k->map_fd[QPW_MAP_meters], sizeof(struct qpw_meter_key), sizeof(struct qpw_meter), &e);

    if (r < 0)
        return r;
    for (size_t i = 0; r == 0 && i < e.count; i++) {
        const struct qpw_meter *meter = &((struct qpw_meter *)e.values)[i];

        if (!qpw_collection_add_meter(c, &((struct qpw_meter_key *)e.keys)[i], meter->slot, meter->first_ns))
            r = -ENOMEM;
    }
    qpw_entries_clear(&e);
    return r;
}

/* Sum up each range of slots up to its last one in use, because the queues hand slots out in ascending order. */
static int read_counters(struct qpw_collection *c)
{
    static const uint32_t starts[] = {0, QPW_FIRST_METER_SLOT, QPW_FIRST_OPEN_SLOT, QPW_FIRST_FINDING_SLOT,
                                      QPW_FIRST_NODE_SLOT, QPW_FIRST_ANSWERED_SLOT, QPW_FIRST_IMPLIED_SLOT,
                                      QPW_FIRST_WEAK_SLOT, QPW_COUNTER_SLOTS};
    const unsigned ranges = sizeof(starts) / sizeof(*starts) - 1;
    static const struct qpw_counts none;
    const struct qpw_counts *correction;
    struct qpw_entries corrections;
    uint32_t last, corrected;
    bool used[QPW_COUNTER_SLOTS];
    int r = qpw_corrections_read(c->k->map_fd[QPW_MAP_corrections], &corrections);

    if (r < 0)
        return r;

    for (uint32_t slot = 0; slot < QPW_COUNTER_SLOTS; slot++)
        used[slot] = slot < QPW_OVERFLOW_SLOTS || c->row_of[slot];
    for (size_t i = 0; i < c->n_raw; i++)
        if (c->raw[i].value.slot < QPW_COUNTER_SLOTS)
            used[c->raw[i].value.slot] = true;
    for (size_t i = 0; i < corrections.count * QPW_COUNTS_BLOCK; i++) {
        correction = qpw_correction_at(&corrections, i, &corrected);
        used[corrected] |= memcmp(correction, &none, sizeof(none)) != 0;
    }
    for (unsigned i = 0; r == 0 && i < ranges; i++) {
        for (last = starts[i + 1]; last > starts[i] && !used[last - 1]; last--)
            ;
        if (last > starts[i])
            r = qpw_counters_sum(c->k->map_fd[QPW_MAP_counters], starts[i], last - starts[i], &c->counts[starts[i]]);
    }
    for (size_t i = 0; r == 0 && i < corrections.count * QPW_COUNTS_BLOCK; i++) {
        correction = qpw_correction_at(&corrections, i, &corrected);
        qpw_counts_correct(&c->counts[corrected], correction);
    }
    qpw_entries_clear(&corrections);
    /* The CPU that sees a connection move subtracts it from its old row, so a sum may be negative for a moment. */
    for (uint32_t slot = 0; slot < QPW_COUNTER_SLOTS; slot++)
        if ((int64_t)c->counts[slot].connections < 0)
            c->counts[slot].connections = 0;
    return r;
}

/* Return the meter row of a finding's packets, created from the finding's own data if missing. */
static struct qpw_meter_row *meter_of(struct qpw_collection *c, const struct qpw_raw_finding *raw)
{
    struct qpw_meter_key key = {0};
    uint32_t slot = raw->value.meter;

    if (slot < QPW_COUNTER_SLOTS && c->row_of[slot])
        return &c->s.meters[c->row_of[slot] - 1];
    key.kind = raw->key.kind;
    key.protocol = raw->key.protocol;
    key.direction = raw->key.direction;
    key.scope = raw->value.scope;
    key.verdict = raw->key.verdict;
    key.port = raw->key.port;
    key.rule = raw->value.rule;
    key.iface = raw->value.iface;
    key.peer = raw->value.peer;
    return qpw_collection_add_meter(c, &key, slot, raw->value.first_ns);
}

static bool any_packets(const struct qpw_counts *counts)
{
    return counts->rx_packets || counts->tx_packets || counts->connections;
}

/* Add the rows for packets without a row of their own, by verdict and direction. */
static int add_overflow_rows(struct qpw_collection *c)
{
    for (unsigned verdict = 0; verdict < QPW_VERDICT_COUNT; verdict++)
        for (unsigned direction = 0; direction < QPW_DIR_COUNT; direction++) {
            struct qpw_meter_key key = {.verdict = verdict, .direction = direction};
            uint32_t slot = QPW_OVERFLOW_SLOT(verdict, direction);

            if (any_packets(&c->counts[slot]) && !qpw_collection_add_meter(c, &key, slot, 0))
                return -ENOMEM;
        }
    return 0;
}

static struct qpw_meter_row *judged_row(const struct qpw_collection *c, uint32_t slot)
{
    struct qpw_meter_row *row = c->row_of[slot] ? &c->s.meters[c->row_of[slot] - 1] : NULL;

    return row && row->key.verdict == QPW_VERDICT_ALLOWED ? row : NULL;
}

/* Read the judgements of what speaks on each allowed row, with one call for all of them. */
static int read_judged(struct qpw_collection *c)
{
    struct qpw_judged_counts *counts;
    uint32_t end = QPW_FIRST_OPEN_SLOT;
    int r;

    while (end && !judged_row(c, end - 1))
        end--;
    if (!end)
        return 0;
    counts = calloc(end, sizeof(*counts));
    r = counts ? qpw_array_read(c->k->map_fd[QPW_MAP_judged], sizeof(*counts), end, counts) : -ENOMEM;
    for (uint32_t slot = 0; r == 0 && slot < end; slot++) {
        struct qpw_meter_row *row = judged_row(c, slot);

        if (row)
            memcpy(row->judged, counts[slot].n, sizeof(row->judged));
    }
    free(counts);
    return r;
}

static int make_meters(struct qpw_collection *c)
{
    struct qpw_meter_row *row;
    int r = add_overflow_rows(c);

    if (r < 0)
        return r;
    for (uint32_t slot = 0; slot < QPW_COUNTER_SLOTS; slot++)
        if (c->row_of[slot])
            c->s.meters[c->row_of[slot] - 1].counts = c->counts[slot];
    for (size_t i = 0; i < c->n_raw; i++) {
        uint32_t slot = c->raw[i].value.slot;

        if (!slot || slot >= QPW_COUNTER_SLOTS)
            continue;
        row = meter_of(c, &c->raw[i]);
        if (!row)
            return -ENOMEM;
        add_packets(&row->counts, &c->counts[slot]);
    }
    return 0;
}

int qpw_collect_rows(struct qpw_collection *c)
{
    int r;

    c->counts = calloc(QPW_COUNTER_SLOTS, sizeof(*c->counts));
    c->row_of = calloc(QPW_COUNTER_SLOTS, sizeof(*c->row_of));
    if (!c->counts || !c->row_of)
        return -ENOMEM;
    /* This order guarantees that a finding's meter exists, and that a row's slot is read after the row. */
    r = read_raw_findings(c);
    if (r < 0)
        return r;
    r = read_meters(c);
    if (r < 0)
        return r;
    r = read_counters(c);
    if (r < 0)
        return r;
    r = read_judged(c);
    if (r < 0)
        return r;
    r = make_meters(c);
    if (r < 0)
        return r;
    r = make_findings(c);
    if (r < 0)
        return r;
    return qpw_decisions_count(c);
}
