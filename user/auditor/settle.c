/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "auditor/settle.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "auditor/presence.h"
#include "instance/cpus.h"
#include "snapshot/collect_maps.h"
#include "snapshot/conns.h"
#include "util/cleanup.h"

/* The quotas of findings, each with its range of slots and its queue. */
static const struct quota {
    enum qpw_map queue, table;
    uint32_t first, count;
    bool answered;
} quotas[] = {
    {QPW_MAP_finding_slots, QPW_MAP_findings, QPW_FIRST_FINDING_SLOT, QPW_FINDING_SLOTS, false},
    {QPW_MAP_node_slots, QPW_MAP_findings, QPW_FIRST_NODE_SLOT, QPW_NODE_SLOTS, false},
    {QPW_MAP_answered_slots, QPW_MAP_answered, QPW_FIRST_ANSWERED_SLOT, QPW_ANSWERED_SLOTS, true},
    {QPW_MAP_implied_slots, QPW_MAP_answered, QPW_FIRST_IMPLIED_SLOT, QPW_IMPLIED_SLOTS, true},
    {QPW_MAP_weak_slots, QPW_MAP_answered, QPW_FIRST_WEAK_SLOT, QPW_WEAK_SLOTS, true},
};

struct run {
    struct qpw_kernel *k;
    const struct qpw_settle *settle;
    uint64_t now_ns;
    bool *live; /* by slot: finding of a live connection; NULL: not read yet */
    size_t freed[2];
};

static void note_live(const struct qpw_conn_key *key, const struct qpw_conn *conn, void *data)
{
    bool *live = data;

    if (conn->finding < QPW_COUNTER_SLOTS)
        live[conn->finding] = true;
}

/* Mark the findings of live connections. Half-open ones and tails end long before `quiet_ns`. */
static int find_live(struct run *run)
{
    static const enum qpw_conn_class classes[] = {QPW_CLASS_EST, QPW_CLASS_OUT, QPW_CLASS_DGRAM};
    int r = 0;

    if (run->live)
        return 0;
    run->live = calloc(QPW_COUNTER_SLOTS, sizeof(*run->live));
    if (!run->live)
        return -ENOMEM;
    for (size_t i = 0; r == 0 && i < sizeof(classes) / sizeof(*classes); i++)
        r = qpw_conns_walk(run->k, classes[i], note_live, run->live);
    return r;
}

int qpw_slot_correct(struct qpw_kernel *k, uint32_t slot, const struct qpw_counts *by)
{
    struct qpw_counts_block sums = {0};
    int fd = k->map_fd[QPW_MAP_corrections];
    uint32_t block = slot / QPW_COUNTS_BLOCK;

    bpf_map_lookup_elem(fd, &block, &sums);
    qpw_counts_correct(&sums.slot[slot % QPW_COUNTS_BLOCK], by);
    return bpf_map_update_elem(fd, &block, &sums, BPF_ANY) < 0 ? -errno : 0;
}

/*
 * Free one finding: remove it from its table, add its counts to its meter, return its slot to the queue. Its
 * connections are already counted in the meter.
 */
static int free_slot(struct run *run, const struct quota *q, const struct qpw_finding_key *key,
                     const struct qpw_finding *value)
{
    static const struct qpw_counts none;
    struct qpw_counts counts, taken;
    uint32_t slot = value->slot;
    int r = qpw_slot_correct(run->k, slot, &none); /* reserve space for both before changing anything */

    if (r < 0)
        return r;
    r = qpw_slot_correct(run->k, value->meter, &none);
    if (r < 0)
        return r;
    if (bpf_map_delete_elem(run->k->map_fd[q->table], key) < 0)
        return -errno;
    r = qpw_counters_one(run->k, slot, &counts);
    if (r < 0)
        return r;
    taken = (struct qpw_counts){-counts.connections, -counts.rx_packets, -counts.rx_bytes, -counts.tx_packets,
                                -counts.tx_bytes};
    counts.connections = 0;
    r = qpw_slot_correct(run->k, slot, &taken);
    if (r < 0)
        return r;
    r = qpw_slot_correct(run->k, value->meter, &counts);
    if (r < 0)
        return r;
    if (bpf_map_update_elem(run->k->map_fd[q->queue], NULL, &slot, BPF_ANY) < 0)
        return -errno;
    run->freed[q->answered]++;
    return 0;
}

static bool is_settled(struct run *run, const struct qpw_finding_key *key, const struct qpw_finding *value)
{
    struct qpw_finding_row row = {.key = *key, .value = *value};

    if ((int64_t)(run->now_ns - value->last_ns) <= (int64_t)run->settle->quiet_ns || run->live[value->slot])
        return false;
    return qpw_counters_one(run->k, value->slot, &row.counts) == 0 && run->settle->written(run->settle->data, &row);
}

/* An entry of a table, for sorting by age. */
struct candidate {
    uint64_t last_ns;
    size_t index;
};

static int by_age(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;

    return (x->last_ns > y->last_ns) - (x->last_ns < y->last_ns);
}

static int relieve(struct run *run, const struct quota *q, const struct qpw_entries *e)
{
    const struct qpw_finding_key *keys = e->keys;
    const struct qpw_finding *values = e->values;
    struct candidate *all = calloc(e->count + 1, sizeof(*all));
    size_t used = 0;
    int r = all ? 0 : -ENOMEM;

    for (size_t i = 0; r == 0 && i < e->count; i++)
        if (values[i].slot >= q->first && values[i].slot < q->first + q->count)
            all[used++] = (struct candidate){values[i].last_ns, i};
    if (r == 0 && used >= q->count / 4 * 3) {
        size_t left = used;

        qsort(all, used, sizeof(*all), by_age);
        r = find_live(run);
        for (size_t i = 0; r == 0 && i < used && left > q->count / 2; i++)
            if (is_settled(run, &keys[all[i].index], &values[all[i].index])) {
                r = free_slot(run, q, &keys[all[i].index], &values[all[i].index]);
                left--;
            }
    }
    free(all);
    return r;
}

/* Write into the first CPU's entry; nothing else writes there. */
static int add_freed(struct run *run, bool answered)
{
    int cpus = qpw_possible_cpus(), fd = run->k->map_fd[QPW_MAP_losses], r = 0;
    uint64_t *values = calloc(cpus, sizeof(*values));
    uint32_t key = QPW_STAT_FREED(answered);

    if (!values)
        return -ENOMEM;
    if (bpf_map_lookup_elem(fd, &key, values) < 0)
        r = -errno;
    values[0] += run->freed[answered];
    if (r == 0 && bpf_map_update_elem(fd, &key, values, BPF_ANY) < 0)
        r = -errno;
    free(values);
    return r;
}

static int relieve_all(struct run *run)
{
    for (size_t i = 0; i < sizeof(quotas) / sizeof(*quotas); i++) {
        QPW_CLEANUP(qpw_entries_clear) struct qpw_entries e = {0};
        int r = qpw_entries_read(run->k->map_fd[quotas[i].table], sizeof(struct qpw_finding_key),
                                 sizeof(struct qpw_finding), &e);

        if (r < 0)
            return r;
        r = relieve(run, &quotas[i], &e);
        if (r < 0)
            return r;
    }
    return 0;
}

int qpw_settle_run(struct qpw_kernel *k, const struct qpw_settle *settle, size_t *ret_freed, struct qpw_error *err)
{
    struct run run = {.k = k, .settle = settle, .now_ns = qpw_kernel_now_ns(k)};
    int r = relieve_all(&run);

    for (int answered = 0; answered < 2; answered++) { /* count them after a failure, too */
        int added = run.freed[answered] ? add_freed(&run, answered) : 0;

        if (r == 0)
            r = added;
    }
    free(run.live);
    *ret_freed = run.freed[0] + run.freed[1];
    if (r < 0)
        return qpw_fail(err, r, "slots of settled findings cannot be freed: %s", strerror(-r));
    if (qpw_presence_is_worn(k))
        qpw_presence_renew(k); /* on failure, the rate of false positives stays as it is */
    return 0;
}
